//! `worktree = true`: made once, taken up for ever, and never removed with anything in it.
use crate::fleet::Fleet;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Tells where it was started, and with which environment.
const TELLING: &str = r#"
[backend.telling]
bin = "pwd >>{root}/pwd-$AGENTS_NAME; env >{root}/env-$AGENTS_NAME; {fake}"
prompt_delivery = "exec"
"#;

/// A project that is a repository with one commit.
fn project(agents: &str) -> Fleet {
    let f = Fleet::new(&format!("{TELLING}{agents}"));
    f.git(&f.project, &["init", "-q"]);
    f.write("sub/file", "one\n");
    f.git(&f.project, &["add", "sub"]);
    f.git(&f.project, &["commit", "-q", "-m", "start"]);
    f
}

fn one(more: &str) -> Fleet {
    project(&format!("[[agent]]\nname = \"api\"\nbackend = \"telling\"\nworktree = true\n{more}"))
}

fn place(f: &Fleet) -> PathBuf {
    f.project.join(".agents/worktrees/api")
}

fn told(f: &Fleet, file: &str) -> String {
    fs::read_to_string(f.root().join(file)).unwrap_or_default()
}

fn head(f: &Fleet, dir: &Path) -> String {
    f.git(dir, &["rev-parse", "HEAD"]).trim().to_owned()
}

fn branch(f: &Fleet, dir: &Path) -> String {
    f.git(dir, &["branch", "--show-current"]).trim().to_owned()
}

/// Starts it (again), once.
#[track_caller]
fn start(f: &Fleet) {
    let before = f.starts("api");
    f.agents(&["up", "api"]).ok();
    f.wait("it is started", |f| f.starts("api") == before + 1);
}

#[track_caller]
fn stop(f: &Fleet) {
    f.agents(&["down", "api"]).ok();
}

/// `up` does not start it; what it says.
#[track_caller]
fn refused(f: &Fleet) -> String {
    let before = f.starts("api");
    let said = f.agents(&["up", "api"]);
    assert_eq!(f.starts("api"), before, "{said:?}");
    let text = format!("{}{}", said.out, said.err);
    assert!(text.contains("cannot start t-api: "), "{text}");
    // The same is told before anything is started.
    let check = f.agents(&["check"]);
    assert!(
        check.err.contains("agent `api` cannot have its worktree: ") && check.err.contains("\nhint: "),
        "{check:?}"
    );
    text
}

#[test]
fn it_is_made_at_the_first_start_and_taken_up_at_the_next() {
    let f = one("dir = \"sub\"\n");
    f.agents(&["check"]).ok();
    assert!(!place(&f).exists(), "a check touches nothing");
    let start_sha = head(&f, &f.project);
    start(&f);
    assert_eq!((branch(&f, &place(&f)).as_str(), head(&f, &place(&f))), ("agents/api", start_sha));
    assert_eq!(told(&f, "pwd-api").trim(), place(&f).join("sub").to_string_lossy(), "the same folder in it");
    let env = told(&f, "env-api");
    assert!(env.contains(&format!("AGENTS_WORKTREE={}\n", place(&f).display())), "{env}");
    assert!(env.contains("AGENTS_BRANCH=agents/api\n"), "{env}");
    assert!(f.said("made its worktree") == 1 && f.said("on the new branch agents/api from") == 1, "{}", f.log());
    let shown = f.row("api")["worktree"].clone();
    assert_eq!(shown, place(&f).to_string_lossy().as_ref());
    assert!(f.agents(&["explain", "api"]).ok().out.contains("  worktree  /"));

    // What an agent leaves there is there the next time, whatever it is.
    f.git(&place(&f), &["commit", "-q", "--allow-empty", "-m", "work"]);
    f.git(&place(&f), &["switch", "-q", "-c", "topic"]);
    fs::write(place(&f).join("sub/file"), "two\n").expect("a change");
    fs::write(place(&f).join("new"), "untracked\n").expect("a file");
    let sha = head(&f, &place(&f));
    stop(&f);
    start(&f);
    assert_eq!((branch(&f, &place(&f)).as_str(), head(&f, &place(&f))), ("topic", sha));
    assert_eq!(fs::read_to_string(place(&f).join("sub/file")).unwrap_or_default(), "two\n");
    assert!(place(&f).join("new").exists());
    assert_eq!(f.said("made its worktree"), 1);

    // It lies in the project, and a commit of everything there does not take it in.
    fs::remove_file(f.project.join(".agents/.gitignore")).expect("as in an old fleet's log_dir");
    let seen = f.git(&f.project, &["status", "--porcelain", "--untracked-files=all"]);
    assert!(seen.contains(".agents/") && !seen.contains("worktrees"), "{seen}");
}

#[test]
fn the_callers_own_git_does_not_lead_an_agent_away() {
    let f = one("");
    let mut up = f.command(&["up", "api"]);
    up.env("GIT_DIR", f.root().join("nowhere")).env("AGENTS_BRANCH", "mine");
    f.run(up).ok();
    f.wait("it is started", |f| f.starts("api") == 1);
    let env = told(&f, "env-api");
    assert!(!env.contains("GIT_DIR=") && env.contains("AGENTS_BRANCH=agents/api\n"), "{env}");
}

#[test]
fn an_existing_branch_is_taken_up_as_it_stands() {
    let f = one("");
    f.git(&f.project, &["switch", "-q", "-c", "agents/api"]);
    f.git(&f.project, &["commit", "-q", "--allow-empty", "-m", "earlier work"]);
    let sha = head(&f, &f.project);
    // As long as it is checked out elsewhere, nobody else works on it.
    let text = refused(&f);
    assert!(text.contains("branch `agents/api` is checked out in `") && text.contains("switch --detach"), "{text}");
    f.git(&f.project, &["switch", "-q", "main"]);
    start(&f);
    assert_eq!((branch(&f, &place(&f)).as_str(), head(&f, &place(&f))), ("agents/api", sha));
    assert_eq!(f.said("on the existing branch agents/api"), 1);
}

#[test]
fn a_folder_that_was_removed_is_made_anew_on_its_branch() {
    let f = one("");
    start(&f);
    f.git(&place(&f), &["switch", "-q", "-c", "topic"]);
    f.git(&place(&f), &["commit", "-q", "--allow-empty", "-m", "work"]);
    let sha = head(&f, &place(&f));
    stop(&f);
    fs::remove_dir_all(place(&f)).expect("removed by hand");
    f.git(&f.project, &["worktree", "lock", "--reason", "on a stick", &place(&f).to_string_lossy()]);
    let text = refused(&f);
    assert!(text.contains("it is locked (on a stick)") && text.contains("git worktree unlock"), "{text}");
    f.git(&f.project, &["worktree", "unlock", &place(&f).to_string_lossy()]);
    start(&f);
    assert_eq!((branch(&f, &place(&f)).as_str(), head(&f, &place(&f))), ("topic", sha));
    assert_eq!(f.said("anew, on branch topic"), 1);

    // Commits that are on no branch are known by what is left of the worktree alone.
    f.git(&place(&f), &["switch", "-q", "--detach"]);
    f.git(&place(&f), &["commit", "-q", "--allow-empty", "-m", "on no branch"]);
    let sha = head(&f, &place(&f));
    stop(&f);
    fs::remove_dir_all(place(&f)).expect("removed by hand");
    let text = refused(&f);
    assert!(text.contains(&format!("it was at commit {sha}, which is on no branch")), "{text}");
    f.git(&f.project, &["cat-file", "-e", &sha]);
    f.git(&f.project, &["branch", "saved", &sha]);
    start(&f);
    assert_eq!(branch(&f, &place(&f)), "agents/api");
    // An empty folder is none, either.
    stop(&f);
    fs::remove_dir_all(place(&f)).and_then(|()| fs::create_dir(place(&f))).expect("an empty folder");
    start(&f);
    assert_eq!(branch(&f, &place(&f)), "agents/api");
}

#[test]
fn what_else_stands_there_is_left_alone() {
    let f = one("");
    fs::create_dir_all(place(&f)).expect("a folder");
    fs::write(place(&f).join("notes"), "mine").expect("a file");
    let text = refused(&f);
    assert!(text.contains("stands where the worktree belongs, but it is none of this repository"), "{text}");
    // A repository of its own, and a worktree of another one.
    f.git(&place(&f), &["init", "-q"]);
    assert!(refused(&f).contains("stands where the worktree belongs"));
    assert_eq!(fs::read_to_string(place(&f).join("notes")).unwrap_or_default(), "mine");
    fs::remove_dir_all(place(&f)).expect("removed by its owner");
    let other = f.root().join("other");
    fs::create_dir_all(&other).expect("a folder");
    f.git(&other, &["init", "-q"]);
    f.git(&other, &["commit", "-q", "--allow-empty", "-m", "start"]);
    f.git(&other, &["worktree", "add", "-q", &place(&f).to_string_lossy()]);
    assert!(refused(&f).contains("stands where the worktree belongs"));
    assert_eq!(branch(&f, &place(&f)), "api");
}

#[test]
fn where_none_can_be_the_reader_is_told_what_to_do() {
    let f = Fleet::new(&format!("{TELLING}[[agent]]\nname = \"api\"\nbackend = \"telling\"\nworktree = true\n"));
    let text = refused(&f);
    assert!(text.contains("is in no git repository") && text.contains("`git init` there"), "{text}");
    f.git(&f.project, &["init", "-q"]);
    let text = refused(&f);
    assert!(text.contains("has no commit to begin a worktree from") && text.contains("--allow-empty"), "{text}");
    f.git(&f.project, &["commit", "-q", "--allow-empty", "-m", "start"]);
    f.git(&f.project, &["branch", "agents"]);
    let text = refused(&f);
    assert!(text.contains("there is a branch `agents`"), "{text}");
    f.git(&f.project, &["branch", "-m", "agents", "old-agents"]);
    start(&f);
    assert_eq!(branch(&f, &place(&f)), "agents/api");
}

#[test]
fn a_bare_repository_and_a_folder_that_is_not_there_yet() {
    let f = one("dir = \"sub/deeper/still\"\n");
    start(&f);
    assert_eq!(told(&f, "pwd-api").trim(), place(&f).join("sub/deeper/still").to_string_lossy());
    assert!(!f.project.join("sub/deeper").exists(), "nothing is made in the project");
    stop(&f);
    fs::remove_dir_all(place(&f)).expect("removed");
    f.git(&f.root(), &["clone", "-q", "--bare", "project", "bare.git"]);
    f.config(&format!(
        "{}{TELLING}[[agent]]\nname = \"api\"\nbackend = \"telling\"\nworktree = true\ndir = \"{{root}}/bare.git\"\n",
        crate::fleet::BASE
    ));
    start(&f);
    assert!(place(&f).join("sub/file").exists());
    assert_eq!(told(&f, "pwd-api").lines().last(), Some(&*place(&f).to_string_lossy()));
}

/// One that libgit2 cannot read.
#[test]
fn a_repository_of_another_format() {
    let f = Fleet::new(&format!(
        "{TELLING}[[agent]]\nname = \"api\"\nbackend = \"telling\"\nworktree = true\ndir = \"sub\"\n"
    ));
    f.git(&f.project, &["init", "-q", "--object-format=sha256"]);
    f.git(&f.project, &["commit", "-q", "--allow-empty", "-m", "start"]);
    start(&f);
    fs::write(place(&f).join("new"), "untracked\n").expect("a file");
    stop(&f);
    start(&f);
    assert!(place(&f).join("new").exists() && branch(&f, &place(&f)) == "agents/api");
    assert_eq!(told(&f, "pwd-api").lines().last(), Some(&*place(&f).join("sub").to_string_lossy()));
    assert_eq!(f.said("made its worktree"), 1);
}

#[test]
fn a_project_that_is_moved_takes_its_worktrees_along() {
    let f = one("");
    start(&f);
    fs::write(place(&f).join("new"), "untracked\n").expect("a file");
    stop(&f);
    let moved = f.root().join("moved");
    fs::rename(&f.project, &moved).expect("moved");
    let up = |line: &[&str]| {
        let mut command = f.command(line);
        command.current_dir(&moved);
        f.run(command)
    };
    let said = up(&["up", "api"]).ok();
    assert!(said.out.contains("was moved: repaired"), "{said:?}");
    f.wait("it is started", |f| f.starts("api") == 2);
    let place = moved.join(".agents/worktrees/api");
    assert_eq!((branch(&f, &place).as_str(), place.join("new").exists()), ("agents/api", true));
    assert_eq!(told(&f, "pwd-api").lines().last(), Some(&*place.to_string_lossy()));
    up(&["down"]).ok();
    fs::rename(&moved, &f.project).expect("moved back");
}

/// A copy is not the worktree that git knows: two agents in one index would undo each other's work.
#[test]
fn a_copied_project_does_not_share_its_worktree() {
    let f = one("");
    start(&f);
    stop(&f);
    let (from, copy) = (place(&f), f.project.join(".agents/worktrees/two"));
    let mut copying = std::process::Command::new("cp");
    copying.arg("-r").args([&from, &copy]);
    f.run(copying).ok();
    f.config(&format!(
        "{}{TELLING}[[agent]]\nname = \"two\"\nbackend = \"telling\"\nworktree = true\n",
        crate::fleet::BASE
    ));
    let said = f.agents(&["up", "two"]);
    assert!(said.out.contains("stands where the worktree belongs") && f.starts("two") == 0, "{said:?}");
    assert_eq!(branch(&f, &from), "agents/api");
}

/// git was killed while it made one: no agent was ever in it.
#[test]
fn one_that_was_never_finished_is_made_anew() {
    let f = one("");
    start(&f);
    stop(&f);
    fs::write(f.project.join(".git/worktrees/api/locked"), "initializing").expect("a lock");
    fs::remove_file(place(&f).join("sub/file")).expect("half a checkout");
    // Somebody who still holds it may be at it.
    let lock = fs::File::open(f.project.join(".agents/worktrees/.api.lock")).expect("the lock");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("held");
    let said = f.agents(&["up", "api"]);
    assert!(said.out.contains("is still being made") && f.starts("api") == 1, "{said:?}");
    drop(lock);
    start(&f);
    assert!(place(&f).join("sub/file").exists() && branch(&f, &place(&f)) == "agents/api");
}

#[test]
fn doctor_names_what_no_agent_uses_and_whether_work_is_in_it() {
    let f = one("");
    start(&f);
    stop(&f);
    let doctor = |f: &Fleet| f.agents(&["doctor"]).out;
    assert!(!doctor(&f).contains("worktree:"), "{}", doctor(&f));
    f.config(&format!("{}[[agent]]\nname = \"other\"\n", crate::fleet::BASE));
    let (at, told) = (place(&f).display().to_string(), doctor(&f));
    let remove = format!("git -C '{}' worktree remove '{at}'", f.project.display());
    assert!(
        told.contains(&format!("no agent uses {at}; all its work is elsewhere")) && told.contains(&remove),
        "{told}"
    );
    fs::write(place(&f).join("new"), "untracked\n").expect("a file");
    f.git(&place(&f), &["commit", "-q", "--allow-empty", "-m", "work"]);
    let told = doctor(&f);
    assert!(told.contains("it holds work: 1 uncommitted file, 1 commit on branch agents/api alone"), "{told}");
    // What it says does what it says, once the work is safe.
    fs::remove_file(place(&f).join("new")).expect("done");
    f.git(&f.project, &["worktree", "remove", &at]);
    assert!(!doctor(&f).contains("worktree:"));
}

/// Commits of a worktree are the repository's own: whoever waits for them hears of them.
#[test]
fn a_claim_made_in_a_worktree_is_heard_and_a_phase_ends_there() {
    let f = project(
        "[[agent]]\nname = \"builder\"\nkind = \"loop\"\nrole = \"builder\"\nbackend = \"telling\"\nworktree = true\n\
         [[agent]]\nname = \"adversary\"\nkind = \"loop\"\nrole = \"adversary\"\nbackend = \"telling\"\n\
         [loop]\ndone_from = \"agents/builder\"\n\
         phases = [{ id = \"one\", status = \"STATUS.md\" }, { id = \"two\", status = \"STATUS-2.md\" }]\n\
         [loop.handoff]\nclaim_pings = \"adversary\"\n",
    );
    f.write("prompts/builder.md", "build");
    f.write("prompts/adversary.md", "look");
    f.up();
    f.wait("both run", |f| f.starts("builder") == 1 && f.starts("adversary") == 1);
    let at = f.project.join(".agents/worktrees/builder");
    let heard = |f: &Fleet, name: &str, what: &str| f.lines(name).iter().filter(|l| l.contains(what)).count();
    // What is there at the first look is no news: a review that pings says that it is over.
    f.wait("a review is heard of", |f| {
        f.git(&at, &["commit", "-q", "--allow-empty", "-m", "review: marker"]);
        f.ticks(4);
        heard(f, "builder", "verdict/finding") > 0
    });
    f.git(&at, &["commit", "-q", "--allow-empty", "-m", "claim: the first part"]);
    f.wait("the adversary hears of it", |f| heard(f, "adversary", "gate CLAIM commit") == 1);
    fs::create_dir_all(at.join("machine-docs")).expect("a folder");
    fs::write(at.join("machine-docs/STATUS.md"), "## DONE\n").expect("a status");
    f.git(&at, &["add", "machine-docs"]);
    f.git(&at, &["commit", "-q", "-m", "done"]);
    f.wait("the next phase begins", |f| f.status()["phase"]["id"] == "two" && f.starts("builder") == 2);
    assert_eq!(heard(&f, "adversary", "gate CLAIM commit"), 1);
}
