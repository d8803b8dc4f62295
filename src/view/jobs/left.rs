//! What was left unfinished, in a few lines.
use super::JobView;
use crate::model::name::printable_cut;

/// Lines without a newline at the end; empty if there is nothing to tell. `more`: how many there are beside `jobs`.
pub fn left(jobs: &[JobView], more: usize) -> String {
    let Some(first) = jobs.first() else { return String::new() };
    let mut lines: Vec<String> = jobs.iter().map(line).collect();
    if more > 0 {
        lines.push(format!("  … and {more} more: `agents jobs --state interrupted --all`"));
    }
    let (what, id) = if lines.len() == 1 { ("a job was", first.id.as_str()) } else { ("jobs were", "ID") };
    lines.insert(0, format!("{what} left unfinished:"));
    lines.push(format!(
        "hint: `agents jobs resume {id}` goes on, `agents jobs show {id}` tells more, `agents jobs rm {id}` forgets it"
    ));
    lines.join("\n")
}

/// `  j7 web: npm run dev · 3/10 linking · its runner was killed`.
fn line(job: &JobView) -> String {
    let mut parts = vec![printable_cut(&job.title(), 60)];
    let progress = job.progress.words();
    parts.extend(Some(progress).filter(|words| !words.is_empty()).map(|words| printable_cut(words, 60)));
    let event = job.last_event.as_deref().filter(|event| *event != progress);
    parts.extend(event.map(|event| printable_cut(event, 60)));
    parts.extend(job.error.as_deref().map(|error| printable_cut(error, 80)));
    format!("  {} {}", job.id, parts.join(" · "))
}
