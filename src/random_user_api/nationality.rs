//! The 21 nationalities of version 1.4, the 17 of 1.3 among them, and what each decides: names, places, and the shapes of
//! postcode, phone, cell and id. In a pattern `#` is a digit, `@` a capital letter and `[…]` one of its characters.

use fake::locales::{DE_DE, Data, EN, FA_IR, FR_FR, NL_NL, PT_BR};

use super::Version;
use super::names::{Words, cities, people, states, streets};

pub struct Nationality {
    pub code: &'static str,
    pub country: &'static str,
    pub men: Words,
    pub women: Words,
    pub last: Words,
    pub streets: Words,
    pub cities: Words,
    pub states: Words,
    postcode: Postcode,
    phone: Words,
    cell: Words,
    id: Id,
    /// Asked for and drawn in version 1.4 only.
    since_1_4: bool,
}

/// JSON numbers for some nationalities, strings for others.
#[derive(Clone, Copy)]
pub enum Postcode {
    Number(u64, u64),
    Text(Words),
}

/// The shape of the national id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// An empty name and the value null.
    Null,
    Pattern(&'static str, &'static str),
    /// Canada's SIN, whose last digit is a check digit.
    Luhn(&'static str),
    /// The United States' SSN, which never begins with 000, 666 or 9.
    Ssn,
    /// Germany's SVNR: `99 DDMMYY L 999`.
    Svnr,
    /// Denmark's CPR: `DDMMYY-9999`.
    Cpr,
    /// Norway's FN: `DDMMYY99999`.
    Fn,
    /// France's INSEE, which holds sex, year and month.
    Insee,
    /// The same as version 1.3 writes it: its year and month came out as `NNaN`.
    InseeWithoutDate,
}

const FIVE_DIGITS: Postcode = Postcode::Number(10_000, 99_999);
const NORTH_AMERICAN: Words = &["(###)-###-####"];

impl Nationality {
    pub fn postcode(&self, version: Version) -> Postcode {
        match (version, self.code) {
            (Version::V1_3, "NL") => FIVE_DIGITS,
            _ => self.postcode,
        }
    }

    pub fn phone(&self, version: Version) -> Words {
        match (version, self.code) {
            (Version::V1_3, "CA") => &["###-###-####"],
            (Version::V1_3, "NL" | "US") => NORTH_AMERICAN,
            _ => self.phone,
        }
    }

    pub fn cell(&self, version: Version) -> Words {
        match (version, self.code) {
            (Version::V1_3, "CA") => &["###-###-####"],
            (Version::V1_3, "NL" | "US") => NORTH_AMERICAN,
            (Version::V1_3, "GB") => &["07##-###-###"],
            _ => self.cell,
        }
    }

    pub fn id(&self, version: Version) -> Id {
        match (version, self.code) {
            (Version::V1_3, "BR" | "CA" | "DE") => Id::Null,
            (Version::V1_3, "FR") => Id::InseeWithoutDate,
            _ => self.id,
        }
    }
}

/// Those that a version draws from, in alphabetical order.
pub fn of_version(version: Version) -> impl Iterator<Item = &'static Nationality> {
    ALL.iter()
        .filter(move |nationality| version == Version::V1_4 || !nationality.since_1_4)
}

/// The nationality with this code in any case, where the version has it.
pub fn find(version: Version, code: &str) -> Option<&'static Nationality> {
    of_version(version).find(|nationality| nationality.code.eq_ignore_ascii_case(code))
}

/// What the entries below share.
const ENGLISH: Nationality = Nationality {
    code: "",
    country: "",
    men: EN::NAME_FIRST_NAME,
    women: EN::NAME_FIRST_NAME,
    last: EN::NAME_LAST_NAME,
    streets: streets::ENGLISH,
    cities: cities::GB,
    states: states::GB,
    postcode: FIVE_DIGITS,
    phone: NORTH_AMERICAN,
    cell: NORTH_AMERICAN,
    id: Id::Null,
    since_1_4: false,
};

pub static ALL: [Nationality; 21] = [
    Nationality {
        code: "AU",
        country: "Australia",
        cities: cities::AU,
        states: states::AU,
        postcode: Postcode::Number(200, 9999),
        phone: &["0#-####-####"],
        cell: &["04##-###-###"],
        id: Id::Pattern("TFN", "#########"),
        ..ENGLISH
    },
    Nationality {
        code: "BR",
        country: "Brazil",
        men: PT_BR::NAME_FIRST_NAME,
        women: PT_BR::NAME_FIRST_NAME,
        last: PT_BR::NAME_LAST_NAME,
        streets: streets::BR,
        cities: cities::BR,
        states: PT_BR::ADDRESS_STATE,
        phone: &["(##) ####-####"],
        cell: &["(##) ####-####"],
        id: Id::Pattern("CPF", "###.###.###-##"),
        ..ENGLISH
    },
    Nationality {
        code: "CA",
        country: "Canada",
        last: FR_FR::NAME_LAST_NAME,
        streets: streets::AMERICAN,
        cities: cities::CA,
        states: states::CA,
        postcode: Postcode::Text(&["@#@ #@#"]),
        phone: &["@## @##-####"],
        cell: &["@## @##-####"],
        id: Id::Luhn("SIN"),
        ..ENGLISH
    },
    Nationality {
        code: "CH",
        country: "Switzerland",
        men: FR_FR::NAME_FIRST_NAME,
        women: FR_FR::NAME_FIRST_NAME,
        last: FR_FR::NAME_LAST_NAME,
        streets: streets::CH,
        cities: cities::CH,
        states: states::CH,
        postcode: Postcode::Number(1000, 9999),
        phone: &["07[56789] ### ## ##"],
        cell: &["07[56789] ### ## ##"],
        id: Id::Pattern("AVS", "756.####.####.##"),
        ..ENGLISH
    },
    Nationality {
        code: "DE",
        country: "Germany",
        men: DE_DE::NAME_FIRST_NAME,
        women: DE_DE::NAME_FIRST_NAME,
        last: DE_DE::NAME_LAST_NAME,
        streets: streets::DE,
        cities: cities::DE,
        states: DE_DE::ADDRESS_STATE,
        phone: &["0###-#######"],
        cell: &["017#-#######"],
        id: Id::Svnr,
        ..ENGLISH
    },
    Nationality {
        code: "DK",
        country: "Denmark",
        men: people::DK_MEN,
        women: people::DK_WOMEN,
        last: people::DK_LAST,
        streets: streets::DK,
        cities: cities::DK,
        states: states::DK,
        phone: &["########"],
        cell: &["########"],
        id: Id::Cpr,
        ..ENGLISH
    },
    Nationality {
        code: "ES",
        country: "Spain",
        men: people::ES_MEN,
        women: people::ES_WOMEN,
        last: people::ES_LAST,
        streets: streets::ES,
        cities: cities::ES,
        states: states::ES,
        phone: &["9##-###-###"],
        cell: &["6##-###-###"],
        id: Id::Pattern("DNI", "########-@"),
        ..ENGLISH
    },
    Nationality {
        code: "FI",
        country: "Finland",
        men: people::FI_MEN,
        women: people::FI_WOMEN,
        last: people::FI_LAST,
        streets: streets::FI,
        cities: cities::FI,
        states: states::FI,
        phone: &["0[23456789]-###-###"],
        cell: &["04#-###-##-##"],
        // A fault of the public service that its clients have to live with: no date, no check character.
        id: Id::Pattern("HETU", "NaNNA###undefined"),
        ..ENGLISH
    },
    Nationality {
        code: "FR",
        country: "France",
        men: FR_FR::NAME_FIRST_NAME,
        women: FR_FR::NAME_FIRST_NAME,
        last: FR_FR::NAME_LAST_NAME,
        streets: streets::FR,
        cities: cities::FR,
        states: states::FR,
        phone: &["0[12345]-##-##-##-##"],
        cell: &["06-##-##-##-##"],
        id: Id::Insee,
        ..ENGLISH
    },
    Nationality {
        code: "GB",
        country: "United Kingdom",
        postcode: Postcode::Text(&[
            "@# #@@", "@## #@@", "@#@ #@@", "@@# #@@", "@@## #@@", "@@#@ #@@",
        ]),
        phone: &[
            "01#1 ### ####",
            "011# ### ####",
            "01### #####",
            "01### ######",
            "013873 #####",
            "015396 #####",
            "016977 ####",
            "019467 #####",
            "023 #### ####",
            "028 #### ####",
        ],
        cell: &["07### ######"],
        id: Id::Pattern("NINO", "@@ ## ## ## @"),
        ..ENGLISH
    },
    Nationality {
        code: "IE",
        country: "Ireland",
        cities: cities::IE,
        states: states::IE,
        phone: &["0#1-###-####"],
        cell: &["081-###-####"],
        id: Id::Pattern("PPS", "#######T"),
        ..ENGLISH
    },
    Nationality {
        code: "IN",
        country: "India",
        men: people::IN_MEN,
        women: people::IN_WOMEN,
        last: people::IN_LAST,
        streets: streets::IN,
        cities: cities::IN,
        states: states::IN,
        phone: &["[789]#########"],
        cell: &["[789]#########"],
        id: Id::Pattern("UIDAI", "############"),
        since_1_4: true,
        ..ENGLISH
    },
    Nationality {
        code: "IR",
        country: "Iran",
        men: FA_IR::NAME_FIRST_NAME,
        women: FA_IR::NAME_FIRST_NAME,
        last: FA_IR::NAME_LAST_NAME,
        streets: streets::IR,
        cities: cities::IR,
        states: FA_IR::ADDRESS_STATE,
        phone: &["0##-########"],
        cell: &["09##-###-####"],
        ..ENGLISH
    },
    Nationality {
        code: "MX",
        country: "Mexico",
        men: people::MX_MEN,
        women: people::MX_WOMEN,
        last: people::MX_LAST,
        streets: streets::MX,
        cities: cities::MX,
        states: states::MX,
        phone: &["(6##) ### ####"],
        cell: &["(6##) ### ####"],
        id: Id::Pattern("NSS", "## ## ## #### #"),
        since_1_4: true,
        ..ENGLISH
    },
    Nationality {
        code: "NL",
        country: "Netherlands",
        men: NL_NL::NAME_FIRST_NAME,
        women: NL_NL::NAME_FIRST_NAME,
        last: NL_NL::NAME_LAST_NAME,
        streets: streets::NL,
        cities: cities::NL,
        states: NL_NL::ADDRESS_STATE,
        postcode: Postcode::Text(&["#### @@"]),
        phone: &["(0##) #######", "(0###) ######"],
        cell: &["(06) ########"],
        id: Id::Pattern("BSN", "########"),
        ..ENGLISH
    },
    Nationality {
        code: "NO",
        country: "Norway",
        men: people::NO_MEN,
        women: people::NO_WOMEN,
        last: people::NO_LAST,
        streets: streets::NO,
        cities: cities::NO,
        states: states::NO,
        postcode: Postcode::Text(&["####"]),
        phone: &["[2345678]#######"],
        cell: &["[49]#######"],
        id: Id::Fn,
        ..ENGLISH
    },
    Nationality {
        code: "NZ",
        country: "New Zealand",
        streets: streets::NZ,
        cities: cities::NZ,
        states: states::NZ,
        ..ENGLISH
    },
    Nationality {
        code: "RS",
        country: "Serbia",
        men: people::RS_MEN,
        women: people::RS_WOMEN,
        last: people::RS_LAST,
        streets: streets::RS,
        cities: cities::RS,
        states: states::RS,
        phone: &["0[123]#-####-###"],
        cell: &["06#-####-###"],
        id: Id::Pattern("SID", "#########"),
        since_1_4: true,
        ..ENGLISH
    },
    Nationality {
        code: "TR",
        country: "Turkey",
        men: people::TR_MEN,
        women: people::TR_WOMEN,
        last: people::TR_LAST,
        streets: streets::TR,
        cities: cities::TR,
        states: states::TR,
        ..ENGLISH
    },
    Nationality {
        code: "UA",
        country: "Ukraine",
        men: people::UA_MEN,
        women: people::UA_WOMEN,
        last: people::UA_LAST,
        streets: streets::UA,
        cities: cities::UA,
        states: states::UA,
        phone: &["(06[678]) @##-####", "(09[6789]) @##-####"],
        cell: &["(06[678]) @##-####", "(09[6789]) @##-####"],
        since_1_4: true,
        ..ENGLISH
    },
    Nationality {
        code: "US",
        country: "United States",
        streets: streets::AMERICAN,
        cities: cities::US,
        states: EN::ADDRESS_STATE,
        phone: &["([23456789]##) [23456789]##-####"],
        cell: &["([23456789]##) [23456789]##-####"],
        id: Id::Ssn,
        ..ENGLISH
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_their_nationalities_in_alphabetical_order() {
        let codes = |version| of_version(version).map(|n| n.code).collect::<Vec<_>>();
        let newest = codes(Version::V1_4);
        assert_eq!(newest.len(), 21);
        assert!(newest.is_sorted());
        let older = codes(Version::V1_3);
        assert_eq!(older.len(), 17);
        assert!(
            ["IN", "MX", "RS", "UA"]
                .iter()
                .all(|code| !older.contains(code))
        );
        assert!(find(Version::V1_4, "gB").is_some_and(|n| n.country == "United Kingdom"));
        assert!(find(Version::V1_3, "RS").is_none());
        assert!(find(Version::V1_4, " gb").is_none());
    }

    #[test]
    fn no_word_is_longer_than_the_api_gives() {
        for nationality in &ALL {
            let lists = [
                (nationality.men, 16),
                (nationality.women, 16),
                (nationality.last, 22),
                (nationality.streets, 56),
            ];
            for (list, most) in lists {
                assert!(!list.is_empty(), "{}", nationality.code);
                for word in list {
                    assert!(word.chars().count() <= most, "{}: {word}", nationality.code);
                }
            }
            assert!(
                !nationality.cities.is_empty() && !nationality.states.is_empty(),
                "{}",
                nationality.code
            );
        }
    }

    #[test]
    fn the_awkward_words_are_there() {
        let of = |code| find(Version::V1_4, code).unwrap_or(&ALL[0]);
        assert!(of("BR").streets.iter().any(|street| street.ends_with(' ')));
        assert!(
            of("RS")
                .streets
                .iter()
                .any(|street| street.contains('\u{408}')),
            "a Cyrillic letter among Latin ones"
        );
        assert!(of("UA").streets.contains(&""));
        assert!(of("IR").cities.iter().all(|city| !city.is_ascii()));
    }
}
