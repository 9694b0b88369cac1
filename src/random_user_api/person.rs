//! One user: who is at a position of a page of a seed.
//!
//! `login.uuid` and the coordinates come from seed, page and position only; everything else depends on the version, the
//! nationality and (without a seed) the gender asked for as well. So the same seed asked with another nationality gives other
//! people under the same ids, as the public service does. Unlike there, two seeds never share their people by accident, and a
//! field left out changes no other.

use jiff::civil::DateTime;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::ascii::push_ascii;
use super::draw::{Draw, scramble};
use super::identity::{self, Holder};
use super::json::{Json, push_hex, push_number};
use super::nationality::{Nationality, Postcode};
use super::query::{Field, Query};
use super::{Gender, Version, moment, vocabulary};

/// A page of a seed, ready to give the user at each position.
pub struct Page<'q> {
    pub query: &'q Query,
    pub version: Version,
    pub now: DateTime,
    /// The digest of the seed with the page's number appended, not yet of a position.
    seed: Sha256,
}

/// The parts that are drawn from streams of their own.
enum Part {
    Nationality,
    Gender,
    Name,
    Place,
    Coordinates,
    Login,
    Birth,
    Registration,
    Phone,
    Cell,
    Id,
    Picture,
}

impl<'q> Page<'q> {
    pub fn new(query: &'q Query, seed: &str, version: Version, now: DateTime) -> Self {
        let mut digest = Sha256::new_with_prefix(seed);
        // Page 2 of the seed `abc` is page 1 of the seed `abc2`: the public service appends the number in the same way.
        if query.page != 1.0 {
            digest.update(query.page.to_string());
        }
        Self {
            query,
            version,
            now,
            seed: digest,
        }
    }

    /// Writes the user at a position, counted from 0.
    pub fn write_user(&self, position: u32, json: &mut Json) {
        let digest = self
            .seed
            .clone()
            .chain_update(position.to_be_bytes())
            .finalize();
        let word = |at: usize| {
            digest[at..at + 8]
                .iter()
                .fold(0, |word: u64, &byte| word << 8 | u64::from(byte))
        };
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&digest[..16]);
        let position_key = word(16);
        let nationality =
            Draw::new(position_key, Part::Nationality as u64).one_of(&self.query.nationalities);
        let key = scramble(word(24) ^ self.salt(nationality));
        let gender = self.query.gender.unwrap_or_else(|| {
            [Gender::Male, Gender::Female][Draw::new(key, Part::Gender as u64).below(2) as usize]
        });
        let user = User {
            page: self,
            nationality,
            gender,
            key,
            position_key,
            uuid,
        };
        json.open(b'{');
        user.write(json);
        json.close(b'}');
    }

    /// What makes another person of the same seed, page and position.
    fn salt(&self, nationality: &Nationality) -> u64 {
        let gender = self.query.gender.map_or(0, |gender| gender as u64 + 1);
        let code = nationality
            .code
            .bytes()
            .fold(0, |code: u64, byte| code << 8 | u64::from(byte));
        scramble(code << 16 | (self.version as u64) << 8 | gender)
    }
}

struct User<'p, 'q> {
    page: &'p Page<'q>,
    nationality: &'static Nationality,
    gender: Gender,
    key: u64,
    position_key: u64,
    uuid: [u8; 16],
}

impl User<'_, '_> {
    fn draw(&self, part: Part) -> Draw {
        Draw::new(self.key, part as u64)
    }

    fn write(&self, json: &mut Json) {
        let wanted = |field| self.page.query.fields.has(field);
        let version = self.page.version;
        let mut names = self.draw(Part::Name);
        let title = self.title(&mut names);
        let first = names.one_of(match self.gender {
            Gender::Male => self.nationality.men,
            Gender::Female => self.nationality.women,
        });
        let last = names.one_of(self.nationality.last);
        let born = moment::within(&moment::births(version), &mut self.draw(Part::Birth));

        if wanted(Field::Gender) {
            json.text("gender", self.gender.name());
        }
        if wanted(Field::Name) {
            json.object("name");
            json.text("title", title);
            json.text("first", first);
            json.text("last", last);
            json.close(b'}');
        }
        if wanted(Field::Location) {
            self.write_location(json);
        }
        if wanted(Field::Email) {
            json.made("email", |out| {
                push_ascii(first, out);
                out.push(b'.');
                push_ascii(last, out);
                out.extend_from_slice(b"@example.com");
            });
        }
        if wanted(Field::Login) {
            self.write_login(json);
        }
        if wanted(Field::Dob) {
            self.write_date("dob", born, json);
        }
        if wanted(Field::Registered) {
            let registered = moment::within(
                &moment::registrations(version),
                &mut self.draw(Part::Registration),
            );
            self.write_date("registered", registered, json);
        }
        let numbers = [
            (
                Field::Phone,
                "phone",
                Part::Phone,
                self.nationality.phone(version),
            ),
            (
                Field::Cell,
                "cell",
                Part::Cell,
                self.nationality.cell(version),
            ),
        ];
        for (field, key, part, patterns) in numbers {
            if wanted(field) {
                let mut draw = self.draw(part);
                let pattern = draw.one_of(patterns);
                json.made(key, |out| draw.fill(pattern, out));
            }
        }
        if wanted(Field::Id) {
            // Central Standard Time all year: the hour of its summer time moves no test and needs no table.
            let holder = Holder {
                gender: self.gender,
                last_name: last,
                born: moment::civil(born, -6),
            };
            identity::write(
                self.nationality.id(version),
                &holder,
                &mut self.draw(Part::Id),
                json,
            );
        }
        if wanted(Field::Picture) {
            self.write_picture(json);
        }
        if wanted(Field::Nat) {
            json.text("nat", self.nationality.code);
        }
    }

    fn title(&self, draw: &mut Draw) -> &'static str {
        match (self.nationality.code, self.gender) {
            ("CH", Gender::Male) => "Monsieur",
            ("CH", Gender::Female) => draw.one_of(&["Mademoiselle", "Madame"]),
            (_, Gender::Male) => "Mr",
            (_, Gender::Female) => draw.one_of(&["Miss", "Mrs", "Ms"]),
        }
    }

    fn write_location(&self, json: &mut Json) {
        let mut place = self.draw(Part::Place);
        json.object("location");
        json.object("street");
        json.number("number", place.between(1, 9999));
        json.text("name", place.one_of(self.nationality.streets));
        json.close(b'}');
        json.text("city", place.one_of(self.nationality.cities));
        json.text("state", place.one_of(self.nationality.states));
        json.text("country", self.nationality.country);
        match self.nationality.postcode(self.page.version) {
            Postcode::Number(least, most) => json.number("postcode", place.between(least, most)),
            Postcode::Text(patterns) => {
                let pattern = place.one_of(patterns);
                json.made("postcode", |out| place.fill(pattern, out));
            }
        }
        let mut coordinates = Draw::new(self.position_key, Part::Coordinates as u64);
        json.object("coordinates");
        for (key, most_degrees) in [("latitude", 90), ("longitude", 180)] {
            let most = most_degrees * 10_000;
            let value = coordinates.between(0, 2 * most);
            json.made(key, |out| push_degrees(value as i64 - most as i64, out));
        }
        json.close(b'}');
        let (offset, description) = place.one_of(vocabulary::TIME_ZONES);
        json.object("timezone");
        json.text("offset", offset);
        json.text("description", description);
        json.close(b'}');
        json.close(b'}');
    }

    fn write_login(&self, json: &mut Json) {
        let mut draw = self.draw(Part::Login);
        let uuid = uuid::Builder::from_random_bytes(self.uuid).into_uuid();
        let mut text = uuid::Uuid::encode_buffer();
        json.object("login");
        json.text("uuid", uuid.hyphenated().encode_lower(&mut text));
        json.made("username", |out| {
            out.extend_from_slice(draw.one_of(vocabulary::ADJECTIVES).as_bytes());
            out.extend_from_slice(draw.one_of(vocabulary::ANIMALS).as_bytes());
            push_number(draw.between(100, 999), 3, out);
        });
        let made;
        let password = match &self.page.query.password {
            Some(rule) => {
                made = rule.make(&mut draw);
                &made
            }
            None => draw.one_of(vocabulary::PASSWORDS),
        };
        json.text("password", password);
        const SALT: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let salt: [u8; 8] = std::array::from_fn(|_| draw.one_of(SALT));
        json.made("salt", |out| out.extend_from_slice(&salt));
        let secret = [password.as_bytes(), &salt].concat();
        json.made("md5", |out| push_hex(&Md5::digest(&secret), out));
        json.made("sha1", |out| push_hex(&Sha1::digest(&secret), out));
        json.made("sha256", |out| push_hex(&Sha256::digest(&secret), out));
        json.close(b'}');
    }

    fn write_date(&self, key: &str, ms: i64, json: &mut Json) {
        let when = moment::civil(ms, 0);
        json.object(key);
        json.made("date", |out| moment::push_iso(when, out));
        json.number("age", moment::age(when, self.page.now, self.page.version));
        json.close(b'}');
    }

    fn write_picture(&self, json: &mut Json) {
        let (folder, last) = match self.gender {
            Gender::Male => ("men", 99),
            Gender::Female => ("women", 96),
        };
        let number = self.draw(Part::Picture).between(0, last);
        json.object("picture");
        for (key, size) in [("large", ""), ("medium", "med/"), ("thumbnail", "thumb/")] {
            json.made(key, |out| {
                for piece in ["https://randomuser.me/api/portraits/", size, folder, "/"] {
                    out.extend_from_slice(piece.as_bytes());
                }
                push_number(number, 1, out);
                out.extend_from_slice(b".jpg");
            });
        }
        json.close(b'}');
    }
}

/// Ten-thousandths of a degree as degrees with exactly four decimals.
fn push_degrees(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    push_number(value.unsigned_abs() / 10_000, 1, out);
    out.push(b'.');
    push_number(value.unsigned_abs() % 10_000, 4, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_keep_their_sign_and_four_decimals() {
        let text = |value| {
            let mut out = Vec::new();
            push_degrees(value, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(-900_000), "-90.0000");
        assert_eq!(text(-5), "-0.0005");
        assert_eq!(text(0), "0.0000");
        assert_eq!(text(1_799_999), "179.9999");
    }
}
