//! The lines of a log that are wanted, from all of its parts.
use super::{failure::Failure, log_parts, log_times, out::Out};
use crate::{model::time::Wall, view::clean::Cleaner};
use std::{collections::VecDeque, path::Path};

pub struct Wanted {
    pub limit: Option<usize>,
    pub since: Option<Wall>,
    pub follow: bool,
}

/// Reading fails for another reason than writing, and they mean different things.
pub enum Trouble {
    Read(std::io::Error),
    Write(Failure),
}

impl Trouble {
    pub fn into_failure(self, path: &Path) -> Failure {
        match self {
            Trouble::Read(error) => unreadable(path, &error),
            Trouble::Write(failure) => failure,
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Read(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Write(failure)
    }
}

/// Everything (or the last `n` lines) untouched. Gives the newest part's size as read.
pub fn print_raw(path: &Path, limit: Option<usize>, out: &mut Out) -> Result<u64, Trouble> {
    let mut end = 0;
    match limit {
        None => {
            for part in log_parts::oldest_first(path)? {
                end = log_parts::read(&part, &mut |bytes| Ok::<(), Trouble>(out.raw(bytes)?))?;
            }
        }
        Some(n) => {
            let tail = log_parts::tail(path, n)?;
            out.raw(&tail.bytes)?;
            end = tail.end;
        }
    }
    Ok(end)
}

/// The last `n` clean lines, read from the end. Gives the cleaner as it stands, and where to go on.
pub fn print_tail(
    path: &Path,
    fresh: fn() -> Cleaner,
    n: usize,
    goes_on: bool,
    out: &mut Out,
) -> Result<(Cleaner, u64), Trouble> {
    let mut wanted = n.saturating_mul(4).saturating_add(200);
    loop {
        let tail = log_parts::tail(path, wanted)?;
        let mut last = VecDeque::new();
        let mut cleaner = fresh();
        let mut keep_last = |line: &str| {
            if last.len() == n {
                last.pop_front();
            }
            if n > 0 {
                last.push_back(line.to_owned());
            }
        };
        cleaner.feed(&tail.bytes, &mut keep_last);
        if !goes_on {
            cleaner.finish(&mut keep_last);
        }
        if last.len() < n && !tail.whole {
            wanted = wanted.saturating_mul(8);
            continue;
        }
        for line in last {
            out.line(&line)?;
        }
        return Ok((cleaner, tail.end));
    }
}

/// Every clean line that is wanted, oldest first.
pub fn print_all(
    path: &Path,
    mut cleaner: Cleaner,
    &Wanted { limit, since, follow: goes_on }: &Wanted,
    keep: &dyn Fn(&str) -> bool,
    out: &mut Out,
) -> Result<(Cleaner, u64), Trouble> {
    let mut last: VecDeque<String> = VecDeque::new();
    let mut end = 0;
    let mut emit = |line: &str, out: &mut Out| -> Result<(), Trouble> {
        if !keep(line) {
            return Ok(());
        }
        match limit {
            None => out.line(line)?,
            Some(n) => {
                if last.len() == n {
                    last.pop_front();
                }
                if n > 0 {
                    last.push_back(line.to_owned());
                }
            }
        }
        Ok(())
    };
    let parts = log_parts::oldest_first(path)?;
    for (i, part) in parts.iter().enumerate() {
        let written = log_parts::written(part)?;
        if since.is_some_and(|s| written < s) {
            continue;
        }
        let newest = i + 1 == parts.len();
        let mut result = Ok(());
        if let Some(since) = since {
            let mut lines = Vec::new();
            end = log_parts::read(part, &mut |bytes| -> Result<(), Trouble> {
                cleaner.feed(bytes, &mut |l| lines.push(l.to_owned()));
                Ok(())
            })?;
            if newest && !goes_on {
                cleaner.finish(&mut |l| lines.push(l.to_owned()));
            }
            let first = log_times::first_since(&lines, written, since);
            for line in &lines[first..] {
                emit(line, out)?;
            }
            continue;
        }
        end = log_parts::read(part, &mut |bytes| {
            cleaner.feed(bytes, &mut |l| {
                if result.is_ok() {
                    result = emit(l, out);
                }
            });
            std::mem::replace(&mut result, Ok(()))
        })?;
        if newest && !goes_on {
            cleaner.finish(&mut |l| result = emit(l, out));
            result?;
        }
    }
    for line in last {
        out.line(&line)?;
    }
    Ok((cleaner, end))
}

pub fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(1, format!("`{}` cannot be read: {error}", path.display()))
}
