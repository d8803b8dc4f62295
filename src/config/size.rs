//! Amounts of data as people write them: `100000000`, `"100MB"`, `"64KiB"`.

const UNITS: [(&str, u64); 8] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// Bytes. A bare number is bytes; units are `B kB MB GB TB KiB MiB GiB` in any case of letters. The error follows the
/// words "`key` …".
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let factor = match unit.as_str() {
        "" => 1,
        unit => match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, factor)) => *factor,
            None => return Err("is not a size".into()),
        },
    };
    let number: u64 = number.parse().map_err(|_| "is not a size".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, bytes) in
            [("1", 1), ("100MB", 100_000_000), ("100 mb", 100_000_000), ("64KiB", 65_536), ("2GiB", 2 << 30)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "-1", "1.5MB", "10 potatoes", "99999999999TB", "1e9"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
