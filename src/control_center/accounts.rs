//! Who may do what: names, roles and hashes of passwords, from a file or a variable.

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::Serialize;

use crate::error::{Error, Result};

/// Each role may do what the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything, with personal data masked.
    Viewer,
    /// Resets groups and replays dead letters, too.
    Operator,
    /// Sees personal data and the audit log, too.
    Admin,
}

impl Role {
    fn parse(text: &str) -> Option<Self> {
        [Role::Viewer, Role::Operator, Role::Admin]
            .into_iter()
            .find(|role| role.to_string() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        })
    }
}

struct Account {
    name: String,
    role: Role,
    /// In the PHC string format, by Argon2 (RFC 9106).
    hash: String,
}

/// Without any, nobody logs in, and whoever comes is an operator.
#[derive(Default)]
pub struct Accounts(Vec<Account>);

impl Accounts {
    /// One account a line, `name:role:hash`; empty lines and those that begin with # are skipped.
    pub fn parse(text: &str) -> Result<Self> {
        let mut accounts: Vec<Account> = Vec::new();
        for (place, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // Neither the line nor its hash is repeated.
            let wrong = |what: String| {
                Error::configuration(format!("line {} of the accounts {what}", place + 1)).hint(
                    "a line is name:role:hash with the role viewer, operator or admin; `control-center --hash-password` makes the hash",
                )
            };
            let mut parts = line.splitn(3, ':');
            let (Some(name), Some(role), Some(hash)) = (parts.next(), parts.next(), parts.next())
            else {
                return Err(wrong("is not name:role:hash".to_owned()));
            };
            let role =
                Role::parse(role).ok_or_else(|| wrong(format!("has no such role as {role:?}")))?;
            if name.is_empty() || accounts.iter().any(|it| it.name == name) {
                return Err(wrong(format!(
                    "has no name, or one that was there before: {name:?}"
                )));
            }
            // Compose has a sign $ doubled, and not all of its versions take the second one away. No hash holds two.
            let hash = hash.replace("$$", "$");
            if PasswordHash::new(&hash).is_err() {
                return Err(wrong("has no hash of a password".to_owned()));
            }
            accounts.push(Account {
                name: name.to_owned(),
                role,
                hash,
            });
        }
        Ok(Self(accounts))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The role of who knows the password. Takes as long for a name that nobody has. Blocks its thread for some 20 ms.
    pub(super) fn role_of(&self, name: &str, password: &str) -> Option<Role> {
        let account = self.0.iter().find(|it| it.name == name);
        let hash = account.or(self.0.first())?.hash.as_str();
        let hash = PasswordHash::new(hash).ok()?;
        let verified = Argon2::default().verify_password(password.as_bytes(), &hash);
        account.filter(|_| verified.is_ok()).map(|it| it.role)
    }
}

/// The hash of a password for a line of the accounts.
pub fn hash_password(password: &str) -> Result<String> {
    if password.chars().count() < 5 {
        return Err(Error::data("the password has fewer than five characters")
            .hint("take a longer one; it is read from standard input up to the end of the line"));
    }
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|cause| Error::bug(format!("the password cannot be hashed: {cause}")))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_of_the_name_opens() {
        let hash = hash_password("correct horse").unwrap();
        let other = hash_password("battery staple").unwrap();
        let accounts = Accounts::parse(&format!(
            "# people\n\nada:admin:{hash}\nvi:viewer:{other}\n"
        ))
        .unwrap();
        assert_eq!(accounts.role_of("ada", "correct horse"), Some(Role::Admin));
        assert_eq!(accounts.role_of("vi", "battery staple"), Some(Role::Viewer));
        for (name, password) in [
            ("ada", "battery staple"),
            ("nobody", "correct horse"),
            ("", ""),
            ("ada", ""),
        ] {
            assert_eq!(accounts.role_of(name, password), None, "{name}");
        }
        assert_eq!(Accounts::default().role_of("ada", "correct horse"), None);
    }

    #[test]
    fn a_wrong_line_is_named_and_not_repeated() {
        let hash = hash_password("correct horse").unwrap();
        for line in [
            "ada",
            "ada:admin",
            "ada:root:hidden",
            ":admin:hidden",
            "ada:admin:hidden",
        ] {
            let error = Accounts::parse(&format!("vi:viewer:{hash}\n{line}"))
                .err()
                .unwrap()
                .to_string();
            assert!(
                error.contains("line 2") && !error.contains("hidden"),
                "{error}"
            );
        }
        let twice = Accounts::parse(&format!("vi:viewer:{hash}\nvi:admin:{hash}"));
        assert!(twice.is_err());
    }

    #[test]
    fn a_hash_as_compose_writes_it_is_taken() {
        let hash = hash_password("correct horse").unwrap().replace('$', "$$");
        let accounts = Accounts::parse(&format!("ada:admin:{hash}")).unwrap();
        assert_eq!(accounts.role_of("ada", "correct horse"), Some(Role::Admin));
    }

    #[test]
    fn roles_are_in_their_order() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
    }
}
