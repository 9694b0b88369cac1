//! Each row of the API's table of parameters.

use super::*;

fn parse(query: &str) -> Query {
    Query::parse(&Pairs::of(query), Version::V1_4)
}

fn codes(query: &str) -> Vec<&'static str> {
    parse(query)
        .nationalities
        .iter()
        .map(|nationality| nationality.code)
        .collect()
}

#[test]
fn results_is_a_whole_number_from_1_to_5000_and_1_otherwise() {
    for (text, expected) in [
        ("results=1", 1),
        ("results=5000", 5000),
        ("results=+20+", 20),
        ("results=%2020", 20),
        ("results=1e1", 10),
        ("results=0x10", 16),
        ("results=7.0", 7),
        ("results=0", 1),
        ("results=-3", 1),
        ("results=5001", 1),
        ("results=1e9", 1),
        ("results=2.5", 1),
        ("results=ten", 1),
        ("results=inf", 1),
        ("results=NaN", 1),
        ("results=0x-5", 1),
        ("results=", 1),
        ("results", 1),
        ("results=%FF", 1),
        ("results=3&results=4", 1),
        ("result=10", 1),
        ("", 1),
    ] {
        assert_eq!(parse(text).results, expected, "{text}");
    }
}

#[test]
fn page_is_from_1_to_10000_a_fraction_included() {
    for (text, expected) in [
        ("page=2", 2.0),
        ("page=10000", 10_000.0),
        ("page=1.5", 1.5),
        ("page=0", 1.0),
        ("page=-1", 1.0),
        ("page=10001", 1.0),
        ("page=two", 1.0),
        ("page=2&page=3", 3.0),
        ("", 1.0),
    ] {
        assert_eq!(parse(text).page, expected, "{text}");
    }
}

#[test]
fn seed_is_any_text_and_the_last_one_counts() {
    assert_eq!(parse("seed=abc").seed.as_deref(), Some("abc"));
    assert_eq!(parse("seed=1e3").seed.as_deref(), Some("1e3"));
    assert_eq!(parse("seed=%D8%A2+%22").seed.as_deref(), Some("آ \""));
    assert_eq!(parse("seed=a&seed=b").seed.as_deref(), Some("b"));
    assert_eq!(parse("seed=").seed, None);
    assert_eq!(parse("").seed, None);
}

#[test]
fn a_seed_of_18_characters_names_a_nationality() {
    let query = parse("seed=0123456789abcdef09&nat=gb");
    assert_eq!(
        codes("seed=0123456789abcdef09&nat=gb"),
        ["GB"],
        "index 9 is GB anyway"
    );
    assert_eq!(codes("seed=0123456789abcdef00&nat=gb"), ["AU"]);
    assert_eq!(
        codes("seed=0123456789abcdef14"),
        ["US"],
        "hex 14 is the 21st"
    );
    assert_eq!((query.seed_suffix.as_str(), query.silence), ("09", None));
    for seed in [
        "0123456789abcdef15",
        "0123456789abcdefzz",
        "eighteen-characte\u{e9}",
    ] {
        assert!(parse(&format!("seed={seed}")).silence.is_some(), "{seed}");
    }
    for seed in [
        "0123456789abcdef",
        "0123456789abcdef0",
        "0123456789abcdef000",
    ] {
        let query = parse(&format!("seed={seed}"));
        assert!(
            query.silence.is_none() && query.seed_suffix.is_empty(),
            "{seed}"
        );
    }
}

#[test]
fn gender_is_lower_case_and_ignored_with_a_seed() {
    assert_eq!(parse("gender=male").gender, Some(Gender::Male));
    assert_eq!(parse("gender=female").gender, Some(Gender::Female));
    for query in [
        "gender=Male",
        "gender=other",
        "gender=",
        "gender=male&seed=abc",
        "",
    ] {
        assert_eq!(parse(query).gender, None, "{query}");
    }
}

#[test]
fn one_bad_code_voids_the_list_of_nationalities() {
    assert_eq!(codes("nat=gb"), ["GB"]);
    assert_eq!(codes("nat=GB,fr,Ir"), ["GB", "FR", "IR"]);
    assert_eq!(codes("nationality=gb"), ["GB"]);
    for query in [
        "",
        "nat=",
        "nat=gb,xx",
        "nat=gb,+fr",
        "nat=gb,",
        "nat=lego",
        "nat=LEGO",
    ] {
        assert_eq!(codes(query).len(), 21, "{query}");
    }
    let older = Query::parse(&Pairs::of("nat=in"), Version::V1_3);
    assert_eq!(older.nationalities.len(), 17, "1.3 has no IN");
    assert!(parse("nat=,").silence.is_some());
    assert!(parse("nat=gb").silence.is_none());
}

#[test]
fn exc_wins_over_inc() {
    let has = |query: &str| {
        let fields = parse(query).fields;
        FIELDS
            .iter()
            .filter(|(_, field)| fields.has(*field))
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let all = "gender name location email login dob registered phone cell id picture nat";
    assert_eq!(has(""), all);
    assert_eq!(has("inc="), all);
    assert_eq!(
        has("inc=nat,+Name+,LOGIN"),
        "name login nat",
        "spaces and case are tolerated"
    );
    assert_eq!(has("inc=nothing,else"), "");
    assert_eq!(
        has("exc=login,dob,registered,id,picture"),
        "gender name location email phone cell nat"
    );
    assert_eq!(has("inc=name,nat&exc=nat"), "name");
    assert_eq!(has("exc=nothing"), all);
}

#[test]
fn format_is_pretty_or_else_json() {
    for (query, pretty) in [
        ("format=pretty", true),
        ("format=PrettyJSON", true),
        ("fmt=pretty", true),
        ("format=json", false),
        ("format=csv", false),
        ("format=nonsense", false),
        ("", false),
    ] {
        assert_eq!(parse(query).pretty, pretty, "{query}");
    }
}

#[test]
fn noinfo_dl_and_callback_are_seen() {
    for query in ["noinfo", "noinfo=", "noinfo=false"] {
        assert!(!parse(query).info, "{query}");
    }
    assert!(parse("").info);
    assert!(parse("dl").download && parse("download=1").download && !parse("").download);
    assert_eq!(parse("callback=show").callback.as_deref(), Some("show"));
}

#[test]
fn password_needs_a_known_set_of_characters() {
    assert!(parse("password=upper,8").password.is_some());
    assert!(parse("password=8").password.is_none());
    assert!(parse("password").password.is_none());
}
