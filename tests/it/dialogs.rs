//! Dialogs on recorded and on made-up screens: what they are called, what may be chosen, and where none is one.
use agents::{
    backends::{self, Context, Screen, colours::Colours, preset},
    config::{ListedDisk, Source, Strictness, load},
    model::{
        dialog::{Dialog, How},
        policy::{DialogRule, PRESETS, Reader},
        reading::Reading,
        time::Now,
    },
};
use std::{collections::BTreeSet, fs, path::Path};

struct Recorded {
    name: String,
    cli: String,
    state: String,
    title: String,
    text: String,
}

/// Every screen in a folder of `tests/panes/`.
fn recorded(folder: &str, cli: Option<&str>) -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/panes").join(folder);
    let mut all = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if path.extension().is_none_or(|e| e != "txt") {
            continue;
        }
        let facts: toml::Table = toml::from_str(&fs::read_to_string(path.with_extension("toml")).unwrap()).unwrap();
        let word = |key: &str| facts.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        all.push(Recorded {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            cli: word("cli").or(cli.map(str::to_owned)).unwrap(),
            state: word("state").unwrap(),
            title: word("title").unwrap_or_default(),
            text: fs::read_to_string(&path).unwrap(),
        });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn read(cli: &str, text: &str, title: &str, dialogs: Vec<DialogRule>) -> Reading {
    let preset = PRESETS.contains(&cli).then(|| cli.to_owned());
    let reader = Reader { preset, dialogs, ..Reader::default() };
    let about = Context { reader: &reader, said: "", ours: &[], now: Now::default() };
    let (text, colours) = Colours::split(text);
    // As tmux gives the plain text.
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    backends::read(&Screen { text: &text, title, cursor: (0, 0), colours: Some(&colours) }, &about)
}

/// A rule for every named dialog of that CLI: its `nth` choice.
fn rules(cli: &str, nth: usize) -> Vec<DialogRule> {
    let named = preset::named(cli).unwrap().dialogs.iter().filter(|d| !d.asks_leave);
    let rule = |d: &backends::dialog::Known| {
        let choice = &d.choices[nth % d.choices.len()];
        DialogRule::Named { dialog: d.name.clone(), choice: choice.name.clone() }
    };
    named.map(rule).collect()
}

/// `[[backend.x.dialog]]` as the config makes them.
fn own(toml: &str) -> Vec<DialogRule> {
    let text = format!("[defaults]\nsession_prefix = \"p-\"\nlog_dir = \"l\"\n[backend.x]\nbin = \"x\"\n{toml}");
    let source = Source { path: Path::new("/x/agents.toml"), text: &text, home: None };
    let loaded = load(&source, &ListedDisk::full(), Strictness::Check).unwrap();
    assert!(loaded.faults.is_empty(), "{:?}", loaded.faults);
    loaded.policy.backends[0].reader.dialogs.clone()
}

fn chosen(reading: &Reading) -> Option<String> {
    reading.dialog.as_ref().and_then(Dialog::chosen)
}

#[test]
fn every_named_dialog_is_told_on_recorded_screens_and_each_of_its_choices_is_found() {
    for cli in PRESETS {
        let mut seen = BTreeSet::new();
        for screen in recorded(cli, Some(cli)) {
            let Some(dialog) = read(cli, &screen.text, &screen.title, Vec::new()).dialog else { continue };
            assert!(matches!(screen.state.as_str(), "waiting" | "limited"), "{cli}/{}", screen.name);
            assert_eq!(dialog.answer, None, "nobody wrote a rule");
            let Some(name) = dialog.name else { continue };
            let known = preset::named(cli).unwrap().dialogs.iter().find(|d| d.name == name).unwrap();
            for nth in 0..known.choices.len() {
                let answered = read(cli, &screen.text, &screen.title, rules(cli, nth)).dialog.unwrap();
                let answer = answered.answer.clone().unwrap_or_else(|| panic!("{cli}/{}", screen.name));
                assert_eq!(answer.rule, format!("dialogs.{name}"));
                match answer.how {
                    How::Choose { choice, key } => {
                        assert_eq!(key, "Enter");
                        assert!(known.choices[nth].reads(&answered.choices[choice]), "{cli}/{}", screen.name);
                    }
                    How::Press { key } => assert_eq!(key, "Enter"),
                }
            }
            seen.insert(name);
        }
        let all: BTreeSet<String> = preset::named(cli).unwrap().dialogs.iter().map(|d| d.name.clone()).collect();
        assert_eq!(seen, all, "{cli}: a screen for each");
    }
}

#[test]
fn the_cursor_stands_where_a_person_sees_it() {
    let wanted = [
        ("claude", "waiting-trust", "trust-folder", Some(0), "Yes, I trust this folder"),
        ("claude", "waiting-trust-60x20", "trust-folder", Some(0), "Yes, I trust this folder"),
        ("claude", "waiting-theme", "theme", Some(1), "Dark mode"),
        ("claude", "waiting-theme-60x20", "theme", Some(1), "Dark mode"),
        ("claude", "waiting-api-key", "api-key", Some(1), "No (recommended)"),
        ("claude", "waiting-bypass-warning", "bypass-warning", Some(0), "No, exit"),
        ("claude", "waiting-bypass-warning-moved", "bypass-warning", Some(1), "Yes, I accept"),
        ("claude", "waiting-security-notes", "security-notes", None, ""),
        ("claude", "limited-menu", "limit-menu", Some(0), "Stop and wait for limit to reset"),
        (
            "claude",
            "waiting-permission-moved",
            "permission",
            Some(1),
            "Yes, and always allow access to shop/ from this project",
        ),
        ("codex", "waiting-trust", "trust-folder", Some(0), "Trust and continue"),
        ("codex", "waiting-trust-moved", "trust-folder", Some(1), "Back to Agent Command Center"),
        ("codex", "waiting-update", "update", Some(0), "Update now (runs `npm install -g @openai/codex`)"),
        ("codex", "waiting-permission-no", "permission", Some(2), "No, and tell Codex what to do differently (esc)"),
        ("gemini", "waiting-trust", "trust-folder", Some(0), "Trust folder (shop)"),
        ("gemini", "waiting-trust-moved", "trust-folder", Some(1), "Trust parent folder (dev)"),
        ("gemini", "limited-menu-moved", "limit-menu", Some(1), "Stop"),
        ("gemini", "waiting-edit-moved", "permission", Some(2), "Modify with external editor"),
        ("opencode", "waiting-permission-colours", "permission", Some(0), "Allow once"),
        ("opencode", "waiting-permission-colours-second-80x24", "permission", Some(1), "Allow always"),
        ("opencode", "waiting-permission-colours-second-200x50", "permission", Some(1), "Allow always"),
        ("opencode", "waiting-always-allow-colours", "permission", Some(0), "Confirm"),
    ];
    for (cli, screen, name, cursor, under) in wanted {
        let all = recorded(cli, Some(cli));
        let screen = all.iter().find(|s| s.name == screen).unwrap_or_else(|| panic!("{cli}/{screen}"));
        let dialog = read(cli, &screen.text, &screen.title, Vec::new()).dialog.unwrap();
        assert_eq!((dialog.name.as_deref(), dialog.cursor), (Some(name), cursor), "{cli}/{}", screen.name);
        assert_eq!(cursor.map_or("", |i| &dialog.choices[i]), under, "{cli}/{}", screen.name);
        let row = screen.text.lines().nth(dialog.row).unwrap();
        assert!(row.contains(under), "{row}");
    }
}

/// Words of dialogs in a conversation, a diff, a tool's output, a draft, a permission's command: no key for any of them.
#[test]
fn no_rule_answers_what_is_only_quoted() {
    let folders = PRESETS.iter().map(|cli| ((*cli).to_owned(), Some(*cli)));
    let unseen = PRESETS.iter().map(|cli| (format!("unseen/{cli}"), Some(*cli)));
    let mut looked = 0;
    for (folder, cli) in folders.chain(unseen).chain([("hostile".to_owned(), None)]) {
        for screen in recorded(&folder, cli) {
            let asks = folder != "hostile" && matches!(screen.state.as_str(), "waiting" | "limited");
            for nth in 0..2 {
                let reading = read(&screen.cli, &screen.text, &screen.title, rules(&screen.cli, nth));
                assert!(asks || chosen(&reading).is_none(), "{folder}/{}: {:?}", screen.name, reading.dialog);
            }
            looked += usize::from(!asks);
        }
    }
    assert!(looked > 400, "only {looked} screens");
}

/// A panel stands beside its box in a wide window, and is no part of the question.
#[test]
fn a_dialog_whose_choice_shows_by_colour_is_answered_by_a_pattern_and_only_with_its_colours() {
    let touch = "[[backend.x.dialog]]\nname = \"touch\"\nchoice = \"Allow once\"\n\
        re = '△ Permission required # Shell command \\$ touch [\\w-]+'";
    for screen in recorded("opencode", Some("opencode")).iter().filter(|s| s.name.starts_with("waiting-permission")) {
        let colours = screen.name.contains("colours");
        let reading = read("opencode", &screen.text, &screen.title, own(touch));
        assert_eq!(chosen(&reading).as_deref(), colours.then_some("Allow once"), "{}", screen.name);
        let other = read("opencode", &screen.text, &screen.title, own(&touch.replace("touch [", "rm [")));
        assert_eq!(chosen(&other), None, "{}", screen.name);
    }
}

const TRUST: &str = " Quick safety check: Is this a project you created or one you trust?\n\n ❯ 1. Yes, I trust this folder\n   2. No, exit\n\n Enter to confirm · Esc to cancel";

#[test]
fn a_dialog_that_somebody_printed_is_none() {
    let rule = "────────────────────────────────────────────────────────────";
    let answer = |text: &str| chosen(&read("claude", text, "✳ Claude Code", rules("claude", 1)));
    assert_eq!(answer(&format!("{rule}\n{TRUST}")).as_deref(), Some("Yes, I trust this folder"), "the real one");
    let input = format!("{rule}\n❯ \n{rule}\n  ? for shortcuts");
    assert_eq!(answer(&format!("● It says:\n{TRUST}\n\n{input}")), None, "in the conversation");
    assert_eq!(answer(&format!("{TRUST}\n   3. Maybe")), None, "with another choice");
    assert_eq!(
        answer(&format!("{rule}\n{TRUST}\n\n  Showing detailed transcript · ctrl+o to toggle")),
        None,
        "in a pager"
    );
    assert_eq!(answer(&format!("{rule}\n{TRUST}\n:")), None, "in another pager");
    // The command of a permission has the words.
    let command = TRUST.lines().map(|row| format!("   {row}")).collect::<Vec<_>>().join("\n");
    let permission = format!(
        "{rule}\n Bash command\n\n   cat <<E\n{command}\n   E\n\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel · Tab to amend"
    );
    let reading = read("claude", &permission, "✳ Claude Code", rules("claude", 1));
    assert_eq!(reading.dialog.unwrap().name.as_deref(), Some("permission"));
    assert_eq!(answer(&permission), None);
    let scrolled: String = permission.replacen(rule, "", 1);
    assert_eq!(answer(&scrolled), None);
}

#[test]
fn a_permission_is_answered_by_a_pattern_for_the_whole_question_only() {
    let screen = recorded("claude", Some("claude")).into_iter().find(|s| s.name == "waiting-permission").unwrap();
    let with = |re: &str, choice: &str| {
        let toml = format!("[[backend.x.dialog]]\nname = \"touch\"\nre = '{re}'\nchoice = \"{choice}\"");
        let reading = read("claude", &screen.text, &screen.title, own(&toml));
        reading.dialog.and_then(|d| Some((d.name.clone()?, d.chosen()?)))
    };
    let question = r"Bash command touch [\w-]+ Run the command Do you want to proceed\?";
    assert_eq!(with(question, "Yes"), Some(("touch".into(), "Yes".into())));
    assert_eq!(with(question, "no"), Some(("touch".into(), "No".into())), "in any case of letters");
    assert_eq!(with(question, "Perhaps"), None);
    assert_eq!(with("touch", "Yes"), None, "a part of the question");
    assert_eq!(with(r"Bash command touch [\w-]+", "Yes"), None);
    // Its beginning is not on the screen: nobody knows what is asked for.
    let cut: String =
        screen.text.lines().skip_while(|row| !row.starts_with("   touch made")).collect::<Vec<_>>().join("\n");
    let toml = "[[backend.x.dialog]]\nname = \"all\"\nre = '.*'\nchoice = \"Yes\"";
    assert_eq!(chosen(&read("claude", &screen.text, &screen.title, own(toml))).as_deref(), Some("Yes"));
    assert_eq!(chosen(&read("claude", &cut, &screen.title, own(toml))), None);
}

#[test]
fn unknown_programs_are_answered_by_patterns() {
    let menu = "old output\n\nDeploy to staging?\n\n  > 1. Ship it\n    2. Not now\n";
    let toml = "[[backend.x.dialog]]\nname = \"deploy\"\nre = 'Deploy to \\w+\\?'\nchoice = \"Not now\"";
    let reading = read("x", menu, "", own(toml));
    assert_eq!(chosen(&reading).as_deref(), Some("Not now"));
    assert_eq!(reading.waiting.unwrap().rule, "dialog/waiting/deploy", "nothing else is typed into it");
    assert!(read("x", menu, "", Vec::new()).dialog.is_none());
    let yes = "[[backend.x.dialog]]\nname = \"go\"\nre = 'Continue\\? \\[y/n\\]'\nkey = \"y\"";
    let at = |text: &str| chosen(&read("x", text, "", own(yes)));
    assert_eq!(at("building\nContinue? [y/n] ").as_deref(), Some("key y"));
    assert_eq!(at("Continue? [y/n]\nno, it went on"), None, "not the last row");
    assert_eq!(at("Did you say \"Continue? [y/n]\""), None, "not the whole row");
}
