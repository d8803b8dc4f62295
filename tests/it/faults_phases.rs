//! Faults of phases: wild indices, phases without a status file, false marks of being done.
use crate::fleet::Fleet;
use std::fs;

const TWO: &str = r#"
[[loop.phases]]
id = "p1"
status = "S1.md"

[[loop.phases]]
id = "p2"
status = "S2.md"

[[agent]]
name = "b"
kind = "loop"
role = "builder"
"#;

fn two(more: &str) -> Fleet {
    let fleet = Fleet::new(&format!("{TWO}{more}"));
    fleet.write("prompts/builder.md", "build");
    fleet
}

fn index(fleet: &Fleet) -> String {
    fs::read_to_string(fleet.project.join(".agents/state/phase-idx")).unwrap_or_default()
}

#[test]
fn fault_14_a_wild_phase_index_stops_nothing() {
    let fleet = two("");
    fleet.up();
    fleet.wait("it runs", |f| f.starts("b") == 1);
    let watchdog = fleet.watchdog();
    fleet.agents(&["phase", "set", "1"]).ok();
    for wild in ["99", "-1", "2", "abc", "1garbage", ""] {
        let said = fleet.agents(&["phase", "set", wild]);
        assert_eq!(said.code, 2, "{wild}: {said:?}");
        assert_eq!(index(&fleet), "1", "{wild}: nothing is written");
    }
    assert_eq!(fleet.agents(&["phase", "set"]).code, 2);
    // Written by hand, all the same.
    for wild in ["99", "-1", "1garbage", "\u{fffd}"] {
        fleet.write(".agents/state/phase-idx", wild);
        fleet.ticks(2);
        assert_eq!(fleet.status()["phase"]["count"], 2, "{wild}");
        fleet.agents(&["phase"]).ok();
        assert_eq!(fleet.watchdog(), watchdog, "{wild}");
    }
    let starts = fleet.starts("b");
    fleet.kill("b");
    fleet.wait("it is restarted", |f| f.starts("b") > starts);
    fleet.agents(&["phase", "set", "p1"]).ok();
    fleet.wait("a good one is back", |f| index(f) == "0" && f.status()["phase"]["id"] == "p1");
    fleet.up();
}

#[test]
fn fault_15_a_phase_without_status_stays_and_is_said() {
    let fleet = Fleet::new(&TWO.replace("status = \"S1.md\"\n", ""));
    fleet.write("prompts/builder.md", "build");
    fleet.up();
    fleet.wait("it runs", |f| f.starts("b") == 1);
    fleet.ticks(3);
    let status = fleet.status();
    assert_eq!((&status["phase"]["id"], &status["phase"]["done"]), (&"p1".into(), &false.into()), "{status}");
    assert_eq!(fleet.said("phase `p1` has no `status`"), 1, "{}", fleet.log());
    assert_eq!(fleet.agents(&["check"]).code, 3);
    fleet.agents(&["phase", "next"]).ok();
    fleet.wait("it can be moved on by hand", |f| f.status()["phase"]["id"] == "p2");
}

#[test]
fn fault_17_false_marks_of_done_do_not_advance() {
    let fleet = two("");
    fleet.up();
    fleet.wait("it runs", |f| f.starts("b") == 1);
    let forms = [
        "# S\n\n## DONE WHEN all green\n",
        "# S\n\n## done when all green\n",
        "# S\n\n```\n## DONE\n```\n",
        "# S\n\n## DONE\n- [x] one\n- [ ] not done\n",
        "# S\n\n## DONE\n\nnot yet\n",
        "# S\n\nwhat ## DONE means\n",
    ];
    for form in forms {
        fleet.write("S1.md", form);
        fleet.ticks(3);
        assert_eq!(fleet.status()["phase"]["done"], false, "{form}");
        assert_eq!((fleet.starts("b"), fleet.said("auto-transitioning")), (1, 0), "{form}");
    }
    fleet.write("S1.md", "# S\n\n## DONE 2026-01-02, all green\n- [x] one\n");
    fleet.wait("the real one advances", |f| f.said("PHASE p1 DONE — auto-transitioning to p2") == 1);
    fleet.wait("the loop runs in the next phase", |f| f.starts("b") == 2 && index(f) == "1");
}

#[test]
fn fault_17_only_what_was_pushed_counts() {
    let fleet = two("");
    let root = fleet.root();
    fleet.git(&root, &["init", "-q", "--bare", "origin.git"]);
    fleet.git(&fleet.project, &["init", "-q", "-b", "main"]);
    fleet.git(&fleet.project, &["remote", "add", "origin", "../origin.git"]);
    fleet.write("S1.md", "in work\n");
    fleet.git(&fleet.project, &["add", "S1.md"]);
    fleet.git(&fleet.project, &["commit", "-q", "-m", "status"]);
    fleet.git(&fleet.project, &["push", "-q", "-u", "origin", "main"]);
    fleet.up();
    fleet.wait("it runs", |f| f.starts("b") == 1);
    fleet.write("S1.md", "## DONE\n");
    fleet.ticks(3);
    fleet.git(&fleet.project, &["commit", "-q", "-am", "done"]);
    fleet.ticks(3);
    assert_eq!(
        (fleet.said("auto-transitioning"), index(&fleet).as_str()),
        (0, ""),
        "neither written nor committed is enough"
    );
    fleet.git(&fleet.project, &["push", "-q"]);
    fleet.wait("pushed is", |f| f.said("PHASE p1 DONE — auto-transitioning to p2") == 1);
    fleet.wait("the loop runs in the next phase", |f| f.starts("b") == 2);
}

#[test]
fn a_phase_that_one_agent_cannot_start_in_waits_for_that_one() {
    let fleet = two("dir = \"place\"\n[[agent]]\nname = \"c\"\nkind = \"loop\"\nrole = \"builder\"\n");
    fleet.write("S1.md", "# Status\n\nworking\n");
    fleet.up();
    fleet.wait("both run", |f| f.starts("b") == 1 && f.starts("c") == 1 && f.alive("b"));
    // Its folder turns into something that is none.
    fs::rename(fleet.project.join("place"), fleet.project.join("elsewhere")).expect("moved");
    fleet.write("place", "a file");
    fleet.write("S1.md", "# Status\n\n## DONE\n");
    fleet.wait("the other is in the new phase", |f| f.starts("c") == 2);
    fleet.wait("it is said", |f| f.said("cannot restart t-b in the new phase: cannot make") == 1);
    fleet.ticks(4);
    assert_eq!((fleet.starts("b"), fleet.alive("b")), (1, true), "{}", fleet.log());
    // As after a crash of the watchdog: it is remembered.
    fleet.agents(&["restart", "watchdog"]).ok();
    fs::remove_file(fleet.project.join("place")).expect("no file any more");
    fleet.wait("it is in the new phase too", |f| f.starts("b") == 2);
    assert_eq!((fleet.said("cannot restart t-b"), fleet.starts("c")), (1, 2), "{}", fleet.log());
    fleet.wait("it runs", |f| f.state("b") == "idle");
}
