//! Names made plain ASCII, as the API does for e-mail addresses.

/// Appends `name` in lower-case ASCII that needs no escaping in JSON: accents and spaces dropped, Persian written letter by letter without its vowels.
/// What has no ASCII form is left out.
pub fn push_ascii(name: &str, out: &mut Vec<u8>) {
    for letter in name.chars() {
        match letter {
            plain if plain.is_ascii_alphanumeric() => out.push(plain.to_ascii_lowercase() as u8),
            '-' | '\'' => out.push(letter as u8),
            // Spaces, and a quotation mark that one of the crate's names holds.
            other if other.is_ascii() => {}
            other => out.extend_from_slice(letters(other).as_bytes()),
        }
    }
}

fn letters(letter: char) -> &'static str {
    match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'Á' | 'À' | 'Â' | 'Ã' | 'Ä' | 'Å' => "a",
        'æ' | 'Æ' => "ae",
        'ç' | 'ć' | 'č' | 'Ç' | 'Ć' | 'Č' => "c",
        'đ' | 'ð' | 'Đ' => "d",
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => "e",
        'ğ' | 'Ğ' => "g",
        'í' | 'ì' | 'î' | 'ï' | 'ı' | 'Í' | 'Î' | 'Ï' | 'İ' => "i",
        'ñ' | 'Ñ' => "n",
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' | 'Ó' | 'Ô' | 'Õ' | 'Ö' | 'Ø' => "o",
        'œ' | 'Œ' => "oe",
        'š' | 'ş' | 'Š' | 'Ş' => "s",
        'ß' => "ss",
        'ú' | 'ù' | 'û' | 'ü' | 'Ú' | 'Û' | 'Ü' => "u",
        'ý' | 'ÿ' | 'Ý' => "y",
        'ž' | 'Ž' => "z",
        'آ' => "a",
        'ب' => "b",
        'پ' => "p",
        'ت' | 'ط' => "t",
        'ث' | 'س' | 'ص' => "s",
        'ج' => "j",
        'چ' => "ch",
        'ح' | 'ه' => "h",
        'خ' | 'ک' | 'ك' => "kh",
        'د' | 'ض' => "d",
        'ذ' | 'ز' | 'ظ' => "z",
        'ر' => "r",
        'ژ' => "zh",
        'ش' => "sh",
        'ع' => "aa",
        'غ' => "gh",
        'ف' => "f",
        'ق' => "q",
        'گ' => "g",
        'ل' => "l",
        'م' => "m",
        'ن' => "n",
        'و' => "w",
        'ی' | 'ي' | 'ئ' => "y",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascii(name: &str) -> String {
        let mut out = Vec::new();
        push_ascii(name, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn accents_spaces_and_scripts_become_plain_letters() {
        assert_eq!(ascii("Håkon"), "hakon");
        assert_eq!(ascii("Van der Heß"), "vanderhess");
        assert_eq!(ascii("Jean-Noël"), "jean-noel");
        assert_eq!(ascii("O'Brien"), "o'brien");
        assert_eq!(ascii("D\"ávila"), "davila");
        assert_eq!(ascii("İpek"), "ipek");
        assert_eq!(ascii("m\u{302}en"), "men");
        assert_eq!(ascii("مهدی"), "mhdy");
    }
}
