//! A user exactly as the API writes it in version 1.4: every field in its order, nothing between them, no escapes. It is read several times
//! as fast as by a reader of any JSON, which the rest is left to.

use std::ops::Range;

use super::api::{Location, Login, Moment, Name, Picture, RandomUser, Street};
use super::own_layout::Rest;

/// Nothing comes back for a text of any other layout, whether it is a user or not.
pub(super) fn read(text: &str) -> Option<RandomUser<'_>> {
    let mut rest = Rest::of(text)?;
    let user = next(&mut rest)?;
    rest.bytes().is_empty().then_some(user)
}

/// Where each of the users stands that begin at a place of a text and are separated by commas. Nothing comes back where one of them has
/// another layout.
pub fn places(text: &str, begin: usize) -> Option<Vec<Range<usize>>> {
    let mut rest = Rest::from(text, begin)?;
    let mut places = Vec::new();
    loop {
        let begin = rest.at();
        next(&mut rest)?;
        places.push(begin..rest.at());
        if rest.skip(b",").is_none() {
            return Some(places);
        }
    }
}

fn next<'a>(rest: &mut Rest<'a>) -> Option<RandomUser<'a>> {
    let gender = rest.text(b"{\"gender\":")?;
    rest.text(b",\"name\":{\"title\":")?;
    let name = Name {
        first: rest.text(b",\"first\":")?,
        last: rest.text(b",\"last\":")?,
    };
    let street = Street::Parts {
        number: rest.number(b"},\"location\":{\"street\":{\"number\":")?,
        name: rest.text(b",\"name\":")?,
    };
    let location = Location {
        street: Some(street),
        city: rest.text(b"},\"city\":")?,
        state: rest.text(b",\"state\":")?,
        country: rest.text(b",\"country\":")?,
        postcode: rest.text_or_digits(b",\"postcode\":")?,
    };
    rest.text(b",\"coordinates\":{\"latitude\":")?;
    rest.text(b",\"longitude\":")?;
    rest.text(b"},\"timezone\":{\"offset\":")?;
    rest.text(b",\"description\":")?;
    let email = rest.text(b"}},\"email\":")?;
    let login = Login {
        uuid: rest.text(b",\"login\":{\"uuid\":")?,
        username: rest.text(b",\"username\":")?,
    };
    rest.text(b",\"password\":")?;
    rest.text(b",\"salt\":")?;
    rest.text(b",\"md5\":")?;
    rest.text(b",\"sha1\":")?;
    rest.text(b",\"sha256\":")?;
    let dob = Moment {
        date: rest.text(b"},\"dob\":{\"date\":")?,
    };
    rest.number(b",\"age\":")?;
    let registered = Moment {
        date: rest.text(b"},\"registered\":{\"date\":")?,
    };
    rest.number(b",\"age\":")?;
    let phone = rest.text(b"},\"phone\":")?;
    rest.text(b",\"cell\":")?;
    rest.text(b",\"id\":{\"name\":")?;
    rest.text(b",\"value\":")?;
    rest.text(b"},\"picture\":{\"large\":")?;
    let picture = Picture {
        medium: rest.text(b",\"medium\":")?,
    };
    rest.text(b",\"thumbnail\":")?;
    let nat = rest.text(b"},\"nat\":")?;
    rest.skip(b"}")?;
    Some(RandomUser {
        gender,
        name: Some(name),
        location: Some(location),
        email,
        login: Some(login),
        dob: Some(dob),
        registered: Some(registered),
        phone,
        picture: Some(picture),
        nat,
    })
}

#[cfg(test)]
pub const EXAMPLE: &str = r#"{"gender":"male","name":{"title":"Mr","first":"Luis","last":"Cañö"},"location":{"street":{"number":2391,"name":"Calle de Toledo"},"city":"Logroño","state":null,"country":"Spain","postcode":64564,"coordinates":{"latitude":"55.5997","longitude":"90.4658"},"timezone":{"offset":"+9:30","description":"Adelaide, Darwin"}},"email":"luis@example.com","login":{"uuid":"17c996ae-257a-4954-88d8-c9c9d138138d","username":"bluekoala221","password":"saturn","salt":"HeR48IsK","md5":"718b","sha1":"cd18","sha256":"49f6"},"dob":{"date":"1959-04-21T03:14:56.638Z","age":67},"registered":{"date":"2017-02-15T01:30:22.668Z","age":9},"phone":"908-737-854","cell":"","id":{"name":"","value":null},"picture":{"large":"l","medium":"m","thumbnail":"t"},"nat":"ES"}"#;

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = EXAMPLE;

    #[test]
    fn a_user_as_the_api_writes_it_is_read_as_by_any_reader() {
        assert_eq!(read(FULL).unwrap(), serde_json::from_str(FULL).unwrap());
        for (from, to) in [
            ("64564", "\"AB1 2CD\""),
            ("64564", "null"),
            ("64564", "0"),
            ("64564", "-12"),
            ("2391", "null"),
            ("\"luis@example.com\"", "null"),
        ] {
            let other = FULL.replacen(from, to, 1);
            assert_eq!(read(&other).unwrap(), serde_json::from_str(&other).unwrap());
        }
    }

    #[test]
    fn the_places_of_users() {
        let page = format!("[{FULL},{FULL}]");
        let length = FULL.len();
        assert_eq!(
            places(&page, 1).unwrap(),
            [1..1 + length, 2 + length..2 + 2 * length]
        );
        assert_eq!(places(&format!("{FULL},"), 0), None);
        assert_eq!(places(&format!("{FULL},{{}}"), 0), None);
        assert_eq!(places(FULL, length), None);
        assert_eq!(places(FULL, length + 1), None);
    }

    #[test]
    fn every_other_layout_is_left_to_others() {
        for (from, to) in [
            ("{\"gender\"", "{ \"gender\""),
            ("Luis", "L\\u0075is"),
            ("Luis", "Lu\nis"),
            ("64564", "064564"),
            ("64564", "-0"),
            ("64564", "6.5"),
            ("64564", "6e4"),
            ("64564", "[]"),
            ("2391", "\"2391\""),
            ("{\"number\":2391,\"name\":\"Calle de Toledo\"}", "\"x 1\""),
            (",\"age\":67", ""),
            (",\"cell\":\"\"", ""),
            ("\"ES\"}", "\"ES\"} "),
            ("\"ES\"}", "\"ES\",\"new\":1}"),
            ("\"ES\"}", "\"ES\""),
        ] {
            let other = FULL.replacen(from, to, 1);
            assert_ne!(other, FULL);
            assert_eq!(read(&other), None, "{other}");
        }
    }

    #[test]
    fn whatever_is_cut_off_or_exchanged_it_reads_what_any_reader_reads_or_nothing() {
        for place in 0..FULL.len() {
            for byte in [b'"', b'\\', b'}', b',', b'-', b'0', 0x1f, 0x7f] {
                let mut bytes = FULL.as_bytes().to_vec();
                bytes[place] = byte;
                let texts = [&bytes[..], &bytes[..=place], &FULL.as_bytes()[..place]];
                for text in texts.iter().filter_map(|it| std::str::from_utf8(it).ok()) {
                    let known = serde_json::from_str::<RandomUser<'_>>(text).ok();
                    let read = read(text);
                    assert!(read.is_none() || read == known, "{text}");
                    assert!(read.is_none() || crate::user::fingerprint::check(text).is_ok());
                }
            }
        }
    }
}
