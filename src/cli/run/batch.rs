//! `agents run -b --batch FILE|-`: a job for every line.
use super::super::failure::Failure;
use crate::{
    jobs::file::unusable_command,
    model::{
        job::{Bytes, JobCommand},
        name::printable,
    },
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
    for (number, command) in &commands {
        if let Some((why, hint)) = unusable_command(command) {
            return Err(Failure::new(1, format!("line {number} of `{shown}` {why}; nothing was queued")).hint(hint));
        }
    }
    let commands: Vec<JobCommand> = commands.into_iter().map(|(_, command)| command).collect();
    if commands.is_empty() {
        return Err(Failure::new(1, format!("`{shown}` holds no line: nothing was queued")));
    }
    Ok(commands)
}

/// Each with its number, from 1.
fn lines(bytes: &[u8]) -> Vec<(usize, JobCommand)> {
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let full = (1..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty());
    full.map(|(number, line)| (number, JobCommand::Shell(Bytes(OsString::from_vec(line.to_vec()))))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_job_whatever_bytes_it_holds() {
        let read: Vec<Vec<u8>> = lines(b"one\n\n  \ntwo\r\n\xff 3\nlast")
            .into_iter()
            .map(|(_, command)| match command {
                JobCommand::Shell(line) => line.0.into_vec(),
                JobCommand::Argv(_) | JobCommand::Prompt(_) => Vec::new(),
            })
            .collect();
        assert_eq!(read, [&b"one"[..], b"two", b"\xff 3", b"last"]);
        assert!(lines(b" \n").is_empty());
    }
}
