//! Session files of the real programs, recorded, and what is made of them.
//! `AGENTS_WRITE_GOLDEN=1 cargo test --test it transcripts` writes the pages beside them anew.
use agents::{
    model::{
        time::Wall,
        transcript::{Cause, Program, Row, Tokens, What},
        zones::Zones,
    },
    transcripts::{Transcript, usage::Adder},
    view::transcript::{Look, Page},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// `claude-2.1.197-blocks` -> its file, its program.
fn recorded() -> Vec<(String, PathBuf, Program)> {
    let mut found: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let program = Program::named(name.split('-').next().unwrap()).unwrap();
            (name, path, program)
        })
        .collect();
    found.sort();
    found
}

fn read(name: &str) -> (Vec<Row>, Transcript) {
    let (_, path, program) = recorded().into_iter().find(|(n, ..)| n == name).unwrap();
    let mut rows = Vec::new();
    let mut file = Transcript::new(program, &path, Zones::default());
    file.read(&mut |row| rows.push(row)).unwrap();
    (rows, file)
}

/// `limit until Nov 21 19:12: …` -> `limit until …`
fn without_moment(text: &str) -> String {
    match text.split_once(" until ").filter(|(before, _)| before.ends_with("limit")) {
        Some((before, rest)) => format!("{before} until …{}", rest.get(12..).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Without times: those that are shown depend on where the test runs.
fn page(rows: &[Row]) -> String {
    let mut page = Page::new(Look::default());
    let mut out = String::new();
    for row in rows {
        match (page.entry(row), &row.what) {
            (Some(entry), _) => {
                for line in entry.lines {
                    let text = line.get(10..).unwrap_or_default();
                    out.push_str(&without_moment(text));
                    out.push('\n');
                }
            }
            (None, What::Used(usage)) => {
                let Tokens { input, output, cache_read, cache_write } = usage.tokens;
                let cost = usage.cost_usd.map(|usd| format!(", {usd:.5} USD")).unwrap_or_default();
                out.push_str(&format!(
                    "used    {input} in, {output} out, {cache_read} read, {cache_write} written{cost}\n"
                ));
            }
            (None, other) => out.push_str(&format!("hidden  {other:?}\n")),
        }
    }
    out
}

#[test]
fn recorded_sessions_read_as_their_pages() {
    let mut wrong = Vec::new();
    for (name, path, _) in recorded() {
        let (rows, file) = read(&name);
        let skipped = file.skipped();
        assert_eq!((skipped.broken, skipped.unknown, skipped.not_utf8), (0, 0, 0), "{name}");
        let (shown, golden) = (page(&rows), path.with_extension("txt"));
        if std::env::var_os("AGENTS_WRITE_GOLDEN").is_some() {
            fs::write(&golden, &shown).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != shown {
            wrong.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_said_and_used_is_counted_once() {
    let (rows, file) = read("claude-2.1.197");
    let at = |text: &str| Wall::parse_rfc3339(text).unwrap();
    let typed = "Eighth: two\nlines  with \"quotes\" and é漢 MARK-8\n\nand more";
    assert!(file.has_said(typed, at("2026-11-21T16:13:44Z")));
    assert!(!file.has_said(typed, at("2026-11-21T16:13:45Z")), "that was before");
    assert!(!file.has_said("Eighth: two", Wall(0)), "only a part of it");
    let queued = What::Queued { text: "Ninth: while busy MARK-9".into() };
    assert!(rows.iter().any(|r| r.what == queued && r.at >= Some(at("2026-11-21T16:13:51Z"))));
    let worked = file.standing().worked.unwrap();
    assert!(worked >= at("2026-11-21T16:13:45Z") && worked < at("2026-11-21T17:00:00Z"));
    let errors: Vec<_> =
        rows.iter().filter_map(|r| if let What::Failed(e) = &r.what { Some(e) } else { None }).collect();
    assert_eq!(errors[1].class, Cause::Limit);
    assert_eq!(errors[1].reset, Some(at("2026-11-21T19:12:00Z")));

    let (_, steered) = read("claude-2.1.197-steered");
    assert!(steered.has_said("Meanwhile MARK-23", at("2026-11-21T16:26:54Z")), "it went into the turn");

    // Four blocks of one answer, each with the usage of the whole; and a helper's own conversation.
    let mut adder = Adder::since(Wall(0));
    for (name, helper) in [("claude-2.1.197-blocks", false), ("claude-2.1.197-helper", true)] {
        adder.next_file();
        read(name).0.iter().for_each(|row| adder.take(row, helper));
    }
    let sum = adder.sum();
    assert_eq!((sum.turns, sum.tokens.output, sum.tokens.cache_read, sum.cost_usd), (4, 6 * 123 + 3, 35_000, None));
    let mut adder = Adder::since(at("2026-11-21T16:13:00Z"));
    read("codex-0.169.0").0.iter().for_each(|row| adder.take(row, false));
    assert_eq!((adder.sum().turns, adder.sum().tokens.total()), (5, 240), "of 9 counts, 2 are news since then");
}

/// Bytes flipped, cut and doubled: lines are lost, and nothing else happens.
#[test]
fn damaged_files_lose_lines_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    for (name, path, program) in recorded() {
        let whole = fs::read(path).unwrap();
        for (step, byte) in [(997, 0xff_u8), (613, b'"'), (1501, b'\n'), (401, 0), (2003, b'{')] {
            let mut bytes = whole.clone();
            bytes.iter_mut().skip(step / 2).step_by(step).for_each(|b| *b = byte);
            let place = dir.path().join("damaged.jsonl");
            fs::write(&place, &bytes).unwrap();
            let mut rows = 0;
            Transcript::new(program, &place, Zones::default())
                .read(&mut |_| rows += 1)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(rows < 1000, "{name}");
        }
    }
}

#[test]
fn hostile_lines_are_skipped_and_what_follows_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let deep = format!("{{\"type\":\"user\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let wrong = [
        "",
        "null",
        "[]",
        "{",
        "{}",
        "\"text\"",
        "{\"type\":7}",
        "{\"type\":\"user\",\"message\":7}",
        &deep,
        "{\"type\":\"user\",\"type\":\"user\"}",
        "{\"type\":\"assistant\",\"message\":{\"usage\":{\"input_tokens\":-1}}}",
        "{\"type\":\"assistant\",\"message\":{\"id\":\"m\",\"model\":\"x\",\"usage\":{\"input_tokens\":18446744073709551615,\"output_tokens\":18446744073709551615}}}",
        "{\"timestamp\":\"never\",\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":{\"total_token_usage\":{\"output_tokens\":1e99}}}}",
        "{\"type\":\"response_item\",\"payload\":{\"type\":\"function_call\",\"arguments\":\"{\"}}",
    ];
    let last = [
        "{\"type\":\"user\",\"timestamp\":\"2026-11-21T16:00:00Z\",\"message\":{\"content\":\"the last\"}}",
        "{\"type\":\"event_msg\",\"timestamp\":\"2026-11-21T16:00:00Z\",\"payload\":{\"type\":\"user_message\",\"message\":\"the last\"}}",
    ];
    for (program, last) in Program::ALL.into_iter().zip(last) {
        let place = dir.path().join(program.as_str());
        fs::write(&place, format!("{}\n{last}\n", wrong.join("\n"))).unwrap();
        let mut file = Transcript::new(program, &place, Zones::default());
        file.read(&mut |_| {}).unwrap();
        assert!(file.has_said("the last", Wall(0)), "{}", program.as_str());
        assert!(file.skipped().broken >= 5, "{:?}", file.skipped());
    }
}
