//! What a job says of its progress, in its output: `::progress 3/10 linking`, `::progress linking`.
//!
//! It is read from the log, where that is looked at anyway ([`super::log::Cap`]), and only what is new there: at most
//! [`WINDOW`] at a look. Whoever writes faster is not read in full; the newest line counts.
use crate::model::{job::Progress, name::printable_cut};
use std::{fs::File, os::unix::fs::FileExt};

/// Bytes read at one look.
const WINDOW: u64 = 64 * 1024;
/// Bytes of a line. A longer one is none of ours.
const LINE: u64 = 4096;
/// Characters of its text that are kept.
const TEXT: usize = 200;
const WORD: &[u8] = b"::progress ";

/// What a line says. `None`: it is not of that shape.
fn said(line: &[u8]) -> Option<Progress> {
    if line.len() as u64 > LINE {
        return None;
    }
    let text = String::from_utf8_lossy(line.strip_prefix(WORD)?);
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (counts, text) = match counts(first) {
        Some((done, total)) => (Some((done, total)), rest.trim_start()),
        None => (None, text),
    };
    if counts.is_none() && text.is_empty() {
        return None;
    }
    let (done, total) = counts.unzip();
    Some(Progress { done, total, text: printable_cut(text, TEXT), ..Progress::default() })
}

/// `3/10`.
fn counts(word: &str) -> Option<(u64, u64)> {
    let (done, total) = word.split_once('/')?;
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (done, total) = (digits(done).then(|| done.parse().ok())??, digits(total).then(|| total.parse().ok())??);
    (done <= total && total > 0).then_some((done, total))
}

/// Reads on in a log that grows.
pub struct Follow {
    /// Where the first line begins that was not read; or, within a line, where to go on.
    at: u64,
    /// `at` stands within a line of which the beginning was left out.
    within: bool,
    news: Option<Progress>,
}

impl Follow {
    /// What is written from `at` on.
    pub fn from(at: u64) -> Follow {
        Follow { at, within: false, news: None }
    }

    /// The middle of the log was left out: what ended at `from` ends at `to` now.
    pub fn moved(&mut self, from: u64, to: u64) {
        self.at = to.saturating_sub(from.saturating_sub(self.at));
    }

    /// Reads what is new of a log of this length. `last`: nothing follows, so a line needs no newline.
    pub fn read(&mut self, log: &File, length: u64, last: bool) {
        if length < self.at {
            // Somebody emptied it.
            (self.at, self.within) = (0, false);
        }
        if length - self.at > WINDOW {
            (self.at, self.within) = (length - WINDOW, true);
        }
        let mut new = vec![0; usize::try_from(length - self.at).unwrap_or(0)];
        let Ok(read) = log.read_at(&mut new, self.at) else { return };
        new.truncate(read);
        let whole = if last { new.len() } else { new.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1) };
        let begin = match self.within {
            true => new.iter().position(|b| *b == b'\n').map_or(whole, |end| end + 1),
            false => 0,
        };
        let lines = new.get(begin..whole).unwrap_or_default();
        if let Some(newest) = lines.rsplit(|b| *b == b'\n').find_map(said) {
            self.news = Some(newest);
        }
        self.within &= whole == 0;
        self.at += whole as u64;
        let rest = (new.len() - whole) as u64;
        if rest > LINE {
            self.at += rest;
            self.within = true;
        }
    }

    /// What is not written down yet. See [`Follow::written`].
    pub fn news(&self) -> Option<&Progress> {
        self.news.as_ref()
    }

    pub fn written(&mut self) {
        self.news = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn progress(done: Option<u64>, total: Option<u64>, text: &str) -> Option<Progress> {
        Some(Progress { done, total, text: text.into(), ..Progress::default() })
    }

    #[test]
    fn only_its_own_shape_is_progress() {
        assert_eq!(said(b"::progress 3/10 linking it all"), progress(Some(3), Some(10), "linking it all"));
        assert_eq!(said(b"::progress 3/10\r"), progress(Some(3), Some(10), ""));
        assert_eq!(said(b"::progress linking"), progress(None, None, "linking"));
        for text in ["11/10 x", "-1/10", "1/", "/2", "+1/2", "0/0", "1/99999999999999999999", "1/2/3"] {
            assert_eq!(said(format!("::progress {text}").as_bytes()), progress(None, None, text), "{text}");
        }
        for line in
            ["", "::progress", "::progress ", "::progress \r", " ::progress 1/2", "::progressed 1/2", "progress 1/2"]
        {
            assert_eq!(said(line.as_bytes()), None, "{line:?}");
        }
        assert_eq!(said(b"::progress \x1b[31m\xff"), progress(None, None, "\\x1b[31m\u{fffd}"));
        let long = said(format!("::progress {}", "x".repeat(1000)).as_bytes()).expect("progress");
        assert_eq!(long.text.chars().count(), TEXT);
        assert_eq!(said(format!("::progress {}", "x".repeat(5000)).as_bytes()), None);
    }

    /// A log, and what is read of it.
    struct World {
        log: File,
        follow: Follow,
    }

    impl World {
        fn new() -> World {
            World { log: tempfile::tempfile().expect("a file"), follow: Follow::from(0) }
        }

        fn write(&mut self, text: &str) {
            self.log.write_all(text.as_bytes()).expect("written");
        }

        fn read(&mut self, last: bool) -> Option<Progress> {
            let length = self.log.metadata().expect("a length").len();
            self.follow.read(&self.log, length, last);
            assert!(length - self.follow.at <= LINE, "no more than a line is read again");
            self.follow.news.take()
        }
    }

    #[test]
    fn a_line_counts_once_it_is_whole_and_the_newest_one_counts() {
        let mut world = World::new();
        world.write("a\n::progress 1/3 one\nb\n::progress 2/3 two\n::prog");
        assert_eq!(world.read(false), progress(Some(2), Some(3), "two"));
        assert_eq!(world.read(false), None, "it was told");
        world.write("ress 3/3 thr");
        assert_eq!(world.read(false), None);
        world.write("ee");
        assert_eq!(world.read(true), progress(Some(3), Some(3), "three"));
    }

    #[test]
    fn of_a_flood_the_newest_is_read_and_no_half_line_is_taken_for_one() {
        let mut world = World::new();
        world.write("::progress 1/3 early\n");
        world.write(&"y\n".repeat(1 << 19));
        world.write("::progress 2/3 late\n");
        assert_eq!(world.read(false), progress(Some(2), Some(3), "late"));
        // One line that never ends; where it is cut, it looks like one of ours.
        world.write(&"x".repeat(100_000));
        assert_eq!(world.read(false), None);
        world.write("::progress 3/3 forged\n");
        assert_eq!(world.read(false), None);
        world.write("::progress 3/3 real\n");
        assert_eq!(world.read(false), progress(Some(3), Some(3), "real"));
    }

    #[test]
    fn a_log_that_was_emptied_is_read_on() {
        let mut world = World::new();
        world.write(&format!("::progress 1/3 one\n{}", "y\n".repeat(5000)));
        assert_eq!(world.read(false), progress(Some(1), Some(3), "one"));
        world.log.set_len(0).expect("emptied");
        std::io::Seek::seek(&mut world.log, std::io::SeekFrom::End(0)).expect("at its end");
        world.write("::progress 2/3 two\n");
        assert_eq!(world.read(false), progress(Some(2), Some(3), "two"));
    }
}
