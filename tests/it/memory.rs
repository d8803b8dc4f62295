//! What the watchdog knew, the next one knows.
use crate::fleet::{BASE, Fleet};

#[test]
fn wishes_restarts_and_phases_outlive_a_killed_watchdog() {
    let base = BASE.replace("[watchdog]", "[watchdog]\nrestart_burst = 2\ngave_up_retry = 0");
    let f = Fleet::with(&format!(
        "{base}[[agent]]\nname = \"paused\"\n[[agent]]\nname = \"stopped\"\n[[agent]]\nname = \"spent\"\n\
         [[agent]]\nname = \"fine\"\n[[loop.phases]]\nid = \"one\"\nstatus = \"S.md\"\n\
         [[loop.phases]]\nid = \"two\"\nstatus = \"S.md\"\n"
    ));
    f.script("spent", "exit 3");
    f.up();
    f.wait("one gave up", |f| f.state("spent") == "gave-up");
    f.agents(&["pause", "paused"]).ok();
    f.agents(&["down", "stopped"]).ok();
    f.agents(&["phase", "set", "two"]).ok();
    f.kill("fine");
    f.wait("it is back", |f| f.starts("fine") == 2 && f.alive("fine"));
    let known = |f: &Fleet| {
        let row = |name: &str| {
            let row = f.row(name);
            (row["state"].clone(), row["restarts"].clone(), row["last_exit"].clone(), f.starts(name))
        };
        (["paused", "stopped", "spent"].map(row), f.row("fine")["restarts"].clone(), f.status()["phase"]["id"].clone())
    };
    let before = known(&f);
    f.kill_watchdog();
    f.wait("it is gone", |f| f.status()["watchdog"]["running"] == false);
    assert_eq!(known(&f), before, "without a watchdog");
    f.agents(&["up", "watchdog"]).ok();
    f.ticks(4);
    assert_eq!(known(&f), before, "with the next one");
    assert_eq!(f.starts("fine"), 2);
    // Paused is paused: its death is nobody's business until somebody says so.
    f.kill("paused");
    f.wait("its end is seen", |f| !f.alive("paused"));
    f.ticks(4);
    assert_eq!(f.starts("paused"), 1);
    f.agents(&["resume", "paused"]).ok();
    f.wait("it is looked after again", |f| f.starts("paused") == 2);
}

/// Two configs with one `log_dir` would take each other's agents for ones that were removed.
#[test]
fn a_second_config_does_not_take_over_the_memory_of_the_first() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    let other =
        format!("{BASE}[[agent]]\nname = \"b\"\n").replace("session_prefix = \"t-\"", "session_prefix = \"u-\"");
    f.write("other.toml", f.filled(&other));
    for line in [&["up"][..], &["up", "watchdog"], &["down"], &["restart", "b"]] {
        let said = f.agents(&[line, &["--config", "other.toml"]].concat());
        assert_eq!(said.code, 1, "{line:?}: {said:?}");
        assert!(said.err.contains("it is the memory of the fleet `t-`"), "{line:?}: {said:?}");
    }
    f.ticks(3);
    assert_eq!((f.starts("a"), f.starts("b"), f.alive("a")), (1, 0, true));
    // A config that is gone owns nothing, and one may change its own prefix.
    f.agents(&["down"]).ok();
    std::fs::remove_file(f.project.join("agents.toml")).expect("removed");
    f.agents(&["up", "--config", "other.toml"]).ok();
    f.wait("it runs", |f| f.starts("b") == 1);
    f.agents(&["down", "--config", "other.toml"]).ok();
    f.write("other.toml", f.filled(&other.replace("\"u-\"", "\"v-\"")));
    f.agents(&["up", "--config", "other.toml"]).ok();
    f.agents(&["down", "--config", "other.toml"]).ok();
}

/// Whoever looked in the new place would find nothing there, and start everything a second time.
#[test]
fn what_a_running_fleet_stands_on_cannot_be_moved_under_it() {
    let good = format!("{BASE}[[agent]]\nname = \"a\"\n");
    let f = Fleet::with(&good);
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    let moves = [
        ("session_prefix", good.replace("\"t-\"", "\"u-\"")),
        ("log_dir", good.replace("\".agents\"", "\".elsewhere\"")),
        ("server", good.clone() + "[tmux]\nserver = \"default\"\n"),
    ];
    for (i, (key, text)) in moves.iter().enumerate() {
        f.config(text);
        let why = format!("`{key}` cannot change while the fleet runs");
        f.wait("it is said", |f| f.said(&why) == 1);
        let status = f.status();
        assert_eq!((&status["watchdog"]["running"], f.alive("a")), (&true.into(), true), "{status}");
        assert!(status["faults"][0].as_str().is_some_and(|fault| fault.contains(&why)), "{status}");
        for line in [&["up"][..], &["restart", "a"]] {
            let said = f.agents(line);
            assert_eq!((said.code, said.err.contains(&why)), (3, true), "{said:?}");
        }
        f.kill("a");
        f.wait("it is looked after", |f| f.starts("a") == i + 2 && f.alive("a"));
        f.config(&good);
        f.wait("it reads again", |f| f.said("config reads again") == i + 1);
    }
    // The way to do it.
    f.config(&moves[0].1);
    f.agents(&["down"]).ok();
    f.wait("nothing is left", |f| f.processes().is_empty());
    f.agents(&["up"]).ok();
    f.wait("it runs under its new name", |f| f.sessions().contains(&"u-a".to_owned()) && f.alive("a"));
}

/// `git clean -fdx` in the project is enough.
#[test]
fn a_removed_log_dir_is_made_anew_with_what_was_remembered() {
    let slow =
        BASE.replace("signal_interval = 0.3\nheavy_interval = 0.3", "signal_interval = 100\nheavy_interval = 100");
    let f = Fleet::with(&(slow + "[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n[[agent]]\nname = \"c\"\n"));
    f.up();
    f.wait("all run", |f| ["a", "b", "c"].iter().all(|n| f.starts(n) == 1 && f.alive(n)));
    f.agents(&["down", "b"]).ok();
    f.agents(&["pause", "c"]).ok();
    let (watchdog, server) = (f.watchdog(), f.server());
    std::fs::remove_dir_all(f.project.join(".agents")).expect("removed");
    // At once, and it may be long until the watchdog's next look: nothing is taken for a fleet that never ran.
    f.agents(&["up", "a"]).ok();
    assert_eq!((f.starts("a"), f.watchdog(), f.server()), (1, watchdog, server));
    f.wait("it is said", |f| f.said("the state folder was removed — made anew") == 1);
    f.wait("everything is known", |f| f.alive("a") && f.state("b") == "stopped" && f.state("c") == "paused");
    assert_eq!((f.watchdog(), f.server()), (watchdog, server));
    f.up();
    f.wait("only what was stopped is started", |f| f.starts("b") == 2 && f.alive("b"));
    f.kill("a");
    f.wait("it is looked after", |f| f.starts("a") == 2 && f.alive("a"));
    assert_eq!((f.starts("c"), f.watchdog(), f.server()), (1, watchdog, server));
    f.agents(&["down"]).ok();
    f.wait("nothing is left", |f| f.processes().is_empty());
}

#[test]
fn a_project_that_is_moved_is_still_seen_and_stopped() {
    let mut f = Fleet::new("[[agent]]\nname = \"a\"\n");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    let (watchdog, place) = (f.watchdog(), f.root().join("moved"));
    std::fs::rename(&f.project, &place).expect("moved");
    f.project = place;
    f.ticks(3);
    assert_eq!((f.watchdog(), f.alive("a")), (watchdog, true));
    f.agents(&["down"]).ok();
    f.wait("nothing is left", |f| f.processes().is_empty());
    f.up();
    f.wait("it runs in its new place", |f| f.starts("a") == 2 && f.alive("a"));
}
