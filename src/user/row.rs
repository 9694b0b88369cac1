//! The row of `spark_streams.created_users` (cql/001_created_users.cql).

use uuid::Uuid;

/// One user, cleaned. Times are milliseconds since 1970-01-01T00:00:00Z, as the CQL type `timestamp` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedUser {
    pub id: Uuid,
    pub first_name: String,
    pub last_name: String,
    pub gender: Option<String>,
    pub address: Option<String>,
    pub post_code: Option<String>,
    pub email: Option<String>,
    pub username: Option<String>,
    pub dob_ms: Option<i64>,
    pub registered_date_ms: Option<i64>,
    pub phone: Option<String>,
    pub picture: Option<String>,
    pub nationality: Option<String>,
    pub country: Option<String>,
}

impl CreatedUser {
    /// What the row takes up in a request, near enough to keep a batch below the server's limit: the values, and per row the framing.
    pub fn size_bytes(&self) -> usize {
        const FIXED_BYTES: usize = 16 + 3 * 8 + 15 * 4 + 24;
        let texts = [
            &self.gender,
            &self.address,
            &self.post_code,
            &self.email,
            &self.username,
            &self.phone,
            &self.picture,
            &self.nationality,
            &self.country,
        ];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        FIXED_BYTES + self.first_name.len() + self.last_name.len() + texts
    }
}
