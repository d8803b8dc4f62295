//! Signals as readable pipes, without a thread.
use rustix::pipe::{PipeFlags, pipe_with};
use std::{io, os::fd::OwnedFd, sync::Arc};

/// Readable once any of `signals` came. They no longer end this process; children get them back as they were.
pub fn pipe_for(signals: &[i32]) -> io::Result<OwnedFd> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    Ok(reader)
}

/// Children can be waited for, also if our caller ignores the ends of its own (`trap '' CHLD`), which is handed down.
pub fn wait_for_children() {
    let _ = signal_hook::flag::register(signal_hook::consts::SIGCHLD, Arc::default());
}

/// From here on a file that may not grow any more, by our caller's limit (`ulimit -f`), is an error of the write to it and
/// not the end of this process. The signal is heard rather than ignored: so whatever we start has it as usual.
pub fn outlive_file_limit() {
    // Without it we are as other programs are.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Whoever started us may have blocked some: none stays so, neither for us nor for our children. To be called once
/// [`pipe_for`] hears those that came meanwhile, and while there is one thread.
pub fn unblock() {
    let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the first call fills the set that the second one reads.
    #[allow(unsafe_code, reason = "no library has a safe call for it")]
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Whether one came since the last call.
pub fn came(pipe: &OwnedFd) -> bool {
    let mut came = false;
    let mut bytes = [0; 64];
    while matches!(rustix::io::read(pipe, &mut bytes), Ok(n) if n > 0) {
        came = true;
    }
    came
}
