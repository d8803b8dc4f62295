//! The terminal of a job that waits for an answer, while what is typed there is meant for us: we are in its foreground, no
//! key is shown or is a signal, and none stops the output. Nothing is printed: what is printed there stands in the log.
//!
//! What was typed before is no answer, and what was not read as one reaches no step: both are thrown away.
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    process::{Pid, getpgrp, getsid},
    termios::{
        InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetpgrp,
        tcsetattr, tcsetpgrp,
    },
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// Gives the terminal back when it is dropped.
pub struct Keys {
    /// Opened by us alone: that a read of it waits for nothing must not hold for the steps.
    tty: OwnedFd,
    usual: Termios,
    /// Whose it was: what a step left in the background has it as before.
    before: Option<Pid>,
    /// The session's first process, which hears no key.
    leader: Pid,
}

impl Keys {
    /// Takes the terminal that we were started in. `usual`: how it is for the steps. To be called only by who ignores TTIN
    /// and TTOU: others would be stopped.
    pub fn take(usual: &Termios) -> io::Result<Keys> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let tty = rustix::fs::open("/dev/tty", flags, Mode::empty())?;
        let (before, leader) = (tcgetpgrp(&tty).ok(), getsid(None)?);
        let mut quiet = usual.clone();
        quiet.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        quiet.input_modes -= InputModes::IXON;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        // From here on it is given back, whatever fails.
        let keys = Keys { tty, usual: usual.clone(), before, leader };
        // In this order: in the foreground ctrl-C would be the end of us.
        tcsetattr(&keys.tty, OptionalActions::Now, &quiet)?;
        tcsetpgrp(&keys.tty, getpgrp())?;
        tcflush(&keys.tty, QueueSelector::IFlush)?;
        Ok(keys)
    }

    /// Readable when something was typed.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.tty.as_fd()
    }

    /// What was typed since, without waiting for it. `Err`: the terminal is gone, or somebody else has taken it.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut typed = [0; 1024];
        match rustix::io::read(&self.tty, &mut typed) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => Ok(typed[..n].to_vec()),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Vec::new()),
            Err(e) => Err(e.into()),
        }
    }
}

impl Drop for Keys {
    /// Nothing of it can fail but where the terminal is gone.
    fn drop(&mut self) {
        let _ = tcflush(&self.tty, QueueSelector::IFlush);
        if tcgetpgrp(&self.tty).is_ok_and(|group| group == getpgrp()) {
            // Of a step that left nobody behind there is no group any more.
            let given = self.before.is_some_and(|before| tcsetpgrp(&self.tty, before).is_ok());
            if !given {
                let _ = tcsetpgrp(&self.tty, self.leader);
            }
        }
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.usual);
        // Also what came while nobody was to read it.
        let _ = tcflush(&self.tty, QueueSelector::IFlush);
    }
}
