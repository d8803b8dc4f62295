//! The file to which an agent's hooks append, read as it grows.
//!
//! It is the agent's word about itself: an agent can write there whatever it likes. Lines that are no lines of ours are
//! skipped and counted.
use super::{
    hook_line::{self, HookRow},
    parse::Taken,
    tail::{Look, Skipped, Tail},
};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The hook starts a new file when it has grown to this; the one before is kept beside it.
pub const LARGEST: u64 = 1 << 20;
/// A path and a message, twice.
const LONGEST: usize = 16 << 10;
/// A file that grew beyond this was not written by hooks.
const HOSTILE: u64 = 8 * LARGEST;

/// Where the lines before the newest ones are: `NAME.hooks.old`.
pub fn older(path: &Path) -> PathBuf {
    let mut older = path.as_os_str().to_owned();
    older.push(".old");
    older.into()
}

#[derive(Debug)]
pub struct Hooks {
    tail: Tail,
}

impl Hooks {
    /// Nothing is opened yet.
    pub fn new(path: &Path) -> Hooks {
        Hooks { tail: Tail::with_longest(path, LONGEST) }
    }

    pub fn path(&self) -> &Path {
        self.tail.path()
    }

    /// What could not be read so far, since the file was begun.
    pub fn skipped(&self) -> Skipped {
        self.tail.skipped
    }

    /// Whether there is anything to read, at the price of one look at the file's data about itself.
    pub fn is_behind(&self) -> bool {
        self.tail.is_behind()
    }

    /// Gives every row that was told since the last call, also across a new file. No file: no rows. `anew` of the
    /// answer: a new file was begun, or somebody changed this one; rows that were given before stay true.
    pub fn read(&mut self, each: &mut dyn FnMut(HookRow)) -> io::Result<Look> {
        match fs::metadata(self.path()) {
            Ok(meta) if meta.len() > HOSTILE => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is far larger than hooks make it"));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Look::default()),
            _ => {}
        }
        let mut line = |line: &str, skipped: &mut Skipped| match hook_line::row(line) {
            Ok(row) => each(row),
            Err(Taken::Unknown) => skipped.unknown += 1,
            Err(_) => skipped.broken += 1,
        };
        let older = older(self.path());
        let rest = if self.tail.is_now(&older) { self.tail.read_at(&older, &mut line)? } else { Look::default() };
        let look = match self.tail.read(&mut || {}, &mut line) {
            // Between the two, the hook begins a new one.
            Err(e) if e.kind() == io::ErrorKind::NotFound => Look::default(),
            other => other?,
        };
        Ok(Look { grown: rest.grown + look.grown, anew: look.anew })
    }
}

/// The sessions that an agent's program named, with their files: what it still remembers of all of its runs.
pub(super) fn sessions(path: &Path) -> BTreeSet<(String, PathBuf)> {
    let mut sessions = BTreeSet::new();
    for path in [older(path), path.to_owned()] {
        // What cannot be read names nothing.
        let _ = Hooks::new(&path).read(&mut |row| {
            sessions.insert((row.session_id, row.transcript_path));
        });
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            time::Wall,
            transcript::{Cause, Program},
            zones::Zones,
        },
        transcripts::{
            hook_line::{HookEvent, Notice, line},
            said::folded,
        },
    };
    use std::io::Write;

    fn row(text: &str) -> Option<HookRow> {
        hook_line::row(text).ok()
    }

    fn input(event: &str, more: &str) -> String {
        format!(
            r#"{{"session_id":"a6503bdf-3374-4b39","transcript_path":"/h/.claude/projects/-p/a6503bdf-3374-4b39.jsonl","cwd":"/p","hook_event_name":"{event}"{more}}}"#
        )
    }

    fn told(event: &str, more: &str) -> Option<HookEvent> {
        let line = line(input(event, more).as_bytes(), Wall(1_000), 7)?;
        assert!(line.len() < LONGEST && !line.contains('\n'), "{line}");
        let row = row(&line).expect("a row");
        assert_eq!((row.at, row.run, row.session_id.as_str()), (Wall(1_000), 7, "a6503bdf-3374-4b39"));
        Some(row.event)
    }

    #[test]
    fn every_event_comes_through() {
        let long = "x".repeat(100_000);
        assert_eq!(
            told("SessionStart", r#","source":"startup","model":"m""#),
            Some(HookEvent::SessionStart { source: "startup".into() })
        );
        assert_eq!(
            told("UserPromptSubmit", r#","prompt":"  do it\r\nnow\n""#),
            Some(HookEvent::Prompt { folded: folded("do it\nnow"), length: 13 })
        );
        assert_eq!(
            told("Stop", r#","stop_hook_active":true,"background_tasks":[{"id":"b1"},{}]"#),
            Some(HookEvent::Stop { again: true, background: 2 })
        );
        assert_eq!(
            told("Notification", r#","message":"a\u001b]0;b\nc","notification_type":"idle_prompt""#),
            Some(HookEvent::Notification { kind: Notice::Idle, message: "a\\x1b]0;b\\nc".into() })
        );
        let Some(HookEvent::Notification { message, .. }) = told("Notification", &format!(r#","message":"{long}""#))
        else {
            panic!("none")
        };
        assert_eq!(message.chars().count(), 200);
        assert_eq!(
            told("PermissionRequest", r#","tool_name":"Bash","tool_input":{"command":"secret"}"#),
            Some(HookEvent::Permission { tool: "Bash".into() })
        );
        assert_eq!(told("SessionEnd", r#","reason":"clear""#), Some(HookEvent::SessionEnd { reason: "clear".into() }));
        assert_eq!(told("SubagentStop", r#","agent_id":"x""#), Some(HookEvent::SubagentStop));
        assert_eq!(told("PreToolUse", r#","tool_name":"Bash""#), None, "not asked for");
    }

    #[test]
    fn a_helpers_failure_is_not_the_agents() {
        let of = |more: &str| {
            let line = line(input("StopFailure", more).as_bytes(), Wall(1), 1).expect("a line");
            row(&line).expect("a row").helper
        };
        assert_eq!((of(r#","agent_id":"a157""#), of(""), of(r#","agent_id":null"#)), (true, false, false));
    }

    #[test]
    fn nothing_of_a_prompt_is_kept_but_its_hash() {
        let line = line(input("UserPromptSubmit", r#","prompt":"topsecret""#).as_bytes(), Wall(1), 1).expect("a line");
        assert!(!line.contains("topsecret"), "{line}");
    }

    #[test]
    fn a_failure_has_the_class_of_a_transcripts() {
        let text = r#","error":"rate_limit","last_assistant_message":"You've hit your limit · resets 7:12pm (UTC)""#;
        let line = line(input("StopFailure", text).as_bytes(), Wall(1_795_277_540_000), 1).expect("a line");
        let error = row(&line).and_then(|r: HookRow| r.failure(Zones::default())).expect("an error");
        assert_eq!(error.class, Cause::Limit);
        assert!(error.reset.is_some());
        assert_eq!(Program::of(None, "claude"), Some(Program::Claude));
    }

    #[test]
    fn junk_is_no_input_and_no_row() {
        for junk in ["", "{}", "[]", "null", "\u{0}", "{\"hook_event_name\":\"Stop\"}", "\u{feff}{}"] {
            assert_eq!(line(junk.as_bytes(), Wall(1), 1), None, "{junk}");
            assert_eq!(row(junk), None, "{junk}");
        }
        assert_eq!(line(&[0xff; 100], Wall(1), 1), None);
        assert_eq!(line(&b"[".repeat(1 << 20), Wall(1), 1), None, "deep");
        let good = line(input("Stop", "").as_bytes(), Wall(1), 1).expect("a line");
        assert!(row(&good).is_some());
        for (from, to) in [
            ("/h/", "h/"),
            ("\"v\":1", "\"v\":2"),
            ("\"run\":1", "\"run\":-1"),
            ("\"at\":\"", "\"at\":\"x"),
            ("a6503bdf-3374-4b39\",", "../../a6503bdf\","),
            ("Stop", "Other"),
            ("/h/", "/h\\u001b/"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert_eq!(row(&bad), None, "{bad}");
        }
    }

    struct Case {
        dir: tempfile::TempDir,
        hooks: Hooks,
    }

    fn case() -> Case {
        let dir = tempfile::tempdir().expect("a folder");
        Case { hooks: Hooks::new(&dir.path().join("a.hooks")), dir }
    }

    impl Case {
        fn append(&self, run: u64) {
            let line = line(input("Stop", "").as_bytes(), Wall(1), run).expect("a line") + "\n";
            let file = fs::File::options().append(true).create(true).open(self.hooks.path());
            file.and_then(|mut f| f.write_all(line.as_bytes())).expect("written");
        }
        fn read(&mut self) -> Vec<u64> {
            let mut runs = Vec::new();
            self.hooks.read(&mut |row| runs.push(row.run)).expect("read");
            runs
        }
    }

    #[test]
    fn nothing_is_lost_when_a_new_file_is_begun() {
        let mut case = case();
        assert!(case.read().is_empty(), "no file yet");
        case.append(1);
        assert_eq!(case.read(), [1]);
        case.append(2);
        fs::rename(case.hooks.path(), older(case.hooks.path())).expect("moved");
        assert!(case.read().is_empty(), "in between");
        case.append(3);
        assert!(case.hooks.is_behind());
        assert_eq!(case.read(), [2, 3]);
        assert!(case.read().is_empty());
        assert_eq!(sessions(case.hooks.path()).len(), 1, "one session in both files");
    }

    #[test]
    fn a_file_that_no_hook_wrote_is_refused() {
        let mut case = case();
        let path = case.dir.path().join("a.hooks");
        fs::write(&path, b"junk\n\n{\"v\":1}\n\xff\n").expect("written");
        case.append(1);
        assert_eq!(case.read(), [1]);
        let (broken, not_utf8) = (2, 1);
        assert_eq!(case.hooks.skipped(), Skipped { broken, not_utf8, ..Skipped::default() });
        fs::File::options().write(true).open(&path).and_then(|f| f.set_len(1 << 40)).expect("grown");
        assert!(case.hooks.read(&mut |_| {}).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(text in "\\PC{0,200}", cut in 0_usize..400) {
            let _ = row(&text);
            let good = line(input("StopFailure", r#","error":"x""#).as_bytes(), Wall(1), 1).unwrap_or_default();
            let _ = row(good.get(..cut).unwrap_or(&good));
            let _ = line(text.as_bytes(), Wall(1), 1);
        }
    }
}
