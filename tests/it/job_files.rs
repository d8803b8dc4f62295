//! The job files that are shipped, and those that the manual shows.
use agents::{
    config::{Fault, Source},
    jobs::file::{Format, JobPart, parse},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn read(path: &Path, text: &str, format: Format) -> Vec<JobPart> {
    let source = Source { path, text, home: None };
    parse(&source, format, None).unwrap_or_else(|faults| {
        let shown: Vec<String> = faults.iter().map(|f: &Fault| f.render(false)).collect();
        panic!("{}", shown.join("\n"))
    })
}

pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[test]
fn every_example_is_a_job_file() {
    let mut seen = 0;
    for entry in fs::read_dir(example("")).expect("examples") {
        let path = entry.expect("an entry").path();
        let format = Format::of(&path).unwrap_or_else(|| panic!("{} is no job file", path.display()));
        let jobs = read(&path, &fs::read_to_string(&path).expect("a text"), format);
        assert!(jobs.iter().all(|job| job.name.is_some()), "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn the_examples_are_what_the_manual_says() {
    let jobs = |name: &str| read(&example(name), &fs::read_to_string(example(name)).expect("a text"), Format::Json);
    assert_eq!(jobs("two-steps.json")[0].steps.len(), 2);
    assert_eq!(jobs("sorting.json").len(), 3);
    assert!(jobs("agent-workflow.json")[0].steps.iter().any(|step| step.retries > 0));
}

/// Blocks of the manual that begin with three backticks and `json job` or `toml job`.
#[test]
fn every_job_file_in_the_manual_is_one() {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the manual");
    let mut seen = 0;
    for (info, format) in [("json job", Format::Json), ("toml job", Format::Toml)] {
        for block in manual.split(&format!("```{info}\n")).skip(1) {
            let text = block.split("\n```").next().expect("a block");
            assert!(!read(Path::new("README.md"), text, format).is_empty());
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
}
