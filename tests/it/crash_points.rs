//! The watchdog is killed at each labelled place of a decision (decided and not saved, saved and not done, done and not
//! noted); the next one loses nothing and does nothing twice. Counted by the fake agents themselves.
#![cfg(debug_assertions)]
use crate::{faults_of_ours::Watchdog, fleet::Fleet};
use std::process::{Child, Stdio};

const MOMENTS: [&str; 3] = ["decided", "saved", "done"];
const ONE: &str = "[[agent]]\nname = \"a\"\n";

fn running(toml: &str, names: &[&str]) -> Fleet {
    let f = Fleet::new(toml);
    f.agents(&[&["up"], names].concat()).ok();
    f.wait("they run", |f| names.iter().all(|n| f.starts(n) == 1));
    f
}

/// A verb whose watchdog dies under it: nobody waits for it here.
fn ask(f: &Fleet, line: &[&str]) -> Child {
    f.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a verb")
}

/// Killed at `moment` of what `trigger` leads to; then the next watchdog.
fn crash(f: &Fleet, moment: &str, what: &str, trigger: impl FnOnce(&Fleet)) {
    let mut watchdog = Watchdog::at(f, &format!("{moment}:{what}"));
    f.wait("it watches", |f| !watchdog.lives() || f.status()["watchdog"]["running"] == true);
    trigger(f);
    f.wait("it is killed", |_| !watchdog.lives());
    f.agents(&["up", "watchdog"]).ok();
}

fn told(f: &Fleet, kind: &str) -> usize {
    f.events().iter().filter(|e| e["kind"] == kind).count()
}

#[test]
fn g19_killed_at_a_start_it_starts_once() {
    for moment in MOMENTS {
        let f = running(ONE, &["a"]);
        crash(&f, moment, "start", |f| f.kill("a"));
        f.wait("it is back", |f| f.starts("a") == 2 && f.state("a") == "idle");
        f.ticks(4);
        assert_eq!((f.starts("a"), f.sessions().len()), (2, 2), "{moment}: {}", f.log());
    }
}

#[test]
fn g19_killed_at_typing_it_types_once_or_says_that_it_may_not_have() {
    for (what, moment) in ["type", "submit"].into_iter().flat_map(|w| MOMENTS.map(|m| (w, m))) {
        let f = running(ONE, &["a"]);
        let mut verb = None;
        crash(&f, moment, what, |f| verb = Some(ask(f, &["send", "a", "hello there"])));
        let _ = verb.expect("asked").wait();
        f.wait("it is over", |f| told(f, "delivered") + told(f, "undelivered") + told(f, "unknown") == 1);
        // Saved but not sent is the one case in which nobody can tell; then it is not typed again.
        let lost = (what, moment) == ("type", "saved");
        assert_eq!(told(&f, if lost { "unknown" } else { "delivered" }), 1, "{moment}:{what}: {}", f.log());
        f.wait("it arrived", |f| lost || f.lines("a").len() == 1);
        f.ticks(4);
        let lines: &[&str] = if lost { &[] } else { &["hello there"] };
        assert_eq!(f.lines("a"), lines, "{moment}:{what}: {}", f.log());
        assert_eq!(f.starts("a"), 1);
    }
}

#[test]
fn g19_killed_at_an_end_it_ends_and_starts_once() {
    for moment in MOMENTS {
        let f = running(ONE, &["a"]);
        let first = f.pid("a");
        let mut verb = None;
        crash(&f, moment, "end", |f| verb = Some(ask(f, &["restart", "a"])));
        f.wait("it is restarted", |f| f.starts("a") == 2 && f.state("a") == "idle");
        let _ = verb.expect("asked").wait();
        f.ticks(4);
        assert_eq!(f.starts("a"), 2, "{moment}: {}", f.log());
        assert!(
            agents::world::process::ProcId::of(first).is_none_or(|p| !p.is_alive()),
            "{moment}: the old one is gone"
        );
    }
}

#[test]
fn g19_killed_at_a_phase_it_moves_once() {
    let toml = "[loop]\nkickoff_template = \"k.md\"\nphases = [{ id = \"one\", status = \"S1\" }, { id = \"two\", status = \"S2\" }]\n\
                [[agent]]\nname = \"a\"\nkind = \"loop\"\nrole = \"r\"\n";
    for moment in MOMENTS {
        let f = Fleet::new(toml);
        f.write("prompts/r.md", "work");
        f.write("k.md", "phase {phase_id}\n");
        f.agents(&["up", "a"]).ok();
        f.wait("it runs", |f| f.starts("a") == 1);
        crash(&f, moment, "phase", |f| f.write("S1", "## DONE\n"));
        let index = f.project.join(".agents/state/phase-idx");
        f.wait("the next phase", |f| f.starts("a") == 2 && std::fs::read_to_string(&index).is_ok_and(|t| t == "1"));
        f.wait("it runs", |f| f.state("a") == "idle");
        f.ticks(4);
        assert_eq!((f.starts("a"), told(&f, "phase")), (2, 1), "{moment}: {}", f.log());
        let kickoff = std::fs::read_to_string(f.project.join(".agents/state/kickoff-t-a.txt")).expect("a prompt");
        assert!(kickoff.contains("phase two"), "{moment}: started in the new phase: {kickoff}");
    }
}

#[test]
fn g19_killed_at_a_hand_off_it_pings_once() {
    let toml = "[loop]\nphases = [{ id = \"one\", status = \"S1\" }]\n[loop.handoff]\nrepo = \"watched\"\n\
                [[agent]]\nname = \"builder\"\nkind = \"loop\"\nrole = \"r\"\n\
                [[agent]]\nname = \"adversary\"\nkind = \"loop\"\nrole = \"r\"\n";
    for moment in MOMENTS {
        let f = Fleet::new(toml);
        f.write("prompts/r.md", "work");
        let (root, watched) = (f.root(), f.project.join("watched"));
        f.git(&root, &["init", "-q", "--bare", "-b", "main", "origin.git"]);
        f.git(&root, &["clone", "-q", "origin.git", "project/watched"]);
        let commit = |f: &Fleet, subject: &str| {
            f.git(&watched, &["commit", "-q", "--allow-empty", "-m", subject]);
            f.git(&watched, &["push", "-q", "origin", "HEAD:main"]);
        };
        commit(&f, "first");
        f.up();
        f.wait("both run", |f| f.starts("builder") == 1 && f.starts("adversary") == 1);
        f.ticks(3);
        f.agents(&["down", "watchdog"]).ok();
        crash(&f, moment, "handoff", |f| commit(f, "claim: it is done"));
        f.wait("it is pinged", |f| f.lines("adversary").len() == 1);
        f.ticks(4);
        assert_eq!((f.lines("adversary").len(), told(&f, "handoff")), (1, 1), "{moment}: {}", f.log());
        assert_eq!((f.starts("builder"), f.starts("adversary")), (1, 1));
    }
}

#[test]
fn g19_killed_while_it_adopts_it_adopts_and_starts_nothing() {
    for moment in MOMENTS {
        let f = running(ONE, &["a"]);
        for entry in std::fs::read_dir(f.project.join(".agents")).expect("a folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("agents.db") {
                std::fs::remove_file(entry.path()).expect("forgotten");
            }
        }
        crash(&f, moment, "adopt", |_| {});
        f.wait("it is known again", |f| f.state("a") == "idle");
        f.ticks(4);
        assert_eq!((f.starts("a"), told(&f, "adopted")), (1, 1), "{moment}: {}", f.log());
        f.kill("a");
        f.wait("it is looked after", |f| f.starts("a") == 2);
    }
}
