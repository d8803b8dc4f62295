//! One line below the output of a job in the foreground: how far it is. It stands on stderr, only while the output ended
//! with a newline, and is gone before anything else is written.
use super::terminal;
use crate::view::jobs::{ProgressView, bar};
use rustix::{
    stdio::stderr,
    termios::{isatty, tcgetwinsize},
};
use std::io::Write;

#[derive(Default)]
pub struct Footer {
    on: bool,
    shown: String,
}

impl Footer {
    /// On a terminal of which we are the foreground; elsewhere nothing is ever drawn.
    pub fn new() -> Footer {
        Footer { on: isatty(stderr()) && terminal::is_ours(stderr()) && terminal::can_draw(), shown: String::new() }
    }

    /// Whether there is anything to draw on.
    pub fn is_on(&self) -> bool {
        self.on
    }

    pub fn draw(&mut self, progress: &ProgressView) {
        if !self.on {
            return;
        }
        let columns = tcgetwinsize(stderr()).map_or(80, |size| usize::from(size.ws_col).max(8));
        let Some(text) = bar(progress, (columns / 3).clamp(4, 30)) else { return self.clear() };
        if text != self.shown {
            // Without wrapping: what is too long is cut off by the terminal, and stays one line.
            let _ = write!(std::io::stderr(), "\r\x1b[?7l\x1b[K{text}\x1b[?7h");
            self.shown = text;
        }
    }

    pub fn clear(&mut self) {
        if !self.shown.is_empty() {
            self.shown.clear();
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Footer {
    fn drop(&mut self) {
        self.clear();
    }
}
