//! Real repositories: a bare origin, clones, and everything that people and agents do to them.
use agents::{
    model::{observation::GitObs, policy::DoneFrom},
    world::git::{
        Asked, GitAnswer, GitJob, GitProgram, GitQuery, GitReply, GitWorker, StatusFile, StatusQuery, look_with,
        read_status_with,
    },
};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// A bare origin, the clone that the watchdog looks at (`watched`), and a clone that pushes (`builder`).
struct World {
    dir: tempfile::TempDir,
    init_args: Vec<&'static str>,
}

impl World {
    fn new() -> World {
        World::with(&[])
    }
    fn with(init_args: &[&'static str]) -> World {
        let world = World { dir: tempfile::tempdir().unwrap(), init_args: init_args.to_vec() };
        world.git(".", &[&["init", "-q", "--bare", "-b", "main"], init_args, &["origin.git"]].concat());
        world.clone_as("builder");
        world.commit("builder", "start");
        world.push("builder", &["HEAD:main"]);
        world.clone_as("watched");
        world
    }
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("HOME", self.path("home")),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ]
    }
    fn command(&self, folder: &str) -> Command {
        let mut command = Command::new("git");
        command.current_dir(self.path(folder)).stdin(Stdio::null());
        command.envs(self.environment()).env("GIT_TERMINAL_PROMPT", "0");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "t").env(format!("GIT_{who}_EMAIL"), "t@example.org");
            // All in one second, as agents commit: what is older shows in the history alone, not in the dates.
            command.env(format!("GIT_{who}_DATE"), "2026-01-02T03:04:05Z");
        }
        command
    }
    fn git(&self, folder: &str, args: &[&str]) -> String {
        let output = self.command(folder).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
    fn clone_as(&self, name: &str) {
        self.git(".", &[&["clone", "-q"][..], &self.init_args_for_clone(), &["origin.git", name]].concat());
    }
    fn init_args_for_clone(&self) -> Vec<&'static str> {
        self.init_args.iter().copied().filter(|arg| arg.starts_with("--ref-format")).collect()
    }
    fn commit(&self, folder: &str, message: &str) -> String {
        self.commit_bytes(folder, message.as_bytes());
        self.git(folder, &["rev-parse", "HEAD"])
    }
    /// Told that it is Latin-1, git stores the bytes as they are; otherwise it mends what is not UTF-8.
    fn commit_bytes(&self, folder: &str, message: &[u8]) {
        let encoding = if str::from_utf8(message).is_ok() { "UTF-8" } else { "ISO-8859-1" };
        let mut child = self
            .command(folder)
            .args([
                "-c",
                &format!("i18n.commitEncoding={encoding}"),
                "commit",
                "-q",
                "--allow-empty",
                "--allow-empty-message",
                "-F",
                "-",
            ])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(message).unwrap();
        assert!(child.wait().unwrap().success());
    }
    fn write(&self, folder: &str, file: &str, content: &[u8]) {
        let path = self.path(folder).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self.git(folder, &["add", "-A"]);
    }
    fn push(&self, folder: &str, args: &[&str]) {
        self.git(folder, &[&["push", "-q", "origin"], args].concat());
    }
    fn program(&self) -> GitProgram {
        let env = self.environment().into_iter().map(|(key, value)| (key.into(), value.into()));
        GitProgram { env: env.collect(), ..GitProgram::default() }
    }
    /// A stand-in for git: `script` runs where `$@` are git's arguments.
    fn wrapper(&self, script: &str) -> GitProgram {
        let path = self.path("git-wrapper");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        GitProgram { program: path.into(), ..self.program() }
    }
    fn query(&self, known: Option<&GitObs>) -> GitQuery {
        GitQuery {
            repo: self.path("watched"),
            known_heads: known.map(|seen| seen.heads.clone()).unwrap_or_default(),
            first_sight: known.is_none(),
            inboxes: vec!["adv.md".into(), "builder.md".into()],
            state_subdir: "machine-docs".into(),
            fetch: true,
            fetch_timeout: Duration::from_secs(60),
        }
    }
    fn look(&self, known: Option<&GitObs>) -> GitObs {
        look_with(&self.query(known), &self.program())
    }
    fn good_look(&self, known: Option<&GitObs>) -> GitObs {
        let seen = self.look(known);
        assert_eq!(seen.error, None);
        seen
    }
    fn status(&self, done_from: DoneFrom) -> StatusFile {
        let query = StatusQuery {
            repo: self.path("watched"),
            state_subdir: "machine-docs".into(),
            file: "STATUS.md".into(),
            done_from,
        };
        read_status_with(&query, &self.program())
    }
}

fn subjects(seen: &GitObs) -> Vec<&str> {
    seen.commits.iter().map(|commit| commit.subject.as_str()).collect()
}

#[test]
fn a_claim_on_any_branch_is_news_once() {
    let world = World::new();
    let first = world.good_look(None);
    assert_eq!(first.heads.keys().collect::<Vec<_>>(), ["refs/remotes/origin/main"]);
    assert!(first.commits.is_empty());

    world.commit("builder", "work");
    let sha = world.commit("builder", "claim: gate 1\n\nbody line");
    world.push("builder", &["HEAD:main"]);
    world.git("builder", &["checkout", "-q", "-b", "side/topic"]);
    world.commit("builder", "claim: on a branch");
    world.push("builder", &["side/topic"]);
    let second = world.good_look(Some(&first));
    assert_eq!(subjects(&second), ["work", "claim: gate 1", "claim: on a branch"]);
    assert_eq!(second.commits[1].sha, sha);
    assert_eq!(second.heads["refs/remotes/origin/main"], sha);

    // A branch made of known commits is no news, and neither is the same look again, nor the merge into main.
    world.push("builder", &["HEAD:copy", "HEAD:main"]);
    let third = world.good_look(Some(&second));
    assert!(third.commits.is_empty(), "{third:?}");
    assert!(world.good_look(Some(&third)).commits.is_empty());
}

#[test]
fn what_was_pushed_while_nobody_looked_is_news() {
    let world = World::new();
    let first = world.good_look(None);
    for n in 0..3 {
        world.commit("builder", &format!("claim: {n}"));
        world.push("builder", &["HEAD:main"]);
    }
    // Somebody else fetched in the watched clone meanwhile.
    world.git("watched", &["pull", "-q"]);
    assert_eq!(subjects(&world.good_look(Some(&first))), ["claim: 0", "claim: 1", "claim: 2"]);
}

#[test]
fn an_empty_remote_has_no_positions_and_its_first_push_is_news() {
    let world = World::new();
    world.git(".", &["init", "-q", "--bare", "-b", "main", "empty.git"]);
    world.git("watched", &["remote", "set-url", "origin", "../empty.git"]);
    let first = world.good_look(None);
    assert!(first.heads.is_empty());
    assert_eq!(world.status(DoneFrom::Auto).source, "origin (nothing pushed yet)");
    for n in 0..30 {
        world.commit("builder", &format!("claim: {n}"));
    }
    world.git("builder", &["push", "-q", "../empty.git", "HEAD:main"]);
    assert_eq!(world.good_look(Some(&first)).commits.len(), 31);
}

#[test]
fn a_force_push_gives_only_what_is_new() {
    let world = World::new();
    world.commit("builder", "claim: old");
    world.push("builder", &["HEAD:main"]);
    let first = world.good_look(None);
    world.git("builder", &["reset", "-q", "--hard", "HEAD~1"]);
    world.commit("builder", "claim: other");
    world.push("builder", &["-f", "HEAD:main"]);
    assert_eq!(subjects(&world.good_look(Some(&first))), ["claim: other"]);
}

#[test]
fn a_rewritten_history_is_not_replayed() {
    let world = World::new();
    let first = world.good_look(None);
    world.git("builder", &["checkout", "-q", "--orphan", "fresh"]);
    for n in 0..40 {
        world.commit("builder", &format!("claim: {n}"));
    }
    world.push("builder", &["-f", "HEAD:main"]);
    let second = world.good_look(Some(&first));
    assert_eq!(second.commits.len(), 20);
    assert_eq!(second.commits[19].subject, "claim: 39");
}

#[test]
fn fault_30_a_pruned_position_loses_no_claim() {
    let world = World::new();
    world.git("builder", &["checkout", "-q", "-b", "topic"]);
    world.commit("builder", "claim: old");
    world.push("builder", &["HEAD:main", "topic"]);
    let mut first = world.good_look(None);
    // The position of main is a commit that no longer exists anywhere; topic's is still known.
    first.heads.insert("refs/remotes/origin/main".into(), "1234567890123456789012345678901234567890".into());
    world.commit("builder", "claim: new");
    world.push("builder", &["HEAD:main"]);
    assert_eq!(subjects(&world.good_look(Some(&first))), ["claim: new"]);

    // And with nothing known left: the newest ones, not everything.
    for n in 0..30 {
        world.commit("builder", &format!("claim: {n}"));
    }
    world.push("builder", &["HEAD:main"]);
    first.heads.values_mut().for_each(|sha| *sha = "not even a sha".into());
    let lost = world.good_look(Some(&first));
    assert!(subjects(&lost).contains(&"claim: 29"), "{lost:?}");
    assert_eq!(lost.commits.len(), 20);
    let newest = subjects(&lost).into_iter().filter(|s| s.starts_with("claim: 2")).collect::<Vec<_>>();
    assert_eq!(newest.first(), Some(&"claim: 20"), "oldest first");
}

#[test]
fn a_really_pruned_clone_goes_on() {
    let world = World::new();
    world.commit("builder", "claim: old");
    world.push("builder", &["HEAD:main"]);
    let first = world.good_look(None);
    world.git("builder", &["reset", "-q", "--hard", "HEAD~1"]);
    world.commit("builder", "claim: other");
    world.push("builder", &["-f", "HEAD:main"]);
    world.git("watched", &["fetch", "-q"]);
    world.git("watched", &["reset", "-q", "--hard", "origin/main"]);
    world.git("watched", &["reflog", "expire", "--expire=now", "--all"]);
    world.git("watched", &["gc", "-q", "--prune=now"]);
    let old = &first.heads["refs/remotes/origin/main"];
    assert!(!world.command("watched").args(["cat-file", "-e", old]).status().unwrap().success());
    assert_eq!(subjects(&world.good_look(Some(&first))), ["start", "claim: other"]);
}

#[test]
fn bytes_that_are_not_utf8_and_huge_subjects_are_read() {
    let world = World::new();
    let first = world.good_look(None);
    world.commit_bytes("builder", b"claim: caf\xe9");
    let mut huge = b"claim: \x1b[201~\x03 ".to_vec();
    huge.resize(1 << 20, 0x1b);
    world.commit_bytes("builder", &huge);
    world.write("builder", "machine-docs/adv.md", b"na\xefve \xff\n");
    world.write("builder", "builder.md", b" \n\t\n");
    world.commit("builder", "inbox");
    world.push("builder", &["HEAD:main"]);
    let seen = world.good_look(Some(&first));
    assert_eq!(seen.commits[0].subject, "claim: caf\u{fffd}");
    assert_eq!(seen.commits[1].subject.chars().count(), 4096);
    assert_eq!(subjects(&seen)[2], "inbox");
    // md5sum of the bytes; the blank one counts as absent.
    let expected = BTreeMap::from([("adv.md".to_owned(), "d13d774521193721067e5a03bd631994".to_owned())]);
    assert_eq!(seen.inboxes, expected);

    world.write("builder", "machine-docs/adv.md", b"other");
    world.commit("builder", "inbox again");
    world.push("builder", &["HEAD:main"]);
    let again = world.good_look(Some(&seen));
    assert_eq!(again.inboxes["adv.md"], "795f3202b17cb6bc3d4b771d8c6c9eaf");
    world.git("builder", &["rm", "-q", "machine-docs/adv.md"]);
    world.commit("builder", "read");
    world.push("builder", &["HEAD:main"]);
    assert!(world.good_look(Some(&again)).inboxes.is_empty());
}

#[test]
fn fault_16_a_slow_fetch_ends_at_its_deadline_with_all_its_children() {
    let world = World::new();
    world.commit("builder", "claim: there already");
    world.push("builder", &["HEAD:main"]);
    let first = world.good_look(None);
    let pids = world.path("pids");
    let slow = world.wrapper(&format!("sleep 300 & echo $$ $! > '{}'; wait", pids.display()));
    let query = GitQuery { fetch_timeout: Duration::from_millis(700), ..world.query(Some(&first)) };
    let started = Instant::now();
    let seen = look_with(&query, &slow);
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(seen.error.as_deref().is_some_and(|error| error.contains("no answer within")), "{seen:?}");
    assert!(!seen.repo_gone);
    assert_eq!(seen.heads, first.heads);
    for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
        eventually("the child is dead", || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
    }
}

#[test]
fn a_credential_prompt_never_waits() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let answer = "HTTP/1.1 401 no\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let url = format!("http://joe:s3cret@127.0.0.1:{port}/x.git");
    for (key, value) in [("remote.origin.url", url.as_str()), ("credential.helper", ""), ("http.proxy", "")] {
        world.git("watched", &["config", key, value]);
    }
    let started = Instant::now();
    let seen = world.look(None);
    assert!(started.elapsed() < Duration::from_secs(50));
    let error = seen.error.unwrap_or_default();
    assert!(error.starts_with("`git fetch origin` failed"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    assert_eq!(seen.heads.len(), 1);
}

#[test]
fn gone_unreachable_and_broken_are_told_apart() {
    let world = World::new();
    let first = world.good_look(None);
    fs::rename(world.path("origin.git"), world.path("away.git")).unwrap();
    let seen = world.look(Some(&first));
    assert!(!seen.repo_gone);
    assert!(seen.error.is_some());
    assert_eq!(seen.heads, first.heads);

    let no_git = GitProgram { program: world.path("no such git").into(), ..world.program() };
    let seen = look_with(&world.query(Some(&first)), &no_git);
    assert!(seen.error.unwrap_or_default().contains("hint: install git"));

    fs::write(world.path("watched/.git/HEAD"), "garbage").unwrap();
    let seen = world.look(Some(&first));
    assert!(seen.error.is_some(), "{seen:?}");

    fs::remove_dir_all(world.path("watched")).unwrap();
    let seen = world.look(Some(&first));
    assert!(seen.repo_gone);
    assert!(seen.error.unwrap_or_default().ends_with("is gone"));

    fs::create_dir(world.path("watched")).unwrap();
    assert!(world.look(Some(&first)).repo_gone);
    assert_eq!(world.status(DoneFrom::Auto).text, None);
}

#[test]
fn a_detached_head_and_a_lock_left_behind_change_nothing() {
    let world = World::new();
    let first = world.good_look(None);
    world.git("watched", &["checkout", "-q", "--detach"]);
    let lock = world.path("watched/.git/index.lock");
    fs::write(&lock, "").unwrap();
    world.write("builder", "machine-docs/STATUS.md", b"## DONE\n");
    world.commit("builder", "claim: x");
    world.push("builder", &["HEAD:main"]);
    assert_eq!(subjects(&world.good_look(Some(&first))), ["claim: x"]);
    assert_eq!(world.status(DoneFrom::Auto).source, "origin/main:machine-docs/STATUS.md");
    assert!(lock.exists());
}

#[test]
fn without_a_remote_the_local_branches_count() {
    let world = World::new();
    world.git("watched", &["remote", "remove", "origin"]);
    let first = world.good_look(None);
    assert_eq!(first.heads.keys().collect::<Vec<_>>(), ["refs/heads/main"]);
    world.write("watched", "machine-docs/adv.md", b"hello");
    world.commit("watched", "claim: local");
    let second = world.good_look(Some(&first));
    assert_eq!(subjects(&second), ["claim: local"]);
    assert_eq!(second.inboxes["adv.md"], "5d41402abc4b2a76b9719d911017c592");
    world.git("watched", &["checkout", "-q", "--detach"]);
    world.commit("watched", "claim: nowhere");
    let third = world.good_look(Some(&second));
    assert_eq!(subjects(&third), ["claim: nowhere"]);
    assert!(third.heads.contains_key("HEAD"));

    fs::write(world.path("watched/machine-docs/STATUS.md"), "## DONE\n").unwrap();
    let status = world.status(DoneFrom::Auto);
    assert_eq!(status.text.as_deref(), Some("## DONE\n"));
    assert_eq!(status.source, "working tree:machine-docs/STATUS.md");
}

#[test]
fn fault_17_the_status_file_is_read_as_pushed() {
    let world = World::new();
    world.write("builder", "STATUS.md", b"top\n");
    world.commit("builder", "status");
    world.push("builder", &["HEAD:main"]);
    world.good_look(None);
    fs::create_dir_all(world.path("watched/machine-docs")).unwrap();
    fs::write(world.path("watched/machine-docs/STATUS.md"), "## DONE\n").unwrap();

    let status = world.status(DoneFrom::Auto);
    assert_eq!(status, StatusFile { text: Some("top\n".into()), source: "origin/main:STATUS.md".into() });
    assert_eq!(world.status(DoneFrom::WorkingTree).text.as_deref(), Some("## DONE\n"));

    world.git("builder", &["checkout", "-q", "-b", "topic"]);
    world.write("builder", "machine-docs/STATUS.md", b"caf\xe9\n");
    world.commit("builder", "status on topic");
    world.push("builder", &["topic"]);
    world.good_look(None);
    assert_eq!(world.status(DoneFrom::Auto).source, "origin/main:STATUS.md");
    let status = world.status(DoneFrom::Ref("origin/topic".into()));
    assert_eq!(status.text.as_deref(), Some("caf\u{fffd}\n"));
    assert_eq!(status.source, "origin/topic:machine-docs/STATUS.md");
    assert_eq!(world.status(DoneFrom::Ref("origin/none".into())).source, "`origin/none` (no such ref)");
    // The branch that is checked out decides, where it was pushed.
    fs::remove_dir_all(world.path("watched/machine-docs")).unwrap();
    world.git("watched", &["checkout", "-q", "topic"]);
    assert_eq!(world.status(DoneFrom::Auto).source, "origin/topic:machine-docs/STATUS.md");
}

#[test]
fn a_bare_clone_and_a_folder_below_the_top_are_looked_at_too() {
    let world = World::new();
    fs::remove_dir_all(world.path("watched")).unwrap();
    world.git(".", &["clone", "-q", "--bare", "origin.git", "watched"]);
    let first = world.good_look(None);
    assert_eq!(first.heads.keys().collect::<Vec<_>>(), ["refs/remotes/origin/main"]);
    world.write("builder", "app/machine-docs/STATUS.md", b"below\n");
    world.write("builder", "machine-docs/STATUS.md", b"top\n");
    world.commit("builder", "claim: both");
    world.push("builder", &["HEAD:main"]);
    assert_eq!(subjects(&world.good_look(Some(&first))), ["claim: both"]);
    assert_eq!(world.status(DoneFrom::Auto).text.as_deref(), Some("top\n"));

    let query = StatusQuery {
        repo: world.path("builder/app"),
        state_subdir: "machine-docs".into(),
        file: "STATUS.md".into(),
        done_from: DoneFrom::Auto,
    };
    let status = read_status_with(&query, &world.program());
    assert_eq!(status.text.as_deref(), Some("below\n"));
    assert_eq!(status.source, "origin/main:app/machine-docs/STATUS.md");
}

#[test]
fn no_hook_monitor_pager_or_alias_of_the_repository_is_run() {
    let world = World::new();
    let marker = world.path("marker");
    let script = world.path("hostile");
    fs::write(&script, format!("#!/bin/sh\necho \"$0\" >> '{}'\n", marker.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let hooks = world.path("watched/.git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["reference-transaction", "post-merge", "post-index-change", "pre-auto-gc", "post-checkout"] {
        fs::copy(&script, hooks.join(hook)).unwrap();
    }
    let script = script.display().to_string();
    let keys = [
        "core.fsmonitor",
        "core.pager",
        "pager.log",
        "alias.fetch",
        "alias.log",
        "core.askPass",
        "core.editor",
        "gpg.program",
        "diff.external",
    ];
    for key in keys {
        let value = if key.starts_with("alias") { format!("!{script}") } else { script.clone() };
        world.git("watched", &["config", key, &value]);
    }
    let first = world.good_look(None);
    world.commit("builder", "claim: x");
    world.push("builder", &["HEAD:main"]);
    assert_eq!(subjects(&world.good_look(Some(&first))), ["claim: x"]);
    world.status(DoneFrom::Auto);
    assert!(!marker.exists(), "{}", fs::read_to_string(&marker).unwrap_or_default());
}

#[test]
fn formats_that_libgit2_does_not_know_are_read_with_the_command() {
    for args in [&["--object-format=sha256"], &["--ref-format=reftable"]] {
        // An older git cannot even make one.
        let probe = tempfile::tempdir().unwrap();
        let made = Command::new("git").args(["init", "-q"]).args(args).current_dir(probe.path()).output().unwrap();
        if !made.status.success() {
            continue;
        }
        let world = World::with(args);
        let first = world.good_look(None);
        assert_eq!(first.heads.len(), 1, "{first:?}");
        world.commit_bytes("builder", b"claim: caf\xe9");
        world.write("builder", "machine-docs/STATUS.md", b"## DONE\n");
        world.write("builder", "machine-docs/adv.md", b"hello");
        let mut huge = vec![b'x'; 1 << 20];
        huge.extend(b"\n");
        world.commit_bytes("builder", &huge);
        world.push("builder", &["HEAD:main", "HEAD:topic"]);
        let seen = world.good_look(Some(&first));
        assert_eq!(seen.commits.len(), 2);
        assert!(seen.commits[0].subject.starts_with("claim: caf"), "{seen:?}");
        assert_eq!(seen.commits[1].subject.chars().count(), 4096);
        assert_eq!(seen.heads.len(), 2);
        assert_eq!(seen.inboxes["adv.md"], "5d41402abc4b2a76b9719d911017c592");
        let status = world.status(DoneFrom::Auto);
        assert_eq!(status.text.as_deref(), Some("## DONE\n"));
        assert_eq!(status.source, "origin/main:machine-docs/STATUS.md");
        assert!(world.good_look(Some(&seen)).commits.is_empty());
        let lost = BTreeMap::from([("refs/remotes/origin/main".to_owned(), "12".repeat(20))]);
        let query = GitQuery { known_heads: lost, ..world.query(Some(&seen)) };
        assert_eq!(look_with(&query, &world.program()).commits.len(), 3);
    }
}

#[test]
fn somebody_elses_repository_is_refused_with_a_hint() {
    let world = World::new();
    if std::os::unix::fs::chown(world.path("watched"), Some(12345), None).is_err() {
        return; // only root can give a folder away
    }
    std::os::unix::fs::chown(world.path("watched/.git"), Some(12345), None).unwrap();
    let seen = world.look(None);
    // A machine whose own settings trust every folder reads it.
    if let Some(error) = seen.error {
        assert!(error.contains("safe.directory"), "{error}");
        assert!(!seen.repo_gone);
    }
}

#[test]
fn the_worker_answers_one_at_a_time_and_never_blocks_the_caller() {
    let world = World::new();
    let gate = world.path("gate");
    let runs = world.path("runs");
    let slow = world.wrapper(&format!(
        "echo run >> '{}'; while [ ! -e '{}' ]; do sleep 0.05; done; exec git \"$@\"",
        runs.display(),
        gate.display()
    ));
    let (send, answers) = mpsc::channel::<GitAnswer>();
    let worker = GitWorker::with_program(slow, move |answer| {
        let _ = send.send(answer);
    });
    let look = GitJob::Look(world.query(None));
    let status = |done_from| {
        GitJob::Status(StatusQuery {
            repo: world.path("watched"),
            state_subdir: String::new(),
            file: "x".into(),
            done_from,
        })
    };
    assert_eq!(worker.ask(1, look.clone()), Asked::Taken);
    eventually("the fetch runs", || runs.exists());
    assert_eq!(worker.ask(1, look.clone()), Asked::Running);
    assert_eq!(worker.ask(2, status(DoneFrom::Auto)), Asked::Taken);
    assert_eq!(worker.ask(2, status(DoneFrom::WorkingTree)), Asked::Replaced);
    assert!(worker.busy(&world.path("watched")).is_some());
    assert!(answers.try_recv().is_err());
    fs::write(&gate, "").unwrap();
    let first = answers.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(matches!((first.id, &first.reply), (1, GitReply::Look(seen)) if seen.error.is_none()), "{first:?}");
    let second = answers.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(
        matches!((second.id, &second.reply), (2, GitReply::Status(status)) if status.source == "working tree:x"),
        "{second:?}"
    );
    assert_eq!(worker.ask(1, look), Asked::Taken);
    assert_eq!(answers.recv_timeout(Duration::from_secs(60)).unwrap().id, 1);
    assert_eq!(fs::read_to_string(&runs).unwrap(), "run\nrun\n");
}

#[test]
fn dropping_the_worker_ends_a_running_fetch() {
    let world = World::new();
    let pids = world.path("pids");
    let slow = world.wrapper(&format!("echo $$ > '{0}.new'; mv '{0}.new' '{0}'; sleep 300", pids.display()));
    let worker = GitWorker::with_program(slow, |_| {});
    worker.ask(1, GitJob::Look(world.query(None)));
    eventually("the fetch runs", || pids.exists());
    drop(worker);
    let pid = fs::read_to_string(&pids).unwrap();
    eventually("it is gone", || !Path::new("/proc").join(pid.trim()).exists());
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
