//! What the answers hold, without a server.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// 2026-11-21, and a fixed seed for requests that name none.
fn surroundings() -> Surroundings {
    let now = "2026-11-21T00:00:00Z"
        .parse()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    Surroundings {
        now,
        fresh_seed: 0xABC,
    }
}

fn text(query: &str, version: Version) -> String {
    match answer(query, version, surroundings()) {
        Answer::Body(body) => String::from_utf8(body).unwrap(),
        Answer::Silence(reason) => panic!("no answer to {query}: {reason}"),
    }
}

fn json(query: &str, version: Version) -> Value {
    serde_json::from_str(&text(query, version)).unwrap()
}

fn users(query: &str) -> Vec<Value> {
    json(query, Version::V1_4)["results"]
        .as_array()
        .unwrap()
        .clone()
}

/// Digits become 9 and capital letters A, so that formats can be compared.
fn shape(text: &str) -> String {
    let letter = |c: char| match c {
        '0'..='9' => '9',
        'A'..='Z' => 'A',
        other => other,
    };
    text.chars().map(letter).collect()
}

#[test]
fn keys_stand_in_the_order_of_the_public_api() {
    let body = text("seed=abc&nat=gb&page=2", Version::V1_4);
    let mut at = 0;
    for key in [
        "results",
        "gender",
        "name",
        "title",
        "first",
        "last",
        "location",
        "street",
        "number",
        "name",
        "city",
        "state",
        "country",
        "postcode",
        "coordinates",
        "latitude",
        "longitude",
        "timezone",
        "offset",
        "description",
        "email",
        "login",
        "uuid",
        "username",
        "password",
        "salt",
        "md5",
        "sha1",
        "sha256",
        "dob",
        "date",
        "age",
        "registered",
        "date",
        "age",
        "phone",
        "cell",
        "id",
        "name",
        "value",
        "picture",
        "large",
        "medium",
        "thumbnail",
        "nat",
        "info",
        "seed",
        "results",
        "page",
        "version",
    ] {
        let quoted = format!("\"{key}\":");
        at += body[at..]
            .find(&quoted)
            .unwrap_or_else(|| panic!("{key} is missing or out of order in {body}"))
            + quoted.len();
    }
    assert!(body.starts_with("{\"results\":[{\"gender\":"));
    assert!(
        body.ends_with(
            "],\"info\":{\"seed\":\"abc\",\"results\":1,\"page\":2,\"version\":\"1.4\"}}"
        )
    );
}

#[test]
fn info_echoes_the_seed_or_names_the_one_it_made() {
    assert_eq!(
        json("seed=%22x%22+%D8%A2", Version::V1_4)["info"]["seed"],
        "\"x\" آ"
    );
    assert_eq!(json("", Version::V1_4)["info"]["seed"], "0000000000000abc");
    assert_eq!(json("seed=5", Version::V1_3)["info"]["seed"], "5");
    assert_eq!(json("", Version::V1_3)["info"]["version"], "1.3");
    assert_eq!(json("page=1.5", Version::V1_4)["info"]["page"], 1.5);
    assert_eq!(
        json("seed=0123456789abcdef09", Version::V1_4)["info"]["seed"],
        "0123456789abcdef0909"
    );
    assert!(json("noinfo=false", Version::V1_4).get("info").is_none());
    let (made, named) = (users("results=3"), users("results=3&seed=0000000000000abc"));
    assert_eq!(
        made, named,
        "the seed that was made gives the same users again"
    );
}

#[test]
fn pretty_and_callback_wrap_the_same_answer() {
    let compact = json("seed=abc&results=3", Version::V1_4);
    let pretty = text("seed=abc&results=3&format=pretty", Version::V1_4);
    assert!(
        pretty.starts_with("{\n  \"results\": [\n    {\n      \"gender\": "),
        "{pretty}"
    );
    assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), compact);
    let called = text("seed=abc&results=3&callback=show", Version::V1_4);
    let inner = called
        .strip_prefix("show(")
        .and_then(|rest| rest.strip_suffix(");"))
        .unwrap();
    assert_eq!(serde_json::from_str::<Value>(inner).unwrap(), compact);
    assert_eq!(
        text("inc=nothing&noinfo&results=2", Version::V1_4),
        "{\"results\":[{},{}]}"
    );
}

#[test]
fn gender_is_kept_without_a_seed() {
    for gender in ["male", "female"] {
        assert!(
            users(&format!("gender={gender}&results=50"))
                .iter()
                .all(|user| user["gender"] == gender)
        );
    }
    let genders: BTreeSet<String> = users("gender=male&seed=abc&results=50")
        .iter()
        .map(|user| user["gender"].to_string())
        .collect();
    assert_eq!(genders.len(), 2, "a seed makes the server ignore it");
}

/// nat, postcode, phone, cell, id name, id value: all shapes that may appear.
type Formats = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

#[rustfmt::skip]
const FORMATS: [Formats; 21] = [
    ("AU", &["int"], &["99-9999-9999"], &["9999-999-999"], "TFN", &["999999999"]),
    ("BR", &["int"], &["(99) 9999-9999"], &["(99) 9999-9999"], "CPF", &["999.999.999-99"]),
    ("CA", &["A9A 9A9"], &["A99 A99-9999"], &["A99 A99-9999"], "SIN", &["999999999"]),
    ("CH", &["int"], &["999 999 99 99"], &["999 999 99 99"], "AVS", &["999.9999.9999.99"]),
    ("DE", &["int"], &["9999-9999999"], &["9999-9999999"], "SVNR", &["99 999999 A 999", "99 9999999 A 999", "99 999999 Ć 999"]),
    ("DK", &["int"], &["99999999"], &["99999999"], "CPR", &["999999-9999", "9999999-9999"]),
    ("ES", &["int"], &["999-999-999"], &["999-999-999"], "DNI", &["99999999-A"]),
    ("FI", &["int"], &["99-999-999"], &["999-999-99-99"], "HETU", &["AaAAA999undefined"]),
    ("FR", &["int"], &["99-99-99-99-99"], &["99-99-99-99-99"], "INSEE", &["9999999999999 99", "99999999999999 99"]),
    ("GB", &["A9 9AA", "A99 9AA", "A9A 9AA", "AA9 9AA", "AA99 9AA", "AA9A 9AA"], &["9999 999 9999", "99999 99999", "99999 999999", "999999 99999", "999999 9999", "999 9999 9999"], &["99999 999999"], "NINO", &["AA 99 99 99 A"]),
    ("IE", &["int"], &["999-999-9999"], &["999-999-9999"], "PPS", &["9999999A"]),
    ("IN", &["int"], &["9999999999"], &["9999999999"], "UIDAI", &["999999999999"]),
    ("IR", &["int"], &["999-99999999"], &["9999-999-9999"], "", &["null"]),
    ("MX", &["int"], &["(999) 999 9999"], &["(999) 999 9999"], "NSS", &["99 99 99 9999 9"]),
    ("NL", &["9999 AA"], &["(999) 9999999", "(9999) 999999"], &["(99) 99999999"], "BSN", &["99999999"]),
    ("NO", &["9999"], &["99999999"], &["99999999"], "FN", &["99999999999", "999999999999"]),
    ("NZ", &["int"], &["(999)-999-9999"], &["(999)-999-9999"], "", &["null"]),
    ("RS", &["int"], &["999-9999-999"], &["999-9999-999"], "SID", &["999999999"]),
    ("TR", &["int"], &["(999)-999-9999"], &["(999)-999-9999"], "", &["null"]),
    ("UA", &["int"], &["(999) A99-9999"], &["(999) A99-9999"], "", &["null"]),
    ("US", &["int"], &["(999) 999-9999"], &["(999) 999-9999"], "SSN", &["999-99-9999"]),
];

fn shape_of(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Number(_) => "int".into(),
        Value::String(text) => shape(text),
        other => panic!("neither a number, a text nor null: {other}"),
    }
}

#[test]
fn every_nationality_has_its_formats() {
    for (nat, postcodes, phones, cells, id_name, ids) in FORMATS {
        for user in users(&format!("seed=formats&results=120&nat={nat}")) {
            assert_eq!(user["nat"], nat);
            let one_of = |value: &Value, shapes: &[&str]| {
                let shape = shape_of(value);
                assert!(
                    shapes.contains(&shape.as_str()),
                    "{nat}: {value} is not one of {shapes:?}"
                );
            };
            one_of(&user["location"]["postcode"], postcodes);
            one_of(&user["phone"], phones);
            one_of(&user["cell"], cells);
            one_of(&user["id"]["value"], ids);
            assert_eq!(user["id"]["name"], id_name);
        }
    }
}

#[test]
fn numbers_keep_to_the_ranges_of_their_nationality() {
    let numbers = |nat: &str| {
        let postcodes = users(&format!("seed=ranges&results=300&nat={nat}"));
        let of = |user: &Value| user["location"]["postcode"].as_u64().unwrap();
        (
            postcodes.iter().map(of).min().unwrap(),
            postcodes.iter().map(of).max().unwrap(),
        )
    };
    for (nat, least, most) in [
        ("AU", 200, 9999),
        ("CH", 1000, 9999),
        ("FR", 10_000, 99_999),
    ] {
        let (smallest, largest) = numbers(nat);
        assert!(
            least <= smallest && largest <= most,
            "{nat}: {smallest} to {largest}"
        );
    }
    let phones = |nat: &str, key: &str| -> Vec<String> {
        users(&format!("seed=ranges&results=300&nat={nat}"))
            .iter()
            .map(|user| user[key].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        phones("ES", "phone")
            .iter()
            .all(|phone| phone.starts_with('9'))
    );
    assert!(
        phones("ES", "cell")
            .iter()
            .all(|cell| cell.starts_with('6'))
    );
    assert!(
        phones("FR", "cell")
            .iter()
            .all(|cell| cell.starts_with("06-"))
    );
    assert!(
        phones("US", "phone")
            .iter()
            .all(|phone| !phone.starts_with("(0") && !phone.starts_with("(1"))
    );
    assert!(
        phones("GB", "phone")
            .iter()
            .all(|phone| phone.starts_with("01") || phone.starts_with("02"))
    );
    assert!(
        phones("IN", "phone")
            .iter()
            .all(|phone| phone.starts_with(['7', '8', '9']))
    );
    for user in users("seed=ranges&results=300&nat=us") {
        let ssn = user["id"]["value"].as_str().unwrap();
        assert!(
            !ssn.starts_with('9') && !ssn.starts_with("000") && !ssn.starts_with("666"),
            "{ssn}"
        );
    }
}

#[test]
fn version_1_3_has_its_own_formats() {
    let of = |nat: &str| json(&format!("seed=abc&nat={nat}"), Version::V1_3)["results"][0].clone();
    for nat in ["BR", "CA", "DE"] {
        assert_eq!(
            of(nat)["id"],
            serde_json::json!({"name": "", "value": null}),
            "{nat}"
        );
    }
    assert_eq!(shape_of(&of("CA")["phone"]), "999-999-9999");
    assert_eq!(shape_of(&of("NL")["location"]["postcode"]), "int");
    assert_eq!(shape_of(&of("NL")["cell"]), "(999)-999-9999");
    assert_eq!(shape_of(&of("GB")["cell"]), "9999-999-999");
    assert_eq!(shape_of(&of("US")["phone"]), "(999)-999-9999");
    assert_eq!(shape_of(&of("FR")["id"]["value"]), "9AAaA99999999 99");
}

#[test]
fn a_user_is_as_the_public_api_describes_it() {
    let mut titles = BTreeSet::new();
    for user in users("seed=everyone&results=1200") {
        let text = |pointer: &str| {
            user.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("{pointer} in {user}"))
        };
        let (gender, nat, title) = (text("/gender"), text("/nat"), text("/name/title"));
        titles.insert((nat == "CH", gender.to_owned(), title.to_owned()));
        let email = text("/email");
        assert!(
            email.is_ascii()
                && email == email.to_lowercase()
                && !email.contains(' ')
                && email.ends_with("@example.com")
        );
        assert!(
            !email.starts_with('.') && !email.contains(".@"),
            "no name vanishes: {email} of {}",
            user["name"]
        );
        if nat == "IR" {
            for pointer in [
                "/name/first",
                "/name/last",
                "/location/street/name",
                "/location/city",
                "/location/state",
            ] {
                assert!(
                    text(pointer).chars().all(|c| !c.is_ascii_alphabetic()),
                    "{}",
                    text(pointer)
                );
            }
        }
        let uuid = uuid::Uuid::try_parse(text("/login/uuid")).unwrap();
        assert_eq!(uuid.get_version_num(), 4);
        let username = text("/login/username");
        let (word, digits) = username.split_at(username.len() - 3);
        assert!(
            word.chars().all(|c| c.is_ascii_lowercase()) && digits.parse::<u16>().is_ok(),
            "{username}"
        );
        check_digests(text("/login/password"), text("/login/salt"), &user["login"]);
        let (born, registered) = (text("/dob/date"), text("/registered/date"));
        assert_eq!(
            (shape(born).as_str(), shape(registered).as_str()),
            ("9999-99-99A99:99:99.999A", "9999-99-99A99:99:99.999A")
        );
        assert!(
            ("1944-08-25".."2001-05-29").contains(&born)
                && ("2002-03-21".."2022-05-24").contains(&registered)
        );
        let age = user["dob"]["age"].as_i64().unwrap();
        assert!((25..=82).contains(&age), "{age}");
        for (pointer, most) in [
            ("/location/coordinates/latitude", 90.0),
            ("/location/coordinates/longitude", 180.0),
        ] {
            let degrees: f64 = text(pointer).parse().unwrap();
            assert!(
                degrees.abs() <= most
                    && text(pointer)
                        .rsplit('.')
                        .next()
                        .is_some_and(|decimals| decimals.len() == 4)
            );
        }
        let folder = if gender == "male" { "men" } else { "women" };
        let number = text("/picture/large")
            .strip_prefix(&format!("https://randomuser.me/api/portraits/{folder}/"));
        let number: u8 = number
            .and_then(|rest| rest.strip_suffix(".jpg"))
            .and_then(|digits| digits.parse().ok())
            .unwrap();
        assert!(number <= if gender == "male" { 99 } else { 96 });
        assert!(
            text("/picture/medium").contains("/portraits/med/")
                && text("/picture/thumbnail").contains("/portraits/thumb/")
        );
        assert!((1..=9999).contains(&user["location"]["street"]["number"].as_u64().unwrap()));
    }
    let titles: Vec<String> = titles
        .into_iter()
        .map(|(swiss, gender, title)| format!("{swiss} {gender} {title}"))
        .collect();
    let expected = [
        "false female Miss",
        "false female Mrs",
        "false female Ms",
        "false male Mr",
        "true female Madame",
        "true female Mademoiselle",
        "true male Monsieur",
    ];
    assert_eq!(titles, expected);
}

fn check_digests(password: &str, salt: &str, login: &Value) {
    use sha2::Digest;
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let secret = format!("{password}{salt}");
    assert!(salt.len() == 8 && salt.chars().all(|c| c.is_ascii_alphanumeric()));
    assert_eq!(login["md5"], hex(&md5::Md5::digest(&secret)));
    assert_eq!(login["sha1"], hex(&sha1::Sha1::digest(&secret)));
    assert_eq!(login["sha256"], hex(&sha2::Sha256::digest(&secret)));
}

#[test]
fn canadian_numbers_pass_luhns_check() {
    for user in users("seed=abc&nat=ca&results=100") {
        let digits = user["id"]["value"]
            .as_str()
            .unwrap()
            .bytes()
            .rev()
            .map(|byte| u32::from(byte - b'0'));
        let sum: u32 = digits
            .enumerate()
            .map(|(place, digit)| {
                if place % 2 == 1 {
                    digit * 2 / 10 + digit * 2 % 10
                } else {
                    digit
                }
            })
            .sum();
        assert_eq!(sum % 10, 0, "{}", user["id"]);
    }
}

#[test]
fn the_awkward_words_reach_the_answers() {
    let streets = |nat: &str| -> Vec<String> {
        let users = users(&format!("seed=streets&results=400&nat={nat}"));
        users
            .iter()
            .map(|user| {
                user["location"]["street"]["name"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    assert!(streets("BR").iter().any(|street| street.ends_with(' ')));
    assert!(
        streets("RS")
            .iter()
            .any(|street| street.contains('\u{408}'))
    );
    assert!(streets("UA").iter().any(String::is_empty));
    let passwords: Vec<String> = users("seed=abc&results=800")
        .iter()
        .map(|user| user["login"]["password"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        passwords.iter().any(String::is_empty)
            && passwords
                .iter()
                .any(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
    );
    assert!(
        users("password=number,4&results=20")
            .iter()
            .all(|user| shape(user["login"]["password"].as_str().unwrap()) == "9999")
    );
}

#[test]
fn ids_are_unique_over_seeds_and_pages() {
    let mut ids = BTreeSet::new();
    for seed in ["a", "b", "c", "landing", "2026-11-21"] {
        for page in 1..=4 {
            for user in users(&format!("seed={seed}&page={page}&results=200&inc=login")) {
                assert!(
                    ids.insert(user["login"]["uuid"].to_string()),
                    "{}",
                    user["login"]["uuid"]
                );
            }
        }
    }
    assert_eq!(ids.len(), 4000);
}

#[test]
fn ages_alone_follow_the_clock() {
    let later = Surroundings {
        now: "2030-01-01T00:00:00Z"
            .parse()
            .unwrap_or(Timestamp::UNIX_EPOCH),
        ..surroundings()
    };
    let Answer::Body(body) = answer("seed=abc&results=20", Version::V1_4, later) else {
        panic!("no answer")
    };
    let mut then: Value = serde_json::from_slice(&body).unwrap();
    let mut now = json("seed=abc&results=20", Version::V1_4);
    assert_ne!(then, now);
    for answer in [&mut then, &mut now] {
        for user in answer["results"].as_array_mut().unwrap() {
            user["dob"]["age"] = Value::Null;
            user["registered"]["age"] = Value::Null;
        }
    }
    assert_eq!(then, now);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_larger_answer_begins_with_the_smaller(seed in "[a-z0-9]{1,12}", few in 1_usize..20, more in 20_usize..60) {
        let (few, more) = (users(&format!("seed={seed}&results={few}")), users(&format!("seed={seed}&results={more}")));
        prop_assert_eq!(&few[..], &more[..few.len()]);
    }

    #[test]
    fn a_page_is_page_one_of_the_seed_with_its_number(seed in "[a-z]{1,12}", page in 2_u32..10_000) {
        let page_of_seed = users(&format!("seed={seed}&page={page}&results=5"));
        prop_assert_eq!(&page_of_seed, &users(&format!("seed={seed}{page}&results=5")));
        prop_assert_ne!(&page_of_seed, &users(&format!("seed={seed}&results=5")));
    }

    #[test]
    fn ids_and_coordinates_do_not_depend_on_nationality_or_version(seed in "[a-z]{1,12}", page in 1_u32..100) {
        let place = |user: &Value| (user["login"]["uuid"].clone(), user["location"]["coordinates"].clone());
        let query = format!("seed={seed}&page={page}&results=8");
        let all = users(&query);
        let british = users(&format!("{query}&nat=gb"));
        let irish = users(&format!("{query}&nat=ie"));
        let older = json(&query, Version::V1_3)["results"].as_array().unwrap().clone();
        for position in 0..8 {
            for others in [&british, &irish, &older] {
                prop_assert_eq!(place(&all[position]), place(&others[position]));
            }
            prop_assert_ne!(&british[position]["dob"], &irish[position]["dob"], "other people");
        }
    }

    #[test]
    fn a_field_left_out_changes_no_other(seed in "[a-z]{1,12}", left_out in 0_usize..12) {
        let names = ["gender", "name", "location", "email", "login", "dob", "registered", "phone", "cell", "id", "picture", "nat"];
        let mut whole = users(&format!("seed={seed}&results=3"));
        for user in &mut whole {
            user.as_object_mut().unwrap().remove(names[left_out]);
        }
        prop_assert_eq!(whole, users(&format!("seed={seed}&results=3&exc={}", names[left_out])));
    }

    #[test]
    fn no_query_breaks_the_server(query in "(results|page|seed|nat|gender|inc|exc|format|noinfo|password|callback)=[ -~]{0,20}(&[ -~]{0,30})?", raw in any::<String>()) {
        for query in [query, raw] {
            if let Answer::Body(body) = answer(&query, Version::V1_4, surroundings()) {
                prop_assert!(std::str::from_utf8(&body).is_ok());
            }
        }
    }
}
