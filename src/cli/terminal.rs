//! A terminal that a verb takes for itself for a while, and gives back as it was on every way out.
use rustix::{
    process::getpgrp,
    stdio::{stdin, stdout},
    termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
    },
};
use std::{
    io::{self, Write},
    os::fd::BorrowedFd,
};

/// The other screen, on which no line is wrapped, and no cursor.
const TAKE: &[u8] = b"\x1b[?1049h\x1b[?7l\x1b[?25l";
const GIVE: &[u8] = b"\x1b[?25h\x1b[?7h\x1b[?1049l";

/// Both sides are a terminal, and we are in its foreground: what is typed there is meant for us.
pub fn is_ours(side: BorrowedFd) -> bool {
    isatty(side) && tcgetpgrp(side).is_ok_and(|group| group == getpgrp())
}

/// A terminal that can show more than lines one after the other.
pub fn can_draw() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Keys come one by one and are not shown; ctrl-C still is a signal, ctrl-Z is nothing.
pub struct Taken {
    before: Termios,
}

impl Taken {
    pub fn take() -> io::Result<Taken> {
        let before = tcgetattr(stdin())?;
        let mut keys = before.clone();
        keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        keys.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &keys)?;
        let taken = Taken { before };
        write(TAKE)?;
        Ok(taken)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        match tcgetwinsize(stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => (80, 24),
        }
    }

    /// From the upper left corner on; what was there before is gone. Rows are cleared before they are written: behind a
    /// character in the last column the cursor still stands on it.
    pub fn draw(&self, lines: &[String], rows: u16) -> io::Result<()> {
        let mut text = String::from("\x1b[H");
        for row in 0..usize::from(rows) {
            if row > 0 {
                text.push_str("\r\n");
            }
            text.push_str("\x1b[K");
            text.push_str(lines.get(row).map_or("", |line| line));
        }
        write(text.as_bytes())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Nobody may be there any more.
        let _ = write(GIVE);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
