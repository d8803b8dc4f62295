//! What to do with jobs that were left unfinished: asked once, of whoever sits at the terminal, after the command's own work.
use super::super::{Context, failure::complain, terminal};
use crate::{
    jobs::tidy::delete,
    model::job::JobId,
    store::jobs::{JobStore, Left},
    view::jobs::{Look, page, views},
    world::{clock, process::signals},
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::ioctl_fionread,
    process::{Signal, getpgrp, getpid},
    stdio::{stderr, stdin, stdout},
};
use std::io::Write;

/// Nothing is asked in a script, a pipe or the background, or of somebody who has typed the next command already: there an
/// answer would not be meant for us. A shell at which somebody sits gives each command a group of its own; in a script
/// they are in that of the script.
pub fn may_ask() -> bool {
    let all_ours = [stdin(), stdout(), stderr()].into_iter().all(terminal::is_ours);
    all_ours && getpid() == getpgrp() && ioctl_fionread(stdin()).is_ok_and(|waiting| waiting == 0)
}

/// Best effort: nothing is lost if it cannot be asked. `named`: those that were told of, with a line each.
pub fn ask(left: &Left, named: &[JobId], store: &mut JobStore, context: &Context) {
    let Ok(interrupt) = signals::pipe_for(&[Signal::INT.as_raw()]) else { return };
    let mut named = named.to_vec();
    loop {
        let what = if named.len() == 1 { "it".to_owned() } else { format!("these {}", named.len()) };
        let mut out = std::io::stderr();
        let _ = write!(out, "view, delete {what}, keep? [v/d/K] ").and_then(|()| out.flush());
        let side = stdin();
        let mut fds = [PollFd::new(&side, PollFlags::IN), PollFd::new(&interrupt, PollFlags::IN)];
        let heard = poll(&mut fds, None);
        if signals::came(&interrupt) {
            return complain("");
        }
        if heard.is_err() {
            continue;
        }
        let mut typed = [0; 256];
        let line = match rustix::io::read(side, &mut typed) {
            Ok(0) | Err(_) => return complain(""),
            Ok(n) => String::from_utf8_lossy(&typed[..n]).trim().to_lowercase(),
        };
        match line.as_str() {
            "" | "k" | "keep" => return,
            "v" | "view" => {
                view(left, store, context);
                // Now all of them were.
                named.clone_from(&left.ids);
            }
            "d" | "delete" => return forget(&named, store),
            _ => {}
        }
    }
}

fn view(left: &Left, store: &JobStore, context: &Context) {
    let jobs: Vec<_> = left.ids.iter().filter_map(|id| store.job(*id).ok().flatten()).collect();
    let look = Look { width: context.out.width(), paint: context.out.paint_of_errors(), now: clock::moment() };
    let pages: Vec<String> = views(&jobs).iter().map(|job| page(job, look)).collect();
    let _ = std::io::stderr().write_all(pages.join("\n").as_bytes());
}

fn forget(named: &[JobId], store: &mut JobStore) {
    match store.forget_left(named) {
        Ok(gone) => {
            gone.iter().for_each(|gone| delete(store.dir(), gone));
            let what = if gone.len() == 1 { "job" } else { "jobs" };
            complain(&format!("removed {} {what}", gone.len()));
        }
        Err(error) => complain(&format!("error: they could not be removed: {error}")),
    }
}
