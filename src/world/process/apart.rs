//! A process that is nobody's child.
use super::{Limits, in_own_session};
use rustix::{
    io::{read, write},
    pipe::{PipeFlags, pipe_with},
};
use std::{io, os::unix::process::CommandExt, process::Command};

/// Begins `command` in a session of its own, with no file open but the three that it is given, as the child of a process
/// that ends at once: whoever begins it may live on without a word about its end, and no zombie is left of it. Its pid.
///
/// Within a subreaper it becomes that one's child, as every process that loses its parent.
pub fn begin_apart(command: &mut Command) -> io::Result<u32> {
    // Whatever becomes of the process in between, nobody is waited for.
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    let twice = move || {
        // SAFETY: we are a child with one thread, between fork and exec; both halves make a few system calls.
        #[allow(unsafe_code, reason = "no library has a safe call for it")]
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(()),
            pid => {
                let told = write(&writer, &pid.unsigned_abs().to_ne_bytes()).is_ok();
                // SAFETY: it ends this process and returns to nobody.
                #[allow(
                    unsafe_code,
                    reason = "what the process that we are a copy of does at its end is not ours to do"
                )]
                unsafe {
                    libc::_exit(i32::from(!told))
                }
            }
        }
    };
    // SAFETY: a few system calls and nothing else between fork and exec.
    #[allow(unsafe_code, reason = "the libraries have no safe call for something to do between fork and exec")]
    unsafe {
        command.pre_exec(twice)
    };
    match in_own_session(command, Limits::default()).spawn()?.wait() {
        // Our caller ignores the ends of its children, and so did we before we asked.
        Err(e) if e.raw_os_error() != Some(libc::ECHILD) => return Err(e),
        _ => {}
    }
    let mut pid = [0; 4];
    match read(&reader, &mut pid)? {
        4 => Ok(u32::from_ne_bytes(pid)),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::process::{ProcId, Stat};
    use std::time::{Duration, Instant};

    #[test]
    fn it_is_nobodys_child_and_leads_a_session() {
        let pid = begin_apart(Command::new("sleep").arg("1000")).expect("begun");
        let (process, stat) = (ProcId::of(pid).expect("it runs"), Stat::read(pid).expect("it runs"));
        assert_eq!((stat.session, stat.group), (pid, pid));
        assert_ne!(stat.parent, std::process::id());
        assert!(process.signal(rustix::process::Signal::KILL));
        let until = Instant::now() + Duration::from_secs(10);
        while process.is_alive() {
            assert!(Instant::now() < until, "it does not end");
        }
    }

    #[test]
    fn what_cannot_be_begun_is_told() {
        let error = begin_apart(&mut Command::new("/bin/nobody")).expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
