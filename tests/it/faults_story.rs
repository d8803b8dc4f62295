//! The main job: a builder and an adversary hand commits to and fro through two phases, with nobody looking on.
use crate::fleet::{BASE, Fleet};
use std::path::Path;

#[test]
fn a_builder_and_an_adversary_work_through_two_phases() {
    let mut f = Fleet::with("[defaults]\nsession_prefix = \"t-\"\nlog_dir = \".agents\"\n");
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    f.set("DEMO_THINK", "0");
    for (name, value) in [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")] {
        f.set(name, value);
    }
    let root = f.root();
    f.git(&root, &["init", "-q", "--bare", "-b", "main", "origin.git"]);
    f.git(&root, &["clone", "-q", "origin.git", "project/watched"]);
    let watched = f.project.join("watched");
    for phase in ["one", "two"] {
        f.write(&format!("watched/machine-docs/STATUS-{phase}.md"), "# Status\n\n- [ ] says hello\n");
    }
    f.git(&watched, &["add", "-A"]);
    f.git(&watched, &["commit", "-q", "-m", "plan"]);
    f.git(&watched, &["push", "-q", "origin", "HEAD:main"]);
    for role in ["builder", "adversary"] {
        f.git(&root, &["clone", "-q", "-b", "main", "origin.git", &format!("project/{role}")]);
        let text = std::fs::read(home.join("prompts").join(format!("{role}.md"))).expect("a prompt of ours");
        f.write(&format!("prompts/{role}.md"), text);
    }
    f.write("kickoff.md", std::fs::read(home.join("demo/kickoff.md")).expect("the template"));
    let demo = home.join("demo/agent.sh");
    let base = BASE.replace("bin = \"{fake}\"", &format!("bin = '{}'", demo.display()));
    let base = base.replace("\"exec\"", "\"arg\"").replace("'(?m)^working'", "'esc to interrupt'");
    let agents: String = ["builder", "adversary"]
        .iter()
        .map(|r| format!("[[agent]]\nname = \"{r}\"\nkind = \"loop\"\nrole = \"{r}\"\ndir = \"{r}\"\n"))
        .collect();
    f.config(&format!(
        "{base}{agents}[loop]\nkickoff_template = \"kickoff.md\"\nphases = [\n\
         {{ id = \"one\", plan = \"say hello\", status = \"STATUS-one.md\" }},\n\
         {{ id = \"two\", plan = \"say it again\", status = \"STATUS-two.md\" }},\n]\n[loop.handoff]\nrepo = \"watched\"\n"
    ));
    f.up();
    f.wait("both phases are done", |f| f.project.join(".agents/SEQUENCE-COMPLETE").exists());
    let subjects = f.git(&root.join("origin.git"), &["log", "--format=%s", "main"]);
    let count = |start: &str| subjects.lines().filter(|l| l.starts_with(start)).count();
    assert_eq!((count("claim: one"), count("claim: two")), (2, 1), "{subjects}");
    assert_eq!((count("review: one rejected"), count("review: one accepted")), (1, 1), "{subjects}");
    assert_eq!(f.said("PHASE one DONE — auto-transitioning to two"), 1, "{}", f.log());
    assert_eq!(f.said("PHASE SEQUENCE COMPLETE (last phase two DONE) — stopping loops"), 1, "{}", f.log());
    f.wait("the loops are stopped", |f| !f.alive("builder") && !f.alive("adversary"));
    assert_eq!(f.status()["phase"]["done"], true, "{}", f.status());
}
