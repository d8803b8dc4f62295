//! What a program has not read yet of what was typed to it.
use super::ProcId;
use rustix::{
    fs::{Mode, OFlags, open},
    io::ioctl_fionread,
    termios::isatty,
};

/// Whether something waits in the input queue of the terminal that `process` has as its standard input. Reads nothing of
/// it. `None`: it cannot be told.
pub fn has_unread_input(process: ProcId) -> Option<bool> {
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let terminal = open(format!("/proc/{}/fd/0", process.pid), flags, Mode::empty()).ok()?;
    if !isatty(&terminal) || !process.is_alive() {
        return None;
    }
    ioctl_fionread(&terminal).ok().map(|bytes| bytes > 0)
}
