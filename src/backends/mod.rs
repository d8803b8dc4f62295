//! What an agent CLI looks like: a captured pane becomes a [`Reading`]. The text stops here.
mod draft;
mod fold;
pub mod marker;
pub mod ours;
mod question;
pub mod reset_time;

use crate::model::{
    name::printable_cut,
    policy::Reader,
    reading::{Evidence, Reading},
    time::Now,
};
use regex::Regex;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One captured pane.
#[derive(Clone, Debug, Default)]
pub struct Screen<'a> {
    /// The visible rows, `\n` between them; blank rows at the end do not matter.
    pub text: &'a str,
    pub title: &'a str,
    /// Cursor column and row, 0-based.
    pub cursor: (u16, u16),
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
/// A reset time stands at most this many rows below the first row of its banner.
const BANNER_ROWS: usize = 4;

/// Folds what we said, once, for [`Context::said`].
pub fn said(text: &str) -> String {
    fold::words(text)
}

/// Reads one screen with the user's patterns.
pub fn read(screen: &Screen, ctx: &Context) -> Reading {
    let text = screen.text.trim_end();
    let said = ctx.said;
    let find = |re: &Option<Regex>, rule: &str, part: &str| {
        re.as_ref().and_then(|re| find_unquoted(re, rule, text, part, said))
    };
    let title = |re: &Option<Regex>, rule: &str| {
        re.as_ref().filter(|re| re.is_match(screen.title)).map(|_| Evidence {
            source: "title".into(),
            rule: rule.into(),
            line: 0,
            text: printable_cut(screen.title, 200),
            quoted: false,
        })
    };
    let live = if ctx.reader.footer_ui { last_rows(text, FOOTER_ROWS) } else { text };
    let limit = find(&ctx.reader.limit, "limit_re", text);
    let reset = limit.as_ref().and_then(|e| {
        let banner: Vec<&str> = text.lines().skip(e.line).take(BANNER_ROWS).collect();
        reset_time::parse(&banner.join("\n"), ctx.now)
    });
    Reading {
        at: ctx.now.boot,
        screen: hash(&(text, screen.title, screen.cursor)),
        blank: text.is_empty(),
        active: find(&ctx.reader.active, "active_re", live).or_else(|| title(&ctx.reader.active, "active_re")),
        limit,
        fatal: find(&ctx.reader.fatal, "fatal_re", text),
        waiting: find(&ctx.reader.waiting, "waiting_re", text)
            .map(|e| question::worded(text, e))
            .or_else(|| title(&ctx.reader.waiting, "waiting_re")),
        reset,
        waiting_until: marker::waiting_until(text, ctx.reader.footer_ui, ctx.now),
        draft: draft::find(text, screen.cursor, ctx.reader.draft.as_ref(), ctx.ours),
        ours: ours::find(text, screen.cursor, draft::up_to(text, screen.cursor, ctx.reader.draft.as_ref()), ctx.ours),
    }
}

/// The last `n` rows of a text without blank rows at its end.
fn last_rows(text: &str, n: usize) -> &str {
    match text.rmatch_indices('\n').nth(n - 1) {
        Some((at, _)) => &text[at + 1..],
        None => text,
    }
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
        read(&Screen { text, title: "", cursor: (0, 0) }, &Context { reader, said: &super::said(said), ours: &[], now })
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
    fn a_wrapped_banner_is_found_on_its_first_row() {
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
        let screen = Screen { text: "x", title: "esc to interrupt · usage limit", cursor: (0, 0) };
        let reading = read(&screen, &Context { reader: &r, said: "", ours: &[], now });
        assert_eq!(reading.active.unwrap().source, "title");
        assert!(reading.limit.is_none());
    }
}
