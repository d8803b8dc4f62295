//! Lengths of time as people write them: `90`, `0.5`, `"90s"`, `"5m"`, `"1h30m"`, `"500ms"`, `"1d"`.
use std::time::Duration;

/// Longest length that is taken: a hundred years. More is a slip of the keyboard.
pub const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);
/// Shortest interval: what repeats more often than this is a busy loop.
pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

const UNITS: [(&str, f64); 6] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("w", 604_800.0)];
const HINT: &str = "write seconds (`90`, `0.5`) or a number with a unit: `500ms`, `90s`, `5m`, `1h30m`, `1d`";

/// Why something is not a length of time; the message does not repeat the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DurationError {
    /// Follows the words "`key` …": `is negative`.
    pub message: String,
    pub hint: String,
}

fn refuse(message: impl Into<String>) -> DurationError {
    DurationError { message: message.into(), hint: HINT.into() }
}

/// Seconds, fractions too. Refuses what is negative, not a number, or longer than [`LONGEST`].
pub fn from_seconds(seconds: f64) -> Result<Duration, DurationError> {
    if seconds.is_nan() {
        return Err(refuse("is not a number"));
    }
    if seconds < 0.0 {
        return Err(refuse("is negative"));
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(d) if d <= LONGEST => Ok(d),
        _ => Err(refuse("is longer than a hundred years")),
    }
}

/// A bare number is seconds; units are `ms s m h d w` and may follow each other, blanks between them allowed.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(refuse("is empty"));
    }
    if text.starts_with('-') {
        return Err(refuse("is negative"));
    }
    if is_number(text) {
        return from_seconds(text.parse().map_err(|_| refuse("is not a length of time"))?);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        if !is_number(number) {
            return Err(refuse("is not a length of time"));
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let what = if unit.is_empty() { "has a number without a unit".into() } else { unknown_unit(unit) };
            return Err(refuse(what));
        };
        seconds += number.parse::<f64>().map_err(|_| refuse("is not a length of time"))? * factor;
        rest = next.trim_start();
    }
    from_seconds(seconds)
}

fn unknown_unit(unit: &str) -> String {
    format!("has the unknown unit `{}`", crate::model::name::printable_cut(unit, 20))
}

fn is_number(text: &str) -> bool {
    let dots = text.bytes().filter(|b| *b == b'.').count();
    text.bytes().any(|b| b.is_ascii_digit()) && dots <= 1 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, ms) in [
            ("90", 90_000),
            ("0.5", 500),
            (".5", 500),
            ("90s", 90_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("1d", 86_400_000),
            ("2w", 1_209_600_000),
            (" 10 s ", 10_000),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_millis()), Ok(ms), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_with_a_reason() {
        for (text, reason) in [
            ("", "is empty"),
            ("-5", "is negative"),
            ("-5s", "is negative"),
            ("1e18", "has the unknown unit `e`"),
            ("1000000000000000000", "is longer than a hundred years"),
            ("5000000w", "is longer than a hundred years"),
            ("5 minutes", "has the unknown unit `minutes`"),
            ("5x", "has the unknown unit `x`"),
            ("1h30", "has a number without a unit"),
            ("soon", "is not a length of time"),
            ("1.2.3s", "is not a length of time"),
            ("nan", "is not a length of time"),
            ("٣s", "is not a length of time"),
        ] {
            assert_eq!(parse_duration(text).unwrap_err().message, reason, "{text}");
        }
        assert_eq!(from_seconds(f64::NAN).unwrap_err().message, "is not a number");
        assert_eq!(from_seconds(f64::INFINITY).unwrap_err().message, "is longer than a hundred years");
        assert_eq!(from_seconds(1e18).unwrap_err().message, "is longer than a hundred years");
    }
}
