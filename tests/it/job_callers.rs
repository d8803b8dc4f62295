//! What a job has of whoever submitted it, beside the environment: umask, limits, niceness, processors; whichever runner
//! it gets. And what of it does not hold for our own files.
use crate::{
    job_verbs::err,
    jobs_world::JobWorld,
    sandbox::{Sandbox, wait_until},
};
use agents::{
    model::{
        caller::LIMITS,
        job::{JobId, JobState},
    },
    world::process::Stat,
};
use rustix::{
    process::{Pid, Resource, Rlimit, getpriority_process, getrlimit, prlimit, setpriority_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

const RESOURCES: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];

/// What a job prints of itself.
const TELL: &str = "umask; cat /proc/self/limits; \
                    sed -n 's/^Cpus_allowed_list:/processors/p' /proc/self/status; cut -d' ' -f19 /proc/self/stat; \
                    echo parent $PPID";

/// What a shell does first, which then becomes `agents LINE`.
fn after(world: &JobWorld, first: &str, line: &[&str]) -> Command {
    let agents = world.agents(line);
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{first}; exec \"$0\" \"$@\"")).arg(agents.get_program()).args(agents.get_args());
    command.current_dir(world.sandbox.path()).env_clear().stdin(Stdio::null());
    command.envs(agents.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[track_caller]
fn id_of(output: &Output) -> JobId {
    let said = String::from_utf8_lossy(&output.stdout);
    JobId::parse(said.trim()).unwrap_or_else(|| panic!("no id: {output:?}"))
}

#[track_caller]
fn background_after(world: &JobWorld, first: &str, line: &[&str]) -> JobId {
    id_of(&after(world, first, &[&["run", "-b"], line].concat()).output().expect("a shell"))
}

/// One job at a time: a runner has each of them, one after the other, from the first one that is left to wait for a file.
fn one_by_one(world: &JobWorld) {
    assert!(world.run(&["jobs", "limit", "1"]).status.success());
}

const UNTIL_THERE: &str = "until [ -e there ]; do sleep 0.02; done";

fn go_on(world: &JobWorld) {
    fs::write(world.sandbox.join("there"), "").expect("written");
}

/// Soft and hard, in the order of the kernel's list.
fn limits(told: &str) -> Vec<(String, String)> {
    let rows = told.lines().filter(|line| line.starts_with("Max ") && !line.starts_with("Max limit"));
    let limits = rows.map(|line| {
        let mut columns = line[25..].split_whitespace().map(str::to_owned);
        (columns.next().expect("soft"), columns.next().expect("hard"))
    });
    limits.collect()
}

fn own_limits() -> Vec<(String, String)> {
    limits(&fs::read_to_string("/proc/self/limits").expect("read"))
}

fn field<'a>(told: &'a str, name: &str) -> &'a str {
    told.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no `{name}` in {told}")).trim()
}

/// The umask of this process, as a shell tells it.
fn own_umask() -> String {
    umask_of(std::process::id())
}

fn umask_of(pid: u32) -> String {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).expect("read"), "Umask:").to_owned()
}

/// CAP_SYS_RESOURCE.
fn may_raise_hard_limits() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("read");
    u64::from_str_radix(field(&status, "CapEff:"), 16).expect("a mask") & (1 << 24) != 0
}

#[test]
fn a_job_has_the_umask_and_the_limits_of_who_submitted_it_and_not_those_of_its_runner() {
    let world = JobWorld::new();
    one_by_one(&world);
    let first = background_after(
        &world,
        "umask 0157; ulimit -S -n 99; ulimit -S -v 5000000",
        &[&format!("{UNTIL_THERE}; {TELL}")],
    );
    let plain =
        world.background(&[&format!("{TELL}; touch made; stat -c 'mode %a' made; mkdir in; stat -c 'mode %a' in")]);
    let other = background_after(&world, "umask 0027; ulimit -S -c 0; ulimit -S -n 77", &[TELL]);
    go_on(&world);
    let told = [first, plain, other].map(|id| {
        assert_eq!(world.over(id).state, JobState::Done, "{}", world.log(id));
        world.log(id)
    });
    assert_eq!(field(&told[0], "parent"), field(&told[1], "parent"), "one runner had them all");
    assert_eq!(field(&told[0], "parent"), field(&told[2], "parent"), "one runner had them all");
    let umasks = told.each_ref().map(|told| told.lines().next().unwrap_or_default());
    assert_eq!(umasks, ["0157", own_umask().as_str(), "0027"]);
    assert_eq!(limits(&told[1]), own_limits());
    let soft = |told: &str, name: &str| {
        limits(told)[LIMITS.iter().position(|limit| *limit == name).expect("a limit")].0.clone()
    };
    assert_eq!([soft(&told[0], "nofile"), soft(&told[0], "as")], ["99".to_owned(), (5_000_000_u64 * 1024).to_string()]);
    assert_eq!(soft(&told[2], "nofile"), "77");
    let umask = u32::from_str_radix(&own_umask(), 8).expect("a number");
    let modes: Vec<String> = told[1].lines().filter_map(|line| Some(line.strip_prefix("mode ")?.to_owned())).collect();
    assert_eq!(modes, [format!("{:o}", 0o666 & !umask), format!("{:o}", 0o777 & !umask)]);
}

/// A shell that waits for a line and then submits a job that tells of its limits, with these of its own.
fn submit_with(world: &JobWorld, wanted: &[(Resource, Rlimit)]) -> JobId {
    let mut command = after(world, "echo ready; read line", &["run", "-b", TELL]);
    let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let pid = Pid::from_child(&shell);
    let mut said = BufReader::new(shell.stdout.take().expect("piped"));
    let mut line = String::new();
    // A program that is only about to begin gets the limit of its stack back.
    said.read_line(&mut line).expect("it begins");
    line.clear();
    for (resource, limit) in wanted {
        prlimit(Some(pid), *resource, *limit).unwrap_or_else(|e| panic!("{resource:?}: {e}"));
    }
    shell.stdin.take().expect("piped").write_all(b"go\n").expect("written");
    said.read_line(&mut line).expect("an id");
    assert!(shell.wait().expect("its end").success());
    JobId::parse(line.trim()).unwrap_or_else(|| panic!("no id: {line}"))
}

#[test]
fn every_limit_is_the_submitters_the_soft_one_and_the_hard_one() {
    let world = JobWorld::new();
    one_by_one(&world);
    let first = world.background(&[&format!("{UNTIL_THERE}; {TELL}")]);
    let wanted = RESOURCES.map(|resource| {
        let (own, large) = (getrlimit(resource), matches!(resource, Resource::Data | Resource::As | Resource::Rss));
        let hard = own.maximum.map_or(if large { 1 << 40 } else { 1 << 30 }, |hard| hard - hard / 4);
        (resource, Rlimit { current: Some(hard - hard / 3), maximum: Some(hard) })
    });
    let id = submit_with(&world, &wanted);
    let plain = world.background(&[TELL]);
    go_on(&world);
    let told = [first, id, plain].map(|id| {
        assert_eq!(world.over(id).state, JobState::Done, "{}", world.log(id));
        world.log(id)
    });
    assert!(told.iter().all(|log| field(log, "parent") == field(&told[0], "parent")), "one runner had them all");
    let number = |limit: Option<u64>| limit.expect("set").to_string();
    let expected: Vec<_> = wanted.iter().map(|(_, limit)| (number(limit.current), number(limit.maximum))).collect();
    assert_eq!(limits(&told[1]), expected);
    let (own, told) = (own_limits(), limits(&told[2]));
    assert_eq!(told, own, "the next one has all of its own again");
    assert!(own.iter().zip(&expected).filter(|(own, other)| own != other).count() >= 12, "they are different");
}

#[test]
fn niceness_and_processors_are_those_of_the_submitter() {
    let world = JobWorld::new();
    one_by_one(&world);
    let own = getpriority_process(None).expect("a niceness");
    let first = world.background(&[&format!("{UNTIL_THERE}; {TELL}")]);
    let all = sched_getaffinity(None).expect("processors");
    let last = (0..1024).rev().find(|number| all.is_set(*number)).expect("a processor");
    let (nice, nicer) = std::thread::scope(|scope| {
        let submit = || {
            // They are a thread's own.
            setpriority_process(None, own + 3).expect("upwards");
            let mut one = CpuSet::new();
            one.set(last);
            sched_setaffinity(None, &one).expect("fewer");
            (world.background(&[TELL]), world.background(&["--nice", "4", TELL]))
        };
        scope.spawn(submit).join().expect("submitted")
    });
    let plain = world.background(&[TELL]);
    go_on(&world);
    let told = [first, nice, nicer, plain].map(|id| {
        assert_eq!(world.over(id).state, JobState::Done, "{}", world.log(id));
        world.log(id)
    });
    assert!(told.iter().all(|log| field(log, "parent") == field(&told[0], "parent")), "one runner had them all");
    let nices = told.each_ref().map(|log| log.lines().rev().nth(1).and_then(|line| line.parse::<i32>().ok()));
    assert_eq!(nices, [own, own + 3, own + 7, own].map(Some));
    let processors = told.each_ref().map(|log| field(log, "processors").to_owned());
    let status = fs::read_to_string("/proc/thread-self/status").expect("read");
    let ours = field(&status, "Cpus_allowed_list:").to_owned();
    assert_eq!(processors, [ours.clone(), last.to_string(), last.to_string(), ours]);
}

#[test]
fn what_a_runner_cannot_give_any_more_fails_no_job() {
    let world = JobWorld::new();
    one_by_one(&world);
    let first = background_after(&world, "ulimit -n 64", &[&format!("{UNTIL_THERE}; {TELL}")]);
    let plain = world.background(&[TELL]);
    go_on(&world);
    assert_eq!(world.over(first).state, JobState::Done);
    assert_eq!(world.over(plain).state, JobState::Done, "{}", world.log(plain));
    assert_eq!(field(&world.log(first), "parent"), field(&world.log(plain), "parent"), "one runner had them both");
    let (nofile, mut expected) = (7, own_limits());
    if !may_raise_hard_limits() {
        expected[nofile] = ("64".into(), "64".into());
    }
    assert_eq!(limits(&world.log(plain)), expected);
}

#[test]
fn a_memory_limit_of_the_line_holds_beside_a_lower_one_of_the_caller() {
    let world = JobWorld::new();
    let line = ["--mem", "8GB", "ulimit -v; ulimit -H -v"];
    let id = background_after(&world, "ulimit -v 5000000", &line);
    assert_eq!(world.over(id).state, JobState::Done, "{}", world.log(id));
    assert_eq!(world.log(id), "5000000\n5000000\n");
}

#[test]
fn what_was_submitted_counts_also_when_it_is_tried_again_from_elsewhere() {
    let world = JobWorld::new();
    let id = background_after(&world, "umask 0157; ulimit -S -n 99", &["umask; ulimit -n; false"]);
    assert_eq!(world.over(id).state, JobState::Failed);
    for verb in ["retry", "resume"] {
        let before = world.job(id).attempt;
        let output = world.run(&["jobs", verb, &id.to_string()]);
        assert!(output.status.success(), "{}", err(&output));
        wait_until(30, verb, || world.job(id).attempt > before && world.job(id).state.is_over());
    }
    assert_eq!(world.log(id), "0157\n99\n".repeat(3));
}

#[test]
fn jobs_of_files_and_batches_and_those_in_the_foreground_have_it_too() {
    let world = JobWorld::new();
    one_by_one(&world);
    // Whoever runs them all is none of theirs.
    let first = world.background(&[UNTIL_THERE]);
    fs::write(world.sandbox.join("lines"), "umask\nulimit -n\n").expect("written");
    fs::write(world.sandbox.join("two.json"), r#"{"name": "two", "steps": [{"cmd": "umask"}, {"cmd": "ulimit -n"}]}"#)
        .expect("written");
    let shell = "umask 0157; ulimit -S -n 99";
    let lines = after(&world, shell, &["run", "-b", "--batch", "lines"]).output().expect("a shell");
    let ids: Vec<JobId> = String::from_utf8_lossy(&lines.stdout).lines().filter_map(JobId::parse).collect();
    let file = background_after(&world, shell, &["--no-tmux", "two.json"]);
    let mut waits = after(&world, shell, &["run", "umask; ulimit -n"]);
    let waits = waits.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a shell");
    wait_until(30, "it is queued", || world.jobs().len() == 5);
    go_on(&world);
    let output = waits.wait_with_output().expect("its end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0157\n99\n");
    assert_eq!(ids.len(), 2, "{lines:?}");
    let said: Vec<String> = [ids[0], ids[1], file].iter().map(|id| (world.over(*id), world.log(*id)).1).collect();
    assert_eq!(said, ["0157\n", "99\n", "0157\n99\n"]);
    assert_eq!(world.over(first).state, JobState::Done);
}

#[test]
fn a_job_of_which_nothing_is_known_has_what_was_handed_to_the_first_runner() {
    let world = JobWorld::new();
    // They wait for each other: the second one has a runner that the first one's started.
    let old = [("a", "b"), ("b", "a")].map(|(own, other)| {
        let line = format!("umask; ulimit -n; ulimit -f; touch {own}; until [ -e {other} ]; do sleep 0.02; done");
        world.submit(&[&line], |_| ())
    });
    let first = "umask 0157; ulimit -S -n 99; ulimit -S -f 4000";
    world.over(background_after(&world, first, &["true"]));
    // In blocks of half a kilobyte or of one, as the shell counts.
    let expected = format!("0157\n99\n{}\n", shell_says("ulimit -S -f 4000; ulimit -f"));
    for id in old {
        world.over(id);
        assert_eq!(world.log(id), expected);
    }
}

#[test]
fn a_job_in_a_session_has_it_and_so_has_the_next_one_on_that_server() {
    let world = JobWorld::new();
    let holds = world.background(&["--tmux", "sleep 1000"]);
    wait_until(30, "its session is there", || world.job(holds).child.is_some() && world.job(holds).session.is_some());
    let runner = world.job(holds).runner.expect("a runner").pid;
    let leader = Stat::read(runner).expect("it runs").session;
    let server = Stat::read(leader).expect("it runs").parent;
    assert_eq!(umask_of(server), own_umask(), "what is for our own files is not for what people open there");
    let id = background_after(&world, "umask 0157; ulimit -S -n 99", &["--tmux", "umask; ulimit -n"]);
    let plain = world.background(&["--tmux", "umask; ulimit -n"]);
    assert_eq!(world.over(id).error, None);
    world.over(plain);
    assert_eq!(world.log(id), "0157\n99\n");
    let nofile = own_limits()[7].0.clone();
    assert_eq!(world.log(plain), format!("{}\n{nofile}\n", own_umask()));
    assert!(world.run(&["jobs", "cancel", &holds.to_string()]).status.success());
    world.over(holds);
}

fn modes(dir: &Path, found: &mut Vec<(String, u32)>) {
    for entry in fs::read_dir(dir).expect("read").flatten() {
        let meta = entry.metadata().expect("there");
        found.push((entry.path().display().to_string(), meta.permissions().mode() & 0o777));
        if meta.is_dir() {
            modes(&entry.path(), found);
        }
    }
}

#[test]
fn our_own_files_are_private_and_ours_whatever_the_umask() {
    for umask in ["0777", "0000"] {
        let world = JobWorld::new();
        let output = after(&world, &format!("umask {umask}"), &["run", "umask"]).output().expect("a shell");
        assert_eq!(
            (String::from_utf8_lossy(&output.stdout), err(&output)),
            (format!("{umask}\n").into(), String::new())
        );
        let id = background_after(&world, &format!("umask {umask}"), &["--tmux", "umask"]);
        let file = world.sandbox.join("own.json");
        fs::write(&file, r#"{"steps": [{"cmd": "umask"}]}"#).expect("written");
        let own = background_after(&world, &format!("umask {umask}"), &["--no-tmux", "own.json"]);
        for id in [id, own] {
            world.over(id);
            assert_eq!(world.log(id), format!("{umask}\n"), "{id}");
        }
        let mut found = Vec::new();
        modes(&world.dir(), &mut found);
        assert!(found.iter().any(|(path, _)| path.ends_with(".log")), "{found:?}");
        for (path, mode) in found {
            let is_dir = Path::new(&path).is_dir();
            assert_eq!(format!("{mode:o}"), if is_dir { "700" } else { "600" }, "{path} with a umask of {umask}");
        }
    }
}

#[test]
fn a_limit_of_file_sizes_is_an_error_with_a_hint_and_not_the_end_of_a_command() {
    let world = JobWorld::new();
    let output = after(&world, "ulimit -f 0", &["run", "-b", "true"]).output().expect("a shell");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = err(&output);
    assert!(said.contains("cannot grow: a file may hold 0 bytes here"), "{said}");
    assert!(said.contains("hint: `ulimit -S -f $(ulimit -H -f)`"), "{said}");
    // A store that is there, and that somebody has open: so it can be read without a write.
    let holds = world.background(&["sleep 1000"]);
    world.running(holds);
    for line in [&["run", "-b", "true"][..], &["run", "true"], &["jobs", "limit", "3"]] {
        let output = after(&world, "ulimit -f 0", line).output().expect("a shell");
        let said = err(&output);
        assert_eq!(output.status.code(), Some(1), "{line:?} {output:?}");
        assert!(said.contains("a file may hold 0 bytes here") && said.contains("hint: `ulimit"), "{line:?}: {said}");
    }
    // It reads as ever.
    let output = after(&world, "ulimit -f 0", &["jobs"]).output().expect("a shell");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("j1"), "{output:?}");
    let file = format!("ulimit -f 0; exec > {}", world.sandbox.join("output").display());
    let output = after(&world, &file, &["jobs"]).output().expect("a shell");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = err(&output);
    assert!(said.contains("cannot write the output: File too large") && said.contains("hint: `ulimit"), "{said}");
    assert!(world.run(&["jobs", "cancel", &holds.to_string()]).status.success());
    world.over(holds);
}

#[test]
fn a_runner_writes_what_it_has_to_under_its_callers_soft_limit_of_file_sizes_and_its_jobs_do_not() {
    let world = JobWorld::new();
    let line =
        "grep -E 'SigIgn|SigBlk' /proc/self/status; head -c 900000 /dev/zero > big; echo ended $?; stat -c %s big";
    let id = background_after(&world, "ulimit -S -f 8", &[line]);
    let job = world.over(id);
    assert_eq!(job.state, JobState::Done, "{job:?} {}", world.log(id));
    let log = world.log(id);
    assert!(log.contains("ended 153\n"), "it was ended by the signal: {log}");
    let ignored = u64::from_str_radix(field(&log, "SigIgn:"), 16).expect("a mask");
    assert_eq!(ignored & (1 << 24), 0, "{log}");
    let size: u64 = log.lines().last().and_then(|line| line.parse().ok()).expect("a size");
    assert!(size > 0 && size <= 8192, "{log}");
    let size = |name: &str| fs::metadata(world.dir().join(name)).map_or(0, |meta| meta.len());
    assert!(size("jobs.db").max(size("jobs.db-shm")) > 8192, "the runner itself wrote more");
    // No runner hands on what is for its own files.
    one_by_one(&world);
    let next = background_after(&world, "ulimit -S -f 8", &[&format!("{UNTIL_THERE}; ulimit -f")]);
    let plain = world.background(&["ulimit -f; head -c 900000 /dev/zero > big; stat -c %s big"]);
    go_on(&world);
    world.over(next);
    world.over(plain);
    assert_eq!(world.log(next), format!("{}\n", shell_says("ulimit -S -f 8; ulimit -f")));
    assert_eq!(world.log(plain), format!("{}\n900000\n", shell_says("ulimit -f")));
}

fn shell_says(line: &str) -> String {
    let output = Command::new("/bin/sh").args(["-c", line]).output().expect("a shell");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn no_other_program_of_ours_dies_of_the_limit_either() {
    let world = JobWorld::new();
    let exe = Sandbox::exe();
    for line in ["--version", "schema", "completions bash"] {
        let file = world.sandbox.join("output");
        let shell = format!("ulimit -f 0; exec {exe} {line} > {}", file.display());
        let output = Command::new("/bin/sh").arg("-c").arg(shell).env("HOME", world.sandbox.path()).output();
        let status = output.expect("a shell").status;
        assert!(status.code().is_some(), "`{line}`: {status}");
    }
}
