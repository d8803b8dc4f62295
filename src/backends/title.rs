//! The pane's title as evidence: what the user's patterns find in it.
//!
//! The program draws it like its screen, so it is no second channel beside the screen: enough for a state and for leaving
//! an agent alone, never enough to end one. Titles hold names of folders and sums of conversations, so that `title_*`
//! patterns count at the beginning alone.
use super::Screen;
use crate::model::{name::printable_cut, reading::Evidence};
use regex::Regex;

/// A pattern for the screen that holds anywhere in the title.
pub(super) fn has(re: &Option<Regex>, rule: &str, screen: &Screen) -> Option<Evidence> {
    re.as_ref().filter(|re| re.is_match(screen.title)).map(|_| evidence(rule, screen))
}

/// A pattern for titles: it holds where the title begins with it. One that matches nothing at all says nothing.
pub(super) fn begins(re: &Option<Regex>, rule: &str, screen: &Screen) -> Option<Evidence> {
    let found = re.as_ref()?.find(screen.title)?;
    (found.start() == 0 && found.end() > 0).then(|| evidence(rule, screen))
}

fn evidence(rule: &str, screen: &Screen) -> Evidence {
    let text = printable_cut(screen.title, 200);
    Evidence { source: "title".into(), rule: rule.into(), line: 0, text, quoted: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backends::{Context, Process, judge, read},
        model::{
            policy::{Reader, TitleRules},
            seen::Seen,
            time::Now,
        },
    };

    fn reader() -> Reader {
        let re = |text| Regex::new(text).ok();
        let title = TitleRules { active: re("[⠁-⣿] "), idle: re("ready"), waiting: re("(?i)action required") };
        Reader { title, ..Reader::default() }
    }

    /// What is decided by, and what a person is told.
    fn seen(text: &str, title: &str) -> (Option<String>, Option<String>, Seen) {
        let reader = reader();
        let screen = Screen { text, title, ..Screen::default() };
        let ctx = Context { reader: &reader, said: "", ours: &[], now: Now::default() };
        let reading = read(&screen, &ctx);
        let rule = |e: Option<Evidence>| e.map(|e| format!("{} {}", e.source, e.rule));
        (rule(reading.active), rule(reading.waiting), judge(&screen, Process::default(), &ctx).state)
    }

    #[test]
    fn titles_speak_where_they_begin() {
        assert_eq!(seen("x", "⠂ shop"), (Some("title title_active_re".into()), None, Seen::Working));
        assert_eq!(seen("x", "Action Required: shop"), (None, Some("title title_waiting_re".into()), Seen::Waiting));
        assert_eq!(seen("x", "ready (shop)"), (None, None, Seen::Idle));
        // A folder or a conversation may be called anything.
        let (active, waiting, state) = seen("x", "OC | action required ⠂ ready");
        assert_eq!((active, waiting), (None, None));
        assert!(!matches!(state, Seen::Working | Seen::Waiting), "{state:?}");
    }

    #[test]
    fn an_empty_match_is_none() {
        let reader =
            Reader { title: TitleRules { active: Regex::new("x*").ok(), ..TitleRules::default() }, ..reader() };
        let screen = Screen { title: "shop", ..Screen::default() };
        assert_eq!(begins(&reader.title.active, "title_active_re", &screen), None);
    }
}
