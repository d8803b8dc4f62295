//! The newest lines of a log, as text.
use crate::{view::clean::Cleaner, world::file::read_tail};
use std::{collections::VecDeque, path::Path};

/// Bytes that are read of it: more than a screen holds, unless its lines are very long.
const WINDOW: u64 = 64 * 1024;
const PROGRESS: &str = "::progress ";

/// At most `most`, the newest last. A log that is not there has none.
pub fn lines(log: &Path, most: usize) -> Vec<String> {
    let Ok(bytes) = read_tail(log, WINDOW) else { return Vec::new() };
    // The first line may be the end of one.
    let begin =
        if bytes.len() as u64 == WINDOW { bytes.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1) } else { 0 };
    let mut newest: VecDeque<String> = VecDeque::new();
    let mut take = |line: &str| {
        // It is shown as progress.
        if line.starts_with(PROGRESS) {
            return;
        }
        newest.push_back(line.to_owned());
        if newest.len() > most {
            newest.pop_front();
        }
    };
    let mut cleaner = Cleaner::of_lines();
    cleaner.feed(&bytes[begin..], &mut take);
    cleaner.finish(&mut take);
    newest.into()
}
