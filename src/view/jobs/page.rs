//! `agents jobs show` for people.
use super::{
    Look,
    list::{step_words, took},
    object::{JobView, StepView},
    sign::{exit_words, sign},
};
use crate::{
    model::{
        job::JobState,
        name::{printable, printable_cut},
        time::{Wall, human},
    },
    view::{paint::Tint, when},
};
use std::time::Duration;

/// The whole page, with a newline at its end.
pub fn page(job: &JobView, look: Look) -> String {
    let (mark, tint) = sign(job.state);
    let state = look.paint.tint(tint, &format!("{mark} {}", job.state.word()));
    let mut out = format!("{}  {state}", look.paint.tint(Tint::Bold, &job.id));
    if let Some(step) = step_words(job) {
        out.push_str(&format!(" {step}"));
    }
    out.push('\n');
    let mut row = |name: &str, value: String| out.push_str(&format!("  {name:<9} {value}\n"));
    if let Some(name) = &job.name {
        row("name", printable(name));
    }
    if !job.description.is_empty() {
        row("what", printable_cut(&job.description, 500));
    }
    if let Some(error) = &job.error {
        row("error", look.paint.tint(Tint::Red, &printable_cut(error, 500)));
    }
    if job.state == JobState::Paused {
        row("answer", format!("agents jobs approve {} continue|retry|cancel", job.id));
    }
    if let Some(exit) = job.exit {
        row("exit", exit_words(exit));
    }
    row("group", group(job));
    if !job.after.is_empty() {
        row("after", job.after.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    }
    if job.attempt > 1 || job.retries > 0 {
        row("attempt", attempt(job));
    }
    row("created", moment(job.times.created, look));
    if let Some(at) = job.times.started {
        row("started", moment(at, look));
    }
    if let Some(at) = job.times.wake.filter(|_| !job.state.is_over() && job.state != JobState::Running) {
        row("starts", format!("{} ({})", when::until(at, look.now), when::clock(at, look.now)));
    }
    if let Some(at) = job.times.ended {
        row("ended", moment(at, look));
    }
    if let Some(took) = took(job, look) {
        row("took", human(took));
    }
    if let Some(limit) = job.timeout {
        row("limit", human(limit));
    }
    if let Some(pid) = job.pid {
        row("pid", pid.to_string());
    }
    if let Some(session) = &job.session {
        row("session", format!("{}: agents attach {}", printable(session), job.id));
    }
    if let Some(text) = progress(job) {
        row("progress", text);
    }
    if let Some(event) = job.last_event.as_ref().filter(|event| **event != job.progress.words()) {
        row("last", printable_cut(event, 200));
    }
    if let Some(backend) = &job.backend {
        let conversation =
            job.agent_session.as_ref().map(|name| format!(", conversation {}", printable_cut(name, 100)));
        let model = job.model.as_ref().map(|model| format!(" ({})", printable_cut(model, 60))).unwrap_or_default();
        row("backend", format!("{}{model}{}", printable_cut(backend, 60), conversation.unwrap_or_default()));
    }
    if let Some(files) = job.files_changed {
        row("changed", count(files, "file"));
    }
    if let Some(took) = tokens(job) {
        row("tokens", took);
    }
    if let Some(used) = used(job) {
        row("used", used);
    }
    if let Some(whose) = &job.within {
        row("within", format!("the bounds of {whose}"));
    }
    for line in &job.held {
        row("held", printable(line));
    }
    for line in &job.sandbox {
        row("sandbox", printable_cut(line, 1000));
    }
    row("dir", printable(&job.dir));
    row("log", printable(&job.log));
    let steps: Vec<String> = job.steps.iter().enumerate().map(|(i, s)| step(i, s, look)).collect();
    out.push_str(&steps.concat());
    out
}

fn group(job: &JobView) -> String {
    let group = printable(&job.group);
    if job.priority == 0 { group } else { format!("{group}, priority {}", job.priority) }
}

fn attempt(job: &JobView) -> String {
    match job.retries {
        0 => job.attempt.to_string(),
        1 => format!("{}, at most 1 retry", job.attempt),
        n => format!("{}, at most {n} retries", job.attempt),
    }
}

fn moment(at: Wall, look: Look) -> String {
    format!("{} ({} ago)", when::clock(at, look.now), when::ago(at, look.now))
}

/// `3/10 linking, 12 tool calls`.
fn progress(job: &JobView) -> Option<String> {
    let progress = &job.progress;
    let mut parts = Vec::new();
    parts.extend(Some(progress.words()).filter(|words| !words.is_empty()).map(|words| printable_cut(words, 250)));
    let counts = [(progress.rounds, "round"), (progress.tool_calls, "tool call"), (progress.model_calls, "model call")];
    parts.extend(counts.iter().filter_map(|(n, what)| n.filter(|n| *n > 0).map(|n| count(n, what))));
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `2000 tokens in (1500 cached), 40 out, $0.002`.
fn tokens(job: &JobView) -> Option<String> {
    let count = |key: &str| job.usage.as_ref().and_then(|usage| usage.get(key)?.as_u64());
    let mut parts = Vec::new();
    if let (Some(input), Some(output)) = (count("input_tokens"), count("output_tokens")) {
        let cached = count("cache_read_tokens").unwrap_or(0);
        let all = input.saturating_add(cached).saturating_add(count("cache_write_tokens").unwrap_or(0));
        let of_them = if cached > 0 { format!(" ({cached} cached)") } else { String::new() };
        parts.push(format!("{all} tokens in{of_them}, {output} out"));
    }
    parts.extend(job.cost_usd.map(|usd| format!("${usd:.3}")));
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn used(job: &JobView) -> Option<String> {
    let cpu = job.cpu_s.map(|s| format!("{s:.1}s of CPU"));
    let memory = job.peak_rss.map(|bytes| format!("{} MB of memory", bytes.div_ceil(1_000_000)));
    let parts: Vec<String> = [cpu, memory].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `  1 ✓ done      Build  0  3s`, and its command below it.
fn step(index: usize, step: &StepView, look: Look) -> String {
    let (mark, tint) = sign(step.state);
    let state = look.paint.tint(tint, &format!("{mark} {:<11}", step.state.word()));
    let mut out = format!("  {:>2} {state} {}", index + 1, printable_cut(step.title(), 200));
    if let Some(exit) = step.exit {
        out.push_str(&format!(" · exit {}", exit_words(exit)));
    }
    if let Some((started, ended)) = step.ran {
        let millis = ended.unwrap_or(look.now.wall).0 - started.0;
        out.push_str(&format!(" · {}", human(Duration::from_millis(millis.max(0) as u64))));
    }
    out.push('\n');
    if step.desc.is_some() {
        let command = printable_cut(&step.command, 200);
        out.push_str(&format!("{:17} {}\n", "", look.paint.tint(Tint::Dim, &command)));
    }
    out
}
