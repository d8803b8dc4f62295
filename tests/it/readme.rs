//! The manual is true: its key table, its TOML, its command lines, its lists of verbs, states and events.
//! `AGENTS_WRITE_GOLDEN=1 cargo test --test it readme` writes the key table anew.
use agents::{
    cli,
    config::{self, ListedDisk, Source, Strictness},
    model::job::JobState,
    view::outlook::Standing,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const BEGIN: &str =
    "<!-- keys: made from src/config/keys.rs by `AGENTS_WRITE_GOLDEN=1 cargo test --test it readme` -->\n";
const END: &str = "<!-- end of keys -->\n";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn readme() -> String {
    fs::read_to_string(file("README.md")).unwrap()
}

struct Block {
    /// What stands behind the three backticks: `toml fragment`.
    info: String,
    text: String,
    line: usize,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(info) if !open => {
                open = true;
                found.push(Block { info: info.trim().to_owned(), text: String::new(), line: at + 1 });
            }
            Some(_) => open = false,
            None if open => found.last_mut().unwrap().text.push_str(&format!("{line}\n")),
            None => {}
        }
    }
    assert!(!open, "a block that begins with three backticks does not end");
    found
}

/// Heading (without `#`s) -> what stands under it, up to the next heading.
fn sections(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut heading = String::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        match line.trim_start_matches('#') {
            title if !fenced && title.len() < line.len() => heading = title.trim().to_owned(),
            _ => found.entry(heading.clone()).or_insert_with(String::new).push_str(&format!("{line}\n")),
        }
    }
    found
}

#[test]
fn the_key_table_is_that_of_the_program() {
    let text = readme();
    let (before, rest) = text.split_once(BEGIN).expect("the beginning of the key table");
    let (shown, after) = rest.split_once(END).expect("the end of the key table");
    let wanted = format!("\n{}\n", config::key_table_markdown());
    if shown != wanted && std::env::var_os("AGENTS_WRITE_GOLDEN").is_some() {
        fs::write(file("README.md"), format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert!(
        shown == wanted,
        "the key table is old: `AGENTS_WRITE_GOLDEN=1 cargo test --test it readme` writes it anew"
    );
}

/// Whole files as they are; a fragment with the least that has to stand around it.
#[test]
fn every_toml_block_is_a_config_without_fault() {
    let mut seen = 0;
    for block in blocks(&readme()).iter().chain(&blocks(&fs::read_to_string(file("CONTRIBUTING.md")).unwrap())) {
        let text = match block.info.as_str() {
            "toml" => block.text.clone(),
            "toml fragment" => {
                let base = "[defaults]\nsession_prefix = 'p-'\nlog_dir = 'l'\nbackend = 'claude'\n";
                let backend = "[backend.claude]\nbin = 'claude'\n";
                let part = |has: &str, part: &str| if block.text.contains(has) { "".into() } else { part.to_owned() };
                part("[defaults]", base) + &part("[backend.", backend) + &block.text
            }
            _ => continue,
        };
        seen += 1;
        let source = Source { path: Path::new("/p/agents.toml"), text: &text, home: None };
        let faults = match config::load(&source, &ListedDisk::full(), Strictness::Check) {
            Ok(loaded) => loaded.faults,
            Err(faults) => faults,
        };
        let shown: Vec<String> = faults.iter().map(|f| f.render(false)).collect();
        assert!(shown.is_empty(), "the block at line {}:\n{}", block.line, shown.join("\n"));
    }
    assert!(seen >= 3, "{seen}");
}

/// The words of one line as a shell would split them, up to the first thing that is not the command's own.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut quote = None;
    let mut begun = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                if !begun {
                    words.push(String::new());
                }
                begun = true;
            }
            (None, '#') if !begun => break,
            (None, '|' | ';' | '>' | '<' | '&') => break,
            (None, ' ') => begun = false,
            (_, c) => {
                if !begun {
                    words.push(String::new());
                }
                begun = true;
                words.last_mut().unwrap().push(c);
            }
        }
    }
    words
}

/// Every command line of ours in a shell block, and in backticks where it is written out (no `…`, no `[…]`, no `X|Y`).
fn lines_of_ours(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in blocks(text) {
        if ["sh", "console"].contains(&block.info.as_str()) {
            found.extend(block.text.lines().map(|l| l.trim_start_matches("$ ").to_owned()));
        }
    }
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        if !fenced {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(spans.filter(|s| !s.contains(['[', '…', '|'])).map(str::to_owned));
        }
    }
    found.retain(|l| l.starts_with("agents ") || l.starts_with("env AGENT_"));
    found
}

/// Whether the program takes this line. Two words may be just the name of a verb, capitals stand for one.
fn taken(line: &str) -> Result<(), String> {
    let words = words(line);
    match words.as_slice() {
        [_, verb, ..] if verb.chars().all(char::is_uppercase) => return Ok(()),
        [_, verb] if cli::command().find_subcommand(verb).is_some() => return Ok(()),
        _ => {}
    }
    match cli::command().try_get_matches_from(&words) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[test]
fn every_command_line_is_one_that_the_program_takes() {
    let mut seen = 0;
    for name in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "agents.example.toml"] {
        for line in lines_of_ours(&fs::read_to_string(file(name)).unwrap()) {
            let ours = &line[line.find("agents ").unwrap()..];
            seen += 1;
            if let Err(why) = taken(ours) {
                panic!("{name}: `{line}`: {why}");
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

/// The lines under "Examples" in every help text.
#[test]
fn every_example_in_the_help_is_one_that_the_program_takes() {
    let mut seen = 0;
    let all = cli::command();
    for verb in all.get_subcommands().chain([&all]) {
        let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in after.lines().filter(|l| l.starts_with("  ")) {
            let line = &line[line.find("agents ").unwrap_or_else(|| panic!("{line}"))..];
            let line = line.split("    ").next().unwrap();
            seen += 1;
            if let Err(why) = taken(line) {
                panic!("{}: `{line}`: {why}", verb.get_name());
            }
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn every_verb_and_flag_is_in_the_manual() {
    let sections = sections(&readme());
    for verb in cli::command().get_subcommands().filter(|v| v.get_name() != "help") {
        let title = format!("`agents {}`", verb.get_name());
        let text = sections.get(&title).unwrap_or_else(|| panic!("no heading {title} in README.md"));
        for flag in verb.get_arguments().filter_map(|a| a.get_long()) {
            if !["config", "color", "help", "version"].contains(&flag) {
                assert!(text.contains(&format!("--{flag}")), "{title} does not mention `--{flag}`");
            }
        }
    }
}

#[test]
fn every_state_is_in_the_manual() {
    let sections = sections(&readme());
    for state in Standing::ALL {
        assert!(sections["States"].contains(&format!("\n| `{}` |", state.as_str())), "{}", state.as_str());
    }
}

#[test]
fn every_state_of_a_job_is_in_the_manual() {
    let sections = sections(&readme());
    for state in JobState::ALL {
        assert!(sections["Jobs"].contains(&format!("\n| `{}` |", state.word())), "{}", state.word());
    }
}

/// The kinds stand in the source in CamelCase, in the journal in kebab-case.
#[test]
fn every_kind_of_event_is_in_the_manual() {
    let source = fs::read_to_string(file("src/model/event.rs")).unwrap();
    let body = source.split_once("pub enum EventKind {").unwrap().1.split_once('}').unwrap().0;
    let sections = sections(&readme());
    let mut seen = 0;
    for kind in body.lines().map(|l| l.trim().trim_end_matches(',')).filter(|l| !l.is_empty()) {
        let mut word = String::new();
        for c in kind.chars() {
            if c.is_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.extend(c.to_lowercase());
        }
        assert!(sections["`events --json`"].contains(&format!("`{word}`")), "{word}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

/// Links to headings of the same page and to files lead somewhere.
#[test]
fn every_link_leads_somewhere() {
    for name in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(file(name)).unwrap();
        let anchors: Vec<String> = sections(&text)
            .keys()
            .map(|title| {
                let kept = title.to_lowercase().replace(' ', "-");
                kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
            })
            .collect();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            match target.strip_prefix('#') {
                Some(anchor) => assert!(anchors.iter().any(|a| a == anchor), "{name}: #{anchor}"),
                None if target.contains("://") => {}
                None => assert!(file(target).exists(), "{name}: {target}"),
            }
        }
    }
}

/// The map of rooms is written down twice, for readers of the code and for readers of the page.
#[test]
fn the_map_of_rooms_is_that_of_the_code() {
    let lib = fs::read_to_string(file("src/lib.rs")).unwrap();
    let of_code: Vec<String> = lib
        .lines()
        .filter_map(|l| l.strip_prefix("//! | ["))
        .map(|l| format!("| {}", l.replacen("`]", "`", 1)))
        .collect();
    let page = fs::read_to_string(file("ARCHITECTURE.md")).unwrap();
    let of_page: Vec<&str> = sections_of(&page, "Rooms").lines().filter(|l| l.starts_with("| `")).collect();
    assert!(of_code.len() > 5);
    assert_eq!(of_page, of_code);
}

fn sections_of<'a>(text: &'a str, title: &str) -> &'a str {
    let start = text.find(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no `## {title}`"));
    let rest = &text[start + 1..];
    &rest[..rest[1..].find("\n## ").map_or(rest.len(), |end| end + 1)]
}

/// Every test and file that ARCHITECTURE.md names is there.
#[test]
fn architecture_names_only_what_exists() {
    let page = fs::read_to_string(file("ARCHITECTURE.md")).unwrap();
    let mut code = String::new();
    gather(&file("src"), &mut code);
    gather(&file("tests"), &mut code);
    let mut tests = 0;
    for row in sections_of(&page, "Promises, and where they are tested").lines().filter(|l| l.starts_with("| G")) {
        let proof = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in proof.split('`').skip(1).step_by(2) {
            assert!(code.contains(&format!("fn {name}(")), "no test `{name}` ({row})");
            tests += 1;
        }
    }
    assert!(tests > 20, "{tests}");
    for word in page.split('`').skip(1).step_by(2).filter(|w| w.starts_with("src/") || w.starts_with("tests/")) {
        assert!(file(word).exists(), "`{word}` is not there");
    }
}

fn gather(dir: &Path, code: &mut String) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, code);
        } else if path.extension().is_some_and(|e| e == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn this_test_can_read_a_line() {
    assert_eq!(words("agents send x 'a b' # why"), ["agents", "send", "x", "a b"]);
    assert_eq!(words("agents init && agents check"), ["agents", "init"]);
    assert_eq!(lines_of_ours("`agents up` and `agents up [X]`\n```sh\n$ agents status\nls\n```\n").len(), 2);
}
