//! What a banner says: words that announce a time, then a length of time or the pieces of a moment.
use super::piece::{self, Pattern, pattern};
use crate::model::time::{Now, Wall};
use regex::Captures;
use std::{sync::LazyLock, time::Duration};

/// A phrase that tells a time.
pub struct Found {
    /// Where it begins and ends, in characters that are no blanks.
    pub begin: usize,
    pub end: usize,
    pub at: Option<Wall>,
}

/// More than any limit lasts.
const LONGEST_MS: u64 = 400 * 86_400_000;

/// What announces a time. `Retrying in 4 seconds` is the app's own patience, no limit; see [`OWN_PATIENCE`].
static LEAD: Pattern = LazyLock::new(|| {
    pattern(
        r"\b(?: (?P<reset>reset(?:s|ting)?)(?:\s+time)? | (?P<header>retry[\s-]after) | (?P<wait>wait)
          | (?P<again>retrying) | (?:try|retry|come\s+back)(?:\s+again)? | available(?:\s+again)? )\b",
    )
});
/// What follows an app's next try of its own.
static ATTEMPT: Pattern = LazyLock::new(|| pattern(r"^\s*attempt\s\#"));
/// OpenCode waits by itself for as long as the service says. What is shorter is a pause that it chose itself.
const OWN_PATIENCE: Duration = Duration::from_secs(60);
/// Between the announcement and the time.
static LINK: Pattern = LazyLock::new(|| {
    pattern(
        r"^(?:[\s:=(·∙•,]|-\s)*(?:(?P<at>at|by|on|until)|(?P<in>in|for|within|up\s+to)|(?P<after>after)
          |about|around|approx(?:\.|imately\b)?|roughly|less\s+than|[~≈<])(?:\b|\s)",
    )
});
static SEPARATOR: Pattern = LazyLock::new(|| pattern(r"^(?:[\s:=(·∙•,→]|-\s)*"));

static EPOCH: Pattern = LazyLock::new(|| pattern(r"reached\s?\|\s?([0-9]{13}|[0-9]{10})\b"));
/// A time without an announcement: `4:15 PM (1h 30m)`, `1 hour 30 minutes at 4:15 PM EST`.
static ALONE: Pattern = LazyLock::new(|| {
    pattern(
        r"\b[0-9]{1,2}:[0-9]{2}\s?[ap]m\s\((?:[0-9]+\s?[dhms]\s?){1,4}\)
         |\b[0-9]{1,3}\s(?:day|hour|minute)s?\s(?:[0-9]{1,2}\s(?:hour|minute)s?\s){0,2}at\s[0-9]{1,2}:[0-9]{2}\b",
    )
});

static LENGTH: Pattern =
    LazyLock::new(|| pattern(r"^[\s,]*(?:and\s+)?([0-9]{1,9}(?:\.[0-9]{1,3})?|an?\b|one\b)\s?([a-z]+)"));
static SECONDS: Pattern = LazyLock::new(|| pattern(r"^([0-9]{1,7})\b"));
static CLOCK_AFTER_LENGTH: Pattern = LazyLock::new(|| pattern(r"^[\s,(·-]*(?:at|on)\s+"));

/// The first time that `text` tells.
pub fn find(text: &str, now: Now) -> Option<Found> {
    if let Some(c) = EPOCH.captures(text) {
        let number: i64 = c[1].parse().ok()?;
        let at = Wall(if c[1].len() == 10 { number * 1000 } else { number });
        let whole = c.get(0)?;
        return Some(found(text, whole.start(), &text[whole.end()..], Some(at)));
    }
    let announced = LEAD.captures_iter(text).find_map(|lead| {
        let whole = lead.get(0)?;
        let (at, rest) = announced(&lead, &text[whole.end()..], now)?;
        Some(found(text, whole.start(), rest, Some(at)))
    });
    announced.or_else(|| {
        let m = ALONE.find(text)?;
        let from = &text[m.start()..];
        let (at, rest) = length(from, now).or_else(|| piece::moment(from, false, None, now))?;
        Some(found(text, m.start(), rest, Some(at)))
    })
}

/// The time after its announcement, and the text after the time.
fn announced<'t>(lead: &Captures, after: &'t str, now: Now) -> Option<(Wall, &'t str)> {
    let (header, wait) = (lead.name("header").is_some(), lead.name("wait").is_some());
    let (mut at, mut within) = (false, header || wait);
    let mut rest = after;
    for _ in 0..4 {
        let Some(link) = LINK.captures(rest) else { break };
        at |= link.name("at").is_some() || link.name("after").is_some();
        within |= link.name("in").is_some() || link.name("after").is_some();
        rest = &rest[link[0].len()..];
    }
    rest = &rest[SEPARATOR.find(rest).map_or(0, |m| m.end())..];
    let between = &after[..after.len() - rest.len()];
    if (within || between.contains(':'))
        && let Some(found) = length(rest, now)
    {
        let ahead = found.0 >= now.wall.after(OWN_PATIENCE) && ATTEMPT.is_match(found.1);
        return (lead.name("again").is_none() || ahead).then_some(found);
    }
    if header && let Some(c) = SECONDS.captures(rest) {
        return Some((later(c[1].parse::<u64>().ok()? * 1000, now)?, &rest[c[0].len()..]));
    }
    let reset = lead.name("reset").map(|m| m.as_str());
    if (!at && reset.is_none()) || lead.name("again").is_some() {
        return None;
    }
    // `resets 7` is a time; `reset 18`, or a number on the next row, is not.
    let hour_alone = at || reset.is_some_and(|r| r.ends_with(['s', 'S'])) && !between.contains('\n');
    piece::moment(rest, hour_alone, None, now)
}

/// `2 days 17 hours`, `52h49m12s`; a time of day that stands behind it says the same more exactly.
fn length(text: &str, now: Now) -> Option<(Wall, &str)> {
    let (mut rest, mut sum) = (text, 0.0);
    for _ in 0..8 {
        let Some(c) = LENGTH.captures(rest) else { break };
        let Some(unit) = unit(&c[2]) else { break };
        // The words for one are no numbers.
        sum += c[1].parse::<f64>().unwrap_or(1.0) * unit;
        rest = &rest[c[0].len()..];
    }
    let near = later((sum * 1000.0).round() as u64, now)?;
    let clock = CLOCK_AFTER_LENGTH.find(rest).and_then(|m| piece::moment(&rest[m.end()..], false, Some(near), now));
    Some(clock.unwrap_or((near, rest)))
}

/// `None`: nothing was said, or more than any limit lasts.
fn later(ms: u64, now: Now) -> Option<Wall> {
    (0 < ms && ms <= LONGEST_MS).then(|| now.wall.after(Duration::from_millis(ms)))
}

/// Seconds.
fn unit(word: &str) -> Option<f64> {
    Some(match word.to_ascii_lowercase().as_str() {
        "w" | "wk" | "wks" | "week" | "weeks" => 604_800.0,
        "d" | "day" | "days" => 86_400.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "ms" => 0.001,
        _ => return None,
    })
}

fn found(text: &str, begin: usize, rest: &str, at: Option<Wall>) -> Found {
    let solid = |part: &str| part.chars().filter(|c| !c.is_whitespace()).count();
    let begins = solid(&text[..begin]);
    Found { begin: begins, end: begins + solid(&text[begin..text.len() - rest.len()]), at }
}
