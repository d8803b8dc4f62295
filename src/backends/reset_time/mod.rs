//! When a usage limit ends, as its banner says it: `resets 3pm`, `try again in 2h 15m`, `resets Jun 16, 10pm (Asia/Seoul)`.
//!
//! The answer is an absolute instant or unknown, never "now". [`rows`] makes one text of the rows, [`phrase`] finds what
//! announces a time in it, [`piece`] reads the time, [`zone`] knows the names of zones, [`resolve`] makes an instant of what was said.
mod phrase;
mod piece;
mod resolve;
mod rows;
mod zone;

#[cfg(test)]
mod forms;
#[cfg(test)]
mod properties;

use crate::model::time::{Now, Wall};

/// The first reset time in `banner`, which begins at the limit's own row.
///
/// An app wraps its banner at blanks, a terminal in the middle of a word: each row end is tried as both, and what reads
/// as the longer phrase is right.
pub fn parse(banner: &str, now: Now) -> Option<Wall> {
    let mut texts = rows::readings(banner).into_iter();
    let mut best = texts.next().and_then(|text| phrase::find(&text, now));
    for text in texts {
        let Some(found) = phrase::find(&text, now) else { continue };
        // Positions are counted without blanks: they are the same in all readings.
        let better = best.as_ref().is_none_or(|b| found.begin <= b.begin && found.end > b.end);
        if better {
            best = Some(found);
        }
    }
    best?.at
}
