//! How numbers are shown to people: durations, sizes, counts, and ids cut in the middle. Times are shown by the server, which knows the zones.

/// `41 ms`, `1.2 s`, `3 min 4 s`, from microseconds; under a millisecond `0.4 ms`.
pub fn duration(micros: i64) -> String {
    let millis = micros / 1_000;
    if micros < 1_000 {
        return format!("{:.1} ms", micros.max(0) as f64 / 1_000.0);
    }
    match millis {
        ..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", (millis as f64 / 100.0).floor() / 10.0),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
        _ => format!("{} h {} min", millis / 3_600_000, millis / 60_000 % 60),
    }
}

/// `312 B`, `1.4 KB`, `3.0 MB`: powers of 1,000, one decimal.
pub fn size(bytes: i64) -> String {
    let value = bytes as f64;
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} KB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

/// Appends a whole number, with zeros before it up to so many digits. By hand, for what a page writes a thousand of.
pub fn put_digits(out: &mut String, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    let mut rest = number;
    while rest > 0 || digits.len() - first < width {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}

/// `18,204`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An id cut in the middle, `log_01JD…7Q2K`, where it is longer than 16 characters.
pub fn short_id(id: &str) -> String {
    if id.chars().count() <= 16 {
        return id.to_owned();
    }
    let head = id.char_indices().nth(8).map_or(id.len(), |(end, _)| end);
    let tail = id.char_indices().rev().nth(3).map_or(0, |(begin, _)| begin);
    [&id[..head], "…", &id[tail..]].concat()
}

/// Words that stand alone: they begin and end as a sentence does.
pub fn sentence(words: &str) -> String {
    let mut letters = words.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(sentence("it is wrong"), "It is wrong.");
        assert_eq!(sentence("Über."), "Über.");
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        for (micros, text) in [
            (400, "0.4 ms"),
            (41_000, "41 ms"),
            (1_234_000, "1.2 s"),
            (59_990_000, "59.9 s"),
            (184_000_000, "3 min 4 s"),
            (3_600_000_000, "1 h 0 min"),
        ] {
            assert_eq!(duration(micros), text);
        }
    }

    #[test]
    fn counts_have_separators() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(18_204), "18,204");
        assert_eq!(count(1_000_000), "1,000,000");
    }

    #[test]
    fn ids_are_cut_in_the_middle() {
        assert_eq!(short_id("log_01JD0000000000000000007Q2K"), "log_01JD…7Q2K");
        assert_eq!(short_id("order-1"), "order-1");
        assert_eq!(short_id("ä234567ö9ü1234567ß"), "ä234567ö…567ß");
        assert_eq!(short_id("éééééééééééééééé"), "éééééééééééééééé");
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        assert_eq!(size(312), "312 B");
        assert_eq!(size(1_400), "1.4 KB");
        assert_eq!(size(50_000_000), "50.0 MB");
    }
}
