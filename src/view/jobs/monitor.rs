//! `agents monitor` on a terminal: the jobs, the newest lines of the log of one of them, and what can be typed.
use super::{
    Look,
    list::{step_words, took},
    news::{bar, event, label, number},
    object::JobView,
    sign::{exit_words, sign},
};
use crate::{
    model::{job::JobState, name::printable_cut, time::human},
    view::paint::Tint,
};

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Screen<'a> {
    pub jobs: &'a [JobView],
    /// Whose log it is.
    pub selected: usize,
    /// Its newest lines, as they were printed.
    pub log: &'a [String],
    /// What can be typed, or a question.
    pub foot: &'a str,
    pub columns: u16,
    pub rows: u16,
}

/// Lines left for the log at least, before jobs are left out.
const LOG_AT_LEAST: usize = 3;

/// At most `rows` lines of at most `columns` characters each, without what steers a terminal but colours. Characters that
/// are two columns wide are counted once: the terminal cuts off what does not fit.
pub fn screen(screen: &Screen, look: Look) -> Vec<String> {
    let (columns, rows) = (usize::from(screen.columns).max(1), usize::from(screen.rows).max(1));
    let several = screen.jobs.len() > 1;
    let mut lines = Vec::new();
    let room = rows.saturating_sub(2 + LOG_AT_LEAST).max(1);
    // The one whose log is shown is among them.
    let first = (screen.selected + 1).saturating_sub(room.div_ceil(2));
    for (number, job) in screen.jobs.iter().enumerate().skip(first) {
        let own = head(job, several && number == screen.selected, columns, look);
        if lines.len() + own.len() > room && !lines.is_empty() {
            break;
        }
        lines.extend(own);
    }
    lines.truncate(rows.saturating_sub(1).max(1));
    let left = rows.saturating_sub(lines.len() + 1);
    if left > 0 {
        let title = screen.jobs.get(screen.selected).filter(|_| several);
        let title = title.map_or_else(String::new, |job| format!(" {} ", label(job)));
        let line: String = format!("──{title}").chars().chain(std::iter::repeat('─')).take(columns).collect();
        lines.push(look.paint.tint(Tint::Dim, &line));
        let from = screen.log.len().saturating_sub(left - 1);
        lines.extend(screen.log[from..].iter().map(|line| printable_cut(line, columns)));
    }
    if lines.len() < rows {
        lines.push(look.paint.tint(Tint::Dim, &printable_cut(screen.foot, columns)));
    }
    lines
}

/// `j3 build  ⟳ running 2/3: Test · 1m 4s`, and how far it is.
fn head(job: &JobView, selected: bool, columns: usize, look: Look) -> Vec<String> {
    let (mark, tint) = sign(job.state);
    let pointer = if selected { "› " } else { "" };
    let label = printable_cut(&label(job), (columns / 2).max(6));
    let mut rest = String::new();
    if let Some(step) = step_words(job) {
        rest.push_str(&format!(" {step}"));
    }
    if let Some(exit) = job.exit.filter(|_| job.state.is_unfinished()) {
        rest.push_str(&format!(", exit {}", exit_words(exit)));
    }
    if let Some(took) = took(job, look) {
        rest.push_str(&format!(" · {}", human(took)));
    }
    let state = format!("{mark} {}", job.state.word());
    let left = columns.saturating_sub(pointer.chars().count() + label.chars().count() + 2);
    let cut = printable_cut(&format!("{state}{rest}"), left);
    let shown = match cut.strip_prefix(&state) {
        Some(rest) => format!("{}{rest}", look.paint.tint(tint, &state)),
        None => look.paint.tint(tint, &cut),
    };
    let mut lines = vec![format!("{pointer}{}  {shown}", look.paint.of_job(number(job), &label))];
    let below = match &job.error {
        Some(error) if job.state.is_over() => Some(look.paint.tint(Tint::Red, &printable_cut(error, columns))),
        _ if job.state == JobState::Done => None,
        _ => {
            let cells = (columns / 2).clamp(4, 30);
            bar(&job.progress, cells).or_else(|| event(job)).map(|line| printable_cut(&line, columns))
        }
    };
    lines.extend(below);
    lines
}

#[cfg(test)]
mod tests {
    use super::super::{
        tests::{job, look, running},
        view,
    };
    use super::*;
    use crate::view::paint::Paint;

    fn lines(jobs: &[JobView], selected: usize, columns: u16, rows: u16) -> Vec<String> {
        let log: Vec<String> = (0..100).map(|n| format!("line {n} \u{1b}[2J of a log that is long")).collect();
        let whole = Screen { jobs, selected, log: &log, foot: "q leave", columns, rows };
        screen(&whole, look(Some(columns), Paint::Plain))
    }

    #[test]
    fn it_fits_whatever_the_size_and_no_byte_steers_the_terminal() {
        let mut jobs: Vec<JobView> = (1..9).map(|id| view(&job(id, JobState::Queued, &[("", "true")]))).collect();
        jobs[3] = view(&running());
        for (columns, rows) in [(1, 1), (2, 2), (5, 3), (20, 5), (20, 40), (80, 10), (300, 100)] {
            for selected in 0..jobs.len() {
                let shown = lines(&jobs, selected, columns, rows);
                assert!(!shown.is_empty() && shown.len() <= usize::from(rows), "{columns}x{rows}: {shown:#?}");
                let widest = shown.iter().map(|line| line.chars().count()).max().unwrap_or(0);
                // Less than a word of a name says nothing: the terminal cuts that off.
                assert!(widest <= usize::from(columns).max(12), "{columns}x{rows}: {shown:#?}");
                assert!(shown.iter().all(|line| !line.contains('\u{1b}')));
            }
        }
    }

    #[test]
    fn the_selected_job_is_among_those_that_are_shown_and_the_log_keeps_a_few_lines() {
        let jobs: Vec<JobView> = (1..31).map(|id| view(&job(id, JobState::Queued, &[("", "true")]))).collect();
        for selected in 0..jobs.len() {
            let shown = lines(&jobs, selected, 40, 12);
            let id = &jobs[selected].id;
            assert!(shown.iter().any(|line| line.starts_with(&format!("› {id}  "))), "{id}: {shown:#?}");
            assert!(shown.iter().filter(|line| line.starts_with("line 9")).count() >= 3, "{shown:#?}");
        }
        assert_eq!(lines(&jobs[..1], 0, 40, 6).last().map(String::as_str), Some("q leave"));
    }
}
