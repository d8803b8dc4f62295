//! Faults of the machine around the fleet: no tmux, a tmux or git that hangs, programs that are not there.
use crate::fleet::{BASE, Fleet, signal};
use agents::world::process::ProcId;
use rustix::process::Signal;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn fault_11_no_tmux_is_said_and_starts_nothing() {
    let mut fleet = Fleet::new("[[agent]]\nname = \"a\"\n");
    let path = std::env::var("PATH").expect("a PATH");
    fleet.set("PATH", fleet.root().join("tmp"));
    for line in [&["up"][..], &["up", "a"]] {
        let said = fleet.agents(line);
        assert_ne!(said.code, 0, "{said:?}");
        assert!(said.err.contains("tmux") || said.out.contains("tmux"), "{said:?}");
    }
    fleet.agents(&["down"]);
    fleet.wait("nothing runs", |f| f.processes().is_empty());
    fleet.set("PATH", path);
    assert_eq!(fleet.starts("a"), 0);
    fleet.up();
    fleet.wait("with tmux it runs", |f| f.starts("a") == 1);
}

#[test]
fn fault_11_a_missing_program_is_said() {
    let base = BASE.replace("[watchdog]", "[watchdog]\nrestart_burst = 1");
    let none = "[backend.none]\nbin = \"no-such-program-here\"\n[[agent]]\nname = \"a\"\nbackend = \"none\"\n";
    let fleet = Fleet::with(&(base + none));
    fleet.up();
    fleet.wait("it gave up", |f| f.state("a") == "gave-up");
    let row = fleet.row("a");
    assert!(row["reason"].as_str().is_some_and(|r| r.contains("command not found")), "{row}");
    assert_eq!(row["last_exit"]["code"], 127);
    assert!(fleet.said("command not found") >= 2, "{}", fleet.log());
    assert!(fleet.output("a").contains("no-such-program-here"), "{}", fleet.output("a"));
}

#[test]
fn fault_11_a_missing_folder_is_made_and_said() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\ndir = \"new/one\"\n[[agent]]\nname = \"b\"\ndir = \"file/one\"\n");
    fleet.write("file", "no folder");
    let said = fleet.agents(&["up"]);
    assert_ne!(said.code, 0, "{said:?}");
    assert!(said.out.contains("made its folder"), "{said:?}");
    assert!(said.out.contains("cannot make"), "{said:?}");
    fleet.wait("the other runs", |f| f.starts("a") == 1);
    assert_eq!(fleet.starts("b"), 0);
}

#[test]
fn fault_11_two_with_one_session_are_said() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\nsession = \"t-a\"\n");
    let said = fleet.agents(&["up"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("b cannot be started: agent `b` has the session of agent `a`: `t-a`"), "{said:?}");
    fleet.wait("one of them runs", |f| f.starts("a") == 1);
    fleet.ticks(3);
    assert_eq!((fleet.starts("a"), fleet.starts("b")), (1, 0));
}

#[test]
fn fault_16_a_stopped_tmux_server_hangs_nobody() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    fleet.up();
    fleet.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1);
    let (watchdog, server) = (fleet.watchdog(), fleet.server());
    fleet.ticks(2);
    signal(server, Signal::STOP);
    fleet.wait("it is said", |f| f.said("the tmux server does not answer") == 1);
    // What is known is still told.
    let status = fleet.status();
    assert_eq!(
        (&status["agents"][0]["alive"], &status["agents"][1]["state"]),
        (&true.into(), &"idle".into()),
        "{status}"
    );
    assert!(fleet.agents(&["status"]).ok().err.contains("what was known last"));
    fleet.agents(&["events"]).ok();
    // Long enough for many attempts: a few clients killed while they attach would crash tmux once it goes on.
    fleet.ticks(6);
    signal(server, Signal::CONT);
    fleet.wait("it is said that it is back", |f| f.said("the tmux server answers again") == 1);
    fleet.ticks(3);
    assert_eq!((fleet.starts("a"), fleet.starts("b"), fleet.watchdog(), fleet.server()), (1, 1, watchdog, server));
    fleet.kill("a");
    fleet.wait("healing goes on", |f| f.starts("a") == 2);
}

#[test]
fn fault_16_a_fleet_on_a_stopped_tmux_server_can_be_stopped() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    fleet.up();
    fleet.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1);
    let (server, pids) = (fleet.server(), [fleet.pid("a"), fleet.pid("b")]);
    signal(server, Signal::STOP);
    fleet.wait("it is said", |f| f.said("the tmux server does not answer") == 1);
    // What ends now is not started again before the server answers, and then nobody wants it any more.
    fleet.kill("b");
    fleet.agents(&["down"]).ok();
    for pid in pids {
        let over = || ProcId::of(pid).is_none_or(|p| !p.is_alive());
        fleet.wait("the agents ended", |_| over());
    }
    assert_eq!(fleet.status()["watchdog"]["running"], false);
    signal(server, Signal::CONT);
    fleet.agents(&["down"]).ok();
    fleet.wait("nothing is left", |f| f.processes().is_empty());
    assert_eq!((fleet.starts("a"), fleet.starts("b")), (1, 1));
}

#[test]
fn fault_16_a_start_on_a_stopped_tmux_server_is_refused() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\nenabled = false\nwatch = \"none\"\n");
    fleet.up();
    fleet.wait("it runs", |f| f.starts("a") == 1);
    let server = fleet.server();
    signal(server, Signal::STOP);
    fleet.wait("it is said", |f| f.said("the tmux server does not answer") == 1);
    for line in [&["up", "b"][..], &["restart", "a"]] {
        let said = fleet.agents(line);
        assert_eq!(said.code, 5, "{said:?}");
        assert!(said.err.contains("the tmux server does not answer; nothing was started"), "{said:?}");
    }
    signal(server, Signal::CONT);
    fleet.wait("it is said that it is back", |f| f.said("the tmux server answers again") == 1);
    fleet.ticks(3);
    assert_eq!((fleet.starts("a"), fleet.starts("b")), (1, 0), "what was refused is not done later");
}

#[test]
fn fault_16_a_slow_fetch_delays_no_healing() {
    let loops = "[[loop.phases]]\nid = \"p\"\nstatus = \"S.md\"\n[loop.handoff]\n\
                 [[agent]]\nname = \"l\"\nkind = \"loop\"\nrole = \"builder\"\n[[agent]]\nname = \"a\"\n";
    let mut fleet = Fleet::new(loops);
    let root = fleet.root();
    fleet.write("prompts/builder.md", "build");
    fleet.git(&root, &["init", "-q", "--bare", "origin.git"]);
    fleet.git(&fleet.project, &["init", "-q"]);
    fleet.git(&fleet.project, &["remote", "add", "origin", "../origin.git"]);
    fleet.git(&fleet.project, &["commit", "-q", "--allow-empty", "-m", "first"]);
    fleet.git(&fleet.project, &["push", "-q", "-u", "origin", "HEAD:main"]);
    let bin = root.join("bin");
    fs::create_dir(&bin).expect("a folder");
    let fetching = root.join("fetching");
    let script = format!("#!/bin/sh\necho \"$$\" >>'{}'\nexec sleep 1000\n", fetching.display());
    fs::write(bin.join("git"), script).expect("a slow git");
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).expect("runnable");
    fleet.set("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH")));
    fleet.up();
    fleet.wait("it fetches", |f| fetching.exists() && f.starts("a") == 1);
    fleet.kill("a");
    fleet.wait("the agent is back", |f| f.starts("a") == 2);
    let pid = fs::read_to_string(&fetching).expect("a pid");
    let pids: Vec<&str> = pid.split_whitespace().collect();
    assert_eq!(pids.len(), 1, "the first fetch is not over yet");
    fleet.ticks(2);
    fleet.agents(&["down"]).ok();
    fleet.wait("the fetch ended with the watchdog", |f| f.processes().is_empty());
}
