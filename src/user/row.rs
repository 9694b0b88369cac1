//! The row of `spark_streams.created_users` (cql/001_created_users.cql).

use std::borrow::Cow;

use uuid::Uuid;

/// One user, cleaned; a text that was clean already lies where it came from. Times are milliseconds since 1970-01-01T00:00:00Z, as the CQL type `timestamp` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedUser<'a> {
    pub id: Uuid,
    pub first_name: Cow<'a, str>,
    pub last_name: Cow<'a, str>,
    pub gender: Option<Cow<'a, str>>,
    pub address: Option<Cow<'a, str>>,
    pub post_code: Option<Cow<'a, str>>,
    pub email: Option<Cow<'a, str>>,
    pub username: Option<Cow<'a, str>>,
    pub dob_ms: Option<i64>,
    pub registered_date_ms: Option<i64>,
    pub phone: Option<Cow<'a, str>>,
    pub picture: Option<Cow<'a, str>>,
    pub nationality: Option<Cow<'a, str>>,
    pub country: Option<Cow<'a, str>>,
}

impl CreatedUser<'_> {
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
        let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
        FIXED_BYTES + self.first_name.len() + self.last_name.len() + texts
    }

    /// The same row, with texts of its own.
    pub fn into_owned(self) -> CreatedUser<'static> {
        fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        let CreatedUser {
            id,
            first_name,
            last_name,
            gender,
            address,
            post_code,
            email,
            username,
            dob_ms,
            registered_date_ms,
            phone,
            picture,
            nationality,
            country,
        } = self;
        CreatedUser {
            id,
            first_name: owned(first_name),
            last_name: owned(last_name),
            gender: gender.map(owned),
            address: address.map(owned),
            post_code: post_code.map(owned),
            email: email.map(owned),
            username: username.map(owned),
            dob_ms,
            registered_date_ms,
            phone: phone.map(owned),
            picture: picture.map(owned),
            nationality: nationality.map(owned),
            country: country.map(owned),
        }
    }
}
