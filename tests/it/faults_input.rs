//! Bad input: a clear error and no change.
use crate::fleet::{BASE, Fleet};
use rustix::process::Signal;
use std::process::Command;

const ONE: &str = "[[agent]]\nname = \"a\"\n";

#[test]
fn a_half_written_config_changes_nothing() {
    let f = Fleet::new(ONE);
    let whole = f.filled(&format!("{BASE}{ONE}"));
    let half = &whole[..whole.len() - 4];
    std::fs::write(f.project.join("agents.toml"), half).expect("half a config");
    let said = f.agents(&["up"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("agents.toml:") && said.err.contains('^'), "{said:?}");
    assert_eq!(f.starts("a"), 0);
    assert!(!f.project.join(".agents").exists(), "nothing was made");
    f.config(&format!("{BASE}{ONE}"));
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    std::fs::write(f.project.join("agents.toml"), half).expect("half a config");
    f.wait("it is said", |f| f.said("config is broken") == 1);
    for line in [&["up"][..], &["restart", "a"]] {
        let said = f.agents(line);
        assert_eq!(said.code, 3, "{line:?}: {said:?}");
    }
    assert!(f.status()["faults"].as_array().is_some_and(|l| l.len() == 1));
    f.kill("a");
    f.wait("the last good one is in force", |f| f.starts("a") == 2 && f.alive("a"));
    f.config(&format!("{BASE}{ONE}"));
    f.wait("it reads again", |f| f.said("config reads again") == 1);
}

#[test]
fn without_tmux_nothing_starts_and_everything_says_so() {
    let mut f = Fleet::new(ONE);
    let bin = f.root().join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    for name in ["sh", "sleep", "git"] {
        let place = std::env::split_paths(&path).map(|d| d.join(name)).find(|p| p.exists()).expect("a program");
        std::os::unix::fs::symlink(place, bin.join(name)).expect("a link");
    }
    f.set("PATH", &bin);
    for line in [&["up"][..], &["up", "a"], &["status"], &["attach", "a"]] {
        let said = f.agents(line);
        assert_eq!(said.code, 1, "{line:?}: {said:?}");
        assert!(format!("{}{}", said.out, said.err).contains("tmux"), "{line:?}: {said:?}");
    }
    assert_eq!(f.starts("a"), 0);
    f.set("PATH", path);
    f.up();
    f.wait("with tmux it runs", |f| f.starts("a") == 1);
}

/// A server that hangs is not a dead one: nothing is started again, and what was asked for happens once it goes on.
#[test]
fn a_stopped_tmux_server_is_waited_for() {
    let f = Fleet::new(ONE);
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    let (server, watchdog) = (f.server(), f.watchdog());
    crate::fleet::signal(server, Signal::STOP);
    let beat = || std::fs::read_to_string(f.project.join(".agents/state/t-agents.beat")).unwrap_or_default();
    let status = f.agents(&["status"]);
    f.kill("a");
    let before = beat();
    f.wait("ticks go on", |_| beat() != before);
    crate::fleet::signal(server, Signal::CONT);
    assert!(status.code == 0 && status.err.contains("tmux server does not answer"), "{status:?}");
    f.wait("it is healed", |f| f.starts("a") == 2 && f.alive("a"));
    assert_eq!((f.server(), f.watchdog()), (server, watchdog));
    assert_eq!(f.starts("a"), 2, "{}", f.log());
}

#[test]
fn paths_and_names_are_never_shell_text() {
    let folder = "it's \"quoted\" $(touch x) `touch y` #(touch z) my.proj";
    let f = Fleet::in_folder(
        folder,
        &BASE.replace("bin = \"{fake}\"", "bin = \"{fake}\"\nsubmit_key = \"Enter\"").replace(
            "[backend.fake]",
            "[backend.typed]\nbin = \"{fake}\"\nprompt_delivery = \"ping\"\nconnect_delay = 0\n[backend.fake]",
        ),
    );
    let toml = std::fs::read_to_string(f.project.join("agents.toml")).expect("the config");
    let more = "\n[[agent]]\nname = \"a\"\n\n[[agent]]\nname = \"my.proj\"\n\n[[agent]]\nname = \"$(touch v)\"\n\n\
                [[agent]]\nname = \"p\"\nbackend = \"typed\"\nprompt = \"do it\"\ndir = \"some where's\"\n\n\
                [[service]]\nname = \"web\"\ncommand = \"pwd >here; exec sleep 1000\"\n";
    f.config(&format!("{toml}{more}"));
    let said = f.agents(&["up"]);
    assert!(said.err.contains("`my.proj`") && said.err.contains("`$(touch v)`"), "{said:?}");
    f.wait("the others run", |f| f.alive("a") && f.alive("p") && f.alive("web") && f.starts("a") == 1);
    f.wait("the first message came", |f| f.lines("p").len() == 1);
    let line = f.lines("p")[0].clone();
    let from = line.find("with: `").expect("a command") + "with: `".len();
    let command = &line[from..line.rfind('`').expect("its end")];
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(f.root());
    assert_eq!(f.run(shell).out, "do it", "{line}");
    assert_eq!(std::fs::read_to_string(f.project.join("here")).expect("written").trim(), f.project.to_string_lossy());
    assert!(f.output("a").contains("> "), "the log is where it belongs");
    for place in [f.root(), f.project.clone(), f.project.join("some where's"), f.root().join("home")] {
        for name in ["x", "y", "z", "v"] {
            assert!(!place.join(name).exists(), "{name} in {}", place.display());
        }
    }
    assert_eq!(f.agents(&["down"]).code, 0);
    assert!(!f.alive("a"));
}

/// Agents that die are started again while nothing can be written; nothing is typed meanwhile (G24).
#[test]
fn a_full_disk_stops_the_typing_and_not_the_healing() {
    // Room for a first start, and none once it is full: what ran comes back all the same.
    let f = Fleet::new(&format!("[host]\nmin_disk = \"1MB\"\n{ONE}"));
    let disk = f.project.join(".agents");
    std::fs::create_dir_all(&disk).expect("a folder");
    let mount = |args: &[&str]| Command::new(args[0]).args(&args[1..]).arg(&disk).output();
    let mounted = mount(&["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "none"]);
    if !mounted.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: no tmpfs can be mounted here (needs root)");
        return;
    }
    struct Unmount(std::path::PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg("-l").arg(&self.0).output();
        }
    }
    let unmount = Unmount(disk.clone());
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    let watchdog = f.watchdog();
    let fill = || {
        use std::io::Write;
        let mut filler = std::fs::File::options().create(true).append(true).open(disk.join("filler")).expect("a file");
        while filler.write_all(&[0; 4096]).is_ok() {}
        while filler.write_all(&[0; 1]).is_ok() {}
    };
    fill();
    for n in 2..=3 {
        f.kill("a");
        fill();
        f.wait("it is back", |f| f.starts("a") == n);
    }
    let said = f.agents(&["send", "a", "hello"]);
    assert_ne!(said.code, 0, "{said:?}");
    assert_eq!(f.lines("a"), [] as [String; 0]);
    assert_eq!(f.watchdog(), watchdog);
    std::fs::remove_file(disk.join("filler")).expect("room");
    f.wait("texts are typed again", |f| {
        f.agents(&["send", "a", "hello again"]).code == 0 && f.lines("a").iter().any(|l| l == "hello again")
    });
    assert!(!f.lines("a").iter().any(|l| l == "hello"));
    f.agents(&["down"]).ok();
    drop(unmount);
}
