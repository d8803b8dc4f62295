//! The first process of a job's session: leads it, starts the job's runner, and lasts as long as the terminal.
use crate::{
    jobs::runner,
    world::process::{let_go_of_code, signals},
};
use std::{
    ffi::OsString,
    io,
    os::{fd::AsFd, unix::process::CommandExt},
    process::{Child, Command, ExitCode},
};

/// `rest`: what stands on the runner's line behind its word.
///
/// It lets go of the terminal itself: tmux ends the session when nobody has the terminal open any more, and the kernel
/// tells the leader of that by HUP, which ends us. Until then there is nothing to do, also when the runner was killed: its
/// steps go on.
pub fn run(rest: &[OsString]) -> ExitCode {
    match begin(rest) {
        Ok(mut runner) => loop {
            let_go_of_code();
            // No zombie is left of one that was killed.
            let _ = runner.wait();
            // HUP ends us, and nothing else is waited for.
            let _ = rustix::event::poll(&mut [], None);
        },
        Err(error) => {
            eprintln!("agents: the runner of this job cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}

fn begin(rest: &[OsString]) -> io::Result<Child> {
    use signal_hook::consts::{SIGINT, SIGQUIT, SIGTSTP};
    // What is typed before the first step has the terminal must not hit us. Our children get these back.
    signals::pipe_for(&[SIGINT, SIGQUIT, SIGTSTP])?;
    let mut command = Command::new("/proc/self/exe");
    let runner = command.arg0("agents").arg(runner::WORD).args(rest).process_group(0).spawn()?;
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for to_null in [rustix::stdio::dup2_stdin, rustix::stdio::dup2_stdout, rustix::stdio::dup2_stderr] {
        to_null(null.as_fd())?;
    }
    Ok(runner)
}
