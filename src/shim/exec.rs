//! The second stage: waits until its group is in the terminal's foreground, then becomes the agent's command.
//!
//! A program that reads from the terminal before that would be stopped; and only what runs in the foreground is what
//! `pane_current_command` tells.
use super::{
    environment,
    record::{self, LaunchRecord},
};
use rustix::{process::getpgrp, termios::tcgetpgrp};
use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

pub(super) fn run(run_dir: &Path) -> u8 {
    let parent = rustix::process::getppid();
    let record = match LaunchRecord::read(run_dir) {
        Ok(record) => record,
        Err(e) => return failed(run_dir, &format!("cannot read the launch record: {e}")),
    };
    let until = Instant::now() + Duration::from_secs(5);
    while !in_foreground() && Instant::now() < until && rustix::process::getppid() == parent {
        std::thread::sleep(Duration::from_micros(200));
    }
    let caller = std::fs::read(&record.env_file).unwrap_or_default();
    let environment = environment::build(&record, &caller, |name| std::env::var_os(name));
    let mut command = Command::new(&record.shell);
    command.arg("-c").arg(&record.command).env_clear().envs(environment).current_dir(&record.dir);
    let error = command.exec();
    failed(run_dir, &format!("cannot run `{}` in `{}`: {error}", record.shell, record.dir.display()))
}

/// True as well where there is no terminal.
fn in_foreground() -> bool {
    tcgetpgrp(std::io::stdin()).map_or(true, |group| group == getpgrp())
}

fn failed(run_dir: &Path, why: &str) -> u8 {
    eprintln!("agents: {}", crate::model::name::printable(why));
    // The exit code tells as much; the words are for people.
    let _ = record::write_atomically(&run_dir.join(record::EXEC_ERROR), why.as_bytes());
    127
}
