//! A whole screen -> the state that a person would name, with what speaks for it.
use super::{
    Context, Screen, fold,
    forgets::Forgets,
    pattern::Pattern,
    preset::{Preset, Rule, Zone},
    question, reset_time,
    rows::{self, Rows},
};
use crate::model::{
    name::printable_cut,
    reading::Evidence,
    seen::{ErrorClass, ErrorSeen, Seen},
    time::Wall,
};
use regex::Regex;
use std::{cell::OnceCell, sync::LazyLock};

/// Rows of a dialog and of a screen's end. Blank ones do not count.
const DIALOG_ROWS: usize = 24;
const TAIL_ROWS: usize = 12;

/// A screen's state and what speaks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub state: Seen,
    /// The first one decided.
    pub evidence: Vec<(Seen, Evidence)>,
    pub error: Option<ErrorSeen>,
    /// When a limit ends: an absolute instant, possibly past, or unknown.
    pub reset_at: Option<Wall>,
    /// Where that stands, for a person.
    pub reset_text: Option<String>,
    /// A menu or a question stands where the input line was.
    pub is_menu: bool,
    /// The input line was found.
    pub has_input_line: bool,
    /// The turn is over, and what it started goes on.
    pub background: Option<Evidence>,
}

/// The screen cut where its parts begin, as byte offsets.
struct Parts<'r, 't> {
    rows: &'r Rows<'t>,
    /// The conversation ends and the input line begins.
    composer: Option<usize>,
    footer: usize,
    /// Where the last row of each of [`Preset::stale`] begins, once somebody asked.
    last: Vec<OnceCell<usize>>,
    /// Where the rows of a dialog and of the screen's end begin, once somebody asked.
    dialog: OnceCell<usize>,
    tail: OnceCell<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The first rule that holds.
    Decision,
    /// All that hold, for a person.
    Everything,
}

/// What the rules of `preset` say, without those that the user put aside.
pub(super) fn by_rules(preset: &Preset, screen: &Screen, rows: &Rows, ctx: &Context, wanted: Wanted) -> Verdict {
    let text = rows.text;
    let parts = Parts::of(preset, rows);
    let mut verdict = Verdict { has_input_line: parts.composer.is_some(), ..Verdict::default() };
    for rule in preset.rules.iter().filter(|rule| !ctx.reader.preset_without.contains(&rule.name)) {
        let Some((line, evidence)) = holds(rule, preset, &parts, screen, ctx.said) else { continue };
        if verdict.evidence.is_empty() {
            verdict.state = rule.state;
            verdict.is_menu = rule.zone == Zone::Dialog;
            verdict.error = rule.error.map(|class| error(class, rows, line));
            if rule.state == Seen::Limited && !verdict.take_reset(rows, line, ctx, wanted) {
                // A menu, and what is said later, stands below the banner that says when it ends.
                let banners = preset.rules.iter().filter(|r| r.state == Seen::Limited && r.zone == Zone::Above);
                let found = banners.flat_map(|r| r.re.plain().find_iter(text)).map(|m| rows.at(m.start()));
                let mut above: Vec<usize> = found.filter(|row| *row < line).collect();
                above.sort_unstable();
                let _ = above.iter().rev().any(|row| verdict.take_reset(rows, *row, ctx, wanted));
            }
        }
        verdict.evidence.push((rule.state, evidence));
        if wanted == Wanted::Decision {
            if rule.state == Seen::Idle {
                verdict.background = background(preset, &parts);
            }
            break;
        }
    }
    verdict
}

/// A verdict that a pattern of the user settled.
pub(super) fn of_pattern(state: Seen, evidence: &Evidence, rows: &Rows, ctx: &Context) -> Verdict {
    let mut verdict = Verdict { state, ..Verdict::default() };
    match state {
        Seen::Limited => drop(verdict.take_reset(rows, evidence.line, ctx, Wanted::Everything)),
        Seen::Fatal => verdict.error = Some(error(ErrorClass::Other, rows, evidence.line)),
        _ => {}
    }
    verdict
}

impl Verdict {
    /// The reset in the banner that begins in row `line`, if it says one.
    fn take_reset(&mut self, rows: &Rows, line: usize, ctx: &Context, wanted: Wanted) -> bool {
        let parse = |n: usize| reset_time::parse(rows.below(line, n), ctx.now);
        let Some(at) = parse(rows::BANNER) else { return false };
        self.reset_at = Some(at);
        if wanted == Wanted::Everything {
            // The rows that it takes, and no more.
            let taken = (1..rows::BANNER).find(|n| parse(*n) == Some(at)).unwrap_or(rows::BANNER);
            self.reset_text = Some(printable_cut(&rows::one_line(rows.below(line, taken)), 200));
        }
        true
    }
}

impl<'r, 't> Parts<'r, 't> {
    fn of(preset: &Preset, rows: &'r Rows<'t>) -> Parts<'r, 't> {
        let text = rows.text;
        let found = preset.composer.as_ref().and_then(|re| re.last(rows, 0..text.len()));
        let is_last = |end: usize| {
            let mut below = text[end..].split('\n').skip(1);
            let fits = |row: &str| preset.below.as_ref().is_none_or(|re| re.is_in(row));
            below.by_ref().take(preset.below_rows).all(fits) && below.next().is_none()
        };
        let found = found.filter(|m| is_last(m.end));
        let (composer, footer) = (found.as_ref().map(|m| m.start), found.map_or(text.len(), |m| m.end));
        let last = vec![OnceCell::new(); preset.stale.len()];
        Parts { rows, composer, footer, last, dialog: OnceCell::new(), tail: OnceCell::new() }
    }
}

/// Where the conversation ends and how something new begins in it.
pub(super) struct Conversation<'p> {
    /// The first row that is not part of it.
    pub end: usize,
    pub item: Option<&'p Pattern>,
    pub forgets: Option<&'p Forgets>,
}

impl<'p> Conversation<'p> {
    /// Without a preset, or with a screen that it does not know: what stands above the cursor.
    pub fn of(preset: Option<&'p Preset>, screen: &Screen, rows: &Rows) -> Conversation<'p> {
        let composer = preset.and_then(|p| Parts::of(p, rows).composer);
        let end = composer.map_or(screen.cursor.1 as usize, |at| rows.at(at));
        let forgets = preset.and_then(|p| p.forgets.as_ref());
        Conversation { end, item: preset.and_then(|p| p.item.as_ref()), forgets }
    }
}

impl Conversation<'_> {
    /// Each of its turns came to nothing but an error.
    pub fn is_all_failed(&self, text: &str) -> bool {
        let (Some(item), Some(forgets)) = (self.item, self.forgets) else { return false };
        forgets.is_each(&text.lines().take(self.end).collect::<Vec<_>>(), item)
    }
}

/// What goes on although the turn is over.
fn background(preset: &Preset, parts: &Parts) -> Option<Evidence> {
    let re = preset.background.as_ref()?;
    let (rows, composer) = (parts.rows, parts.composer?);
    let from = preset.item.as_ref().map_or(0, |item| item.last_row(rows, composer));
    let in_footer = || Some(parts.footer + re.first(&rows.text[parts.footer..])?);
    let at = in_footer().or_else(|| Some(re.last(rows, from..composer)?.start))?;
    let line = rows.at(at);
    let row = rows.get(line);
    let rule = format!("{}/idle/background", preset.name);
    Some(Evidence { source: "pane".into(), rule, line, text: printable_cut(row.trim(), 200), quoted: false })
}

/// The row in which the rule's match begins, and the evidence.
fn holds(rule: &Rule, preset: &Preset, parts: &Parts, screen: &Screen, said: &str) -> Option<(usize, Evidence)> {
    let (rows, text) = (parts.rows, parts.rows.text);
    let called = || format!("{}/{}/{}", preset.name, rule.state.as_str(), rule.name);
    let (from, to) = match rule.zone {
        Zone::Title => {
            let evidence = || {
                let text = printable_cut(screen.title, 200);
                Evidence { source: "title".into(), rule: called(), line: 0, text, quoted: false }
            };
            return rule.re.plain().is_match(screen.title).then(|| (0, evidence()));
        }
        Zone::Above => {
            let to = parts.composer?;
            // Nothing above the last such row counts.
            let from = |stale: usize| *parts.last[stale].get_or_init(|| preset.stale[stale].last_row(rows, to));
            (rule.stale.map_or(0, from), to)
        }
        Zone::Composer => (parts.composer?, text.len()),
        Zone::Footer => (parts.composer.map(|_| parts.footer)?, text.len()),
        Zone::Screen => (0, text.len()),
        Zone::Dialog if parts.composer.is_some() => return None,
        // Where the last rows begin takes longer to tell than that it is not there.
        Zone::Dialog | Zone::Tail if !rule.re.may_be_on(rows) => return None,
        Zone::Dialog => (*parts.dialog.get_or_init(|| rows.last_filled(DIALOG_ROWS)), text.len()),
        Zone::Tail => (*parts.tail.get_or_init(|| rows.last_filled(TAIL_ROWS)), text.len()),
    };
    let found = match rule.zone {
        Zone::Composer => rule.re.plain().find(&text[from..to]).map(|m| from + m.start()..from + m.end()),
        _ => rule.re.last(rows, from..to),
    }?;
    let start = found.start;
    // A match may begin with the row end before it.
    let start = start + text[start..].len() - text[start..].trim_start().len();
    let is_menu = matches!(rule.zone, Zone::Dialog | Zone::Tail) && rule.state != Seen::Working;
    // The choice under the cursor is what a menu is known by; its head may stand far above.
    let told = if is_menu { found.end.max(start + 1) - 1 } else { start };
    let line = rows.at(told);
    let row = rows.get(line);
    // Words of ours in the conversation are no evidence; a menu and a spinner are not made of our words alone.
    if rule.zone == Zone::Above && rule.state != Seen::Working && fold::says(said, row) {
        return None;
    }
    let source = "pane".into();
    let text_of = printable_cut(row.trim_matches(fold::is_frame), 200);
    let evidence = Evidence { source, rule: called(), line, text: text_of, quoted: false };
    Some((rows.at(start), if is_menu { question::worded(text, evidence) } else { evidence }))
}

fn error(class: ErrorClass, rows: &Rows, line: usize) -> ErrorSeen {
    static WAIT: LazyLock<Regex> = LazyLock::new(|| {
        let text = r"(?i)(?:retry(?:ing)?[ -]?(?:after|in)|try again in|wait)[: ]+(\d{1,6}) ?(s|m|h|seconds?|minutes?|hours?)\b";
        Regex::new(text).expect("a constant pattern")
    });
    let words = rows::one_line(rows.below(line, rows::BANNER));
    let retry_after = WAIT.captures(&words).and_then(|c| {
        let unit = match c[2].as_bytes()[0] {
            b's' => 1,
            b'm' => 60,
            _ => 3600,
        };
        c[1].parse::<u64>().ok().map(|n| n * unit)
    });
    let row = rows.get(line);
    ErrorSeen { class, text: printable_cut(row.trim_matches(fold::is_frame), 200), retry_after }
}
