//! What is on the panes: listed in one call, captured only where something may have changed, read only when captured.
use crate::{
    backends::{self, Context, Screen, colours::Colours},
    decide,
    model::{
        name::printable,
        observation::PaneObs,
        policy::{Agent, Policy, Reader},
        reading::Reading,
        state::State,
        time::Now,
    },
    world::{
        mishap,
        process::start_time,
        tmux::{Captured, Client, PaneRow, TmuxError},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// What a reading depends on beside the screen.
pub struct Scene<'a> {
    pub state: &'a State,
    pub policy: &'a Policy,
    /// A session's first message.
    pub kickoff: &'a dyn Fn(&str) -> String,
    pub now: Now,
}

/// What came of one look at the screens.
#[derive(Default)]
pub struct Sighted {
    pub readings: BTreeMap<String, Arc<Reading>>,
    /// Screens that could not be read for a fault of this program, and which.
    pub broken: BTreeMap<String, String>,
    /// How many panes were captured.
    pub captured: usize,
}

/// The last capture of each session's pane.
#[derive(Default)]
pub struct Screens {
    last: BTreeMap<String, Shot>,
    said: BTreeMap<String, Said>,
}

struct Shot {
    pane_id: String,
    title: String,
    command: String,
    /// Epoch second at which it was taken.
    taken: i64,
    /// The pane's last output, as it was known then: a clock that is set back must not make it look older.
    activity: i64,
    captured: Captured,
    reading: Arc<Reading>,
    /// Whether texts of ours were looked for.
    with_ours: bool,
    /// What it says may change with its colours alone.
    coloured: bool,
}

/// What an agent was told, folded for comparison.
struct Said {
    incarnation: u64,
    folded: String,
}

/// The panes of the fleet's own sessions, by the name we know them by. A pane that we started is found by its id, even
/// if somebody renamed its session.
pub fn own_panes(rows: &[PaneRow], state: &State, policy: &Policy, run: &Path) -> BTreeMap<String, PaneObs> {
    let by_id: BTreeMap<&str, &PaneRow> = rows.iter().map(|r| (r.pane_id.as_str(), r)).collect();
    let mut by_session: BTreeMap<&str, &PaneRow> = BTreeMap::new();
    for row in rows {
        let number = |r: &PaneRow| r.pane_id[1..].parse::<u64>().unwrap_or(u64::MAX);
        let first = by_session.entry(row.session_name.as_str()).or_insert(row);
        if number(row) < number(first) {
            *first = row;
        }
    }
    let agents = policy.agents.iter().map(|a| a.session.as_str());
    let services = policy.services.iter().map(|s| s.session.as_str());
    let known: BTreeSet<&str> = agents.chain(services).chain(state.units.keys().map(String::as_str)).collect();
    let mut panes = BTreeMap::new();
    for session in known {
        let before = state.units.get(session).and_then(|u| u.pane.as_ref());
        let mine = before.and_then(|p| by_id.get(p.pane_id.as_str()).filter(|r| r.pane_pid == p.pid));
        let was_ours = before.is_some_and(|p| p.incarnation.is_some());
        let Some(row) = mine.or_else(|| by_session.get(session)) else { continue };
        let seen = observe(row, before, session, run);
        // Our own pane is gone: another one (somebody's second window) counts only if a shim of ours runs in it.
        if mine.is_some() || !was_ours || seen.incarnation.is_some() {
            panes.insert(session.to_owned(), seen);
        }
    }
    panes
}

fn observe(row: &PaneRow, before: Option<&PaneObs>, session: &str, run: &Path) -> PaneObs {
    let same = before.filter(|p| p.pid == row.pane_pid && p.pid_start != 0);
    let (pid_start, incarnation, started) = match same {
        Some(p) => (p.pid_start, p.incarnation, p.started),
        None => {
            let start = start_time(row.pane_pid).unwrap_or(0);
            (start, super::shims::incarnation_of(&run.join(session), row.pane_pid, start), None)
        }
    };
    PaneObs {
        pane_id: row.pane_id.clone(),
        session_id: row.session_id.clone(),
        pid: row.pane_pid,
        pid_start,
        dead: row.dead,
        dead_status: row.dead_status,
        in_mode: row.in_mode,
        input_off: row.input_off,
        activity: row.activity,
        piped: row.piped,
        command: printable(&row.command),
        title: printable(&row.title),
        incarnation,
        started,
    }
}

impl Screens {
    /// Readings of the wanted sessions. Panes that cannot have changed since the last capture are not captured again; a
    /// capture brings the pane's title with it.
    pub fn read(
        &mut self,
        client: &mut Client,
        wanted: &BTreeSet<&str>,
        panes: &mut BTreeMap<String, PaneObs>,
        scene: &Scene,
    ) -> Result<Sighted, TmuxError> {
        let Scene { state, policy, kickoff, now } = *scene;
        let on_their_way = decide::ours::texts(state);
        let mut readings = Vec::with_capacity(wanted.len());
        let (mut again, mut stale) = (Vec::new(), Vec::new());
        for &session in wanted {
            let Some(pane) = panes.get(session).filter(|p| !p.dead) else { continue };
            match self.last.get(session).filter(|shot| shot.shows(pane)) {
                Some(shot) if !shot.with_ours && !on_their_way.contains_key(session) => {
                    readings.push((session.to_owned(), shot.reading.clone()));
                }
                Some(_) => again.push(session),
                None => stale.push((session, pane.pane_id.as_str())),
            }
        }
        let ids: Vec<&str> = stale.iter().map(|(_, id)| *id).collect();
        let mut captured = if ids.is_empty() { BTreeMap::new() } else { client.capture(&ids)? };
        let mut sighted = Sighted { captured: captured.len(), ..Sighted::default() };
        // One that is not there any more vanished between the list and the capture.
        let taken = stale.into_iter().filter_map(|(session, id)| Some((session, Some(captured.remove(id)?))));
        let taken: Vec<(&str, Option<Captured>)> = again.into_iter().map(|s| (s, None)).chain(taken).collect();
        let generic = Reader::default();
        let agents: BTreeMap<&str, &Agent> = match taken.is_empty() {
            true => BTreeMap::new(),
            false => policy.agents.iter().map(|a| (a.session.as_str(), a)).collect(),
        };
        for (session, fresh) in taken {
            let ours = on_their_way.get(session).map_or(&[][..], Vec::as_slice);
            let Some(pane) = panes.get_mut(session) else { continue };
            let last = self.last.remove(session);
            let second = now.wall.0.div_euclid(1000);
            let (shot, taken, activity, before) = match (fresh, last) {
                (Some(fresh), last) => (fresh, second, pane.activity, last),
                (None, Some(last)) => (last.captured, last.taken, last.activity, None),
                (None, None) => continue,
            };
            pane.title = printable(&shot.title);
            // It was drawn anew, and looks as it did.
            let same = before.filter(|b| !b.with_ours && ours.is_empty() && b.captured == shot && !b.coloured);
            let unit = state.units.get(session);
            let started_with = unit.and_then(|u| u.started_with.as_deref());
            let reader = agents.get(session).map_or(&generic, |a| &policy.backend_of(a, started_with).reader);
            let read = match same {
                Some(before) => Ok(before.reading),
                None => {
                    let said = said(&mut self.said, session, unit.map_or(0, |u| u.incarnation), kickoff);
                    let cursor = (shot.cursor_x, shot.cursor_y);
                    let screen = Screen { text: &shot.text, title: &pane.title, cursor, colours: None };
                    mishap::caught(|| {
                        super::crash_point::stumble(|| format!("reading {session}"));
                        let about = Context { reader, said, ours, now };
                        let reading = backends::read(&screen, &about);
                        if !backends::needs_colours(reader, &reading) {
                            return Arc::new(reading);
                        }
                        let coloured = client.capture_coloured(&shot.pane_id).unwrap_or_default();
                        let (text, colours) = Colours::split(&coloured);
                        // Drawn anew in between: the next look will do.
                        let colours = Some(&colours).filter(|_| is_same(&text, &shot.text));
                        Arc::new(backends::read(&Screen { colours, ..screen }, &about))
                    })
                }
            };
            let reading = match read {
                Ok(reading) => reading,
                Err(words) => {
                    sighted.broken.insert(session.to_owned(), words);
                    continue;
                }
            };
            readings.push((session.to_owned(), reading.clone()));
            let shot = Shot {
                coloured: backends::needs_colours(reader, &reading),
                pane_id: pane.pane_id.clone(),
                title: pane.title.clone(),
                command: pane.command.clone(),
                taken,
                activity,
                captured: shot,
                reading,
                with_ours: !ours.is_empty(),
            };
            self.last.insert(session.to_owned(), shot);
        }
        sighted.readings = readings.into_iter().collect();
        Ok(sighted)
    }

    /// A changed config reads the same screens with other patterns.
    pub fn forget_readings(&mut self) {
        self.last.clear();
        self.said.clear();
    }

    /// Another text was said to this agent.
    pub fn also_said(&mut self, session: &str, text: &str) {
        if let Some(said) = self.said.get_mut(session) {
            said.folded.push_str(" / ");
            said.folded.push_str(&backends::said(text));
            const ENOUGH: usize = 64 * 1024;
            if said.folded.len() > ENOUGH {
                let mut cut = said.folded.len() - ENOUGH / 2;
                while !said.folded.is_char_boundary(cut) {
                    cut += 1;
                }
                said.folded.drain(..cut);
            }
        }
    }
}

/// With colours, blanks stand at the ends of rows.
fn is_same(coloured: &str, plain: &str) -> bool {
    let rows = |text: &'_ str| text.trim_end().lines().map(|row| row.trim_end().to_owned()).collect::<Vec<_>>();
    rows(coloured) == rows(plain)
}

impl Shot {
    /// Nothing was written to the pane since. tmux tells the second only, so a capture from within the second of the
    /// last output may be older than that output.
    fn shows(&self, pane: &PaneObs) -> bool {
        self.pane_id == pane.pane_id
            && self.title == pane.title
            && self.command == pane.command
            && pane.activity == self.activity
            && pane.activity < self.taken
    }
}

fn said<'a>(
    all: &'a mut BTreeMap<String, Said>,
    session: &str,
    incarnation: u64,
    kickoff: &dyn Fn(&str) -> String,
) -> &'a str {
    if all.get(session).is_none_or(|s| s.incarnation != incarnation) {
        let folded = backends::said(&kickoff(session));
        all.insert(session.to_owned(), Said { incarnation, folded });
    }
    all.get(session).map_or("", |s| s.folded.as_str())
}
