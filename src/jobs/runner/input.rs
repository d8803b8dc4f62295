//! The standard input of whoever submitted a job, taken up by its first step.
use crate::{model::job_input::JobInput, world::process::ProcId};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use std::fs::File;

/// Nobody has it any more: the command that submitted the job is gone, or an earlier run of the job has read it.
pub const GONE: &str =
    "its standard input is gone: that of `agents run --stdin` can be read once, and while that command runs";

/// `Err`: in words for people.
pub fn take_up(input: &JobInput) -> Result<File, String> {
    let process = ProcId { pid: input.pid, start: input.start };
    let path = format!("/proc/{}/fd/{}", input.pid, input.fd);
    if !process.is_alive() {
        return Err(GONE.into());
    }
    // Whatever it has become by now, it is not waited for.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(path, flags, Mode::empty()).map_err(|_| GONE.to_owned())?;
    let meta = fstat(&file).map_err(|e| format!("its standard input: {e}"))?;
    if FileType::from_raw_mode(meta.st_mode) != FileType::Fifo || meta.st_ino != input.inode {
        return Err(GONE.into());
    }
    // The step waits for what it reads, as everybody does.
    rustix::fs::fcntl_setfl(&file, OFlags::empty()).map_err(|e| format!("its standard input: {e}"))?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::{
        io::{Read, Write},
        os::fd::{AsRawFd, OwnedFd},
    };

    fn of(fd: &OwnedFd) -> JobInput {
        let me = ProcId::own().expect("a process");
        JobInput { pid: me.pid, start: me.start, fd: fd.as_raw_fd(), inode: fstat(fd).expect("a pipe").st_ino }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else_for_it() {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        let input = of(&reader);
        let mut taken = take_up(&input).expect("taken up");
        File::from(writer).write_all(b"words").expect("written");
        let mut read = String::new();
        taken.read_to_string(&mut read).expect("read to its end");
        assert_eq!(read, "words");
        // Another pipe, another process, no pipe at all.
        let (other, _writer) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        let plain: OwnedFd = File::open("/dev/null").expect("a file").into();
        for wrong in [
            JobInput { fd: other.as_raw_fd(), ..input },
            JobInput { fd: plain.as_raw_fd(), inode: fstat(&plain).expect("a file").st_ino, ..input },
            JobInput { start: input.start + 1, ..input },
            JobInput { fd: 1 << 20, ..input },
        ] {
            assert_eq!(take_up(&wrong).expect_err("refused"), GONE, "{wrong:?}");
        }
    }
}
