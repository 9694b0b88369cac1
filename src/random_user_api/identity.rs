//! National ids: their value from who the person is, and the check digit where one holds.

use jiff::civil::DateTime;

use super::Gender;
use super::draw::Draw;
use super::json::{Json, push_number};
use super::nationality::Id;

/// What an id is made from.
pub struct Holder<'a> {
    pub gender: Gender,
    pub last_name: &'a str,
    /// The birth by United States Central time, which the public service's clock follows: it can be the day before the UTC one.
    pub born: DateTime,
}

/// Writes the object `id`.
pub fn write(id: Id, holder: &Holder, draw: &mut Draw, json: &mut Json) {
    json.object("id");
    let name = match id {
        Id::Null => {
            json.text("name", "");
            json.key("value");
            json.out.extend_from_slice(b"null");
            json.close(b'}');
            return;
        }
        Id::Pattern(name, _) | Id::Luhn(name) => name,
        Id::Ssn => "SSN",
        Id::Svnr => "SVNR",
        Id::Cpr => "CPR",
        Id::Fn => "FN",
        Id::Insee | Id::InseeWithoutDate => "INSEE",
    };
    json.text("name", name);
    json.made("value", |out| push_value(id, holder, draw, out));
    json.close(b'}');
}

fn push_value(id: Id, holder: &Holder, draw: &mut Draw, out: &mut Vec<u8>) {
    match id {
        Id::Null => {}
        Id::Pattern(_, pattern) => draw.fill(pattern, out),
        Id::Luhn(_) => {
            let from = out.len();
            draw.fill("########", out);
            out.push(luhn_digit(&out[from..]));
        }
        Id::Ssn => {
            let area = draw.between(1, 898);
            // Steps over 666.
            push_number(if area < 666 { area } else { area + 1 }, 3, out);
            draw.fill("-##-####", out);
        }
        Id::Svnr => {
            draw.fill("## ", out);
            push_day_month_year(holder.born, out);
            out.push(b' ');
            let first = holder
                .last_name
                .chars()
                .find(|c| c.is_alphabetic())
                .unwrap_or('X');
            out.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
            draw.fill(" ###", out);
        }
        Id::Cpr => {
            push_day_month_year(holder.born, out);
            draw.fill("-####", out);
        }
        Id::Fn => {
            push_day_month_year(holder.born, out);
            draw.fill("#####", out);
        }
        Id::Insee => {
            out.push(sex(holder.gender));
            push_number(short_year(holder.born), 2, out);
            // January is 00: the public service counts months as JavaScript does.
            push_number((i64::from(holder.born.month()) - 1).unsigned_abs(), 2, out);
            draw.fill("######## ##", out);
        }
        Id::InseeWithoutDate => {
            out.push(sex(holder.gender));
            draw.fill("NNaN######## ##", out);
        }
    }
}

fn sex(gender: Gender) -> u8 {
    match gender {
        Gender::Male => b'1',
        Gender::Female => b'2',
    }
}

/// Two digits before the year 2000 and three from then on, as the public service has it: 1999 is 99 and 2000 is 100.
fn short_year(born: DateTime) -> u64 {
    (i64::from(born.year()) - 1900).unsigned_abs()
}

fn push_day_month_year(born: DateTime, out: &mut Vec<u8>) {
    push_number(u64::from(born.day().unsigned_abs()), 2, out);
    push_number(u64::from(born.month().unsigned_abs()), 2, out);
    push_number(short_year(born), 2, out);
}

/// The digit that makes the number before it valid by Luhn's rule.
fn luhn_digit(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| weight(u32::from(digit - b'0'), place % 2 == 0))
        .sum();
    b'0' + ((10 - sum % 10) % 10) as u8
}

fn weight(digit: u32, doubled: bool) -> u32 {
    let weighted = if doubled { 2 * digit } else { digit };
    weighted / 10 + weighted % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(id: Id, gender: Gender, last_name: &str, born: DateTime) -> String {
        let mut out = Vec::new();
        push_value(
            id,
            &Holder {
                gender,
                last_name,
                born,
            },
            &mut Draw::new(5, 5),
            &mut out,
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn luhns_rule_holds_for_a_number_known_to_be_valid() {
        assert_eq!(luhn_digit(b"7992739871"), b'3');
    }

    #[test]
    fn births_from_2000_have_three_digits_of_year() {
        let born = jiff::civil::date(2000, 8, 5).at(0, 0, 0, 0);
        assert!(value(Id::Insee, Gender::Female, "Roy", born).starts_with("210007"));
        assert!(value(Id::Svnr, Gender::Male, "Özdemir", born)[3..].starts_with("0508100 Ö "));
        let born = jiff::civil::date(1975, 1, 31).at(0, 0, 0, 0);
        assert!(value(Id::Insee, Gender::Male, "Roy", born).starts_with("17500"));
        assert!(value(Id::Cpr, Gender::Male, "Holm", born).starts_with("310175-"));
        assert!(value(Id::InseeWithoutDate, Gender::Male, "Roy", born).starts_with("1NNaN"));
    }
}
