//! The shim and the log writer under a real tmux.
use crate::sandbox::{Sandbox, wait_until};
use agents::{
    model::observation::ExitRecord,
    shim::record::{self, LaunchRecord, ShimRecord},
    world::{
        process::{ExitWatcher, ProcId, Stat},
        tmux::{Client, Created, NewSession},
    },
};
use rustix::process::Signal;
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// One start of one agent in the sandbox.
struct Run {
    dir: PathBuf,
    record: LaunchRecord,
}

impl Run {
    fn new(sandbox: &Sandbox, name: &str, command: &str) -> Run {
        let record = LaunchRecord {
            v: 1,
            session: format!("p-{name}"),
            name: name.into(),
            incarnation: 1,
            fleet: sandbox.path().display().to_string(),
            shell: "/bin/sh".into(),
            command: command.into(),
            dir: sandbox.path().into(),
            env_file: sandbox.join("env"),
            env_set: Default::default(),
            env_remove: Vec::new(),
            grace_ms: 500,
            log: sandbox.join(&format!("p-{name}.log")),
            log_max_bytes: 1_000_000,
            wait_for_log_ms: 10_000,
            sweep: false,
        };
        std::fs::write(&record.env_file, format!("PATH={}\0HOME=/\0", std::env::var("PATH").expect("PATH")))
            .expect("env");
        Run { dir: sandbox.join(&format!("run-{name}")), record }
    }

    fn session(&self) -> NewSession {
        self.record.write(&self.dir).expect("launch record");
        let exe = Path::new(Sandbox::exe());
        NewSession {
            name: self.record.session.clone(),
            size: (120, 40),
            argv: record::shim_argv(exe, &self.dir),
            pipe: Some(record::log_argv(exe, &self.dir)),
        }
    }

    fn start(&self, client: &mut Client) -> Created {
        client.new_session(&self.session()).expect("session")
    }

    fn exit(&self) -> Option<ExitRecord> {
        record::read_exit(&self.dir)
    }

    fn ended(&self) -> ExitRecord {
        wait_until(20, "the end of the tree", || self.exit().is_some_and(|e| e.tree_ended));
        self.exit().expect("exit record")
    }

    fn log(&self) -> String {
        std::fs::read(&self.record.log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }

    fn child(&self) -> ProcId {
        let mut child = None;
        wait_until(10, "a child", || {
            child = ShimRecord::read(&self.dir).and_then(|r| r.child).and_then(ProcId::of);
            child.is_some()
        });
        child.expect("child")
    }
}

#[test]
fn exit_codes_and_signals_are_true() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    for (name, command, code, signal) in [
        ("zero", "true", Some(0), None),
        ("seven", "exit 7", Some(7), None),
        ("missing", "/nonexistent/program", Some(127), None),
        ("killed", "kill -KILL $$", None, Some(9)),
        ("segv", "kill -SEGV $$", None, Some(11)),
    ] {
        let run = Run::new(&sandbox, name, command);
        run.start(&mut client);
        let exit = run.ended();
        assert_eq!((exit.code, exit.signal, exit.error, exit.incarnation), (code, signal, None, 1), "{name}");
    }
}

#[test]
fn a_hundred_instant_ends_are_all_recorded_and_logged() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let runs: Vec<Run> = (0..100).map(|n| Run::new(&sandbox, &format!("i{n}"), "echo out; exit 7")).collect();
    client.set_deadline(std::time::Duration::from_secs(60));
    let all: Vec<NewSession> = runs.iter().map(Run::session).collect();
    for made in client.new_sessions(&all) {
        made.expect("session");
    }
    for run in &runs {
        wait_until(60, "the end of the tree", || run.exit().is_some_and(|e| e.tree_ended));
        assert_eq!(run.exit().expect("exit").code, Some(7));
        wait_until(20, "its output", || run.log() == "out\r\n");
    }
}

/// tmux destroys a pane whose process is gone, whether or not the kernel has handed it the last words yet: on a busy
/// machine they were lost. So the shim outlives the terminal.
#[test]
fn the_last_words_are_read_before_the_shim_ends() {
    use rustix::pty;
    let sandbox = Sandbox::new();
    let mut run = Run::new(&sandbox, "words", "echo last words; exit 7");
    run.record.wait_for_log_ms = 0;
    run.record.write(&run.dir).expect("launch record");
    let master = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).expect("terminal");
    pty::unlockpt(&master).expect("unlock");
    let name = pty::ptsname(&master, Vec::new()).expect("name");
    let slave = || std::fs::File::options().read(true).write(true).open(name.to_str().expect("path")).expect("slave");
    let argv = record::shim_argv(Path::new(Sandbox::exe()), &run.dir);
    let mut shim = std::process::Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(slave())
        .stdout(slave())
        .stderr(slave())
        .spawn()
        .expect("shim");
    let mut printed = Vec::new();
    let mut master = std::fs::File::from(master);
    let end = std::io::Read::read_to_end(&mut master, &mut printed);
    let alive = shim.try_wait().expect("look").is_none();
    let ended = run.exit().is_some_and(|e| e.tree_ended);
    drop(master);
    assert_eq!(end.map_err(|e| e.raw_os_error()), Err(Some(5)), "the end of a terminal is EIO");
    assert_eq!(String::from_utf8_lossy(&printed).lines().last(), Some("last words"));
    assert!(alive && !ended, "it has let go of the terminal and waits for the other side");
    assert_eq!(run.ended().code, Some(7));
    assert_eq!(shim.wait().expect("end").code(), Some(7));
}

#[test]
fn what_cannot_start_says_why() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let mut run = Run::new(&sandbox, "nodir", "true");
    run.record.dir = sandbox.join("gone");
    run.start(&mut client);
    let error = run.ended().error.expect("an error");
    assert!(error.contains("working directory") && error.contains("gone"), "{error}");
    let mut run = Run::new(&sandbox, "noshell", "true");
    run.record.shell = "/nonexistent/shell".into();
    run.start(&mut client);
    let exit = run.ended();
    assert_eq!(exit.code, Some(127));
    assert!(exit.error.is_some_and(|e| e.contains("`/nonexistent/shell`")));
}

#[test]
fn the_pane_is_the_programs_own() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "cat", "exec cat");
    let made = run.start(&mut client);
    wait_until(10, "its own name", || {
        client.list().expect("list").iter().any(|r| r.pane_id == made.pane_id && r.command == "cat")
    });
    client.send_text(&made.pane_id, "typed words").expect("type");
    client.press(&made.pane_id, "Enter").expect("press");
    wait_until(10, "an echo from the terminal and one from cat", || run.log().matches("typed words").count() == 2);
    client.press(&made.pane_id, "C-c").expect("press");
    let exit = run.ended();
    assert_eq!((exit.code, exit.signal), (None, Some(2)), "the key reached the program, and not the shim");
}

#[test]
fn a_stop_is_seen_and_its_end_too() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "stop", "exec sleep 1000");
    run.start(&mut client);
    let child = run.child();
    assert!(child.signal(Signal::STOP));
    wait_until(10, "stopped", || run.dir.join(record::STOPPED).exists());
    assert!(child.signal(Signal::CONT));
    wait_until(10, "going on", || !run.dir.join(record::STOPPED).exists());
    assert_eq!(run.exit(), None);
}

/// HUP and TERM ignored, and a session of its own: nothing but the tree leads to it.
const DEAF: &str = "trap '' HUP TERM INT; setsid sh -c 'echo $$ > deaf1; while :; do sleep 1; done' & \
                    (nohup sh -c 'echo $$ > deaf2; while :; do sleep 1; done' &) ; echo up; while :; do sleep 1; done";

fn deaf_ones(sandbox: &Sandbox) -> Vec<ProcId> {
    let mut found = Vec::new();
    wait_until(10, "both", || {
        let pids = ["deaf1", "deaf2"]
            .map(|f| std::fs::read_to_string(sandbox.join(f)).ok().and_then(|t| t.trim().parse().ok()));
        found = pids.into_iter().flatten().filter_map(ProcId::of).collect();
        found.len() == 2
    });
    found
}

#[test]
fn the_whole_tree_ends_on_term() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "deaf", DEAF);
    let made = run.start(&mut client);
    let deaf = deaf_ones(&sandbox);
    assert!(ProcId::of(made.pid).expect("shim").signal(Signal::TERM));
    let exit = run.ended();
    assert_eq!((exit.code, exit.signal), (None, Some(9)));
    assert!(deaf.iter().all(|p| !p.is_alive()));
}

#[test]
fn the_whole_tree_ends_with_the_session_or_the_server() {
    for server in [false, true] {
        let sandbox = Sandbox::new();
        let mut client = sandbox.client();
        let run = Run::new(&sandbox, "deaf", DEAF);
        let made = run.start(&mut client);
        let deaf = deaf_ones(&sandbox);
        if server {
            assert!(ProcId::of(client.server_pid()).expect("server").signal(Signal::KILL));
        } else {
            client.kill_session(&made.session_id).expect("kill");
        }
        assert!(run.ended().tree_ended);
        assert!(deaf.iter().all(|p| !p.is_alive()), "server: {server}");
    }
}

#[test]
fn the_end_of_the_main_process_counts_though_others_go_on() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let mut run = Run::new(
        &sandbox,
        "main",
        &DEAF.replace("echo up; while :; do sleep 1; done", "until test -s deaf2; do sleep .1; done; exit 5"),
    );
    run.record.grace_ms = 3000;
    run.start(&mut client);
    wait_until(10, "the record", || run.exit().is_some());
    let at_once = run.exit().expect("exit");
    assert_eq!((at_once.code, at_once.tree_ended), (Some(5), false), "not held up by the grace");
    assert_eq!(run.ended().code, Some(5));
}

#[test]
fn a_killed_agent_is_told_of_by_the_watcher() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "k", "exec sleep 1000");
    let made = run.start(&mut client);
    let (sender, told) = std::sync::mpsc::channel();
    let watcher = ExitWatcher::new(move |key| drop(sender.send(key))).expect("watcher");
    let child = run.child();
    assert!(watcher.watch("main", child) && watcher.watch("shim", ProcId::of(made.pid).expect("shim")));
    assert!(child.signal(Signal::KILL));
    assert_eq!(told.recv().as_deref(), Ok("main"));
    assert_eq!(told.recv().as_deref(), Ok("shim"));
    assert_eq!(run.exit().expect("exit").signal, Some(9));
}

#[test]
fn the_environment_is_the_callers_and_leads_to_no_server() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "env", "env > env.out; tmux ls > tmux.out 2>&1; pwd > pwd.out; tty > tty.out");
    let mut env = std::fs::read(&run.record.env_file).expect("env");
    env.extend(b"API_KEY=k v\nw\0TMUX=/x,1,0\0TMUX_PANE=%1\0TMUX_TMPDIR=");
    env.extend(sandbox.path().as_os_str().as_encoded_bytes());
    env.extend(b"\0AGENT_MODEL_a=m\0");
    std::fs::write(&run.record.env_file, env).expect("env");
    run.start(&mut client);
    assert_eq!(run.ended().code, Some(0));
    let read = |name: &str| std::fs::read_to_string(sandbox.join(name)).expect(name);
    let env = read("env.out");
    assert!(
        env.contains("API_KEY=k v\nw\n")
            && env.contains("AGENTS_SESSION=p-env\n")
            && env.contains("AGENTS_INCARNATION=1\n"),
        "{env}"
    );
    assert!(env.contains("TERM=tmux-256color") || env.contains("TERM=screen-256color"), "{env}");
    assert!(!env.contains("TMUX") && !env.contains("AGENT_MODEL"), "{env}");
    assert!(!read("tmux.out").contains("p-env"), "{}", read("tmux.out"));
    assert_eq!(Path::new(read("pwd.out").trim()), sandbox.path().canonicalize().expect("path"));
    assert!(read("tty.out").starts_with("/dev/"));
}

#[test]
fn everything_is_private_whatever_the_umask() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let mut run = Run::new(&sandbox, "mode", "echo hi");
    run.record.log = sandbox.join("logs/deep/p-mode.log");
    // The server of this sandbox inherits no umask of ours; a session that sets one does.
    let mut session = run.session();
    let quoted = |argv: &[String]| argv.iter().map(|a| format!("'{a}'")).collect::<Vec<_>>().join(" ");
    session.argv = vec!["sh".into(), "-c".into(), format!("umask 0; exec {}", quoted(&session.argv))];
    session.pipe = session.pipe.map(|p| vec!["sh".into(), "-c".into(), format!("umask 0; exec {}", quoted(&p))]);
    client.new_session(&session).expect("session");
    run.ended();
    wait_until(10, "the log", || run.log() == "hi\r\n");
    let mode = |path: &Path| {
        std::fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).permissions().mode() & 0o777
    };
    for file in [record::LAUNCH, record::SHIM, record::PIPED, record::EXIT] {
        assert_eq!(mode(&run.dir.join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&run.record.log), 0o600);
    assert_eq!(mode(&sandbox.join("state/tmux.conf")), 0o600);
    for dir in [&run.dir, &sandbox.join("logs"), &sandbox.join("logs/deep"), &sandbox.join("state")] {
        assert_eq!(mode(dir), 0o700, "{}", dir.display());
    }
}

#[test]
fn the_log_rotates_within_its_quota() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let mut run = Run::new(&sandbox, "rot", "seq 1 50000; sleep 1000");
    run.record.log_max_bytes = 100_000;
    run.start(&mut client);
    wait_until(20, "the last line", || run.log().ends_with("50000\r\n"));
    let parts: Vec<PathBuf> = std::iter::once(run.record.log.clone())
        .chain((1..=9).map(|n| sandbox.join(&format!("p-rot.log.{n}"))))
        .collect();
    let sizes: Vec<u64> = parts.iter().map(|p| std::fs::metadata(p).expect("part").len()).collect();
    assert!(sizes.iter().sum::<u64>() <= 100_000, "{sizes:?}");
    let text: String = parts.iter().rev().map(|p| std::fs::read_to_string(p).expect("part")).collect();
    let numbers: Vec<u32> = text.lines().skip(1).map(|l| l.trim().parse().expect("a number")).collect();
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "no line is lost between parts");
}

#[test]
fn a_moved_log_is_made_anew() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "mv", "echo one; while :; do sleep .2; echo more; done");
    run.start(&mut client);
    wait_until(10, "one", || run.log().contains("one"));
    std::fs::rename(&run.record.log, sandbox.join("moved")).expect("move");
    wait_until(10, "more", || run.log().contains("more"));
}

#[test]
fn a_program_may_read_its_terminal_at_once() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let names: Vec<String> = (0..12).map(|n| format!("read{n}")).collect();
    let runs: Vec<Run> = names.iter().map(|name| Run::new(&sandbox, name, "exec cat")).collect();
    for made in runs.iter().map(|run| run.start(&mut client)).collect::<Vec<_>>() {
        client.send_text(&made.pane_id, "typed").expect("type");
        client.press(&made.pane_id, "Enter").expect("press");
    }
    for run in &runs {
        wait_until(20, "an answer", || run.log().matches("typed").count() == 2 || run.log().contains("error"));
        assert_eq!(run.log().matches("error").count(), 0, "{}", run.log());
    }
}

#[test]
fn a_lost_log_writer_is_replaced() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "pipe", "echo first; exec cat");
    let made = run.start(&mut client);
    wait_until(10, "first", || run.log().contains("first"));
    let is_writer = |p: &ProcId| {
        std::fs::read(format!("/proc/{}/cmdline", p.pid)).is_ok_and(|t| t.windows(5).any(|w| w == b"__log"))
    };
    let writer = sandbox.processes().into_iter().find(is_writer).expect("log writer");
    assert!(writer.signal(Signal::TERM), "it heeds only the end of its input");
    client.repipe(&made.pane_id, &record::log_argv(Path::new(Sandbox::exe()), &run.dir)).expect("pipe");
    wait_until(10, "the first one ends", || !writer.is_alive());
    client.send_text(&made.pane_id, "second").expect("type");
    client.press(&made.pane_id, "Enter").expect("press");
    wait_until(10, "second", || run.log().matches("second").count() == 2);
}

#[test]
fn a_full_disk_is_a_gap_and_not_the_end() {
    let sandbox = Sandbox::new();
    let small = sandbox.join("small");
    std::fs::create_dir(&small).expect("folder");
    let mounted =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|out| out.status.success()) {
        println!("skipped: no tmpfs can be mounted here");
        return;
    }
    struct Unmount(PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            // Lazily: the log writer may still have its file open.
            let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).output();
        }
    }
    let _unmount = Unmount(small.clone());
    let mut client = sandbox.client();
    let mut run =
        Run::new(&sandbox, "full", "seq 1 20000; echo filled > filled; while :; do sleep .2; echo tick; done");
    run.record.log = small.join("p-full.log");
    run.start(&mut client);
    wait_until(20, "all printed", || sandbox.join("filled").exists());
    wait_until(20, "a full disk", || rustix::fs::statvfs(&small).is_ok_and(|s| s.f_bavail == 0));
    assert!(run.child().is_alive());
    std::fs::OpenOptions::new().write(true).truncate(true).open(&run.record.log).expect("emptied");
    wait_until(20, "the gap is told and logging goes on", || {
        run.log()
            .split_once("log gap: ")
            .is_some_and(|(_, rest)| rest.contains("bytes lost, no space, ") && rest.contains("tick"))
    });
    assert!(std::fs::read_to_string(run.dir.join(record::GAP)).is_ok_and(|t| t.contains("no space")));
}

#[test]
fn the_watchdog_log_is_shown_and_followed() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let file = sandbox.join("watchdog.log");
    std::fs::write(&file, (0..5000).map(|n| format!("old {n}\n")).collect::<String>()).expect("log");
    let argv = record::watchlog_argv(Path::new(Sandbox::exe()), &file);
    let made = client.new_session(&NewSession { argv, ..Sandbox::session("p-w", "") }).expect("session");
    let mut shows = |needle: &str| {
        wait_until(10, needle, || {
            client
                .capture(&[&made.pane_id])
                .expect("capture")
                .get(&made.pane_id)
                .is_some_and(|c| c.text.contains(needle))
        });
    };
    shows("old 4999");
    std::io::Write::write_all(&mut std::fs::OpenOptions::new().append(true).open(&file).expect("open"), b"new line\n")
        .expect("write");
    shows("new line");
    std::fs::rename(&file, sandbox.join("watchdog.log.1")).expect("rotate");
    std::fs::write(&file, "after rotation\n").expect("write");
    shows("after rotation");
}

#[test]
fn the_shim_stays_without_threads() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let run = Run::new(&sandbox, "t", "exec sleep 1000");
    let made = run.start(&mut client);
    let child = run.child();
    let stat = Stat::read(child.pid).expect("stat");
    assert_eq!((stat.parent, stat.session, stat.group), (made.pid, made.pid, child.pid));
    assert_eq!(std::fs::read_dir(format!("/proc/{}/task", made.pid)).expect("tasks").count(), 1);
}

#[test]
fn leftovers_of_an_earlier_start_are_ended_before_the_next() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let mut run = Run::new(&sandbox, "left", "echo $$ > new; exec sleep 1000");
    let marks =
        [("AGENTS_FLEET", run.record.fleet.as_str()), ("AGENTS_SESSION", "p-left"), ("AGENTS_INCARNATION", "1")];
    let deaf = "trap '' TERM HUP; echo ready; while :; do read x; done";
    let mut old = std::process::Command::new("sh")
        .args(["-c", deaf])
        .envs(marks)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("sh");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(old.stdout.as_mut().expect("stdout")), &mut line)
        .expect("line");
    let left = ProcId::of(old.id()).expect("alive");
    run.record.incarnation = 2;
    run.record.sweep = true;
    run.start(&mut client);
    wait_until(10, "the new one runs", || sandbox.join("new").exists());
    assert!(!left.is_alive(), "first the end, then the start");
    old.wait().expect("wait");
}

#[test]
fn a_job_that_an_agent_submitted_outlives_it_and_does_not_hold_it_up() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let pid = sandbox.join("job.pid");
    let job = format!("echo $$ > '{}'; exec sleep 1000", pid.display());
    let state = sandbox.join("jobs");
    let command =
        format!("XDG_STATE_HOME='{}' '{}' run -b \"{job}\"; sleep 1000 & exit 5", state.display(), Sandbox::exe());
    let run = Run::new(&sandbox, "asks", &command.replace("$$", "\\$\\$"));
    run.start(&mut client);
    wait_until(20, "the job runs", || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')));
    let text = std::fs::read_to_string(&pid).expect("a pid");
    let child = ProcId::of(text.trim().parse().expect("a pid")).expect("it runs");
    // What else it left behind is ended; its shim waits for nothing more.
    let exit = run.ended();
    assert_eq!((exit.code, exit.tree_ended), (Some(5), true));
    let shim = ShimRecord::read(&run.dir).expect("a shim");
    wait_until(20, "the shim is gone", || !ProcId { pid: shim.pid, start: shim.start }.is_alive());
    assert!(child.is_alive());
}
