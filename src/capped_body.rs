//! The body of an HTTP answer, as far as there is room for it.

use reqwest::{Response, Result};

/// Room that is made before anything has come, whatever the answer says of its length.
const MAX_PREPARED_BYTES: u64 = 8 << 20;

/// Nothing where it is larger: no more of it is read then.
pub(crate) async fn read(mut response: Response, max_bytes: usize) -> Result<Option<Vec<u8>>> {
    let told = response.content_length().unwrap_or(0);
    let prepared = told.min(MAX_PREPARED_BYTES).min(max_bytes as u64);
    let mut body = Vec::with_capacity(prepared as usize);
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_bytes {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
