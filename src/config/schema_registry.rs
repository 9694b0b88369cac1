use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reqwest::Url;

use crate::error::{Error, Result};
use crate::user::format::SchemaFormat;

#[derive(Clone, Args)]
#[command(next_help_heading = "Schema Registry")]
pub struct SchemaRegistryArguments {
    /// Schema Registry (Confluent's interface), for records that are not plain JSON; several addresses of the same registry separated by
    /// commas. Without one, only plain JSON can be written and read
    #[arg(
        long,
        env = "SCHEMA_REGISTRY_URL",
        hide_env_values = true,
        value_name = "URL,…"
    )]
    pub schema_registry_url: Option<String>,

    /// User, where the registry asks for one
    #[arg(long, env = "SCHEMA_REGISTRY_USERNAME", value_name = "NAME")]
    pub schema_registry_username: Option<String>,

    /// File that holds the user's password (or the variable SCHEMA_REGISTRY_PASSWORD)
    #[arg(long, env = "SCHEMA_REGISTRY_PASSWORD_FILE", value_name = "FILE", value_parser = super::secret::file_name())]
    pub schema_registry_password_file: Option<PathBuf>,
}

impl SchemaRegistryArguments {
    /// The addresses, of which there are none when the flag is not given. A variable without a text is the same as none.
    pub fn urls(&self) -> Result<Vec<Url>> {
        let given = self.schema_registry_url.as_deref().unwrap_or_default();
        let texts = given.split(',').map(str::trim);
        texts
            .filter(|text| !text.is_empty())
            .map(|text| parse_url(text).ok_or_else(unreadable))
            .collect()
    }

    /// User and password, when they are given apart from the address.
    pub fn credentials(&self) -> Result<Option<(String, String)>> {
        super::secret::credentials(
            self.schema_registry_username.as_deref(),
            self.schema_registry_password_file.as_deref(),
            "SCHEMA_REGISTRY_PASSWORD",
        )
    }

    /// The addresses without users and passwords.
    pub fn address(&self) -> String {
        let Ok(urls) = self.urls() else {
            return "an unreadable URL".to_owned();
        };
        let plain = urls.into_iter().map(|mut url| {
            // Both fail only for a URL without a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        });
        plain.collect::<Vec<_>>().join(",")
    }
}

impl std::fmt::Debug for SchemaRegistryArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SchemaRegistryArguments")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

fn parse_url(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    url.set_query(None);
    url.set_fragment(None);
    is_http.then_some(url)
}

/// The text may hold a password: it is not repeated.
fn unreadable() -> Error {
    Error::configuration("the address of the Schema Registry cannot be read").hint(
        "set --schema-registry-url (SCHEMA_REGISTRY_URL) to http://HOST:PORT, with the path where the registry has one; several with commas",
    )
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Schema Registry")]
pub struct ValueFormatArguments {
    /// How the values of the records are written; all but plain JSON need a Schema Registry
    #[arg(long, env = "STREAMFLOW_VALUE_FORMAT", value_enum, default_value_t = ValueFormat::Json, value_name = "FORMAT")]
    pub value_format: ValueFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValueFormat {
    /// Plain JSON, without a registry
    // A variable without a text is the same as none.
    #[value(alias = "")]
    Json,
    Avro,
    /// JSON with the id of its JSON Schema
    JsonSchema,
    Protobuf,
}

impl ValueFormat {
    /// The format of the registry's schema, which is demanded to be there for all formats but plain JSON.
    pub fn schema_format(self, registry: &SchemaRegistryArguments) -> Result<Option<SchemaFormat>> {
        let format = match self {
            ValueFormat::Json => return Ok(None),
            ValueFormat::Avro => SchemaFormat::Avro,
            ValueFormat::JsonSchema => SchemaFormat::JsonSchema,
            ValueFormat::Protobuf => SchemaFormat::Protobuf,
        };
        if registry.urls()?.is_empty() {
            let name = self.to_possible_value();
            let name = name.as_ref().map_or("", |it| it.get_name());
            return Err(Error::configuration(format!(
                "the value format {name} needs a Schema Registry, and none is given"
            ))
            .hint("say where it is with --schema-registry-url or SCHEMA_REGISTRY_URL, or write plain JSON with --value-format json"));
        }
        Ok(Some(format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(url: &str) -> SchemaRegistryArguments {
        SchemaRegistryArguments {
            schema_registry_url: Some(url.to_owned()),
            schema_registry_username: None,
            schema_registry_password_file: None,
        }
    }

    #[test]
    fn an_address_shows_no_user_and_no_password() {
        let arguments = arguments("http://someone:hidden@one:8081/apis/ccompat/v7, https://two/");
        assert_eq!(
            arguments.address(),
            "http://one:8081/apis/ccompat/v7,https://two/"
        );
        assert!(!format!("{arguments:?}").contains("hidden"));
    }

    #[test]
    fn an_unreadable_address_is_not_repeated() {
        for url in ["nonsense:hidden@", "ftp://hidden/", "http://a:1,hidden"] {
            let error = arguments(url).urls().unwrap_err().to_string();
            assert!(
                error.contains("SCHEMA_REGISTRY_URL") && !error.contains("hidden"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_empty_variable_is_no_address() {
        for url in ["", " ", ","] {
            assert_eq!(arguments(url).urls().unwrap(), []);
        }
    }

    #[test]
    fn all_formats_but_plain_json_need_a_registry() {
        for format in ValueFormat::value_variants() {
            let schema_format = format.schema_format(&arguments(""));
            assert_eq!(schema_format.is_ok(), *format == ValueFormat::Json);
            let schema_format = format.schema_format(&arguments("http://one:1"));
            assert_eq!(
                schema_format.unwrap().is_none(),
                *format == ValueFormat::Json
            );
        }
    }
}
