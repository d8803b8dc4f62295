//! `agents __window DIR jN@EPOCH`: all that runs in the session of a job with prompts ([`crate::jobs::window`]). It shows
//! what the job's log says, as `agents logs -f` does, until the job does not run any more. No key reaches the job.
//!
//! A session that somebody ends is a job that somebody ends: of that the job is told from here. Whatever else becomes of
//! the window (its server ends or is killed, or it is itself), the job goes on without one.
use super::{
    failure::{Failure, Report},
    jobs::{
        log::{drain, open},
        news::News,
        told::{Told, stream_of},
    },
    out::{ColorChoice, Out},
};
use crate::{
    jobs::{
        self,
        pane::DEADLINE,
        window::{Meant, WORD},
    },
    model::{
        job::{Job, JobState},
        name::printable,
    },
    store::{
        Durability,
        jobs::{FILE, JobStore, open_existing},
    },
    view::{clean::Cleaner, jobs::stream::Line, paint::Tint},
    world::{
        process::{ProcId, Stat, is_ending, let_go_of_code, signals},
        tmux::Server,
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    stdio::stdin,
    termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr},
};
use std::{
    collections::VecDeque,
    ffi::OsString,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::ExitCode,
    time::Duration,
};

/// Lines of what was said before the window was there: as many as can be scrolled back to.
const MOST: usize = 2000;
/// After so long without news we make ourselves small.
const QUIET: Duration = Duration::from_secs(2);
/// By these somebody wants to say something: ctrl-C, ctrl-D, ctrl-\, ctrl-Z, Enter.
const MEANT: [u8; 6] = [0x03, 0x04, 0x1a, 0x1c, b'\r', b'\n'];

/// The hidden word [`WORD`]. `None`: `words` do not begin with it.
pub fn main(words: &[OsString]) -> Option<ExitCode> {
    let (word, rest) = words.split_first()?;
    if word != WORD {
        return None;
    }
    let Some(meant) = Meant::parse(rest) else {
        eprintln!("error: `{WORD}` is for agents itself");
        return Some(ExitCode::from(2));
    };
    Some(match show(&meant) {
        Ok(_) | Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.report()),
    })
}

fn show(meant: &Meant) -> Report {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    let hear = |signals: &[i32]| {
        signals::pipe_for(signals).map_err(|e| Failure::new(1, format!("signals cannot be heard: {e}")))
    };
    let end = hear(&[SIGHUP, SIGTERM])?;
    let _deaf = hear(&[SIGINT, SIGQUIT, SIGTSTP])?;
    // tmux starts us itself.
    let server = ProcId::own().and_then(|own| Stat::read(own.pid)).and_then(|stat| ProcId::of(stat.parent));
    let durability = meant.habits.map_or(Durability::Full, |habits| habits.durability);
    let Some(mut store) = open_existing(&meant.dir.join(FILE), durability)? else { return Ok(0) };
    if let Some(habits) = meant.habits {
        store.set_habits(habits);
    }
    // What is typed is not shown. Without a terminal there is nobody to type.
    let _ = quieten();
    let done = follow(meant, &mut store, &end, &mut Out::new(ColorChoice::Auto));
    let closed = tcgetattr(stdin()).is_err();
    let by_hand = closed && server.is_some_and(|server| !is_ending(server) && goes_on(&meant.dir, server));
    if by_hand {
        jobs::session_ended(&mut store, meant.id, meant.epoch)?;
    } else {
        let _ = store.session_gone(meant.id, meant.epoch);
    }
    done
}

/// `false`: it was told to end, and closed its sessions for that.
fn goes_on(dir: &Path, server: ProcId) -> bool {
    Server::of_jobs(dir).is_ok_and(|address| address.is_answered_by(server, DEADLINE))
}

/// Keys come one by one, none is a signal, none is shown, and none stops the output.
fn quieten() -> io::Result<()> {
    let mut modes = tcgetattr(stdin())?;
    modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
    modes.input_modes -= InputModes::IXON;
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    Ok(tcsetattr(stdin(), OptionalActions::Now, &modes)?)
}

/// Until the job does not run any more, the session ends, or we are told to.
fn follow(meant: &Meant, store: &mut JobStore, end: &OwnedFd, out: &mut Out) -> Report {
    let mut news = News::of(&meant.dir);
    let Some(mut job) = store.job(meant.id)? else { return Ok(0) };
    let mut said = Said::of(&job, out);
    let dim = |out: &mut Out, text: &str| {
        let line = out.paint.tint(Tint::Dim, &printable(text));
        out.line(&line)
    };
    let about = if job.spec.description.is_empty() { &job.spec.name } else { &job.spec.description };
    dim(out, &format!("--- {} {about}", job.id))?;
    let (mut file, mut at) = (None, 0);
    let mut asked = None;
    loop {
        let before = at;
        // Looked at before the log: what it wrote until then is there.
        let runs = matches!(job.state, JobState::Running | JobState::Paused);
        news.watch(&job.log);
        if file.is_none() {
            file = open(&job.log, at)?;
        }
        if let Some(file) = &mut file {
            at = drain(file, at, &job.log, out, &mut |bytes, _| {
                said.feed(bytes);
                Ok(())
            })?;
        }
        if !runs {
            said.end();
        }
        let pause = job.pause();
        if pause.is_some() && pause != asked {
            said.flush();
            said.print(out)?;
            dim(out, &format!("--- {0} waits: agents jobs approve {0} continue|retry|cancel", job.id))?;
        }
        asked = pause;
        said.print(out)?;
        out.flush()?;
        if !runs {
            return Ok(0);
        }
        let grew = at != before;
        if !grew {
            let_go_of_code();
        }
        let heard = news.wait_or(store, grew.then_some(QUIET), &[stdin(), end.as_fd()])?;
        if signals::came(end) {
            return Ok(0);
        }
        if typed()? {
            dim(
                out,
                &format!("--- nobody reads what is typed here; agents stop {} ends the job, ctrl-b d leaves", job.id),
            )?;
        }
        if heard.change {
            let Some(now) = store.job(meant.id)? else { return Ok(0) };
            job = now;
        }
    }
}

/// Takes what was typed. Whether somebody meant something by it.
fn typed() -> Result<bool, Failure> {
    let mut fds = [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut fds, Some(&now)).unwrap_or(0) == 0 {
        return Ok(false);
    }
    let mut keys = [0; 1024];
    match rustix::io::read(stdin(), &mut keys) {
        // The terminal is gone.
        Ok(0) => Err(Failure::Closed),
        Ok(n) => Ok(keys[..n].iter().any(|key| MEANT.contains(key))),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(_) => Err(Failure::Closed),
    }
}

/// What is read and not yet shown.
struct Said {
    painter: Painter,
    lines: VecDeque<String>,
    /// Nothing was shown yet: of what is there only the end is wanted.
    first: bool,
}

enum Painter {
    Agent(Box<Told>),
    /// Words for people.
    Plain(Box<Cleaner>),
}

impl Said {
    fn of(job: &Job, out: &Out) -> Said {
        let painter = match stream_of(&job.spec) {
            Some(stream) => Painter::Agent(Box::new(Told::new(stream, out.paint))),
            None => Painter::Plain(Box::new(Cleaner::of_lines())),
        };
        Said { painter, lines: VecDeque::new(), first: true }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match &mut self.painter {
            Painter::Agent(told) => {
                let mut lines = Vec::new();
                told.feed(bytes, &mut lines);
                self.take(lines);
            }
            Painter::Plain(cleaner) => cleaner.feed(bytes, &mut |line| self.lines.push_back(line.to_owned())),
        }
        while self.first && self.lines.len() > MOST {
            self.lines.pop_front();
        }
    }

    fn end(&mut self) {
        match &mut self.painter {
            Painter::Agent(told) => {
                let mut lines = Vec::new();
                told.end(&mut lines);
                self.take(lines);
            }
            Painter::Plain(cleaner) => cleaner.finish(&mut |line| self.lines.push_back(line.to_owned())),
        }
    }

    /// What has no end yet: somebody waits for it.
    fn flush(&mut self) {
        if let Painter::Agent(told) = &mut self.painter {
            let mut lines = Vec::new();
            told.flush(&mut lines);
            self.take(lines);
        }
    }

    fn take(&mut self, lines: Vec<Line>) {
        self.lines.extend(lines.into_iter().map(|line| line.text));
    }

    fn print(&mut self, out: &mut Out) -> Result<(), Failure> {
        self.first = false;
        self.lines.drain(..).try_for_each(|line| out.line(&line))
    }
}
