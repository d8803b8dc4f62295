//! Bad configs and what is said about them: `tests/configs/NAME.toml` beside `NAME.check` and `NAME.run`.
//!
//! To write the expected files anew after a wanted change: `AGENTS_WRITE_GOLDEN=1 cargo test --test it configs`.
use agents::config::{Fault, ListedDisk, Loaded, Source, Strictness, load};
use proptest::prelude::*;
use std::{fs, path::Path};

const EXAMPLE: &str = include_str!("../../agents.example.toml");

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs")
}

/// The fleet of all these configs: `/fleet`, with a few prompt files.
fn disk() -> ListedDisk {
    let mut disk = ListedDisk::with(
        ["lead.md", "wake.md", "kickoff.md", "builder.md", "adversary.md"].map(|f| format!("/fleet/prompts/{f}")),
    );
    disk.files.insert("/fleet/taken".into());
    disk
}

fn read(text: &str, strictness: Strictness) -> Result<Loaded, Vec<Fault>> {
    let source = Source { path: Path::new("/fleet/agents.toml"), text, home: Some(Path::new("/home/me")) };
    load(&source, &disk(), strictness)
}

/// Everything a reader would see, and which agents cannot run.
fn told(text: &str, strictness: Strictness) -> String {
    let mut out = String::new();
    let loaded = read(text, strictness);
    let faults = match &loaded {
        Ok(loaded) => &loaded.faults,
        Err(faults) => faults,
    };
    for fault in faults {
        out.push_str(&fault.render(false));
        out.push_str("\n\n");
    }
    match &loaded {
        Err(_) => out.push_str("-> nothing runs\n"),
        Ok(loaded) => {
            let p = &loaded.policy;
            assert_eq!(p.warnings.len(), loaded.faults.len());
            let agents = p.agents.iter().map(|a| ("agent", &a.name, &a.fault));
            for (kind, name, fault) in agents.chain(p.services.iter().map(|s| ("service", &s.name, &s.fault))) {
                let state = fault.as_ref().map_or("runs".to_owned(), |f| format!("does not run: {f}"));
                out.push_str(&format!("-> {kind} {} {state}\n", agents::model::name::printable(name)));
            }
            if p.agents.is_empty() {
                out.push_str("-> no agents\n");
            }
        }
    }
    out
}

#[test]
fn each_bad_config_is_answered_as_recorded() {
    let write = std::env::var_os("AGENTS_WRITE_GOLDEN").is_some();
    let mut names: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    names.sort();
    assert!(names.len() > 20);
    let mut wrong = Vec::new();
    for path in names {
        let text = fs::read_to_string(&path).unwrap();
        for (strictness, extension) in [(Strictness::Check, "check"), (Strictness::Run, "run")] {
            let (told, file) = (told(&text, strictness), path.with_extension(extension));
            if write {
                fs::write(&file, &told).unwrap();
            } else if fs::read_to_string(&file).unwrap_or_default() != told {
                wrong.push(format!("{}:\n{told}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "answered differently:\n{}", wrong.join("\n"));
}

#[test]
fn every_fault_has_a_line_a_column_and_a_hint() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let faults = match read(&text, Strictness::Check) {
            Ok(loaded) => loaded.faults,
            Err(faults) => faults,
        };
        if !path.file_name().unwrap().to_string_lossy().starts_with("good-") {
            assert!(!faults.is_empty(), "{}", path.display());
        }
        for fault in faults {
            assert!(fault.hint.is_some(), "{}: {}", path.display(), fault.one_line());
            assert!(fault.line >= 1 && fault.column >= 1 && fault.end_column > fault.column);
            assert!(fault.render(false).contains(&format!("agents.toml:{}:{}", fault.line, fault.column)));
            assert!(!fault.one_line().contains('\n'));
        }
    }
}

#[test]
fn the_example_has_no_fault() {
    for strictness in [Strictness::Check, Strictness::Run] {
        let loaded = read(EXAMPLE, strictness).unwrap_or_else(|f| panic!("{}", f[0].render(false)));
        assert!(loaded.faults.is_empty(), "{}", loaded.faults[0].render(false));
        let p = loaded.policy;
        assert_eq!(p.agents.len(), 4);
        assert_eq!(p.backends.len(), 5);
        assert_eq!(p.phases.unwrap().phases.len(), 2);
    }
    // A copy of it beside the project's own prompts is complete.
    let prompts = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    let names = fs::read_dir(prompts).unwrap().map(|e| Path::new("/fleet/prompts").join(e.unwrap().file_name()));
    let disk = ListedDisk::with(names);
    let source = Source { path: Path::new("/fleet/agents.toml"), text: EXAMPLE, home: None };
    assert!(load(&source, &disk, Strictness::Check).is_ok_and(|l| l.faults.is_empty()));
}

/// The example with every commented-out key switched on: each must be a key that exists, with a value of its type.
#[test]
fn the_examples_comments_are_right_too() {
    let text: String = EXAMPLE
        .lines()
        .map(|l| {
            let bare = l.strip_prefix('#').filter(|r| r.starts_with(|c: char| c.is_ascii_lowercase() || c == '['));
            format!("{}\n", bare.filter(|r| r.contains('=') || r.starts_with('[')).unwrap_or(l))
        })
        .collect();
    let loaded = read(&text, Strictness::Check).unwrap_or_else(|f| panic!("{}", f[0].render(false)));
    assert!(loaded.faults.is_empty(), "{}", loaded.faults[0].render(false));
    // And every key of the table appears.
    for section in agents::config::key_table_markdown().split("### ").skip(1) {
        for row in section.lines().filter_map(|l| l.strip_prefix("| `")) {
            let key = row.split('`').next().unwrap();
            let seen = text.lines().any(|l| l.trim_start().starts_with(&format!("{key} =")))
                || text.contains(&format!("{key} = "));
            let header = text.contains(&format!("[{key}]")) || text.contains(&format!(".{key}]"));
            assert!(seen || header, "`{key}` is not in the example");
        }
    }
}

#[test]
fn defaults_are_those_of_today() {
    let text = "[defaults]\nsession_prefix='p-'\nlog_dir='l'\n[backend.x]\nbin='x'\n[[agent]]\nname='a'\nbackend='x'\n";
    let p = read(text, Strictness::Check).unwrap().policy;
    let w = &p.watchdog;
    assert_eq!((w.signal_interval.as_secs(), w.heavy_interval.as_secs()), (30, 300));
    assert_eq!(
        (w.limit_probe_fallback.as_secs(), w.limit_reset_slack.as_secs(), w.stall_grace.as_secs()),
        (300, 45, 180)
    );
    let b = &p.agents[0].backend;
    assert_eq!((b.model_flag.as_str(), b.resume_flag.as_str()), ("--model '{model}'", "--resume '{id}'"));
    assert_eq!((b.remote_control_flag.as_str(), b.attach.as_str()), ("--remote-control '{session}'", "{bin}"));
    assert_eq!((b.connect_delay.as_secs(), b.stall_idle.as_secs(), b.reader.log_grace.as_secs()), (12, 300, 180));
    assert_eq!(b.submit_key, None);
    assert!(b.reader.active.is_none() && b.reader.waiting.is_none());
    let a = &p.agents[0];
    assert_eq!((a.session.as_str(), a.kind.as_str(), a.watch.as_str(), a.enabled), ("p-a", "persistent", "none", true));
    assert_eq!((a.dir.as_path(), p.log_dir.as_path()), (Path::new("/fleet"), Path::new("/fleet/l")));
    assert_eq!((p.tmux.size, p.log.max_bytes), ((200, 50), 100_000_000));
    assert!(p.phases.is_none());
}

const HEAD: &str = "[defaults]\nsession_prefix='p-'\nlog_dir='l'\nbackend='x'\n[backend.x]\nbin='x'\n";

/// Which agents run, and which do not.
fn runs(tail: &str) -> Vec<(String, bool)> {
    let loaded = read(&format!("{HEAD}{tail}"), Strictness::Run).unwrap_or_else(|f| panic!("{}", f[0].one_line()));
    loaded.policy.agents.iter().map(|a| (a.name.clone(), a.fault.is_none())).collect()
}

#[test]
fn fault_01_a_slip_in_one_agent_stops_only_that_one() {
    for slip in [
        "[[agent]]\nname='bad'\nbackend='nothing'\n",
        "[[agent]]\nname='bad'\nbackend='y'\n[backend.y]\nbin='y'\nactive_re='('\n",
        "[[agent]]\nname='bad'\nprompt_file='nothing.md'\n",
        "[[agent]]\nname='bad'\nkind='loop'\n",
        "[[agent]]\nname='bad'\nenabled=3\n",
        "[[agent]]\nname='bad'\nbackend=''\n",
    ] {
        assert_eq!(
            runs(&format!("{slip}[[agent]]\nname='good'\n")),
            [("bad".into(), false), ("good".into(), true)],
            "{slip}"
        );
    }
    assert_eq!(runs("[[agent]]\nmodel='nameless'\n[[agent]]\nname='good'\n"), [("good".into(), true)]);
}

#[test]
fn fault_06_names_that_tmux_would_change_are_refused() {
    for name in ["my.proj", "a:b", "-a", "a b", "#(x)", "a;", "é"] {
        assert_eq!(runs(&format!("[[agent]]\nname='{name}'\n")), [(name.into(), false)]);
    }
    let text = "[defaults]\nsession_prefix='my.proj-'\nlog_dir='l'\n";
    let faults = read(text, Strictness::Run).err().unwrap();
    assert_eq!(faults[0].hint.as_deref(), Some("for example `my-proj-`"));
}

#[test]
fn fault_08_fractions_are_taken_and_what_would_spin_is_not() {
    let interval = |text: &str| {
        read(&format!("{HEAD}[watchdog]\nsignal_interval={text}\n"), Strictness::Run)
            .map(|l| l.policy.watchdog.signal_interval.as_millis())
    };
    assert_eq!((interval("0.5"), interval("'90s'"), interval("'1h30m'")), (Ok(500), Ok(90_000), Ok(5_400_000)));
    for text in ["0", "0.0", "-1", "-0.5", "nan", "inf", "1e18", "'-5s'", "0.000001"] {
        assert!(interval(text).is_err(), "{text}");
    }
}

#[test]
fn fault_15_a_phase_without_status_is_said_and_stays() {
    let text = format!("{HEAD}[[loop.phases]]\nid='one'\n[[loop.phases]]\nid='two'\nstatus='S'\n");
    let policy = read(&text, Strictness::Run).unwrap().policy;
    let phases = policy.phases.unwrap().phases;
    assert_eq!((phases[0].status.as_str(), phases[1].status.as_str()), ("", "S"));
    assert!(policy.warnings[0].contains("phase `one` has no `status`"));
}

#[test]
fn fault_35_two_with_one_session_or_a_slash_in_a_name_are_said() {
    assert_eq!(
        runs("[[agent]]\nname='a'\n[[agent]]\nname='b'\nsession='p-a'\n[[agent]]\nname='c/d'\n"),
        [("a".into(), true), ("b".into(), false), ("c/d".into(), false)]
    );
}

#[test]
fn fault_37_typos_are_said_and_taken_as_before() {
    let text = format!("{HEAD}prompt_delivery='exce'\nunknwon=1\n[[agent]]\nname='a'\nwatch='nonee'\n");
    let loaded = read(&text, Strictness::Run).unwrap();
    assert_eq!(loaded.policy.agents[0].watch.as_str(), "heal");
    assert_eq!(loaded.policy.warnings.len(), 3);
    assert_eq!(read(&text, Strictness::Check).unwrap().faults.len(), 3);
}

#[test]
fn later_names_replace_earlier_ones_on_their_place() {
    let text = "[defaults]\nsession_prefix='p-'\nlog_dir='l'\nbackend='x'\n[backend.x]\nbin='x'\n\
                [[agent]]\nname='a'\nmodel='1'\n[[agent]]\nname='b'\n[[agent]]\nname='a'\nmodel='2'\n";
    let p = read(text, Strictness::Run).unwrap().policy;
    let seen: Vec<_> = p.agents.iter().map(|a| (a.name.as_str(), a.model.as_str())).collect();
    assert_eq!(seen, [("a", "2"), ("b", "")]);
    assert_eq!(p.warnings.len(), 1);
}

#[test]
fn crlf_bom_tabs_and_wide_letters_keep_columns_right() {
    let text = "\u{feff}[defaults]\r\nsession_prefix = 'p-'\r\nlog_dir = 'l'\r\n[[agent]]\r\nname = 'é日'\t\r\n\tx = { 'é' = 1 }\r\n";
    let Ok(loaded) = read(text, Strictness::Check) else { panic!("fatal") };
    let at: Vec<_> = loaded.faults.iter().map(|f| (f.line, f.column)).collect();
    assert_eq!(at, [(4, 1), (5, 8), (6, 2)]);
    for fault in &loaded.faults {
        assert!(fault.render(false).contains(&format!(":{}:{}\n", fault.line, fault.column)));
    }
}

/// Nothing that a disk may hold takes long or much, or stops anything.
#[test]
fn monstrous_texts_are_refused() {
    let head = "[defaults]\nsession_prefix='p-'\nlog_dir='l'\n";
    let deep = format!("{head}x = {}", "[".repeat(50_000));
    let keys: String = std::iter::once(head.to_owned()).chain((0..5_000).map(|n| format!("key{n} = 1\n"))).collect();
    let pattern = format!("{head}[backend.x]\nbin='x'\nactive_re='{}'\n", "(a|b)".repeat(2_000_000));
    let long_key = format!("{head}{} = 1", "k".repeat(1_000_000));
    let far = format!("{head}x = [{}]\n[backend.'{}']\n", "1,".repeat(100_000), "n".repeat(100_000));
    for (text, at_least) in [(far, 1), (deep, 1), (keys, 1_000), (pattern, 1), (long_key, 1)] {
        let faults = match read(&text, Strictness::Check) {
            Ok(loaded) => loaded.faults,
            Err(faults) => faults,
        };
        assert!(faults.len() >= at_least);
        assert!(faults[0].one_line().len() < 1_000 && faults[0].render(false).len() < 10_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces of the example, torn out, doubled, swapped and sprinkled with rubbish.
    #[test]
    fn no_text_panics(
        edits in prop::collection::vec((0usize..EXAMPLE.len(), 0usize..200, "(\\PC{0,4}|\\[\\[|\"|'''|\n|=|\\{|\\\\u0000|-1|nan|1e18|\u{0}|\u{1b}|\u{202e})"), 1..12)
    ) {
        let mut text = EXAMPLE.to_owned();
        for (at, len, new) in edits {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) { at -= 1 }
            let mut end = (at + len).min(text.len());
            while !text.is_char_boundary(end) { end -= 1 }
            text.replace_range(at..end, &new);
        }
        for strictness in [Strictness::Check, Strictness::Run] {
            let faults = match read(&text, strictness) {
                Ok(loaded) => loaded.faults,
                Err(faults) => { prop_assert!(!faults.is_empty()); faults }
            };
            for fault in faults {
                let shown = fault.render(false);
                prop_assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
                let line = fault.one_line();
                prop_assert!(!line.contains(['\n', '\x1b']), "{line:?}");
            }
        }
    }

    #[test]
    fn no_rubbish_panics(text in "(\\PC|[\\[\\]{}=\"'#.\n\t-]){0,300}") {
        let _ = read(&text, Strictness::Run);
    }
}
