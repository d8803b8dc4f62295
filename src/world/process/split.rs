//! This process twice.
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use std::{
    io::{self, PipeReader, PipeWriter, Write},
    os::fd::{AsRawFd, OwnedFd},
};

/// Which of the two we are.
#[derive(Debug)]
pub enum Half {
    /// The one that was called: here it reads what the second one says, until that one has no more to say, or is gone.
    First(PipeReader),
    Second(Twin),
    /// The second one, too late: the first one is gone; or it can have no session. All that is left to it is to end.
    Lost,
}

/// The second one: a session of its own, and nothing on its first three files. What the caller's terminal says is for the
/// first one, which may not mind; but until it is free this one does not outlive that one.
#[derive(Debug)]
pub struct Twin {
    answer: PipeWriter,
}

/// Makes a second process that goes on from here, with everything that this one has in memory, and no file open beyond
/// the first three.
///
/// To be called while there is one thread, and no file is open that the second one would use again.
pub fn split() -> io::Result<Half> {
    let nothing: OwnedFd = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?.into();
    let (heard, answer) = io::pipe()?;
    let first = getpid();
    // SAFETY: there is one thread, so no lock is held by one that the second process lacks.
    #[allow(unsafe_code, reason = "no library has a safe call for it")]
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            drop(heard);
            let tied = set_parent_process_death_signal(Some(Signal::KILL));
            if tied.is_err() || getppid() != Some(first) {
                return Ok(Half::Lost);
            }
            close_all_but(&nothing, &answer);
            Ok(if leave(&nothing).is_ok() { Half::Second(Twin { answer }) } else { Half::Lost })
        }
        _ => Ok(Half::First(heard)),
    }
}

impl Twin {
    /// Tells the first one how it went, which then ends, or goes on alone.
    pub fn say(mut self, words: &[u8]) {
        // It may have been killed meanwhile.
        let _ = self.answer.write_all(words);
    }

    /// Belongs to nobody from here on.
    pub fn free(&self) -> io::Result<()> {
        rustix::process::chdir("/")?;
        Ok(set_parent_process_death_signal(None)?)
    }
}

fn leave(nothing: &OwnedFd) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::stdio::dup2_stdin(nothing)?;
    rustix::stdio::dup2_stdout(nothing)?;
    Ok(rustix::stdio::dup2_stderr(nothing)?)
}

/// What our caller left open in us is not ours to keep open. A kernel before 5.9 does not know the call; there, it is
/// kept.
fn close_all_but(one: &OwnedFd, other: &PipeWriter) {
    let mut kept = [one.as_raw_fd(), other.as_raw_fd()];
    kept.sort_unstable();
    let mut first = 3;
    for last in kept.iter().map(|fd| fd - 1).chain([libc::c_int::MAX]) {
        if first <= last {
            // SAFETY: the caller of `split` says that nothing in this process uses them again.
            #[allow(unsafe_code, reason = "no library has a safe call for it")]
            unsafe {
                libc::syscall(libc::SYS_close_range, first, last, 0)
            };
        }
        first = last.saturating_add(2);
    }
}
