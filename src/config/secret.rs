//! Secrets from files.

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::error::{Error, Result};

/// A file's name, which may be empty: clap's own paths refuse a variable without a text, as Compose and systemd give it.
pub(crate) fn file_name() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// User and password of a server, where a user is given: the password from the file, or else from the variable.
pub(super) fn credentials(
    user: Option<&str>,
    file: Option<&Path>,
    variable: &str,
) -> Result<Option<(String, String)>> {
    let Some(user) = user.filter(|user| !user.is_empty()) else {
        return Ok(None);
    };
    let password = match read(file)? {
        Some(password) => password,
        None => std::env::var(variable).unwrap_or_default(),
    };
    Ok(Some((user.to_owned(), password)))
}

/// The content of the file without the line end that editors add; nothing where no file is named.
pub(crate) fn read(file: Option<&Path>) -> Result<Option<String>> {
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
