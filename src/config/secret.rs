//! Secrets from files.

use std::path::Path;

use crate::error::{Error, Result};

/// The content of the file without the line end that editors add.
pub(super) fn read(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|cause| {
        Error::configuration(format!("the secret file {} cannot be read", file.display()))
            .cause(cause)
            .hint("name a file that this user may read")
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
