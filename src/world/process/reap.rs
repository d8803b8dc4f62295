//! The end of children, with what they used.
use super::{RUNNERS, name_of};
use rustix::io::Errno;

/// A child that ended.
#[derive(Clone, Copy, Debug)]
pub struct Reaped {
    pub pid: u32,
    pub end: End,
    /// Bytes: the most that it, or one of those it waited for, had in memory at once.
    pub peak_rss: u64,
    /// Processor time, that of those it waited for included.
    pub cpu_s: f64,
    /// A runner of other jobs, which we started or inherited: what it used is theirs.
    pub runner: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Code(i32),
    Signal(i32),
}

/// A child that has ended and was not told yet. Never waits. `Ok(None)`: none has; `Err(CHILD)`: there are no children.
pub fn reap() -> Result<Option<Reaped>, Errno> {
    // Who it was is told only until it is reaped.
    // SAFETY: plain numbers and addresses that nobody follows, for which all zeroes is a value.
    #[allow(unsafe_code, reason = "the libraries have no safe call that tells who ended")]
    let mut ended: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: it points to a value of ours that outlives the call.
    #[allow(unsafe_code, reason = "as above")]
    let looked = unsafe { libc::waitid(libc::P_ALL, 0, &mut ended, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) };
    if looked != 0 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL));
    }
    // SAFETY: after this call it is about a child; or untouched, and 0.
    #[allow(unsafe_code, reason = "as above")]
    let who = unsafe { ended.si_pid() };
    if who == 0 {
        return Ok(None);
    }
    let runner = name_of(who.unsigned_abs()).is_some_and(|name| name.starts_with(RUNNERS));
    let mut status = 0;
    // SAFETY: plain numbers, for which all zeroes is a value.
    #[allow(unsafe_code, reason = "the libraries have no safe call that tells what a child used")]
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both point to values of ours that outlive the call.
    #[allow(unsafe_code, reason = "as above")]
    let pid = unsafe { libc::wait4(who, &mut status, libc::WNOHANG, &mut usage) };
    let end = match pid {
        0 => return Ok(None),
        ..0 => return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)),
        _ if libc::WIFSIGNALED(status) => End::Signal(libc::WTERMSIG(status)),
        _ => End::Code(libc::WEXITSTATUS(status)),
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(Some(Reaped {
        pid: pid.unsigned_abs(),
        end,
        // the kernel counts KiB
        peak_rss: usage.ru_maxrss.unsigned_abs() * 1024,
        cpu_s: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        runner,
    }))
}
