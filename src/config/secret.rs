//! Secrets from files.

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::error::{Error, Result};

/// A file's name, which may be empty: clap's own paths refuse a variable without a text, as Compose and systemd give it.
pub(super) fn file_name() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// The content of the file without the line end that editors add; nothing where no file is named.
pub(super) fn read(file: Option<&Path>) -> Result<Option<String>> {
    let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(file).map_err(|cause| {
        Error::configuration(format!("the secret file {} cannot be read", file.display()))
            .cause(cause)
            .hint("name a file that this user may read")
    })?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}
