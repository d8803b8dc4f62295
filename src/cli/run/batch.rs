//! `agents run -b --batch FILE|-`: a job for every line.
//!
//! There may be hundreds of thousands: the text of them all is in memory once, and beside it no more than one job.
use super::{
    super::{failure::Failure, jobs::Ground},
    files,
    given::Given,
    part,
    queue::{not_queued, set_parents},
};
use crate::{
    jobs::file::unusable_command,
    model::{
        job::{Bytes, JobCommand, JobId},
        name::printable,
    },
    store::jobs::JobStore,
    world::clock,
};
use std::{
    ffi::OsString,
    io::Read,
    os::unix::ffi::OsStringExt,
    path::Path,
    slice::{from_mut, from_ref},
};

/// Bytes of all lines together.
const LARGEST: u64 = 256 << 20;

/// What was queued, and where.
pub struct Queued {
    pub store: JobStore,
    pub ids: Vec<JobId>,
}

/// Queues them all, or none. Whatever is wrong with one of them is told before anything is made.
pub fn queue(file: &Path, given: &Given, ground: &Ground) -> Result<Queued, Failure> {
    let shown = printable(&file.to_string_lossy());
    let bytes = read(file, &shown)?;
    for (number, command) in lines(&bytes) {
        if let Some((why, hint)) = unusable_command(&command) {
            return Err(Failure::new(1, format!("line {number} of `{shown}` {why}; nothing was queued")).hint(hint));
        }
    }
    let Some((_, first)) = lines(&bytes).next() else {
        return Err(Failure::new(1, format!("`{shown}` holds no line: nothing was queued")));
    };
    // Those that follow differ in nothing else.
    let part = part(first);
    let mut job = files::job(&part, None, given, clock::wall())?;
    let mut store = ground.open()?;
    set_parents(from_mut(&mut job), from_ref(&part), given, &store)?;
    let commands = lines(&bytes).map(|(_, command)| (command.shown(), command));
    let ids = store.submit_alike(job, commands, clock::wall());
    let ids = ids.map_err(|error| not_queued(error, &[]))?;
    Ok(Queued { store, ids })
}

fn read(file: &Path, shown: &str) -> Result<Vec<u8>, Failure> {
    let unreadable = |why: String| Failure::new(1, format!("the lines of `{shown}` cannot be read: {why}"));
    if file != "-" {
        return crate::world::file::read(file, LARGEST).map_err(|e| {
            let is_pipe = file.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
            let failure = unreadable(e.to_string());
            if is_pipe { failure.hint("of a pipe: `… | agents run -b --batch -`") } else { failure }
        });
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|e| unreadable(e.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable(format!("they are more than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// A shell line each with its number, from 1; empty ones are passed over.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, JobCommand)> {
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let full = (1..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty());
    full.map(|(number, line)| (number, JobCommand::Shell(Bytes(OsString::from_vec(line.to_vec())))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_job_whatever_bytes_it_holds() {
        let read: Vec<Vec<u8>> = lines(b"one\n\n  \ntwo\r\n\xff 3\nlast")
            .map(|(_, command)| match command {
                JobCommand::Shell(line) => line.0.into_vec(),
                JobCommand::Argv(_) | JobCommand::Prompt(_) => Vec::new(),
            })
            .collect();
        assert_eq!(read, [&b"one"[..], b"two", b"\xff 3", b"last"]);
        assert_eq!(lines(b" \n").count(), 0);
    }
}
