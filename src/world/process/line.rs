//! What a process is shown as, with its words.
use std::{fs::OpenOptions, os::unix::fs::FileExt};

/// Fields of `/proc/PID/stat` behind the name: where the words of the line begin and end in memory.
const FROM: usize = 45;
const TO: usize = 46;

/// Writes `line` over the words that this process was started with, as far as there is room: a copy of a process has
/// those of another one, and whoever looks for that by its words (`pkill -f`) must not find the copy. Nobody may ask for
/// our own words after this. Best effort.
pub fn show_as(line: &[u8]) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let Some((_, fields)) = stat.rsplit_once(')') else { return };
    let at = |field: usize| fields.split_whitespace().nth(field)?.parse::<u64>().ok();
    let (Some(from), Some(to)) = (at(FROM), at(TO)) else { return };
    let Some(room) = to.checked_sub(from).and_then(|room| usize::try_from(room).ok()) else { return };
    let Ok(memory) = OpenOptions::new().write(true).open("/proc/self/mem") else { return };
    let mut shown = line.to_vec();
    // The last byte stays 0, or what stands behind it is shown as well.
    shown.truncate(room.saturating_sub(1));
    shown.resize(room, 0);
    let _ = memory.write_all_at(&shown, from);
}
