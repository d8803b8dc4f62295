//! The map of rooms in `src/lib.rs` is true: who imports whom, how long files are, and who may touch the machine.
use regex::Regex;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Files that are longer than 400 lines, each with the reason why it is still one idea.
const LONG: &[(&str, &str)] = &[];

/// Rooms that only compute: whatever they need of the machine comes in as an argument.
const PURE: &[&str] = &["config", "backends", "decide", "view", "launch", "model", "replay"];

/// What the machine looks like from inside a program.
const MACHINE: &str = r"\b(?:std::(?:fs|process|env|net)\b|(?:Instant|SystemTime|Local|Utc)::now\b)|\bstd::\{[^;]*\b(?:fs|process|env|net)\b[^;]*;";

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Path below `src/` -> text, in order.
fn sources() -> BTreeMap<String, String> {
    let mut found = Vec::new();
    rust_files(&src(), &mut found);
    let name = |p: &PathBuf| p.strip_prefix(src()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|p| (name(p), fs::read_to_string(p).unwrap())).collect()
}

/// `engine/fleet.rs` -> `engine`; `lib.rs` and `main.rs` are no room.
fn room(file: &str) -> Option<&str> {
    match file.split_once('/') {
        Some((room, _)) => Some(room),
        None => file.strip_suffix(".rs").filter(|name| !["lib", "main"].contains(name)),
    }
}

/// The code that ships: without comments, and without the tests at the end of the file.
fn shipped(text: &str) -> String {
    let code: Vec<&str> =
        text.lines().take_while(|l| l.trim() != "#[cfg(test)]").map(|l| l.split("//").next().unwrap_or(l)).collect();
    code.join("\n")
}

/// Rooms named by `crate::room…` and `crate::{room…, room…}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut word, mut first) = (0, String::new(), true);
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => first = true,
                    c if depth == 0 && first && (c.is_alphanumeric() || c == '_') => word.push(c),
                    c if c.is_whitespace() && word.is_empty() => {}
                    _ => first = false,
                }
                if (!first || c == ',') && !word.is_empty() {
                    rooms.insert(std::mem::take(&mut word));
                }
            }
            rooms.extend((!word.is_empty()).then_some(word));
        } else {
            rooms.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms
}

/// The table in the comment of `src/lib.rs`: room -> rooms it may import. `all of the above` means that.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let line = Regex::new(r"^//! \| \[`(\w+)`\] \| .* \| (.+) \|$").unwrap();
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for found in fs::read_to_string(src().join("lib.rs")).unwrap().lines().filter_map(|l| line.captures(l)) {
        let may = match &found[2] {
            "nothing of ours" => BTreeSet::new(),
            "all of the above" => table.keys().cloned().collect(),
            list => list.split(", ").map(|room| room.trim_matches(['`', '[', ']']).to_owned()).collect(),
        };
        table.insert(found[1].to_owned(), may);
    }
    assert!(table.len() > 5, "the table of rooms in src/lib.rs was not found");
    table
}

#[test]
fn the_map_has_no_circle_and_no_unknown_room() {
    let mut table = table();
    let known: BTreeSet<String> = table.keys().cloned().collect();
    for (room, may) in &table {
        assert!(may.is_subset(&known), "src/lib.rs: `{room}` may import a room that is not in the map: {may:?}");
    }
    while !table.is_empty() {
        let free = table.iter().find(|(_, may)| may.is_empty()).map(|(room, _)| room.clone());
        let free = free.unwrap_or_else(|| panic!("src/lib.rs: these import each other in a circle: {table:?}"));
        table.remove(&free);
        for may in table.values_mut() {
            may.remove(&free);
        }
    }
}

#[test]
fn rooms_import_only_what_the_map_allows() {
    let table = table();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(room) = room(&file) else { continue };
        let Some(may) = table.get(room) else {
            wrong.push(format!("src/{file}: the room `{room}` is not in the map"));
            continue;
        };
        // Tests may lean on whatever they like.
        let tests = file.contains("/tests/") || file.ends_with("/tests.rs");
        for import in imports(&shipped(&text)).into_iter().filter(|_| !tests) {
            if import != room && !may.contains(&import) {
                wrong.push(format!("src/{file}: `{room}` may not import `{import}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "see the map in src/lib.rs:\n{}", wrong.join("\n"));
}

/// Files of the same folder named by `super::file…` and `super::{file…, file…}`.
fn siblings(code: &str) -> BTreeSet<String> {
    imports(&code.replace("crate::", "other::").replace("super::", "crate::"))
}

#[test]
fn files_of_a_room_import_each_other_in_no_circle() {
    let sources = sources();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in &sources {
        let Some((folder, _)) = file.rsplit_once('/') else { continue };
        // What stands in a folder's `mod.rs` is the room itself: its files may look up.
        let place = if file.ends_with("/mod.rs") { continue } else { folder };
        let near = siblings(&shipped(text)).into_iter().map(|name| format!("{place}/{name}.rs"));
        graph.insert(file.clone(), near.filter(|name| name != file && sources.contains_key(name)).collect());
    }
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 100, "this test can see");
    while let Some(free) = graph.iter().find(|(_, may)| may.is_empty()).map(|(file, _)| file.clone()) {
        graph.remove(&free);
        for may in graph.values_mut() {
            may.remove(&free);
        }
    }
    assert!(graph.is_empty(), "these are in a circle, or lean on one: {graph:#?}");
}

#[test]
fn a_file_is_one_idea_of_at_most_400_lines() {
    let mut wrong = Vec::new();
    let sources = sources();
    for (file, text) in &sources {
        let lines = text.lines().count();
        match LONG.iter().find(|(name, _)| name == file) {
            Some((_, reason)) if lines > 400 => println!("src/{file}: {lines} lines: {reason}"),
            Some(_) => wrong.push(format!("src/{file}: {lines} lines: it needs no exception any more")),
            None if lines > 400 => {
                wrong.push(format!("src/{file}: {lines} lines: split it, or say in this test why not"))
            }
            None => {}
        }
    }
    wrong.extend(
        LONG.iter().filter(|(name, _)| !sources.contains_key(*name)).map(|(name, _)| format!("src/{name}: it is gone")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn main_is_a_door() {
    let lines = sources()["main.rs"].lines().count();
    assert!(lines < 30, "src/main.rs has {lines} lines");
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    for file in sources().keys() {
        for word in file.trim_end_matches(".rs").split('/') {
            assert!(
                !["util", "utils", "helper", "helpers", "common", "misc"].contains(&word),
                "src/{file}: name its idea"
            );
        }
    }
}

#[test]
fn pure_rooms_touch_no_machine() {
    let machine = Regex::new(MACHINE).unwrap();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        // Tests may look around.
        let tests = file.contains("/tests/") || file.ends_with("/tests.rs");
        if room(&file).is_some_and(|room| PURE.contains(&room)) && !tests {
            wrong.extend(
                machine.find_iter(&shipped(&text)).map(|m| format!("src/{file}: `{}`", m.as_str().replace('\n', " "))),
            );
        }
    }
    assert!(wrong.is_empty(), "let it come in as an argument:\n{}", wrong.join("\n"));
}

#[test]
fn this_test_can_see() {
    let found = imports(
        "use crate::{model::{time::Wall, state}, view, store::Store};\nfn f(x: crate::world::Pane) { crate::cli::go() }",
    );
    assert_eq!(found, ["cli", "model", "store", "view", "world"].map(String::from).into());
    let near = siblings("use super::{a::B, c};\nfn f(x: super::d::E) { crate::model::go() }");
    assert_eq!(near, ["a", "c", "d"].map(String::from).into());
    let machine = Regex::new(MACHINE).unwrap();
    for bad in [
        "std::fs::read(x)",
        "use std::{\n    path::Path,\n    fs,\n};",
        "let t = Instant::now();",
        "chrono::Utc::now()",
    ] {
        assert!(machine.is_match(bad), "{bad}");
    }
    for good in ["std::path::Path", "use std::{path::Path, time::Duration};\nlet fs = 1;", "Now::default()", "std::fmt"]
    {
        assert!(!machine.is_match(good), "{good}");
    }
    assert_eq!(shipped("a // std::fs\n#[cfg(test)]\nstd::fs"), "a ");
    assert_eq!((room("engine/fleet.rs"), room("main.rs"), room("model.rs")), (Some("engine"), None, Some("model")));
}
