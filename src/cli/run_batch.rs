//! `agents run -b --batch FILE|-`: a job for every line.
use super::failure::Failure;
use crate::model::{
    job::{Bytes, JobCommand},
    name::printable,
};
use std::{ffi::OsString, io::Read, os::unix::ffi::OsStringExt, path::Path};

/// Bytes of all lines together.
const LARGEST: u64 = 256 << 20;

/// A shell line each; empty lines are passed over. `-`: standard input.
pub fn commands(file: &Path) -> Result<Vec<JobCommand>, Failure> {
    let shown = printable(&file.to_string_lossy());
    let unreadable = |why: String| Failure::new(1, format!("the lines of `{shown}` cannot be read: {why}"));
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|e| unreadable(e.to_string()))?;
        if bytes.len() as u64 > LARGEST {
            return Err(unreadable(format!("they are more than {} MiB", LARGEST >> 20)));
        }
        bytes
    } else {
        crate::world::file::read(file, LARGEST).map_err(|e| unreadable(e.to_string()))?
    };
    let commands = lines(&bytes);
    if commands.is_empty() {
        return Err(Failure::new(1, format!("`{shown}` holds no line: nothing was queued")));
    }
    Ok(commands)
}

fn lines(bytes: &[u8]) -> Vec<JobCommand> {
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let full = lines.filter(|line| !line.trim_ascii().is_empty());
    full.map(|line| JobCommand::Shell(Bytes(OsString::from_vec(line.to_vec())))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_job_whatever_bytes_it_holds() {
        let read: Vec<Vec<u8>> = lines(b"one\n\n  \ntwo\r\n\xff 3\nlast")
            .into_iter()
            .map(|command| match command {
                JobCommand::Shell(line) => line.0.into_vec(),
                JobCommand::Argv(_) | JobCommand::Prompt(_) => Vec::new(),
            })
            .collect();
        assert_eq!(read, [&b"one"[..], b"two", b"\xff 3", b"last"]);
        assert!(lines(b" \n").is_empty());
    }
}
