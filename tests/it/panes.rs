//! Every recorded screen under `tests/panes/`, read with the patterns that ship in `agents.example.toml`.
use agents::{
    backends::{self, Context, Screen},
    model::{policy::Reader, time::Now},
};
use regex::{Regex, RegexBuilder};
use std::{fs, path::Path};

#[test]
fn every_recorded_screen_reads_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example: toml::Table = toml::from_str(&fs::read_to_string(root.join("agents.example.toml")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for folder in fs::read_dir(root.join("tests/panes")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        let cli = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let reader = reader(example["backend"][&cli].as_table().unwrap());
        for file in fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            if file.extension().is_none_or(|e| e != "txt") {
                continue;
            }
            let facts: toml::Table = toml::from_str(&fs::read_to_string(file.with_extension("toml")).unwrap()).unwrap();
            let wanted = facts["state"].as_str().unwrap();
            count += 1;
            let seen = state(&reader, &fs::read_to_string(&file).unwrap(), facts["title"].as_str().unwrap());
            // That a program has ended is not read from its screen.
            if wanted != "exited" && seen.0 != wanted {
                wrong.push(format!(
                    "{cli}/{}: wanted {wanted}, got {seen:?}",
                    file.file_stem().unwrap().to_str().unwrap()
                ));
            }
        }
    }
    assert!(count > 40, "only {count} screens");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn reader(backend: &toml::Table) -> Reader {
    let pattern = |key: &str| -> Option<Regex> {
        let text = backend.get(key)?.as_str()?;
        Some(RegexBuilder::new(text).case_insensitive(true).build().unwrap())
    };
    Reader {
        active: pattern("active_re"),
        limit: pattern("limit_re"),
        fatal: pattern("fatal_re"),
        waiting: pattern("waiting_re"),
        draft: pattern("draft_re"),
        footer_ui: backend.get("footer_ui").and_then(toml::Value::as_bool).unwrap_or(false),
        ..Reader::default()
    }
}

/// The state in which a person would name the screen, and the row that says so: a limit that asks is a limit, any other
/// question outranks activity, and activity outranks what stands above it.
fn state(reader: &Reader, text: &str, title: &str) -> (&'static str, String) {
    let screen = Screen { text, title, cursor: (0, 0) };
    let reading = backends::read(&screen, &Context { reader, said: "", ours: &[], now: Now::default() });
    let row = |e: &Option<agents::model::reading::Evidence>| e.as_ref().map(|e| e.text.clone()).unwrap_or_default();
    if reading.waiting.is_some() && reading.limit.is_some() {
        ("limited", row(&reading.limit))
    } else if reading.waiting.is_some() {
        ("waiting", row(&reading.waiting))
    } else if reading.active.is_some() {
        ("working", row(&reading.active))
    } else if reading.limit.is_some() {
        ("limited", row(&reading.limit))
    } else if reading.fatal.is_some() {
        ("fatal", row(&reading.fatal))
    } else {
        ("idle", String::new())
    }
}

/// The recorded screens do not say where the cursor was: behind the draft, or else behind the prompt of the last row
/// that begins with one.
#[test]
fn a_draft_is_seen_in_the_input_line_and_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example: toml::Table = toml::from_str(&fs::read_to_string(root.join("agents.example.toml")).unwrap()).unwrap();
    let drafts = ["a draft that nobody sent", "another thought", "go on now"];
    let prompts = [("claude", "❯", 2), ("codex", "› ", 2), ("opencode", "  ┃", 5), ("gemini", " *   Type your", 3)];
    let (mut seen, mut empty) = (0, 0);
    for (cli, prompt, column) in prompts {
        let reader = reader(example["backend"][cli].as_table().unwrap());
        for file in fs::read_dir(root.join("tests/panes").join(cli)).unwrap().map(|e| e.unwrap().path()) {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            if file.extension().is_none_or(|e| e != "txt") || name.starts_with("waiting") || name.starts_with("exited")
            {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let find = |needle: &str| text.lines().enumerate().filter(|(_, l)| l.contains(needle)).last();
            let read = |cursor: (usize, usize)| {
                let screen = Screen { text: &text, title: "", cursor: (cursor.0 as u16, cursor.1 as u16) };
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
