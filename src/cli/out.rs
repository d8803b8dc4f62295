//! Standard output: buffered, never a panic when its reader goes away.
use super::failure::Failure;
use crate::{
    model::{event::Event, time::Wall},
    view::{self, paint::Paint},
};
use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, poll};
use std::{
    io::{BufWriter, IsTerminal, Stdout, Write},
    time::Duration,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

pub struct Out {
    writer: BufWriter<Stdout>,
    pub paint: Paint,
    pub terminal: bool,
    choice: ColorChoice,
}

fn paint(choice: ColorChoice, terminal: bool) -> Paint {
    let quiet = || {
        std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb")
    };
    match choice {
        ColorChoice::Always => Paint::Colour,
        ColorChoice::Auto if terminal && !quiet() => Paint::Colour,
        _ => Paint::Plain,
    }
}

impl Out {
    pub fn new(color: ColorChoice) -> Out {
        let terminal = std::io::stdout().is_terminal();
        Out { writer: BufWriter::new(std::io::stdout()), paint: paint(color, terminal), terminal, choice: color }
    }

    /// For lines on stderr.
    pub fn paint_of_errors(&self) -> Paint {
        paint(self.choice, std::io::stderr().is_terminal())
    }

    /// Columns, if a person looks at it.
    pub fn width(&self) -> Option<u16> {
        if !self.terminal {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        (size.ws_col > 0).then_some(size.ws_col)
    }

    /// One line; it may wait for [`Out::flush`].
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.writer.write_all(text.as_bytes())?;
        Ok(self.writer.write_all(b"\n")?)
    }

    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.writer.write_all(bytes)?)
    }

    pub fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.writer.flush()?)
    }

    /// Text with its newlines, at once. For help and the like, where a reader that goes away means nothing.
    pub fn page(&mut self, text: &str) {
        let _ = self.writer.write_all(text.as_bytes());
        let _ = self.writer.flush();
    }

    /// A log line, at once. What is being done goes on even if nobody listens any more.
    pub fn say(&mut self, at: Wall, text: &str) {
        self.page(&format!("{}\n", view::log_line(at, text)));
    }

    pub fn event(&mut self, event: &Event) {
        self.say(event.at, &event.text);
    }

    /// Waits that long, or until the reader of our output went away ([`Failure::Closed`]).
    pub fn pause(&self, time: Duration) -> Result<(), Failure> {
        let stdout = std::io::stdout();
        // No events asked for: only an error or a hang-up of the reader wakes it.
        let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
        let timeout = rustix::time::Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(_) => Ok(()),
            Ok(_) => Err(Failure::Closed),
        }
    }
}
