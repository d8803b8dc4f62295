//! `agents jobs` for people: a row each, newest first.
use super::{
    Look,
    object::JobView,
    sign::{exit_words, sign},
};
use crate::{
    model::{
        job::{DEFAULT_GROUP, JobState},
        name::{printable, printable_cut},
        time::human,
    },
    view::{paint::Tint, when},
};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};
use std::time::Duration;

/// Where the state and the title stand, when every column is shown.
const HEADER: [&str; 7] = ["ID", "STATE", "GROUP", "AGE", "TIME", "EXIT", "JOB"];
const STATE: usize = 1;
const GROUP: usize = 2;
const TITLE: usize = 6;
/// What goes first where there is no room.
const DISPENSABLE: [usize; 3] = [3, 4, 5];
/// Characters that are left for the title at least, before columns go.
const TITLE_AT_LEAST: usize = 24;

/// The table, with a newline at its end; nothing but a sentence if there is none. `more`: there are older ones.
pub fn list(jobs: &[JobView], more: bool, look: Look) -> String {
    if jobs.is_empty() {
        return "no jobs\n".into();
    }
    let rows: Vec<[String; 7]> = jobs.iter().map(|j| row(j, look)).collect();
    let mut columns: Vec<usize> = (0..HEADER.len()).collect();
    if jobs.iter().all(|j| j.group == DEFAULT_GROUP) {
        columns.retain(|c| *c != GROUP);
    }
    if rows.iter().all(|r| r[5] == "-") {
        columns.retain(|c| *c != 5);
    }
    let needs = |column: usize| rows.iter().map(|r| r[column].chars().count()).fold(HEADER[column].len(), usize::max);
    let others = |columns: &[usize]| columns.iter().filter(|c| **c != TITLE).map(|c| needs(*c) + 2).sum::<usize>();
    let room = look.width.map(usize::from);
    for gone in DISPENSABLE {
        if room.is_some_and(|room| others(&columns) + TITLE_AT_LEAST + 2 > room) {
            columns.retain(|c| *c != gone);
        }
    }
    let title = room.map(|room| room.saturating_sub(others(&columns) + 2).max(8));
    let mut out = draw(jobs, &rows, &columns, title, look);
    if more {
        out.push_str(&format!("{}\n", look.paint.tint(Tint::Dim, "older ones: `agents jobs --all`")));
    }
    out
}

fn row(job: &JobView, look: Look) -> [String; 7] {
    [
        job.id.clone(),
        state(job, look),
        printable(&job.group),
        when::ago(job.times.created, look.now),
        took(job, look).map_or_else(|| "-".into(), human),
        job.exit.map_or_else(|| "-".into(), exit_words),
        printable(&job.title()),
    ]
}

/// `⟳ running 2/3: Build`, `⟳ running · 3/10 linking`, `✓ done`, `↻ backoff, again in 4s`.
fn state(job: &JobView, look: Look) -> String {
    let mut cell = format!("{} {}", sign(job.state).0, job.state.word());
    if let Some(step) = step_words(job) {
        cell.push_str(&format!(" {step}"));
    }
    if at_a_step(job) && !doing(job).is_empty() {
        cell.push_str(&format!(" · {}", printable_cut(doing(job), 32)));
    }
    if let Some(at) = job.times.wake.filter(|_| matches!(job.state, JobState::Backoff | JobState::Queued)) {
        let what = if job.state == JobState::Backoff { "again" } else { "starts" };
        cell.push_str(&format!(", {what} {}", when::until(at, look.now)));
    }
    cell
}

/// What it says of its progress, or what its agent does.
fn doing(job: &JobView) -> &str {
    match (job.progress.words(), &job.last_event, job.state) {
        ("", Some(event), JobState::Running) => event,
        (words, _, _) => words,
    }
}

/// `2/3: Build`, where there are several steps and it stands at one of them.
pub(super) fn step_words(job: &JobView) -> Option<String> {
    let step = job.steps.get(job.step).filter(|_| at_a_step(job) && job.steps.len() > 1)?;
    Some(format!("{}/{}: {}", job.step + 1, job.steps.len(), printable_cut(step.title(), 24)))
}

fn at_a_step(job: &JobView) -> bool {
    matches!(
        job.state,
        JobState::Running | JobState::Paused | JobState::Failed | JobState::Timeout | JobState::Interrupted
    )
}

pub(super) fn took(job: &JobView, look: Look) -> Option<Duration> {
    let until = job.times.ended.unwrap_or(look.now.wall);
    Some(Duration::from_millis((until.0 - job.times.started?.0).max(0) as u64))
}

fn draw(jobs: &[JobView], rows: &[[String; 7]], columns: &[usize], title: Option<usize>, look: Look) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|c| HEADER[*c]));
    let cell = |row: &[String; 7], column: usize| match title {
        // A row is a line: what does not fit is cut.
        Some(room) if column == TITLE => printable_cut(&row[TITLE], room),
        _ => row[column].clone(),
    };
    table.add_rows(rows.iter().map(|row| columns.iter().map(|c| cell(row, *c)).collect::<Vec<_>>()));
    if let (Some(room), Some(column)) = (title, table.column_mut(columns.len() - 1)) {
        let room = u16::try_from(room + 2).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(room)));
    }
    let mut out = String::new();
    for (i, line) in table.lines().enumerate() {
        let line = line.trim_end();
        match i.checked_sub(1).and_then(|row| jobs.get(row).zip(rows.get(row))) {
            None => out.push_str(&look.paint.tint(Tint::Bold, line)),
            Some((job, row)) => out.push_str(&coloured(line, job.state, &row[STATE], look)),
        }
        out.push('\n');
    }
    out
}

/// Colours the sign and the word of the state.
fn coloured(line: &str, state: JobState, cell: &str, look: Look) -> String {
    let (sign, tint) = sign(state);
    let word = format!("{sign} {}", state.word());
    match line.find(cell).filter(|_| cell.starts_with(&word)) {
        Some(at) => format!("{}{}{}", &line[..at], look.paint.tint(tint, &word), &line[at + word.len()..]),
        None => line.to_owned(),
    }
}
