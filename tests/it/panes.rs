//! Every recorded screen under `tests/panes/`, read with the presets.
use agents::{
    backends::{self, Context, Process, Screen, Verdict, colours::Colours, judge},
    model::{
        policy::{PRESETS, Reader},
        time::{Now, Wall},
    },
};
use std::{fs, path::Path};

/// One recorded screen and what a person says of it.
struct Recorded {
    name: String,
    cli: String,
    text: String,
    facts: toml::Table,
}

impl Recorded {
    fn word(&self, key: &str) -> Option<&str> {
        self.facts.get(key).and_then(toml::Value::as_str)
    }

    fn verdict(&self) -> Verdict {
        let (text, _) = Colours::split(&self.text);
        let screen = Screen { text: &text, title: self.word("title").unwrap_or_default(), ..Screen::default() };
        let now = self.word("now").map_or_else(Now::default, |now| {
            let at = chrono::DateTime::parse_from_rfc3339(now).unwrap();
            Now { wall: Wall(at.timestamp_millis()), utc_offset_s: at.offset().local_minus_utc(), ..Now::default() }
        });
        let reader = Reader { preset: Some(self.cli.clone()), ..Reader::default() };
        let about = Context { reader: &reader, said: "", ours: &[], now };
        // A recorder that starts the program by `env` sees that name in a dead pane.
        let command = self.word("command").filter(|c| *c != "env");
        let dead = self.facts.get("dead").and_then(toml::Value::as_integer).map(|code| code as i32);
        judge(&screen, Process { command, dead }, &about)
    }

    /// What is wrong with the reading.
    fn wrong(&self) -> Option<String> {
        let verdict = self.verdict();
        let error = verdict.error.as_ref().map(|e| e.class.as_str());
        let reset = verdict.reset_at.map(|at| at.0);
        let wanted = self.word("reset").map(|at| chrono::DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis());
        let state_fits = self.word("state") == Some(verdict.state.as_str());
        let error_fits = self.facts.get("error").is_none() || self.word("error") == error;
        let reset_fits = wanted.is_none() || wanted == reset;
        (!state_fits || !error_fits || !reset_fits).then(|| {
            let found = verdict.evidence.first().map(|(_, e)| (&e.rule, &e.text));
            let (state, error) = (self.word("state").unwrap_or("-"), self.word("error").unwrap_or("-"));
            let read = verdict.state.as_str();
            format!(
                "{}: wanted {state} {error} {wanted:?}, got {read} {:?} {reset:?} by {found:?}",
                self.name, verdict.error
            )
        })
    }
}

/// Every screen in a folder; `cli`: whose they are, unless the facts say so.
fn recorded(folder: &Path, cli: Option<&str>) -> Vec<Recorded> {
    let mut all = Vec::new();
    let Ok(files) = fs::read_dir(folder) else { return all };
    for path in files.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "txt")) {
        let facts: toml::Table = toml::from_str(&fs::read_to_string(path.with_extension("toml")).unwrap()).unwrap();
        let of = facts.get("cli").and_then(toml::Value::as_str).or(cli).unwrap().to_owned();
        let name = format!("{}/{}", folder.file_name().unwrap().display(), path.file_stem().unwrap().display());
        all.push(Recorded { name, cli: of, text: fs::read_to_string(&path).unwrap(), facts });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn shipped() -> Vec<Recorded> {
    let panes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/panes");
    PRESETS.iter().flat_map(|cli| recorded(&panes.join(cli), Some(cli))).collect()
}

#[test]
fn every_recorded_screen_reads_as_a_person_would() {
    let all = shipped();
    let wrong: Vec<String> = all.iter().filter_map(Recorded::wrong).collect();
    assert!(all.len() > 80, "only {} screens", all.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// Screens that nobody looked at who wrote rules. Their number is told, and must not fall.
#[test]
fn most_unseen_screens_are_read_right() {
    let panes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/panes/unseen");
    let all: Vec<Recorded> = PRESETS.iter().flat_map(|cli| recorded(&panes.join(cli), Some(cli))).collect();
    let wrong = all.iter().filter(|r| r.wrong().is_some()).count();
    println!("unseen: {} of {} read right", all.len() - wrong, all.len());
    assert!(all.len() > 100 && wrong * 20 <= all.len(), "{wrong} of {} unseen screens are read wrong", all.len());
}

/// Rows that come up rarely, in the place where the program draws them.
#[test]
fn rows_that_come_up_rarely() {
    let claude =
        |above: &str, footer: &str| format!("{above}\n\n──────────────────\n❯\u{a0}\n──────────────────\n{footer}\n");
    let codex = |above: &str| format!("{above}\n\n› Ask Codex to do anything\n\n  stub default · /home/dev\n");
    let cases = [
        ("claude", "working", claude("✶ Fixing Scanner Buffer Overflow… (1m 16s · ↓ 938 tokens)", "  ? for shortcuts")),
        ("claude", "working", claude("✻ API error · Retrying in 4s · attempt 4/10", "")),
        ("claude", "working", claude("", "  ⏵⏵ accept edits on (shift+tab to cycle) · esc to interrupt")),
        ("claude", "working", claude("✻ Waiting for 1 background agent to finish", "")),
        ("claude", "idle", claude("✻ Cooked for 1m 42s", "  2 shells still running")),
        ("claude", "idle", claude("✽ Herding… (18s)\n\n● Done.\n\n✻ Cooked for 19s", "")),
        ("claude", "idle", claude("", "  used 98% of your session limit · resets 8:40pm")),
        (
            "claude",
            "idle",
            claude("● API Error: Server is temporarily limiting requests (not your usage limit) · Rate limited", ""),
        ),
        (
            "claude",
            "limited",
            claude("● You’re out of extra usage · resets 3pm\n\n✶ Herding… (3s)", "  esc to interrupt"),
        ),
        (
            "claude",
            "limited",
            claude("  ⎿  5-hour limit reached ∙ resets 3pm\n     /upgrade to increase your usage limit.", ""),
        ),
        ("claude", "idle", claude("  ⎿  5-hour limit reached ∙ resets 3pm\n\n❯ go on\n\n● Done.", "")),
        ("claude", "waiting", " Do you want to make this edit to a.rs?\n ❯ 1. Yes\n   2. No".to_owned()),
        ("claude", "waiting", "Enter to select · ↑/↓ to navigate · Esc to cancel".to_owned()),
        ("claude", "idle", claude("❯ 1. Do this\n     2. then that", "  ? for shortcuts")),
        ("codex", "working", codex("• Starting MCP servers (1/2): sentry (31s • esc to interrupt)")),
        ("codex", "idle", codex("• Working (2s • esc to interrupt)\n\n• All done.\n\n─ Worked for 1m 22s ─────")),
        (
            "codex",
            "waiting",
            "  Would you?\n› 1. Yes\n  Press ctrl + x ctrl + s to confirm or esc to cancel".to_owned(),
        ),
        (
            "opencode",
            "working",
            "  ┃\n  ┃  Build · Stub\n  ╹▀▀▀▀▀▀▀▀\n   ⬝⬝■■■■■■ Server error [retrying in 1s attempt #1]".to_owned(),
        ),
        ("gemini", "waiting", "│ Apply this change?\n│ ● 1. Yes".to_owned()),
        (
            "gemini",
            "limited",
            "│ Usage limit reached for gemini-2.5-pro. Access resets at 2:00 PM.\n│ ● 1. Stop".to_owned(),
        ),
    ];
    for (cli, state, text) in cases {
        let facts = format!("state = \"{state}\"").parse().unwrap();
        let one = Recorded { name: text.clone(), cli: cli.into(), text, facts };
        assert_eq!(one.wrong(), None);
    }
}

/// What is only quoted, printed or history moves nobody to act.
#[test]
fn no_hostile_screen_is_taken_for_what_it_quotes() {
    let all = recorded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/panes/hostile"), None);
    let wrong: Vec<String> = all.iter().filter_map(Recorded::wrong).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// The recorded screens do not say where the cursor was: behind the draft, or else behind the prompt of the last row
/// that begins with one.
#[test]
fn a_draft_is_seen_in_the_input_line_and_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let drafts = ["a draft that nobody sent", "another thought", "go on now"];
    let prompts = [("claude", "❯", 2), ("codex", "› ", 2), ("opencode", "  ┃", 5), ("gemini", " *   Type your", 3)];
    let (mut seen, mut empty) = (0, 0);
    for (cli, prompt, column) in prompts {
        let reader = Reader { preset: Some(cli.to_owned()), ..Reader::default() };
        for file in fs::read_dir(root.join("tests/panes").join(cli)).unwrap().map(|e| e.unwrap().path()) {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            if file.extension().is_none_or(|e| e != "txt")
                || name.starts_with("waiting")
                || name.starts_with("exited")
                || (name.contains("draft") && !name.ends_with("-draft"))
            {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let find = |needle: &str| text.lines().enumerate().filter(|(_, l)| l.contains(needle)).last();
            let read = |cursor: (usize, usize)| {
                let screen = Screen { text: &text, cursor: (cursor.0 as u16, cursor.1 as u16), ..Screen::default() };
                let ours = [(1, drafts[0].to_owned())];
                backends::read(&screen, &Context { reader: &reader, said: "", ours: &ours, now: Now::default() }).draft
            };
            if name.ends_with("-draft") {
                let (draft, (row, line)) = drafts.iter().find_map(|d| Some((*d, find(d)?))).unwrap();
                let end = line[..line.find(draft).unwrap()].chars().count() + draft.chars().count();
                let found = read((end, row)).unwrap_or_else(|| panic!("{cli}/{name}: no draft"));
                assert_eq!((found.text.as_str(), found.ours.is_some()), (draft, draft == drafts[0]), "{cli}/{name}");
                if cli == "gemini" {
                    assert_eq!(read((0, text.lines().count())).as_ref(), Some(&found), "cursor parked below");
                }
                seen += 1;
            } else if let Some((row, _)) = text.lines().enumerate().filter(|(_, l)| l.starts_with(prompt)).last() {
                // OpenCode draws three rows: the input line is above the last but one.
                let row = if cli == "opencode" { row.saturating_sub(2) } else { row };
                assert_eq!(read((column, row)), None, "{cli}/{name}");
                if cli == "gemini" {
                    assert_eq!(read((0, text.lines().count())), None, "{cli}/{name}: cursor parked below");
                }
                empty += 1;
            }
        }
    }
    assert!(seen >= 8 && empty > 40, "{seen} {empty}");
}
