//! Signals as readable pipes, without a thread.
use rustix::pipe::{PipeFlags, pipe_with};
use std::{io, os::fd::OwnedFd};

/// Readable once any of `signals` came. They no longer end this process; children get them back as they were.
pub fn pipe_for(signals: &[i32]) -> io::Result<OwnedFd> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    Ok(reader)
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
