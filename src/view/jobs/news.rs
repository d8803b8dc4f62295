//! What happened to a job, in one quiet line; how far it is, as a bar.
use super::{
    Look,
    list::{step_words, took},
    object::{JobView, ProgressView},
    sign::{exit_words, sign},
};
use crate::{
    model::{
        job::{Exit, JobId, JobState},
        name::printable_cut,
        time::human,
    },
    view::when,
};

/// Characters of a name, an event, a reason.
const NAME: usize = 32;
const WORDS: usize = 80;
/// A narrower line could say nothing.
const NARROWEST: usize = 8;

/// `⟳ j3 build 2/3: Test · 3/10 linking`, `✓ j3 build done in 4s`. Without a newline; no wider than the look.
pub fn news(job: &JobView, look: Look) -> String {
    let room = look.width.map_or(usize::MAX, |width| usize::from(width).max(NARROWEST));
    let (mark, tint) = sign(job.state);
    let label = printable_cut(&label(job), room.saturating_sub(2));
    let left = room.saturating_sub(3 + label.chars().count());
    let words = if left > 1 { format!(" {}", printable_cut(&words(job, look), left)) } else { String::new() };
    format!("{} {}{words}", look.paint.tint(tint, mark), look.paint.of_job(number(job), &label))
}

/// Whoever has seen this of a job has seen all that [`news`] could tell.
pub fn told(job: &JobView) -> (JobState, usize, u32, String, Option<String>) {
    (job.state, job.step, job.attempt, job.progress.words().to_owned(), job.last_event.clone())
}

/// `j3 build`, or the id alone.
pub(super) fn label(job: &JobView) -> String {
    match &job.name {
        Some(name) => format!("{} {}", job.id, printable_cut(name, NAME)),
        None => job.id.clone(),
    }
}

pub(super) fn number(job: &JobView) -> usize {
    JobId::parse(&job.id).and_then(|id| usize::try_from(id.0).ok()).unwrap_or(0)
}

fn words(job: &JobView, look: Look) -> String {
    let mut words = match job.state {
        JobState::Running => step_words(job).unwrap_or_else(|| "running".into()),
        JobState::Paused => format!("waits for an approval: agents jobs approve {} continue|retry|cancel", job.id),
        state => state.word().to_owned(),
    };
    if matches!(job.state, JobState::Failed | JobState::Backoff)
        && let Some(exit) = job.exit.filter(|exit| *exit != Exit::Code(0))
    {
        words.push_str(&format!(", exit {}", exit_words(exit)));
    }
    if job.state == JobState::Running
        && let Some(event) = event(job)
    {
        words.push_str(&format!(" · {event}"));
    }
    if let Some(at) = job.times.wake.filter(|_| job.state == JobState::Backoff) {
        words.push_str(&format!(", again at {}", when::clock(at, look.now)));
    }
    if let Some(took) = took(job, look).filter(|_| job.state.is_over()) {
        words.push_str(&format!(" in {}", human(took)));
    }
    if let Some(error) = job.error.as_ref().filter(|_| job.state.is_over()) {
        words.push_str(&format!(": {}", printable_cut(error, WORDS)));
    }
    words
}

/// What it said last of itself.
pub(super) fn event(job: &JobView) -> Option<String> {
    let words = Some(job.progress.words()).filter(|words| !words.is_empty()).or(job.last_event.as_deref())?;
    Some(printable_cut(words, WORDS))
}

/// `[████░░░░] 3/10 linking`, or what it says without counts. `None`: it says nothing. `cells`: of the bar.
pub fn bar(progress: &ProgressView, cells: usize) -> Option<String> {
    let words = Some(progress.words()).filter(|words| !words.is_empty())?;
    let words = printable_cut(words, WORDS);
    let Some((done, total)) = progress.done.zip(progress.total).filter(|(_, total)| *total > 0) else {
        return Some(words);
    };
    let cells = cells.max(1) as u128;
    let full = (u128::from(done.min(total)) * cells / u128::from(total)) as usize;
    Some(format!("[{}{}] {words}", "█".repeat(full), "░".repeat(cells as usize - full)))
}

#[cfg(test)]
mod tests {
    use super::super::{
        tests::{job, look},
        view,
    };
    use super::*;
    use crate::{model::job::Progress, view::paint::Paint};

    fn at(done: u64, total: u64, text: &str) -> ProgressView {
        let mut job = job(3, JobState::Running, &[("", "true")]);
        job.progress = Progress { done: Some(done), total: Some(total), text: text.into(), ..Progress::default() };
        view(&job).progress
    }

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(&at(0, 4, ""), 4).as_deref(), Some("[░░░░] 0/4"));
        assert_eq!(bar(&at(3, 4, "almost"), 4).as_deref(), Some("[███░] 3/4 almost"));
        assert_eq!(bar(&at(u64::MAX, u64::MAX, ""), 2), Some(format!("[██] {0}/{0}", u64::MAX)));
        assert_eq!(bar(&view(&job(3, JobState::Running, &[])).progress, 4), None);
    }

    #[test]
    fn a_line_is_cut_to_the_terminal_and_a_job_has_one_colour() {
        let mut odd = job(3, JobState::Failed, &[("", "true")]);
        odd.spec.name = "build".into();
        odd.exit = Some(Exit::Code(3));
        odd.error = Some("\u{1b}[2J".into());
        let odd = view(&odd);
        assert_eq!(news(&odd, look(None, Paint::Plain)), "✗ j3 build failed, exit 3: \\x1b[2J");
        for width in 1..40 {
            let line = news(&odd, look(Some(width), Paint::Plain));
            assert!(line.chars().count() <= usize::from(width.max(8)), "{width}: {line}");
        }
        let coloured = news(&odd, look(None, Paint::Colour));
        assert!(
            coloured.contains("\u{1b}[33mj3 build\u{1b}[0m") && coloured.starts_with("\u{1b}[31m✗"),
            "{coloured:?}"
        );
    }
}
