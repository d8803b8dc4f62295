//! A child that belongs to nobody's terminal and holds nobody's files open.
use super::{Changes, Confinement};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::Command,
};

/// What a child may use, itself and each of its own; and what it has that is not ours.
#[derive(Debug, Default)]
pub struct Limits {
    /// What it changes of ours first.
    pub changes: Option<Changes>,
    /// Added to our own niceness, or to that.
    pub nice: Option<i32>,
    /// Bytes of address space, unless it has less by now.
    pub mem: Option<u64>,
    /// The list of members of the control group that it is to be in, open for writing.
    pub group: Option<OwnedFd>,
    pub confinement: Option<Confinement>,
}

impl Limits {
    pub fn is_none(&self) -> bool {
        let Limits { changes, nice, mem, group, confinement } = self;
        changes.is_none() && nice.is_none() && mem.is_none() && group.is_none() && confinement.is_none()
    }
}

/// Makes `command` begin in a session of its own, with no file open but the three that it is given, whatever our own
/// caller left open in us.
pub fn in_own_session(command: &mut Command, limits: Limits) -> &mut Command {
    confined(command, limits, true)
}

/// The same, but in our own session, whose terminal it has.
pub fn in_our_session(command: &mut Command, limits: Limits) -> &mut Command {
    confined(command, limits, false)
}

fn confined(command: &mut Command, mut limits: Limits, own_session: bool) -> &mut Command {
    let begin = move || {
        if own_session {
            rustix::process::setsid()?;
        }
        if let Some(group) = &limits.group {
            // `0`: whoever writes it.
            rustix::io::write(group, b"0")?;
        }
        if let Some(changes) = &limits.changes {
            changes.make();
        }
        if let Some(nice) = limits.nice {
            rustix::process::nice(nice)?;
        }
        if let Some(bytes) = limits.mem {
            let bytes = getrlimit(Resource::As).maximum.map_or(bytes, |most| most.min(bytes));
            setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: Some(bytes) })?;
        }
        close_rest();
        match &mut limits.confinement {
            Some(confinement) => confinement.enter(),
            None => io::Result::Ok(()),
        }
    };
    // SAFETY: a few system calls and nothing else between fork and exec.
    #[allow(unsafe_code, reason = "the libraries have no safe call for something to do between fork and exec")]
    unsafe {
        command.pre_exec(begin)
    }
}

/// Marks everything but the first three to be closed when the program begins: until then the library itself needs one
/// of them. A kernel before 5.11 does not know the call; there, what we inherited is handed on.
fn close_rest() {
    const FIRST: libc::c_uint = 3;
    // SAFETY: it sets a flag on descriptors of this process, which is about to become another program.
    #[allow(unsafe_code, reason = "no library has a safe call for it")]
    unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
}
