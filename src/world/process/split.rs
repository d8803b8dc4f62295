//! This process twice.
use std::{io, os::fd::OwnedFd};

/// Which of the two we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The one that was called.
    First,
    /// A session of its own, nothing on its first three files, and no other file open.
    Second,
    /// The second one, where that could not be had: all that is left to it is to end.
    Lost,
}

/// Makes a second process that goes on from here, with everything that this one has in memory, and belongs to nobody.
///
/// To be called while there is one thread, and no file is open that the second one would use again.
pub fn split() -> io::Result<Half> {
    let nothing: OwnedFd = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?.into();
    // SAFETY: there is one thread, so no lock is held by one that the second process lacks.
    #[allow(unsafe_code, reason = "no library has a safe call for it")]
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let left = leave(&nothing);
            drop(nothing);
            close_rest();
            Ok(if left.is_ok() { Half::Second } else { Half::Lost })
        }
        _ => Ok(Half::First),
    }
}

fn leave(nothing: &OwnedFd) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::stdio::dup2_stdin(nothing)?;
    rustix::stdio::dup2_stdout(nothing)?;
    rustix::stdio::dup2_stderr(nothing)?;
    Ok(rustix::process::chdir("/")?)
}

/// What our caller left open in us is not ours to keep open. A kernel before 5.9 does not know the call; there, it is
/// kept.
fn close_rest() {
    const FIRST: libc::c_uint = 3;
    // SAFETY: the caller of `split` says that nothing in this process uses them again.
    #[allow(unsafe_code, reason = "no library has a safe call for it")]
    unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, 0)
    };
}
