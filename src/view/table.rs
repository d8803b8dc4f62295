//! `agents status` for people: the phase line, then one row each for agents, services and the watchdog.
use super::{
    outlook::Outlook,
    paint::{Paint, Tint},
    status::{AgentView, PhaseView, StatusView, Watchdog},
    when,
};
use crate::model::time::{Now, Wall};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};

/// How to show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Columns of the terminal; `None` = nothing is wrapped.
    pub width: Option<u16>,
    pub paint: Paint,
    /// Evidence and next steps below the table.
    pub detailed: bool,
}

const HEADER: [&str; 8] = ["AGENT", "KIND", "BACKEND", "MODEL", "WATCH", "STATE", "SINCE", "RESTARTS"];
/// Where name and state stand in [`HEADER`].
const NAME: usize = 0;
const STATE: usize = 5;

/// The whole screen, with a newline at its end.
pub fn status(view: &StatusView, now: Now, look: Look) -> String {
    let mut out = String::new();
    for fault in &view.faults {
        out.push_str(&format!(" {} {fault}\n", look.paint.tint(Tint::Red, "config fault:")));
    }
    if !view.faults.is_empty() {
        out.push_str(" the last good config is in force\n");
    }
    if let Some(phase) = &view.phase {
        out.push_str(&phase_line(phase));
        out.push('\n');
    }
    let mut rows: Vec<[String; 8]> = view.agents.iter().map(|a| agent_row(a, now)).collect();
    for s in &view.services {
        let state = state_cell(&s.outlook, s.command.as_deref(), true);
        rows.push(service_row(&s.name, state, s.since_at, s.restarts.to_string(), now));
    }
    let since = view.watchdog.since.as_deref().and_then(Wall::parse_rfc3339);
    let restarts = view.watchdog.restarts.map_or_else(|| "-".into(), |n| n.to_string());
    rows.push(service_row("watchdog", watchdog_cell(&view.watchdog, now), since, restarts, now));
    out.push_str(&draw(rows, look));
    if look.detailed {
        view.agents.iter().for_each(|a| out.push_str(&detail(a, now, look.paint)));
    }
    out
}

/// For so long an end that was mended is news: a day.
const NEWS_MS: i64 = 24 * 3_600_000;

/// `RUNNING [pid 7]`, and how it ended last if it was brought back; `stopped`, and when it is tried again.
fn watchdog_cell(watchdog: &Watchdog, now: Now) -> String {
    let mut cell = match (watchdog.running, watchdog.pid) {
        (true, Some(pid)) => format!("RUNNING [pid {pid}]"),
        (true, None) => "RUNNING".into(),
        (false, _) => "stopped".into(),
    };
    let at = |text: &Option<String>| text.as_deref().and_then(Wall::parse_rfc3339);
    if let (Some(why), Some(ended)) = (&watchdog.last_end, at(&watchdog.last_end_at))
        && (!watchdog.running || now.wall.0 - ended.0 < NEWS_MS)
    {
        cell.push_str(&format!(" · {why}, {} ago", when::ago(ended, now)));
    }
    match (watchdog.running, watchdog.guardian, at(&watchdog.next_start)) {
        (false, Some(_), Some(next)) => cell.push_str(&format!(", starts again at {}", when::clock(next, now))),
        (false, Some(_), None) => cell.push_str(" · it is being started"),
        _ => {}
    }
    cell
}

/// ` phase: {id} [{i+1}/{n}] plan={plan} ({## DONE|in progress})`
fn phase_line(phase: &PhaseView) -> String {
    format!(
        " phase: {} [{}/{}] plan={} ({})",
        phase.id,
        phase.index + 1,
        phase.count,
        phase.plan.as_deref().unwrap_or("-"),
        if phase.done { "## DONE" } else { "in progress" }
    )
}

fn agent_row(agent: &AgentView, now: Now) -> [String; 8] {
    let mut state = state_cell(&agent.outlook, agent.command.as_deref(), agent.enabled);
    match agent.queued {
        0 => {}
        1 => state.push_str(" · 1 text queued"),
        n => state.push_str(&format!(" · {n} texts queued")),
    }
    [
        agent.name.clone(),
        agent.kind.clone(),
        agent.backend.clone(),
        agent.model.clone().unwrap_or_else(|| "default".into()),
        agent.watch.clone(),
        state,
        span(agent.since_at, now),
        agent.restarts.to_string(),
    ]
}

fn service_row(name: &str, state: String, since: Option<Wall>, restarts: String, now: Now) -> [String; 8] {
    let dash = || "-".to_owned();
    [name.to_owned(), "service".into(), dash(), dash(), dash(), state, span(since, now), restarts]
}

/// `RUNNING`|`stopped`, ` (disabled)`, ` [cmd]`, then what there is to say.
fn state_cell(outlook: &Outlook, command: Option<&str>, enabled: bool) -> String {
    let mut cell = String::from(if outlook.alive { "RUNNING" } else { "stopped" });
    if !enabled {
        cell.push_str(" (disabled)");
    }
    if let Some(command) = command {
        cell.push_str(&format!(" [{command}]"));
    }
    if !outlook.words.is_empty() {
        cell.push_str(" · ");
        cell.push_str(&outlook.words);
    }
    cell
}

fn span(since: Option<Wall>, now: Now) -> String {
    since.map_or_else(|| "-".into(), |at| when::ago(at, now))
}

/// What goes first where there is no room, by index in [`HEADER`], as long as the state has fewer characters than this.
const DISPENSABLE: [(usize, usize); 6] = [(7, 28), (6, 28), (4, 12), (1, 12), (3, 12), (2, 12)];

/// Characters that a column needs, its gap included. A name takes at most half of a terminal: its rest goes below it.
fn needs(rows: &[[String; 8]], column: usize, width: Option<u16>) -> usize {
    let widest = rows.iter().map(|r| r[column].chars().count()).fold(HEADER[column].len(), usize::max) + 2;
    match width {
        Some(width) if column == NAME => widest.min(usize::from(width / 2).max(16)),
        _ => widest,
    }
}

/// The columns that fit, in order.
fn columns(rows: &[[String; 8]], width: Option<u16>) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..HEADER.len()).collect();
    let Some(room) = width else { return kept };
    for (gone, state) in DISPENSABLE {
        let others: usize = kept.iter().filter(|c| **c != STATE).map(|c| needs(rows, *c, width)).sum();
        if others + needs(rows, STATE, width).min(state + 2) <= usize::from(room) {
            break;
        }
        kept.retain(|c| *c != gone);
    }
    kept
}

fn draw(rows: Vec<[String; 8]>, look: Look) -> String {
    let columns = columns(&rows, look.width);
    let mut table = Table::new();
    table.load_style(NOTHING);
    match look.width {
        Some(width) => table.set_width(width.max(20)).set_content_arrangement(ContentArrangement::Dynamic),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(columns.iter().map(|c| HEADER[*c]));
    table.add_rows(rows.iter().map(|r| columns.iter().map(|c| r[*c].as_str())));
    for (i, column) in columns.iter().enumerate().filter(|(_, c)| **c != STATE) {
        let cut = needs(&rows, *column, look.width) < needs(&rows, *column, None);
        let constraint = match needs(&rows, *column, look.width).try_into() {
            Ok(width) if cut => ColumnConstraint::Absolute(Width::Fixed(width)),
            _ => ColumnConstraint::ContentWidth,
        };
        if let Some(cell) = table.column_mut(i) {
            cell.set_constraint(constraint);
        }
    }
    let mut out = String::new();
    let mut state_at = None;
    for (i, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if i == 0 {
            state_at = line.find(HEADER[STATE]);
            out.push_str(&look.paint.tint(Tint::Bold, line));
        } else {
            out.push_str(&coloured(line, state_at, look.paint));
        }
        out.push('\n');
    }
    out
}

/// Colours the state's first word, found below the header's.
fn coloured(line: &str, state_at: Option<usize>, paint: Paint) -> String {
    let whole = || line.to_owned();
    let Some((before, state)) = state_at.and_then(|at| line.split_at_checked(at)) else { return whole() };
    let (word, tint) = if state.starts_with("RUNNING") {
        let tint = if state.contains("held until") || state.contains("waiting for") || state.contains("paused") {
            Tint::Yellow
        } else {
            Tint::Green
        };
        ("RUNNING", tint)
    } else if state.starts_with("stopped") {
        ("stopped", if state.contains("gave up") || state.contains("fault") { Tint::Red } else { Tint::Dim })
    } else {
        return whole();
    };
    format!("{before}{}{}", paint.tint(tint, word), &state[word.len()..])
}

fn detail(agent: &AgentView, now: Now, paint: Paint) -> String {
    let mut out = format!("\n {} {}", paint.tint(Tint::Bold, &agent.name), agent.state.as_str());
    if let Some(reason) = &agent.reason {
        out.push_str(&format!(": {reason}"));
    }
    out.push('\n');
    for e in &agent.evidence {
        out.push_str(&format!("   evidence  {} {} line {}: {}\n", e.source, e.rule, e.line + 1, e.text));
    }
    if let Some(exit) = &agent.last_exit {
        let how = match (&exit.error, exit.signal, exit.code) {
            (Some(error), ..) => error.clone(),
            (_, Some(signal), _) => format!("signal {signal}"),
            (_, _, Some(code)) => format!("code {code}"),
            _ => "unknown".into(),
        };
        out.push_str(&format!("   last exit {how} at {}\n", exit.at));
    }
    if let Some(next) = &agent.outlook.next {
        out.push_str(&format!("   next      {}\n", next_words(next, now)));
    }
    if let Some(blocker) = &agent.outlook.blocker {
        out.push_str(&format!("   blocker   {blocker}\n"));
    }
    out
}

/// `probe in 8s (15:00:45)`
pub fn next_words(next: &super::outlook::Next, now: Now) -> String {
    match next.at {
        Some(at) => format!("{} {} ({})", next.action, when::until(at, now), when::clock(at, now)),
        None => format!("{} with the next pass", next.action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_watchdog_ended_is_told_while_it_is_news() {
        let now = Now { wall: Wall(1_800_000_000_000), ..Now::default() };
        let told = |running: bool, next: Option<i64>, ago: i64| {
            let at = |ms: i64| Wall(now.wall.0 + ms).rfc3339();
            let watchdog = Watchdog {
                running,
                pid: running.then_some(9),
                guardian: Some(8),
                restarts: Some(3),
                last_end: Some("killed by signal 9".into()),
                last_end_at: Some(at(-ago)),
                next_start: next.map(at),
                ..Watchdog::default()
            };
            watchdog_cell(&watchdog, now)
        };
        assert_eq!(told(true, None, 30_000), "RUNNING [pid 9] · killed by signal 9, 30s ago");
        assert_eq!(told(true, None, 25 * 3_600_000), "RUNNING [pid 9]");
        assert_eq!(told(false, None, 1000), "stopped · killed by signal 9, 1s ago · it is being started");
        let clock = Wall(now.wall.0 + 6000).format_local("%H:%M:%S");
        assert_eq!(
            told(false, Some(6000), 1000),
            format!("stopped · killed by signal 9, 1s ago, starts again at {clock}")
        );
    }
}
