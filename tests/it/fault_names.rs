//! `fault_NN_…` in a test's name is a number of the old driver's faults, and nothing else; each of them has such a test.
use regex::Regex;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The old driver's faults were counted from 1 to this.
const FAULTS: u32 = 39;
/// Faults of reading screens, mended with the built-in readers.
const LATER: [u32; 5] = [18, 19, 22, 24, 25];

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => rust_files(&path, found),
            path if path.extension().is_some_and(|e| e == "rs") => found.push(path),
            _ => {}
        }
    }
}

/// Number -> names of the tests that carry it.
fn numbered(text: &str, found: &mut BTreeMap<u32, Vec<String>>) {
    let test = Regex::new(r"#\[test\]\s+(?:#\[[^\]]*\]\s+)*fn (\w+)\(").unwrap();
    let number = Regex::new(r"(?:^|_)fault_?(\d+)_?").unwrap();
    for name in test.captures_iter(text).map(|c| c[1].to_owned()) {
        for c in number.captures_iter(&name) {
            found.entry(c[1].parse().unwrap()).or_default().push(name.clone());
        }
    }
}

#[test]
fn every_fault_of_the_old_driver_has_its_test_and_no_other_number_is_used() {
    let mut files = Vec::new();
    for dir in ["src", "tests/it"] {
        rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut files);
    }
    let mut found = BTreeMap::new();
    files.iter().for_each(|file| numbered(&fs::read_to_string(file).unwrap(), &mut found));
    let missing: Vec<u32> = (1..=FAULTS).filter(|n| !LATER.contains(n) && !found.contains_key(n)).collect();
    assert!(missing.is_empty(), "no test is named `fault_NN_…` for {missing:?}");
    let strange: Vec<_> = found.iter().filter(|(n, _)| !(1..=FAULTS).contains(n)).collect();
    assert!(strange.is_empty(), "not a fault of the old driver: {strange:?}");
    let short = found.iter().flat_map(|(n, names)| names.iter().map(move |name| (n, name)));
    let odd: Vec<_> = short.filter(|(n, name)| !name.starts_with(&format!("fault_{n:02}_"))).collect();
    assert!(odd.is_empty(), "the number comes first, with two digits: {odd:?}");
}

#[test]
fn this_test_can_see() {
    let mut found = BTreeMap::new();
    numbered(
        "#[test]\nfn fault_07_x() {}\n\n    #[test]\n    #[ignore]\n    fn a_fault_128_y() {}\nfn fault_09_z() {}",
        &mut found,
    );
    let found: Vec<_> = found.into_iter().collect();
    assert_eq!(found, [(7, vec!["fault_07_x".to_owned()]), (128, vec!["a_fault_128_y".to_owned()])]);
}
