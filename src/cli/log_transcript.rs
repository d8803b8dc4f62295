//! `agents logs NAME --transcript`: the session that an agent is in, from its program's own file.
use super::{
    failure::{Failure, Report, complain},
    log_follow::Follow,
    names,
    out::Out,
    sessions,
};
use crate::{
    engine::fleet::Fleet,
    model::{
        name::printable,
        state::State,
        time::Wall,
        transcript::{Program, Row},
    },
    store::EventFilter,
    transcripts::{Survey, Transcript},
    view::{
        paint::{Paint, Tint},
        transcript::{Entry, Look, Page},
    },
    world::clock,
};
use regex::Regex;
use std::{collections::VecDeque, path::Path, time::Duration};

/// What of it.
pub struct Wanted {
    /// Only the last so many rows.
    pub limit: Option<usize>,
    pub since: Option<Wall>,
    pub grep: Option<Regex>,
    pub errors: bool,
    pub follow: bool,
}

/// Older sessions are not looked for.
const BACK: Duration = Duration::from_secs(31 * 86_400);
/// So often it is asked whether the agent is in another session by now, if nothing came.
const ELSEWHERE: Duration = Duration::from_secs(4);

pub fn run(fleet: &Fleet, name: &str, wanted: &Wanted, out: &mut Out) -> Report {
    is_readable(fleet, name)?;
    let survey = survey(fleet)?;
    let Some(session) = survey.current(name) else { return Err(not_found(&survey, name)) };
    let zones = clock::now().zones;
    let mut file = Transcript::new(session.program, &session.path, zones);
    // Watched before it is read, so that nothing falls between.
    let mut following =
        wanted.follow.then(|| Follow::new(&session.path)).transpose().map_err(|e| unreadable(&file, &e))?;
    let mut shown = Shown::new(wanted, out);
    out.line(&heading(session.program, &session.id, &session.path, out.paint))?;
    shown.print(&mut file, wanted.limit, out)?;
    warn(&file);
    let mut asked = clock::boot();
    while let Some(wakeup) = &mut following {
        out.flush()?;
        wakeup.wait()?;
        if file.is_behind() {
            shown.print(&mut file, None, out)?;
            asked = clock::boot();
            continue;
        }
        if clock::boot().since(asked) < ELSEWHERE {
            continue;
        }
        asked = clock::boot();
        let survey = survey_again(fleet);
        if let Some(session) = survey.as_ref().and_then(|s| s.current(name)).filter(|s| s.path != file.path()) {
            file = Transcript::new(session.program, &session.path, zones);
            *wakeup = Follow::new(&session.path).map_err(|e| unreadable(&file, &e))?;
            shown = Shown::new(wanted, out);
            out.line(&heading(session.program, &session.id, &session.path, out.paint))?;
            shown.print(&mut file, None, out)?;
        }
    }
    Ok(0)
}

/// Is it an agent whose program's files we can read?
fn is_readable(fleet: &Fleet, name: &str) -> Result<(), Failure> {
    let policy = &fleet.policy;
    if policy.service(name).is_some() || name == names::WATCHDOG {
        return Err(Failure::new(1, format!("`{name}` is no agent: it has no transcript"))
            .hint(format!("`agents logs {name}` shows what it printed")));
    }
    if policy.agent(name).is_none() {
        return Err(
            Failure::new(1, format!("no agent is named `{}`", printable(name))).hint(names::meant(policy, name))
        );
    }
    let subjects = sessions::subjects(fleet, &State::default(), &[]);
    if subjects.iter().any(|s| s.name == name && s.program.is_some()) {
        return Ok(());
    }
    let backend = policy.agent(name).map(|a| a.backend.name.as_str()).unwrap_or_default();
    let known: Vec<String> = Program::ALL.iter().map(|p| format!("`preset = \"{}\"`", p.as_str())).collect();
    let text = format!("`{name}` runs `{backend}`, whose session files are not known");
    Err(Failure::new(1, text).hint(format!(
        "{} in its backend says which program it is; `agents logs {name}` shows its terminal",
        known.join(" or ")
    )))
}

fn survey(fleet: &Fleet) -> Result<Survey, Failure> {
    let back = Wall(clock::wall().0 - BACK.as_millis() as i64);
    let (state, events) = match fleet.store_to_read()? {
        Some(store) => {
            let filter = EventFilter { since: Some(back), ..EventFilter::default() };
            (store.load()?, store.last_events(&filter, usize::MAX / 2)?)
        }
        None => (State::default(), Vec::new()),
    };
    Ok(sessions::survey(fleet, &sessions::subjects(fleet, &state, &events), back))
}

/// While it is followed: the store may be busy for once.
fn survey_again(fleet: &Fleet) -> Option<Survey> {
    survey(fleet).ok()
}

fn not_found(survey: &Survey, name: &str) -> Failure {
    let looked: Vec<String> = survey.looked_in(name).iter().map(|p| format!("`{}`", p.display())).collect();
    if looked.is_empty() {
        return Failure::new(1, format!("`{name}` has no transcript yet: it was never started"))
            .hint(format!("`agents up {name}` starts it"));
    }
    let text = format!("no session of `{name}` was found in {}", looked.join(", "));
    match survey.doubtful(name) {
        0 => Failure::new(1, text)
            .hint(format!("it has none before its first message; `agents logs {name}` shows its terminal")),
        n => {
            let sessions = if n == 1 { "1 session".into() } else { format!("{n} sessions") };
            Failure::new(1, format!("{text}: {sessions} in its folder may be its own or somebody else's"))
                .hint(format!("a session's id in `state/{name}.id` of the log folder says that it is its own; `agents logs {name}` shows its terminal"))
        }
    }
}

fn heading(program: Program, id: &str, path: &Path, paint: Paint) -> String {
    paint.tint(Tint::Dim, &printable(&format!("--- {} {id} {}", program.as_str(), path.display())))
}

fn unreadable(file: &Transcript, error: &std::io::Error) -> Failure {
    Failure::new(1, format!("`{}` cannot be read: {error}", file.path().display()))
}

fn warn(file: &Transcript) {
    let skipped = file.skipped();
    let lines = skipped.broken + skipped.not_utf8 + skipped.too_long;
    if lines > 0 {
        let text = if lines == 1 { "1 line".into() } else { format!("{lines} lines") };
        complain(&format!("warning: {text} of `{}` could not be read", file.path().display()));
    }
}

/// One file as it is printed.
struct Shown<'a> {
    wanted: &'a Wanted,
    page: Page,
    look: Look,
}

impl<'a> Shown<'a> {
    fn new(wanted: &'a Wanted, out: &Out) -> Shown<'a> {
        let look = Look { width: out.width(), paint: out.paint };
        Shown { wanted, page: Page::new(look), look }
    }

    /// What was appended; of it, the last `limit` rows.
    fn print(&mut self, file: &mut Transcript, limit: Option<usize>, out: &mut Out) -> Result<(), Failure> {
        let mut last: VecDeque<Entry> = VecDeque::new();
        let mut failed = Ok(());
        let (wanted, page) = (self.wanted, &mut self.page);
        let look = file.read(&mut |row| {
            let Some(entry) = page.entry(&row).filter(|entry| is_wanted(wanted, &row, entry)) else { return };
            match limit {
                Some(0) => {}
                Some(n) => {
                    if last.len() == n {
                        last.pop_front();
                    }
                    last.push_back(entry);
                }
                None if failed.is_ok() => failed = put(page, &entry, out),
                None => {}
            }
        });
        failed?;
        if look.map_err(|e| unreadable(file, &e))?.anew {
            self.page = Page::new(self.look);
        }
        last.iter().try_for_each(|entry| put(&mut self.page, entry, out))
    }
}

fn put(page: &mut Page, entry: &Entry, out: &mut Out) -> Result<(), Failure> {
    page.heading(entry).iter().chain(&entry.lines).try_for_each(|line| out.line(line))
}

fn is_wanted(wanted: &Wanted, row: &Row, entry: &Entry) -> bool {
    // A row without a time belongs to those around it: nobody knows that it is old.
    wanted.since.is_none_or(|since| row.at.is_none_or(|at| at >= since))
        && wanted.grep.as_ref().is_none_or(|re| re.is_match(&entry.plain))
        && (!wanted.errors || entry.trouble)
}
