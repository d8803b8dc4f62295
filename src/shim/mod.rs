//! Parent of every agent CLI, and the writer of its log. Both run once per agent: no thread, little memory.
//!
//! ```text
//! tmux server ── agents __shim RUN_DIR          session leader, reaper, writes exit.json
//!      │            └─ shell -c command           own group, in the foreground
//!      └─ pipe ──── agents __log RUN_DIR        appends what the pane prints, rotates
//! ```
mod environment;
mod last_output;
mod leader;
mod log_writer;
pub mod record;
mod rotation;
mod watchlog;

pub use crate::world::process::signals;

use std::{ffi::OsString, path::Path, process::ExitCode};

/// Runs a hidden subcommand. `None`: `words` do not begin with one.
pub fn main(words: &[OsString]) -> Option<ExitCode> {
    let (word, rest) = words.split_first()?;
    let part: fn(&Path) -> u8 = match word.to_str()? {
        "__shim" => leader::run,
        "__log" => log_writer::run,
        "__watchlog" => watchlog::run,
        _ => return None,
    };
    let [path] = rest else {
        eprintln!("error: `{}` is for agents itself, with one path", word.to_string_lossy());
        return Some(ExitCode::from(2));
    };
    Some(ExitCode::from(part(Path::new(path))))
}
