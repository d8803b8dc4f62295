//! A whole screen -> the state that a person would name, with what speaks for it.
use super::{
    Context, Screen, fold,
    preset::{Preset, Rule, Zone},
    question, reset_time,
    shell::{self, Process},
};
use crate::model::{
    name::printable_cut,
    reading::Evidence,
    seen::{ErrorClass, ErrorSeen, Seen},
    time::Wall,
};
use regex::Regex;
use std::{cell::OnceCell, sync::LazyLock};

/// Rows of a dialog, of a screen's end, of a banner. Blank ones do not count.
const DIALOG_ROWS: usize = 24;
const TAIL_ROWS: usize = 12;
const BANNER_ROWS: usize = 4;

/// A screen's state and what speaks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub state: Seen,
    /// The first one decided.
    pub evidence: Vec<(Seen, Evidence)>,
    pub error: Option<ErrorSeen>,
    /// When a limit ends: an absolute instant, possibly past, or unknown.
    pub reset_at: Option<Wall>,
    /// Where that stands.
    pub reset_text: Option<String>,
    /// A menu or a question stands where the input line was.
    pub is_menu: bool,
}

/// The screen cut where its parts begin, as byte offsets.
struct Parts<'t> {
    text: &'t str,
    /// The conversation ends and the input line begins.
    composer: Option<usize>,
    footer: usize,
    /// Where the last row of each of [`Preset::stale`] begins, once somebody asked.
    last: Vec<OnceCell<usize>>,
}

/// What the rules of `preset` say, without those that the user put aside.
pub(super) fn by_rules(preset: &Preset, screen: &Screen, process: Process, ctx: &Context) -> Verdict {
    let text = screen.text.trim_end();
    if let Some(evidence) = shell::ended(preset, text, process) {
        return Verdict { state: Seen::Exited, evidence: vec![(Seen::Exited, evidence)], ..Verdict::default() };
    }
    let parts = Parts::of(preset, text);
    let mut verdict = Verdict::default();
    for rule in preset.rules.iter().filter(|rule| !ctx.reader.preset_without.contains(&rule.name)) {
        let Some((start, evidence)) = holds(rule, preset, &parts, screen, ctx.said) else { continue };
        if verdict.evidence.is_empty() {
            verdict.state = rule.state;
            verdict.is_menu = rule.zone == Zone::Dialog;
            verdict.error = rule.error.map(|class| error(class, text, start));
            verdict.note_reset(text, start, ctx);
        }
        verdict.evidence.push((rule.state, evidence));
    }
    verdict
}

/// A verdict that a pattern of the user settled.
pub(super) fn of_pattern(state: Seen, evidence: &Evidence, text: &str, ctx: &Context) -> Verdict {
    let mut verdict = Verdict { state, ..Verdict::default() };
    let start = text.split_inclusive('\n').take(evidence.line).map(str::len).sum();
    verdict.note_reset(text, start, ctx);
    if state == Seen::Fatal {
        verdict.error = Some(error(ErrorClass::Other, text, start));
    }
    verdict
}

impl Verdict {
    /// For a limit whose banner begins at `start`.
    fn note_reset(&mut self, text: &str, start: usize, ctx: &Context) {
        if self.state != Seen::Limited {
            return;
        }
        let banner = rows_from(text, start, BANNER_ROWS);
        if self.take_reset(&banner, ctx) {
            return;
        }
        // A menu often stands below the banner that says when it ends.
        for (at, _) in text.match_indices("reset").chain(text.match_indices("again")) {
            let row = rows_from(text, at, 1);
            if !fold::says(ctx.said, &row) {
                self.take_reset(&rows_from(text, at, 2), ctx);
            }
        }
    }

    fn take_reset(&mut self, banner: &str, ctx: &Context) -> bool {
        let Some(at) = reset_time::parse(banner, ctx.now) else { return false };
        // The rows that it takes, and no more.
        let rows = (1..=BANNER_ROWS).map(|n| rows_from(banner, 0, n));
        let shown = rows.into_iter().find(|rows| reset_time::parse(rows, ctx.now) == Some(at));
        self.reset_at = Some(at);
        self.reset_text = Some(printable_cut(&one_line(shown.as_deref().unwrap_or(banner)), 200));
        true
    }
}

impl<'t> Parts<'t> {
    fn of(preset: &Preset, text: &'t str) -> Parts<'t> {
        let found = preset.composer.as_ref().and_then(|re| re.find_iter(text).last());
        let is_last = |end: usize| {
            let mut below = text[end..].split('\n').skip(1);
            let fits = |row: &str| preset.below.as_ref().is_none_or(|re| re.is_match(row));
            below.by_ref().take(preset.below_rows).all(fits) && below.next().is_none()
        };
        let found = found.filter(|m| is_last(m.end()));
        let (composer, footer) = (found.map(|m| m.start()), found.map_or(text.len(), |m| m.end()));
        Parts { text, composer, footer, last: vec![OnceCell::new(); preset.stale.len()] }
    }
}

/// Where the last row that `stale` knows begins; nothing above it counts.
fn from_last(stale: &Regex, text: &str) -> usize {
    let mut at = text.len();
    for row in text.rsplit('\n') {
        at -= row.len();
        if stale.is_match(row) {
            return at;
        }
        at = at.saturating_sub(1);
    }
    0
}

/// Where the rule's match begins, and the evidence.
fn holds(rule: &Rule, preset: &Preset, parts: &Parts, screen: &Screen, said: &str) -> Option<(usize, Evidence)> {
    let text = parts.text;
    let called = || format!("{}/{}/{}", preset.name, rule.state.as_str(), rule.name);
    let (from, to) = match rule.zone {
        Zone::Title => {
            let evidence = || {
                let text = printable_cut(screen.title, 200);
                Evidence { source: "title".into(), rule: called(), line: 0, text, quoted: false }
            };
            return rule.re.is_match(screen.title).then(|| (0, evidence()));
        }
        Zone::Above => {
            let to = parts.composer?;
            let from = |stale: usize| *parts.last[stale].get_or_init(|| from_last(&preset.stale[stale], &text[..to]));
            (rule.stale.map_or(0, from), to)
        }
        Zone::Composer => (parts.composer?, text.len()),
        Zone::Footer => (parts.composer.map(|_| parts.footer)?, text.len()),
        Zone::Screen => (0, text.len()),
        Zone::Dialog if parts.composer.is_some() => return None,
        Zone::Dialog => (last_rows(text, DIALOG_ROWS), text.len()),
        Zone::Tail => (last_rows(text, TAIL_ROWS), text.len()),
    };
    let part = &text[from..to];
    let found = if rule.zone == Zone::Composer { rule.re.find(part) } else { rule.re.find_iter(part).last() }?;
    let start = from + found.start();
    // A match may begin with the row end before it.
    let start = start + text[start..].len() - text[start..].trim_start().len();
    let is_menu = matches!(rule.zone, Zone::Dialog | Zone::Tail) && rule.state != Seen::Working;
    // The choice under the cursor is what a menu is known by; its head may stand far above.
    let told = if is_menu { (from + found.end()).max(start + 1) - 1 } else { start };
    let told = (start..=told).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    let line = text[..told].matches('\n').count();
    let row = text.lines().nth(line).unwrap_or_default();
    // Words of ours in the conversation are no evidence; a menu and a spinner are not made of our words alone.
    if rule.zone == Zone::Above && rule.state != Seen::Working && fold::says(said, row) {
        return None;
    }
    let source = "pane".into();
    let text_of = printable_cut(row.trim_matches(fold::is_frame), 200);
    let evidence = Evidence { source, rule: called(), line, text: text_of, quoted: false };
    Some((start, if is_menu { question::worded(text, evidence) } else { evidence }))
}

/// Where the last `n` rows that are not blank begin.
fn last_rows(text: &str, n: usize) -> usize {
    let mut at = text.len();
    let mut left = n;
    for row in text.rsplit('\n') {
        if left == 0 {
            break;
        }
        at -= row.len() + usize::from(at != text.len());
        left -= usize::from(!row.trim_matches(fold::is_frame).is_empty());
    }
    at
}

/// The row at `start` and those below it.
fn rows_from(text: &str, start: usize, n: usize) -> String {
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    text[from..].lines().take(n).collect::<Vec<_>>().join("\n")
}

fn one_line(text: &str) -> String {
    text.lines().map(|row| row.trim_matches(fold::is_frame)).filter(|row| !row.is_empty()).collect::<Vec<_>>().join(" ")
}

fn error(class: ErrorClass, text: &str, start: usize) -> ErrorSeen {
    static WAIT: LazyLock<Regex> = LazyLock::new(|| {
        let text = r"(?i)(?:retry(?:ing)?[ -]?(?:after|in)|try again in|wait)[: ]+(\d{1,6}) ?(s|m|h|seconds?|minutes?|hours?)\b";
        Regex::new(text).expect("a constant pattern")
    });
    let words = one_line(&rows_from(text, start, BANNER_ROWS));
    let retry_after = WAIT.captures(&words).and_then(|c| {
        let unit = match c[2].as_bytes()[0] {
            b's' => 1,
            b'm' => 60,
            _ => 3600,
        };
        c[1].parse::<u64>().ok().map(|n| n * unit)
    });
    let row = rows_from(text, start, 1);
    ErrorSeen { class, text: printable_cut(row.trim_matches(fold::is_frame), 200), retry_after }
}
