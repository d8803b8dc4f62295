//! `agents run --sandbox`: what it says is enforced is enforced, and it says nothing else.
use crate::{
    job_sandbox_tries::{HELD, OUT, OUTSIDE, SOCKET, TRIES, TRY, VICTIM},
    jobs_world::JobWorld,
    sandbox::wait_until,
};
use agents::{
    jobs::fences::Fence,
    model::job::JobState,
    world::process::{ProcId, landlock_version},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            fs::{PermissionsExt, chown},
            net::{SocketAddr, UnixDatagram, UnixListener},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A job's folder `in`, a temporary one, and `out` with all that it may not touch.
struct Yard {
    world: JobWorld,
    victim: Child,
    socket: String,
    _listeners: (UnixListener, UnixDatagram),
}

impl Yard {
    fn new() -> Yard {
        let world = JobWorld::new();
        for dir in ["in", "tmp"] {
            fs::create_dir(world.sandbox.join(dir)).expect("a folder");
        }
        let socket = format!("{}", world.sandbox.path().display());
        let address = SocketAddr::from_abstract_name(&socket).expect("a name");
        let letters = SocketAddr::from_abstract_name(format!("{socket}d")).expect("a name");
        let listeners = (
            UnixListener::bind_addr(&address).expect("a listener"),
            UnixDatagram::bind_addr(&letters).expect("a listener"),
        );
        let victim = spawn_victim(&world);
        Yard { world, victim, socket, _listeners: listeners }
    }

    fn out(&self) -> PathBuf {
        self.world.sandbox.join("out")
    }

    /// As it was at first, whatever the last try did.
    fn tidy(&mut self) {
        for dir in ["in", "out"] {
            let dir = self.world.sandbox.join(dir);
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir(&dir).expect("a folder");
        }
        let out = self.out();
        fs::write(out.join("there"), "kept\n").expect("written");
        fs::create_dir(out.join("empty")).expect("a folder");
        let made = Command::new("mkfifo").arg(out.join("pipe")).status().expect("mkfifo");
        assert!(made.success());
        if rustix::process::geteuid().is_root() {
            let who = out.join("who");
            fs::copy("/usr/bin/id", &who).expect("a program");
            chown(&who, Some(65534), None).expect("given away");
            fs::set_permissions(&who, fs::Permissions::from_mode(0o4755)).expect("setuid");
        }
        if self.damaged() {
            let _ = self.victim.kill();
            let _ = self.victim.wait();
            self.victim = spawn_victim(&self.world);
        }
    }

    /// Something is not as it was.
    fn damaged(&mut self) -> bool {
        let gone = ProcId::of(self.victim.id()).is_none();
        let names: BTreeSet<String> = fs::read_dir(self.out())
            .expect("a folder")
            .map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "who")
            .collect();
        let beside = fs::read_dir(self.world.dir().join("logs/jobs")).into_iter().flatten().flatten();
        gone || names != ["empty", "pipe", "there"].map(str::to_owned).into()
            || fs::read_to_string(self.out().join("there")).ok().as_deref() != Some("kept\n")
            || beside.into_iter().any(|entry| entry.file_name() == "new")
    }

    fn run(&self, sandbox: bool, name: &str) -> Output {
        let mut line = vec!["run", "--dir", "in"];
        line.extend(sandbox.then_some("--sandbox"));
        let exe = std::env::current_exe().expect("this program");
        let exe = exe.to_string_lossy().into_owned();
        line.extend(["--", &exe, "--exact", "job_sandbox_tries::a_try", "--nocapture"]);
        let mut command = self.world.agents(&line);
        command.env("TMPDIR", self.world.sandbox.join("tmp")).env(TRY, name).env(OUTSIDE, self.out());
        command.env(VICTIM, self.victim.id().to_string()).env(SOCKET, &self.socket);
        command.output().expect("it runs")
    }

    /// Whether that try gets out.
    fn gets_out(&mut self, sandbox: bool, name: &str) -> bool {
        self.tidy();
        let output = self.run(sandbox, name);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(matches!(output.status.code(), Some(OUT | HELD)), "{name}: {output:?}");
        let damaged = self.damaged();
        let _ = fs::remove_file(self.world.dir().join("logs/jobs/new"));
        if damaged || output.status.code() == Some(OUT) {
            eprintln!("{}: {said}", if sandbox { "IT IS OUT" } else { "without a sandbox" });
        }
        damaged || output.status.code() == Some(OUT)
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

fn spawn_victim(world: &JobWorld) -> Child {
    let mut command = Command::new("sleep");
    command.stdin(Stdio::null()).arg("1000").process_group(0).env("YARD", world.sandbox.path()).spawn().expect("sleep")
}

fn no_landlock() -> bool {
    let none = landlock_version() == 0;
    if none {
        eprintln!("skipped: this kernel has no landlock");
    }
    none
}

/// First words of the lines that say what is enforced.
fn said(world: &JobWorld, id: &str) -> Vec<String> {
    let shown = world.run(&["jobs", "show", id, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    let lines = json["sandbox"]["enforced"].as_array().expect("a list");
    let word =
        |line: &serde_json::Value| line.as_str().and_then(|l| l.split_once(':')).map(|(word, _)| word.to_owned());
    lines.iter().map(|line| word(line).expect("a word")).collect()
}

#[test]
fn every_line_of_a_sandbox_is_tried_in_every_way_and_holds() {
    if no_landlock() {
        return;
    }
    let mut yard = Yard::new();
    assert_eq!(yard.world.run(&["run", "--sandbox", "true"]).status.code(), Some(0));
    let words = said(&yard.world, "j1");
    let tried: BTreeSet<&str> = TRIES.iter().map(|(word, _)| *word).collect();
    let known: BTreeSet<&str> = Fence::ALL.iter().map(|fence| fence.word()).collect();
    assert_eq!(tried, known, "each line has a test, and each test a line");
    assert!(!words.is_empty() && words.iter().all(|word| tried.contains(word.as_str())), "{words:?}");
    let root = rustix::process::geteuid().is_root();
    let mut could: BTreeMap<&str, usize> = BTreeMap::new();
    for (word, name) in TRIES.iter().filter(|(word, _)| words.iter().any(|said| said == word)) {
        if root && *name == "its environment" {
            // It is not said.
            continue;
        }
        if yard.gets_out(false, name) {
            *could.entry(word).or_default() += 1;
        } else {
            eprintln!("skipped: `{name}` ({word}) does not work here without a sandbox either");
        }
        assert!(!yard.gets_out(true, name), "{word}: `{name}` leads out of the sandbox");
    }
    for word in words.iter().filter(|word| root || !["privileges", "devices"].contains(&word.as_str())) {
        let count = could.get(word.as_str()).copied().unwrap_or(0);
        assert!(count > 0, "nothing that was tried against `{word}` could have worked");
    }
}

#[test]
fn what_a_job_needs_it_can_do_in_a_sandbox() {
    let world = JobWorld::new();
    fs::create_dir_all(world.sandbox.join("in/a")).expect("a folder");
    fs::create_dir(world.sandbox.join("tmp")).expect("a folder");
    let line = "set -e; echo x > a/f; mkdir b; mv a/f b/g; ln b/g b/h; ln -s b l; : > b/g; rm -r b l; mkfifo p; rm p; \
                cat ../seen > copy; t=$(mktemp); rm $t; echo lost > /dev/null; echo err > /dev/stderr; \
                sleep 100 & kill $!; head -c 1 /dev/urandom > r; echo done";
    fs::write(world.sandbox.join("seen"), "read\n").expect("written");
    let mut command = world.agents(&["run", "--sandbox", "--dir", "in", line]);
    let output = command.env("TMPDIR", world.sandbox.join("tmp")).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("done\n"), "{output:?}");
    assert_eq!(world.read("in/copy"), "read\n");
}

#[test]
fn the_lines_come_first_and_stand_in_the_log_and_on_the_page() {
    let world = JobWorld::new();
    let output = world.run(&["run", "--sandbox", "ls -l /proc/self/fd; echo out"]);
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("sandbox") && said.ends_with("out\n"), "only what the job printed: {said}");
    let open = said.lines().filter(|line| line.contains(" -> ")).count();
    assert_eq!(open, 4, "no file of ours is open in the job but its log, and one of `ls`: {said}");
    let lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("agents: sandbox: ")).collect();
    assert!(lines.len() >= 2 && lines.last().is_some_and(|last| last.starts_with("not limited: ")), "{told}");
    let header: String = lines.iter().map(|line| format!("[agents] sandbox: {line}\n")).collect();
    let log = fs::read_to_string(&world.jobs()[0].log).expect("a log");
    assert_eq!(log, header + &said);
    let page = String::from_utf8_lossy(&world.run(&["jobs", "show", "j1"]).stdout).into_owned();
    assert!(lines.iter().all(|line| page.contains(&format!("  sandbox   {line}\n"))), "{page}");
    // One without a sandbox says nothing of it.
    assert!(world.run(&["run", "true"]).stderr.is_empty());
    assert!(!String::from_utf8_lossy(&world.run(&["jobs", "show", "j2"]).stdout).contains("sandbox"));
}

#[test]
fn of_several_jobs_in_the_foreground_it_is_told_too_what_holds_them() {
    let world = JobWorld::new();
    let job = |name: &str, sandbox: bool| serde_json::json!({"name": name, "dir": ".", "tmux": false, "sandbox": sandbox, "steps": [{"cmd": "true"}]});
    let jobs = serde_json::json!([job("a", true), job("b", false), job("c", true)]);
    fs::write(world.sandbox.join("three.json"), jobs.to_string()).expect("written");
    let output = world.run(&["run", "three.json"]);
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let (first, other) = if told.contains("agents: j1 sandbox: as that of j3") { ("j3", "j1") } else { ("j1", "j3") };
    let bounds = world.jobs().into_iter().find_map(|job| job.bounds).expect("its bounds").sandbox();
    let mut expected: Vec<String> = bounds.iter().map(|line| format!("agents: {first} sandbox: {line}")).collect();
    assert!(expected.len() >= 2);
    expected.push(format!("agents: {other} sandbox: as that of {first}"));
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn conditions_retries_and_what_is_resumed_are_in_the_sandbox_too() {
    if no_landlock() {
        return;
    }
    let world = JobWorld::new();
    fs::create_dir_all(world.sandbox.join("in")).expect("a folder");
    fs::create_dir(world.sandbox.join("tmp")).expect("a folder");
    let file = r#"{"name": "s", "dir": "in", "sandbox": true, "steps": [
        {"cmd": "echo x > ../one; echo tried >> tries; test $(wc -l < tries) = 2", "retries": 1},
        {"cmd": "true", "if": "echo x > ../two"},
        {"cmd": "echo x > ../three; test -e go"}]}"#;
    fs::write(world.sandbox.join("s.json"), file).expect("written");
    let mut command = world.agents(&["run", "s.json"]);
    let output = command.env("TMPDIR", world.sandbox.join("tmp")).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let states: Vec<JobState> = world.jobs()[0].steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [JobState::Done, JobState::Skipped, JobState::Failed]);
    fs::write(world.sandbox.join("in/go"), "").expect("written");
    world.run(&["jobs", "resume", "s"]);
    assert_eq!(world.over(world.jobs()[0].id).state, JobState::Done);
    for name in ["one", "two", "three"] {
        assert!(!world.sandbox.join(name).exists(), "{name}");
    }
    let log = world.log(world.jobs()[0].id);
    assert_eq!(log.matches("[agents] sandbox: writes").count(), 1, "told once: {log}");
}

#[test]
fn the_next_job_of_the_same_runner_is_in_no_sandbox() {
    let world = JobWorld::new();
    fs::create_dir(world.sandbox.join("in")).expect("a folder");
    world.store().set_limit("one", Some(1)).expect("written");
    let first = world.background(&["--group", "one", "--sandbox", "--dir", "in", "echo $PPID; sleep 0.3"]);
    let second =
        world.background(&["--group", "one", "--dir", "in", "echo $PPID; grep NoNew /proc/self/status; echo x > ../x"]);
    assert_eq!((world.over(first).state, world.over(second).state), (JobState::Done, JobState::Done));
    let (log, next) = (world.log(first), world.log(second));
    assert_eq!(log.lines().last(), next.lines().next(), "one runner");
    assert!(next.ends_with("NoNewPrivs:\t0\n"), "{next}");
    assert_eq!(world.read("x"), "x\n");
}

#[test]
fn a_runner_of_a_job_in_a_sandbox_takes_no_other_job() {
    let world = JobWorld::new();
    fs::create_dir(world.sandbox.join("in")).expect("a folder");
    world.store().set_limit("one", Some(1)).expect("written");
    // Its runner is held in with it, and is free again while the other one waits for the slot.
    let inner = "'__BIN__' run -b --group one --name inner 'until test -e go; do sleep 0.05; done; echo x > /no'";
    let line =
        format!("{inner}; until test -e over; do sleep 0.05; done").replace("__BIN__", env!("CARGO_BIN_EXE_agents"));
    let outer = world.background(&["--sandbox", "--dir", "in", &line]);
    let row = |name: &str| world.jobs().into_iter().find(|job| job.spec.name == name);
    wait_until(30, "the inner job runs", || row("inner").is_some_and(|job| job.state == JobState::Running));
    let next = world.background(&["--group", "one", "--dir", "in", "grep NoNew /proc/self/status; echo x > ../x"]);
    fs::write(world.sandbox.join("in/go"), "").expect("written");
    let inner = row("inner").expect("it is there").id;
    assert_eq!(world.over(inner).state, JobState::Failed, "it is held in as the outer one: {}", world.log(inner));
    assert_eq!(world.over(next).state, JobState::Done, "the slot is given on, by one who is free to");
    assert_eq!(world.job(outer).state, JobState::Running);
    fs::write(world.sandbox.join("in/over"), "").expect("written");
    assert_eq!(world.over(outer).state, JobState::Done);
    assert_eq!(world.log(next), "NoNewPrivs:\t0\n");
    assert_eq!(world.read("x"), "x\n");
}

#[test]
fn a_sandbox_of_its_own_folder() {
    if no_landlock() {
        return;
    }
    let world = JobWorld::new();
    fs::create_dir(world.sandbox.join("tmp")).expect("a folder");
    let text = "sandbox = true\nsteps = [{ cmd = 'echo x > mine; echo x > ../theirs; test ! -e ../theirs' }]\n";
    fs::write(world.sandbox.join("s.toml"), text).expect("written");
    let mut command = world.agents(&["run", "s.toml"]);
    let output = command.env("TMPDIR", world.sandbox.join("tmp")).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(world.jobs()[0].run_dir.as_ref().is_some_and(|dir| dir.join("mine").exists()));
}

#[test]
fn a_job_in_a_sandbox_is_ended_and_adopted_as_any_other() {
    let world = JobWorld::new();
    let line =
        "setsid sh -c 'echo $$ > far; exec sleep 1000' & trap '' TERM; echo $$ > near; while :; do sleep 1; done";
    let id = world.submit(&[line], |spec| spec.sandbox = true);
    world.kick();
    let (near, far) = (world.process("near"), world.process("far"));
    world.run(&["stop", &id.to_string()]);
    assert_eq!(world.over(id).state, JobState::Cancelled);
    assert!(!near.is_alive() && !far.is_alive());
    for name in ["near", "far"] {
        fs::remove_file(world.sandbox.join(name)).expect("it was there");
    }
    let id = world.submit(&[line], |spec| spec.sandbox = true);
    world.kick();
    let (near, far) = (world.process("near"), world.process("far"));
    let runner = world.running(id).runner.expect("a runner");
    assert!(agents::jobs::process(runner).signal(rustix::process::Signal::KILL));
    world.run(&["stop", &id.to_string()]);
    assert_eq!(world.over(id).state, JobState::Cancelled);
    assert!(!near.is_alive() && !far.is_alive());
}

/// A kernel without it, for one command and all that it starts.
#[test]
fn a_kernel_without_landlock_runs_it_and_says_so() {
    let world = JobWorld::new();
    let mut command = world.agents(&["run", "--sandbox", "grep NoNewPrivs /proc/self/status; echo x > there"]);
    let output = without_landlock(&mut command).output().expect("it runs");
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(&*said, "NoNewPrivs:\t1\n");
    assert!(told.contains("sandbox: not limited: all the rest: this kernel has no landlock"), "{told}");
    assert!(told.contains("sandbox: privileges: ") && !told.contains("sandbox: writes: "), "{told}");
    assert!(Path::new(&world.sandbox.join("there")).exists());
}

/// Has the kernel answer as an older one does.
#[allow(unsafe_code, reason = "a filter of system calls has no safe call")]
fn without_landlock(command: &mut Command) -> &mut Command {
    let step = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let number = u32::try_from(libc::SYS_landlock_create_ruleset).expect("a number");
    let program = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, number),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let filter = move || {
        let text = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
        // SAFETY: two system calls; the program outlives them.
        let done = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const text) == 0
        };
        if done { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // SAFETY: as above, and nothing else between fork and exec.
    unsafe { command.pre_exec(filter) }
}
