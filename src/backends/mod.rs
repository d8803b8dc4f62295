//! What an agent CLI looks like: a captured pane becomes a [`Reading`]. The text stops here.
pub mod colours;
pub mod dialog;
mod draft;
mod fold;
mod forgets;
pub mod marker;
mod ours;
mod pattern;
pub mod preset;
mod question;
pub mod reset_time;
mod rows;
mod shell;
mod signs;
mod still;
mod title;
mod verdict;
mod words;

pub use shell::Process;
pub use verdict::Verdict;

use crate::model::{
    dialog::Dialog,
    name::printable_cut,
    policy::Reader,
    reading::{Evidence, Reading},
    seen::Seen,
    time::Now,
};
use colours::Colours;
use draft::Drafts;
use regex::Regex;
use rows::Rows;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One captured pane.
#[derive(Clone, Debug, Default)]
pub struct Screen<'a> {
    /// The visible rows, `\n` between them; blank rows at the end do not matter.
    pub text: &'a str,
    pub title: &'a str,
    /// Cursor column and row, 0-based.
    pub cursor: (u16, u16),
    /// Only where [`needs_colours`] asked for them.
    pub colours: Option<&'a Colours>,
}

/// What the reader needs to know beside the screen.
pub struct Context<'a> {
    pub reader: &'a Reader,
    /// What we said to this agent (its first message, pings), folded by [`said`]: rows that only repeat it are no
    /// evidence.
    pub said: &'a str,
    /// Texts on their way: delivery id and text.
    pub ours: &'a [(i64, String)],
    pub now: Now,
}

/// How many of the last rows tell whether a `footer_ui` is active.
pub const FOOTER_ROWS: usize = 10;

/// Folds what we said, once, for [`Context::said`].
pub fn said(text: &str) -> String {
    fold::words(text)
}

/// Reads one screen with the rules of the backend's preset and the user's patterns.
pub fn read(screen: &Screen, ctx: &Context) -> Reading {
    let text = screen.text.trim_end();
    let preset = ctx.reader.preset.as_deref().and_then(preset::named);
    let by_preset_drafts = || preset.and_then(|p| p.draft.as_ref()).map(Drafts::Preset);
    let drafts = ctx.reader.draft.as_ref().map(Drafts::Own).or_else(by_preset_drafts);
    let rows = Rows::of(text);
    let limit = find(&ctx.reader.limit, "limit_re", text, text, ctx);
    let reset = limit.as_ref().and_then(|e| reset_time::parse(rows.below(e.line, rows::BANNER), ctx.now));
    let mut reading = Reading {
        at: ctx.now.boot,
        screen: hash(&(text, screen.title, screen.cursor)),
        cursor: screen.cursor,
        still: still::hash(text, screen.title),
        blank: text.is_empty(),
        active: active(screen, text, ctx),
        limit,
        fatal: find(&ctx.reader.fatal, "fatal_re", text, text, ctx),
        waiting: waiting(screen, text, ctx),
        dialog: None,
        background: None,
        error: None,
        unknown: false,
        reset,
        waiting_until: marker::waiting_until(text, ctx.reader.footer_ui, ctx.now),
        draft: draft::find(&rows, screen.cursor, drafts, ctx.ours),
        all_failed: false,
        ours: match ctx.ours {
            [] => Vec::new(),
            ours => {
                let conversation = verdict::Conversation::of(preset, screen, &rows);
                ours::find(text, screen.cursor, draft::up_to(&rows, screen.cursor, drafts), &conversation, ours)
            }
        },
    };
    let Some(preset) = preset else {
        reading.dialog = own_dialog(text, ctx);
        reading.waiting = reading.waiting.take().or_else(|| reading.dialog.as_ref().map(asks));
        return reading;
    };
    let verdict = verdict::by_rules(preset, screen, &rows, ctx, verdict::Wanted::Decision);
    if !verdict.has_input_line && matches!(verdict.state, Seen::Waiting | Seen::Limited) {
        reading.dialog = dialog::find(Some(preset), text, &ctx.reader.dialogs, screen.colours);
    }
    by_preset(&mut reading, verdict);
    if reading.error.is_some() || reading.limit.is_some() {
        reading.all_failed = verdict::Conversation::of(Some(preset), screen, &rows).is_all_failed(text);
    }
    reading.unknown &= !ctx.reader.idle.as_ref().is_some_and(|re| re.is_match(text));
    reading
}

/// It asks, a rule could answer, and which choice is marked shows by colour alone: the screen is to be read with its
/// colours.
pub fn needs_colours(reader: &Reader, reading: &Reading) -> bool {
    let preset = reader.preset.as_deref().and_then(preset::named);
    reading.waiting.is_some() && !reader.dialogs.is_empty() && preset.is_some_and(|p| p.dialog_bar.is_some())
}

/// What an unknown program asks is known by the user's rules alone.
fn own_dialog(text: &str, ctx: &Context) -> Option<Dialog> {
    let rules = &ctx.reader.dialogs;
    (!rules.is_empty()).then(|| dialog::find(None, text, rules, None)).flatten().filter(|d| d.answer.is_some())
}

/// A dialog that only a rule of the user tells.
fn asks(dialog: &Dialog) -> Evidence {
    let name = dialog.name.as_deref().unwrap_or_default();
    let words = match dialog.cursor.and_then(|i| dialog.choices.get(i)) {
        Some(choice) => format!("{} {choice}", dialog.asked),
        None => dialog.asked.clone(),
    };
    let text = printable_cut(&words, 200);
    Evidence { source: "pane".into(), rule: format!("dialog/waiting/{name}"), line: dialog.row, text, quoted: false }
}

/// What the user's own patterns found stays; the rules add the state that they settled on, and only that: a limit's
/// banner under a spinner is a limit, a spinner under a dialog is a dialog.
fn by_preset(reading: &mut Reading, verdict: Verdict) {
    let is_menu = verdict.is_menu;
    let by_user = [&reading.active, &reading.limit, &reading.fatal, &reading.waiting];
    let Some((state, evidence)) = verdict.evidence.into_iter().next() else {
        reading.unknown = !reading.blank && by_user.into_iter().all(Option::is_none);
        return;
    };
    // What the user's own pattern calls fatal has no class.
    reading.error = verdict.error.filter(|_| reading.fatal.is_none());
    match state {
        Seen::Working => reading.active = reading.active.take().or(Some(evidence)),
        Seen::Waiting => reading.waiting = reading.waiting.take().or(Some(evidence)),
        Seen::Limited => {
            if is_menu {
                reading.waiting = reading.waiting.take().or_else(|| Some(evidence.clone()));
            }
            reading.limit = reading.limit.take().or(Some(evidence));
            reading.reset = reading.reset.or(verdict.reset_at);
        }
        Seen::Fatal => reading.fatal = reading.fatal.take().or(Some(evidence)),
        Seen::Idle => reading.background = verdict.background,
        Seen::Exited | Seen::Unknown => {}
    }
}

/// The state that a person would name: `read` and what is known of the pane's process. A CLI without a preset that the
/// user's patterns do not settle is read by what such programs have in common.
pub fn judge(screen: &Screen, process: Process, ctx: &Context) -> Verdict {
    let text = screen.text.trim_end();
    let named = ctx.reader.preset.as_deref().and_then(preset::named);
    let preset = named.unwrap_or(preset::generic());
    if let Some(evidence) = shell::ended(preset, text, process) {
        return Verdict { state: Seen::Exited, evidence: vec![(Seen::Exited, evidence)], ..Verdict::default() };
    }
    let rows = Rows::of(text);
    let by_rules = verdict::by_rules(preset, screen, &rows, ctx, verdict::Wanted::Everything);
    if by_rules.state == Seen::Exited {
        return by_rules;
    }
    let limit = find(&ctx.reader.limit, "limit_re", text, text, ctx);
    let own = || own_dialog(text, ctx).filter(|_| named.is_none()).map(|d| asks(&d));
    let hits = [
        (Seen::Waiting, waiting(screen, text, ctx).or_else(own)),
        (Seen::Limited, limit),
        (Seen::Working, active(screen, text, ctx)),
        (Seen::Fatal, find(&ctx.reader.fatal, "fatal_re", text, text, ctx)),
        (Seen::Idle, idle(screen, text, ctx)),
    ];
    let hits: Vec<_> = hits.into_iter().filter_map(|(s, e)| Some((s, e.filter(|e| !e.quoted)?))).collect();
    let has = |state| hits.iter().any(|(s, _)| *s == state);
    let asks_at_a_limit = named.is_none() && has(Seen::Waiting) && has(Seen::Limited);
    // With the user's own patterns alone, activity outranks a limit's words.
    let rank = |state| match state {
        Seen::Limited if asks_at_a_limit => 6,
        Seen::Waiting => 5,
        Seen::Limited if named.is_some() => 4,
        Seen::Working => 3,
        Seen::Limited => 2,
        Seen::Fatal => 1,
        _ => 0,
    };
    let Some(best) = hits.iter().max_by_key(|(state, _)| rank(*state)).cloned() else { return by_rules };
    let decided = !matches!(by_rules.state, Seen::Idle | Seen::Unknown) && rank(by_rules.state) >= rank(best.0);
    if decided || (best.0 == Seen::Idle && by_rules.state != Seen::Unknown) {
        return Verdict { evidence: by_rules.evidence.into_iter().chain(hits).collect(), ..by_rules };
    }
    let mut verdict = verdict::of_pattern(best.0, &best.1, &rows, ctx);
    verdict.evidence = std::iter::once(best.clone()).chain(hits.into_iter().filter(|hit| *hit != best)).collect();
    verdict.evidence.extend(by_rules.evidence);
    verdict
}

fn active(screen: &Screen, text: &str, ctx: &Context) -> Option<Evidence> {
    let live = if ctx.reader.footer_ui { rows::last(text, FOOTER_ROWS) } else { text };
    find(&ctx.reader.active, "active_re", text, live, ctx)
        .or_else(|| title::has(&ctx.reader.active, "active_re", screen))
        .or_else(|| title::begins(&ctx.reader.title.active, "title_active_re", screen))
}

fn waiting(screen: &Screen, text: &str, ctx: &Context) -> Option<Evidence> {
    find(&ctx.reader.waiting, "waiting_re", text, text, ctx)
        .map(|e| question::worded(text, e))
        .or_else(|| title::has(&ctx.reader.waiting, "waiting_re", screen))
        .or_else(|| title::begins(&ctx.reader.title.waiting, "title_waiting_re", screen))
}

fn idle(screen: &Screen, text: &str, ctx: &Context) -> Option<Evidence> {
    find(&ctx.reader.idle, "idle_re", text, text, ctx)
        .or_else(|| title::begins(&ctx.reader.title.idle, "title_idle_re", screen))
}

fn find(re: &Option<Regex>, rule: &str, text: &str, part: &str, ctx: &Context) -> Option<Evidence> {
    re.as_ref().and_then(|re| find_unquoted(re, rule, text, part, ctx.said))
}

/// The last match of `re` in `part` (a tail of `text`) that does not merely repeat what we said; if every match does,
/// the last one, marked `quoted`. A match that the app wrapped over two rows is found as well.
fn find_unquoted(re: &Regex, rule: &str, text: &str, part: &str, said: &str) -> Option<Evidence> {
    let offset = text.len() - part.len();
    let mut last = None;
    let unwrapped;
    let haystack = if re.is_match(part) {
        part
    } else {
        // Same length, so that positions still fit. Row ends become blanks.
        unwrapped = part.replace('\n', " ");
        unwrapped.as_str()
    };
    for m in re.find_iter(haystack) {
        let line = text[..offset + m.start()].matches('\n').count();
        let row = text.lines().nth(line).unwrap_or_default();
        let quoted = fold::says(said, row);
        let evidence =
            Evidence { source: "pane".into(), rule: rule.into(), line, text: printable_cut(row.trim(), 200), quoted };
        if !quoted || last.is_none() {
            last = Some(evidence);
        }
    }
    last
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{Boot, Wall};
    use regex::RegexBuilder;

    fn re(pattern: &str) -> Option<Regex> {
        Some(RegexBuilder::new(pattern).case_insensitive(true).build().unwrap())
    }
    fn reader() -> Reader {
        Reader {
            active: re("esc to interrupt"),
            limit: re("usage limit|limit reached"),
            fatal: re("no conversation found"),
            waiting: re("do you want to proceed"),
            ..Reader::default()
        }
    }
    fn look(text: &str, said: &str, reader: &Reader) -> Reading {
        let now = Now { boot: Boot(5_000), wall: Wall(1_781_524_800_000), utc_offset_s: 0, ..Now::default() };
        read(&Screen { text, ..Screen::default() }, &Context { reader, said: &super::said(said), ours: &[], now })
    }

    #[test]
    fn footer_ui_looks_at_the_last_ten_rows_only() {
        let text = format!("esc to interrupt\n{}", "row\n".repeat(10));
        let footer = Reader { footer_ui: true, ..reader() };
        assert!(look(&text, "", &reader()).active.is_some());
        assert!(look(&text, "", &footer).active.is_none());
        let near = format!("esc to interrupt\n{}\n\n\n", "row\n".repeat(9));
        assert!(look(&near, "", &footer).active.is_some(), "blank rows at the end do not count");
    }

    #[test]
    fn fault_19_a_wrapped_banner_is_found_on_its_first_row() {
        let r = look("hello\nYou have hit your weekly usage\nlimit. resets 3pm", "", &reader());
        assert_eq!(r.limit.unwrap().line, 1);
    }

    #[test]
    fn a_row_of_our_own_prompt_is_marked_as_quoted() {
        let said = "Stop when you see: usage limit reached. Then wait.";
        let r = look("> Stop when you see: usage limit reached. Then\n  wait.", said, &reader());
        assert!(r.limit.unwrap().quoted);
        let r =
            look("> Stop when you see: usage limit reached. Then\n\nUsage limit reached, resets 3pm", said, &reader());
        assert!(!r.limit.unwrap().quoted);
    }

    #[test]
    fn a_reset_elsewhere_on_the_screen_is_not_the_banners() {
        let r = look("git reset 18 files\nusage limit reached\nresets 7pm\n\n\n\n\nreset 5 tests", "", &reader());
        assert_eq!(r.reset, Some(Wall(1_781_524_800_000 + 7 * 3_600_000)), "12:00 UTC + 7 h");
    }

    #[test]
    fn a_title_counts_for_active_and_waiting_only() {
        let r = reader();
        let now = Now::default();
        let screen = Screen { text: "x", title: "esc to interrupt · usage limit", ..Screen::default() };
        let reading = read(&screen, &Context { reader: &r, said: "", ours: &[], now });
        assert_eq!(reading.active.unwrap().source, "title");
        assert!(reading.limit.is_none());
    }

    #[test]
    fn what_goes_on_after_a_turn_is_told_and_history_is_not() {
        let claude = Reader { preset: Some("claude".into()), ..Reader::default() };
        let screen =
            |above: &str, footer: &str| format!("{above}\n\n────────────────\n❯\n────────────────\n  {footer}");
        let seen = |above: &str, footer: &str| look(&screen(above, footer), "", &claude).background.map(|e| e.line);
        let done = "● All done.\n\n✻ Sautéed for 0s";
        assert_eq!(seen(done, "? for shortcuts"), None);
        assert_eq!(seen(&format!("{done} · 2 shells still running"), "? for shortcuts"), Some(2));
        assert_eq!(seen(done, "⏵⏵ bypass permissions on · 1 shell · ↓ to manage"), Some(7));
        assert_eq!(seen(done, "1 shell · ← for agents · ↓ to manage"), Some(7));
        assert_eq!(seen("✻ Baked for 3s · 1 shell still running\n❯ go on\n● Done.", "? for shortcuts"), None);
        assert_eq!(seen("● ✻ Baked for 3s · 1 shell still running, it said", "← for agents"), None);
    }

    #[test]
    fn what_stands_below_our_text_is_an_answer_to_it() {
        let claude = Reader { preset: Some("claude".into()), ..Reader::default() };
        let ours = [(4, "watchdog nudge #4: go on from where you stopped".to_owned())];
        let answered = |below: &str, reader: &Reader| {
            let said = "● Old words.\n\n❯ watchdog nudge #4: go on from where\n  you stopped";
            let text = format!("{said}\n{below}\n────────────────\n❯\n────────────────\n  ? for shortcuts");
            let row = text.lines().count() as u16 - 3;
            let screen = Screen { text: &text, title: "", cursor: (2, row), colours: None };
            let read = read(&screen, &Context { reader, said: "", ours: &ours, now: Now::default() });
            (read.ours[0].count, read.ours[0].answered)
        };
        for reader in [&claude, &Reader::default()] {
            assert_eq!(answered("", reader), (1, false), "an echo is none");
            assert_eq!(answered("\n● Old words.", reader), (1, true));
        }
    }

    /// Whether the program has left is the shim's to say, not its screen's.
    #[test]
    fn a_status_line_like_a_shells_prompt_hides_no_work() {
        let text = "✶ Herding… (3s)\n\n────────────────\n❯\n────────────────\n  esc to interrupt\n~/shop $";
        let claude = Reader { preset: Some("claude".into()), ..Reader::default() };
        assert_eq!(look(text, "", &claude).active.unwrap().rule, "claude/working/spinner");
    }
}
