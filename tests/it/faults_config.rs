//! Faults of configs and names, on a running fleet.
use crate::fleet::{BASE, Fleet, Said};
use std::fs;

/// [`BASE`] without brakes on restarts: these tests kill often.
fn hasty() -> String {
    BASE.replace("restart_delay = 0.1", "restart_delay = 0.01\nrestart_burst = 1000\nstorm_limit = 1000")
}

/// `good` is killed and has to come back under the same watchdog.
#[track_caller]
fn good_goes_on(fleet: &Fleet, watchdog: u32) {
    let starts = fleet.starts("good");
    fleet.kill("good");
    fleet.wait("`good` is back", |f| f.starts("good") > starts);
    assert_eq!(fleet.watchdog(), watchdog, "the same watchdog");
}

#[test]
fn fault_01_a_broken_file_keeps_the_last_good_config() {
    let good = format!("{}[[agent]]\nname = \"good\"\n", hasty());
    let fleet = Fleet::with(&good);
    fleet.up();
    let watchdog = fleet.watchdog();
    let broken = [
        format!("{}\n[[agent\nname = ", hasty()),
        good.replace("session_prefix = \"t-\"\n", ""),
        good.replace("log_dir = \".agents\"\n", ""),
        good.replace("signal_interval = 0.3", "signal_interval = -1"),
    ];
    for (i, text) in broken.iter().enumerate() {
        fleet.config(text);
        fleet.wait("it is said", |f| f.said("config is broken") == i + 1);
        let status = fleet.status();
        assert_eq!(status["faults"].as_array().map(Vec::is_empty), Some(false), "{status}");
        assert_eq!(status["agents"][0]["name"], "good");
        good_goes_on(&fleet, watchdog);
        assert_eq!(fleet.agents(&["check"]).code, 3);
        assert_eq!(fleet.agents(&["up"]).code, 3);
        fleet.ticks(2);
        assert_eq!(fleet.said("config is broken"), i + 1, "said once");
        fleet.config(&good);
        fleet.wait("it reads again", |f| f.said("config reads again") == i + 1);
    }
    assert_eq!(fleet.status()["faults"].as_array().map(Vec::len), Some(0));
}

#[test]
fn fault_01_a_pipe_or_a_giant_in_its_place_is_a_broken_file() {
    let good = format!("{}[[agent]]\nname = \"good\"\n", hasty());
    let fleet = Fleet::with(&good);
    fleet.up();
    let (watchdog, place) = (fleet.watchdog(), fleet.project.join("agents.toml"));
    let pipe = || {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &place, rustix::fs::FileType::Fifo, mode, 0).expect("a pipe");
    };
    // In one piece: half of it would be another good config.
    let giant = || fleet.config(&format!("{good}{}", "#".repeat(5 << 20)));
    for (i, (put, why)) in
        [(&pipe as &dyn Fn(), "it is not a regular file"), (&giant, "it is larger than 4 MiB")].into_iter().enumerate()
    {
        fs::remove_file(&place).expect("removed");
        put();
        fleet.wait("it is said", |f| f.said(why) == 1);
        good_goes_on(&fleet, watchdog);
        assert!(fleet.agents(&["check"]).err.contains(why));
        fs::remove_file(&place).expect("removed");
        fleet.config(&good);
        fleet.wait("it reads again", |f| f.said("config reads again") == i + 1);
    }
}

#[test]
fn fault_01_a_config_that_is_gone_for_an_instant_is_no_fault() {
    let fleet = Fleet::with(&format!("{}[[agent]]\nname = \"good\"\n", hasty()));
    fleet.up();
    let watchdog = fleet.watchdog();
    let (place, away) = (fleet.project.join("agents.toml"), fleet.project.join("away.toml"));
    fs::rename(&place, &away).expect("moved away");
    fleet.ticks(1);
    fs::rename(&away, &place).expect("moved back");
    fleet.ticks(2);
    good_goes_on(&fleet, watchdog);
    // Gone for longer: said, and nothing else.
    fs::rename(&place, &away).expect("moved away");
    fleet.wait("it is said", |f| f.said("config is broken") == 1);
    let starts = fleet.starts("good");
    fleet.kill("good");
    fleet.wait("`good` is back", |f| f.starts("good") > starts);
    fs::rename(&away, &place).expect("moved back");
    fleet.wait("it reads again", |f| f.said("config reads again") == 1);
    assert_eq!(fleet.watchdog(), watchdog);
}

#[test]
fn fault_01_a_slip_in_one_agent_stops_only_that_one_while_running() {
    let base = format!("{}[[agent]]\nname = \"good\"\n", hasty());
    let fleet = Fleet::with(&base);
    fleet.up();
    let watchdog = fleet.watchdog();
    let slips = [
        "[[agent]]\nname = \"bad0\"\nbackend = \"cladue\"\n",
        "[[agent]]\nname = \"bad1\"\nbackend = \"\"\n",
        "[[agent]]\nmodel = \"nameless\"\n",
        "[[agent]]\nname = \"bad3\"\nbackend = \"re\"\n[backend.re]\nbin = \"x\"\nactive_re = \"(\"\n",
        "[[agent]]\nname = \"bad4\"\nprompt_file = \"nothing.md\"\n",
        "[[agent]]\nname = \"bad5\"\nkind = \"loop\"\n",
    ];
    for (i, slip) in slips.iter().enumerate() {
        // Another agent beside it shows that the config was taken.
        fleet.config(&format!("{base}{slip}[[agent]]\nname = \"also{i}\"\n"));
        fleet.wait("the agent beside it runs", |f| f.starts(&format!("also{i}")) == 1);
        good_goes_on(&fleet, watchdog);
        if !slip.contains("nameless") {
            fleet.wait("it is said", |f| f.said(&format!("bad{i} is disabled")) == 1);
            assert!(!fleet.alive(&format!("bad{i}")));
        }
    }
    // A missing prompt that turns up mends its agent by itself.
    fleet.config(&format!("{base}{}", slips[4]));
    fleet.wait("the others went away", |f| f.sessions().len() == 2);
    fleet.write("nothing.md", "here I am");
    fleet.wait("the mended agent runs", |f| f.starts("bad4") == 1);
    assert_eq!(fleet.watchdog(), watchdog);
}

#[test]
fn fault_06_a_dotted_folder_gets_a_fleet_that_can_be_stopped() {
    let fleet = Fleet::in_folder("my.proj", "");
    fs::remove_file(fleet.project.join("agents.toml")).expect("no config yet");
    fleet.agents(&["init"]).ok();
    let scaffold = fs::read_to_string(fleet.project.join("agents.toml")).expect("a config");
    assert!(scaffold.contains("session_prefix = \"my-proj-\""), "{scaffold}");
    fleet.agents(&["check"]).ok();
    fleet.config(&format!("{}[[agent]]\nname = \"a\"\n", BASE.replace("\"t-\"", "\"my-proj-\"")));
    fleet.up();
    fleet.wait("it runs", |f| f.starts("a") == 1);
    let again = fleet.up();
    assert!(again.out.contains("my-proj-a already running"), "{again:?}");
    fleet.agents(&["down"]).ok();
    assert_eq!(fleet.status()["agents"][0]["state"], "stopped");
    assert_eq!(fleet.starts("a"), 1);
}

#[test]
fn fault_06_names_that_tmux_would_change_start_nothing() {
    let fleet = Fleet::with(&format!("{}[[agent]]\nname = \"a\"\n", BASE.replace("\"t-\"", "\"my.proj-\"")));
    let Said { code, err, .. } = fleet.agents(&["up"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("`my-proj-`"), "{err}");
    assert_eq!(fleet.starts("a"), 0);
    fleet.config(&format!("{BASE}[[agent]]\nname = \"x.y\"\n[[agent]]\nname = \"c:d\"\n[[agent]]\nname = \"good\"\n"));
    let said = fleet.agents(&["up"]);
    assert_eq!(said.code, 1, "not all of it was started: {said:?}");
    assert!(said.out.contains("x.y cannot be started") && said.out.contains("c:d cannot be started"), "{said:?}");
    fleet.wait("the good one runs", |f| f.starts("good") == 1);
    fleet.ticks(3);
    assert_eq!((fleet.starts("good"), fleet.starts("x.y"), fleet.starts("c:d")), (1, 0, 0));
    assert_eq!(fleet.sessions(), ["t-good", "t-watchdog"]);
    assert_eq!(fleet.agents(&["up", "x.y"]).code, 1);
}

/// T19: whoever can write the config can run anything as the user.
#[test]
fn a_config_that_agents_or_others_can_write_is_warned_about_once() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |f: &Fleet, file: &str, mode: u32| {
        std::fs::set_permissions(f.project.join(file), PermissionsExt::from_mode(mode)).expect("a mode");
    };
    let beside = "lies in the working directory of agent `a` and 1 more";
    let toml =
        "[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\ndir = \"link\"\n[[agent]]\nname = \"c\"\ndir = \"own\"\n";
    let f = Fleet::new(toml);
    std::os::unix::fs::symlink(&f.project, f.project.join("link")).expect("a link");
    for (file, bits) in [("agents.toml", 0o644), (".", 0o755)] {
        mode(&f, file, bits);
    }
    let said = f.agents(&["check"]).ok();
    assert!(said.err.contains(beside) && said.err.contains("hint: give agents a `dir`"), "{said:?}");
    let said = f.agents(&["check", "--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&json["ok"], json["warnings"].as_array().map(Vec::len)), (&true.into(), Some(1)), "{json}");
    assert!(f.up().err.contains(beside));
    assert!(!f.up().err.contains("warning"), "said once");
    mode(&f, "agents.toml", 0o664);
    mode(&f, ".", 0o777);
    let said = f.up();
    assert!(said.err.contains("agents.toml` can be written by its group"), "{said:?}");
    assert!(said.err.contains("project` can be written by everybody"), "{said:?}");
    mode(&f, "agents.toml", 0o600);
    mode(&f, ".", 0o1777);
    f.config(&format!("{BASE}{toml}").replace("[watchdog]", "[watchdog]\nreload = \"manual\""));
    mode(&f, "agents.toml", 0o600);
    assert_eq!(f.agents(&["check"]).ok().err, "", "a change waits for a person");
    mode(&f, ".", 0o755);
}
