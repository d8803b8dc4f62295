//! A git worktree for one agent: taken up where it is, made where it is not, and never removed with anything in it.
//!
//! ```text
//! registered, folder there ------------------------------> as it is, whatever is checked out in it
//! registered, folder gone, not locked --> forgotten -----> made anew on the branch that was checked out there
//! registered elsewhere, folder here (all was moved) -----> repaired
//! not registered, branch there and free -----------------> made on that branch, as it stands
//! not registered, no branch -----------------------------> made on a new branch from HEAD
//! everything else ---------------------------------------> an error that says what to do
//! ```
use super::{
    GitError, GitProgram,
    command::READ_TIMEOUT,
    worktree_list::{self, Entry},
};
use git2::RepositoryOpenFlags;
use rustix::fs::{FlockOperation, flock};
use std::{
    ffi::OsStr,
    fs::File,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

/// Longest checkout. Nothing else is decided meanwhile.
const CHECKOUT: Duration = Duration::from_secs(60);
/// What git says of one that it is still making.
const BEING_MADE: &str = "initializing";

/// One agent's wish.
#[derive(Clone, Copy, Debug)]
pub struct WorktreeOrder<'a> {
    /// A folder of the repository; it need not be there.
    pub dir: &'a Path,
    /// Where the worktree stands. Its parent is there.
    pub place: &'a Path,
    /// Short name of the branch that it is made on.
    pub branch: &'a str,
}

/// A worktree that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    /// The same folder in it as `dir` is in the repository; it need not be there.
    pub dir: PathBuf,
    /// What was done, for people; `None`: it was there.
    pub note: Option<String>,
}

/// Why there is no worktree. One line each, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    #[error(
        "`{0}` is in no git repository, so it can have no worktree; hint: `git init` there, or take out `worktree`"
    )]
    NoRepository(String),
    #[error(
        "the repository of `{0}` has no commit to begin a worktree from; hint: `git -C '{0}' commit --allow-empty -m start`"
    )]
    NoCommit(String),
    #[error(
        "branch `{branch}` cannot be made: there is a branch `{other}`; hint: rename that one, `git branch -m {other} …`"
    )]
    BranchInTheWay { branch: String, other: String },
    #[error(
        "branch `{branch}` is checked out in `{elsewhere}`; hint: `git -C '{elsewhere}' switch --detach`, or rename the agent"
    )]
    CheckedOut { branch: String, elsewhere: String },
    #[error(
        "worktree `{place}` is gone, but it is locked{why}; hint: bring it back, or `git worktree unlock '{place}'`"
    )]
    Locked { place: String, why: String },
    #[error(
        "worktree `{place}` is gone, and it was at commit {sha}, which is on no branch; hint: `git branch NAME {sha}` keeps it, then `git worktree remove '{place}'`"
    )]
    Stranded { place: String, sha: String },
    #[error("`{0}` stands where the worktree belongs, but it is none of this repository; hint: move it away")]
    Occupied(String),
    #[error("worktree `{0}` is still being made by a process that was left behind; it is looked at again")]
    BeingMade(String),
    #[error("`{0}`: {1}")]
    Folder(String, std::io::Error),
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What has to be done for a worktree.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Take,
    Repair,
    Make {
        /// The registration of a folder that is gone, or of one that was never finished.
        forget: bool,
        from: From,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum From {
    /// An existing branch, by its short name.
    Branch(String),
    /// A new branch, from this commit.
    Commit(String),
}

/// Says whether the order can be met, and touches nothing.
pub fn check(order: &WorktreeOrder, git: &GitProgram) -> Result<(), WorktreeError> {
    Look::at(order, git)?.plan().map(drop)
}

/// The worktree that was ordered, made if it is not there. Blocks; at most a minute for the checkout.
pub fn provide(order: &WorktreeOrder, git: &GitProgram) -> Result<Worktree, WorktreeError> {
    if let Some(dir) = found(order) {
        return Ok(Worktree { dir, note: None });
    }
    let shown = || order.place.display().to_string();
    // Held by git as well: one that outlives us is not taken for one that was cut short.
    let name = order.place.file_name().unwrap_or_default().to_string_lossy();
    let lock = File::create(order.place.with_file_name(format!(".{name}.lock")))
        .map_err(|e| WorktreeError::Folder(shown(), e))?;
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Err(WorktreeError::BeingMade(shown()));
    }
    let look = Look::at(order, git)?;
    let plan = look.plan()?;
    let note = match &plan {
        Plan::Take => None,
        Plan::Repair => {
            look.act(&[OsStr::new("repair"), look.place.as_os_str()], READ_TIMEOUT, Stdio::null())?;
            let mended = Look::at(order, git)?;
            if mended.plan()? != Plan::Take {
                return Err(WorktreeError::Occupied(shown()));
            }
            Some(format!("its worktree {} was moved: repaired", shown()))
        }
        Plan::Make { forget, from } => {
            if *forget {
                let _ = std::fs::remove_dir(&look.place);
                // Only an empty folder goes that way. Without force where it was finished once: git itself refuses if there is anything to lose.
                let force: &[&str] = if look.is_half_made() { &["--force", "--force"] } else { &[] };
                look.remove(force)?;
            }
            look.add(from, &lock)?;
            Some(match from {
                From::Branch(branch) if *forget => format!("made its worktree {} anew, on branch {branch}", shown()),
                From::Branch(branch) => format!("made its worktree {}, on the existing branch {branch}", shown()),
                From::Commit(sha) => {
                    let short = sha.get(..10).unwrap_or(sha);
                    format!("made its worktree {}, on the new branch {} from {short}", shown(), order.branch)
                }
            })
        }
    };
    // A join with nothing would end in a slash.
    Ok(Worktree { dir: look.place.join(&look.below).components().collect(), note })
}

/// The usual case, told without a process: it is there, whole, registered, and of this repository.
fn found(order: &WorktreeOrder) -> Option<PathBuf> {
    let open = |path: &Path, flags| git2::Repository::open_ext(path, flags, &[] as &[&OsStr]).ok();
    let (base, rest) = nearest(order.dir);
    let here = open(order.place, RepositoryOpenFlags::NO_SEARCH)?;
    let home = open(&base, RepositoryOpenFlags::empty())?;
    let noted = |file: &str| std::fs::read_to_string(here.path().join(file)).unwrap_or_default();
    let place = real(order.place);
    let whole = here.is_worktree()
        && real(here.workdir()?) == place
        && real(here.commondir()) == real(home.commondir())
        && real(Path::new(noted("gitdir").trim_end_matches('\n'))) == place.join(".git")
        && noted("locked").trim() != BEING_MADE;
    let below = match home.workdir() {
        Some(top) => real(&base).strip_prefix(real(top)).ok()?.join(rest),
        None => PathBuf::new(),
    };
    whole.then(|| place.join(below).components().collect())
}

/// What git says of the repository and of the place.
struct Look<'a> {
    order: &'a WorktreeOrder<'a>,
    git: &'a GitProgram,
    /// The nearest folder of `dir` that is there: git runs here.
    base: PathBuf,
    /// `dir`, seen from the top of the repository.
    below: PathBuf,
    /// Symbolic links resolved.
    place: PathBuf,
    /// The repository's own data, whichever worktree is asked.
    common: PathBuf,
    entries: Vec<Entry>,
}

impl<'a> Look<'a> {
    fn at(order: &'a WorktreeOrder, git: &'a GitProgram) -> Result<Look<'a>, WorktreeError> {
        let (base, rest) = nearest(order.dir);
        let mut look = Look {
            order,
            git,
            base,
            below: PathBuf::new(),
            place: real(order.place),
            common: PathBuf::new(),
            entries: Vec::new(),
        };
        let asked = ["rev-parse", "--is-bare-repository", "--is-inside-git-dir", "--git-common-dir", "--show-prefix"];
        let told = look.read(&asked);
        let told = told.map_err(|e| look.repository(e))?;
        let mut rows = told.split(|b| *b == b'\n');
        let (bare, inside) = (rows.next() == Some(b"true"), rows.next() == Some(b"true"));
        if inside && !bare {
            return Err(WorktreeError::NoRepository(order.dir.display().to_string()));
        }
        look.common = real(&look.base.join(OsStr::from_bytes(rows.next().unwrap_or_default())));
        let prefix = rows.next().filter(|_| !bare).unwrap_or_default();
        look.below = Path::new(OsStr::from_bytes(prefix)).join(if bare { PathBuf::new() } else { rest });
        look.entries = worktree_list::parse(&look.read(&["worktree", "list", "--porcelain"])?);
        Ok(look)
    }

    /// `git` in the repository, reading.
    fn read(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = self.git.reading(&self.base);
        command.args(args);
        let output = self.git.run(command, args[0], READ_TIMEOUT, 4 << 20)?;
        match output.success {
            true => Ok(output.stdout),
            false => Err(GitError::Failed { what: args[0].into(), detail: output.stderr }),
        }
    }

    /// `git worktree ARGS`. Whatever holds `stdin` open is held by it too.
    fn act(&self, args: &[&OsStr], deadline: Duration, stdin: Stdio) -> Result<(), GitError> {
        let mut command = self.git.command(&self.base);
        command.arg("worktree").args(args);
        let output = self.git.run_with(command, stdin, "worktree", deadline, 0)?;
        if output.success { Ok(()) } else { Err(GitError::Failed { what: "worktree".into(), detail: output.stderr }) }
    }

    fn repository(&self, error: GitError) -> WorktreeError {
        let dir = self.order.dir.display().to_string();
        match &error {
            GitError::Failed { detail, .. } if detail.contains("not a git repository") => {
                WorktreeError::NoRepository(dir)
            }
            GitError::Failed { detail, .. } if detail.contains("dubious ownership") => GitError::Owner(dir).into(),
            _ => error.into(),
        }
    }

    fn commit_of(&self, revision: &str) -> Option<String> {
        let revision = format!("{revision}^{{commit}}");
        let told = self.read(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]).ok()?;
        Some(String::from_utf8_lossy(&told).trim().to_owned()).filter(|sha| !sha.is_empty())
    }

    fn has_branch(&self, short: &str) -> bool {
        self.read(&["show-ref", "--verify", "--quiet", &format!("refs/heads/{short}")]).is_ok()
    }

    /// Some branch, of ours or of a remote, or some tag, leads to it.
    fn is_kept(&self, sha: &str) -> bool {
        let told =
            self.read(&["for-each-ref", "--count=1", "--contains", sha, "refs/heads", "refs/remotes", "refs/tags"]);
        told.is_ok_and(|text| !text.is_empty())
    }

    fn registered(&self) -> Option<&Entry> {
        self.entries.iter().find(|e| real(&e.path) == self.place)
    }

    fn is_half_made(&self) -> bool {
        self.registered().is_some_and(|e| e.locked.as_deref() == Some(BEING_MADE))
    }

    fn plan(&self) -> Result<Plan, WorktreeError> {
        let shown = || self.place.display().to_string();
        let entry = self.registered();
        if self.is_half_made() {
            // Its agent was never started in it.
            return Ok(Plan::Make { forget: true, from: self.from(entry)? });
        }
        if std::fs::symlink_metadata(&self.place).is_ok() && !is_empty_folder(&self.place) {
            if entry.is_some() && self.works_here() {
                return Ok(Plan::Take);
            }
            // Ours, if git misses one of this name: all was moved, and git was not told.
            let name = self.place.file_name();
            let missed = |e: &Entry| e.path.file_name() == name && !e.path.exists();
            let moved = self.place.join(".git").is_file() && self.entries.iter().skip(1).any(missed);
            return match moved || (entry.is_some() && !self.place.join(".git").is_dir()) {
                true => Ok(Plan::Repair),
                false => Err(WorktreeError::Occupied(shown())),
            };
        }
        if let Some(Entry { locked: Some(why), .. }) = entry {
            let why = if why.is_empty() { String::new() } else { format!(" ({})", crate::model::name::printable(why)) };
            return Err(WorktreeError::Locked { place: shown(), why });
        }
        if let Some(Entry { branch: None, head: Some(sha), .. }) = entry
            && !self.is_kept(sha)
        {
            return Err(WorktreeError::Stranded { place: shown(), sha: sha.clone() });
        }
        Ok(Plan::Make { forget: entry.is_some(), from: self.from(entry)? })
    }

    /// What a new folder begins with.
    fn from(&self, entry: Option<&Entry>) -> Result<From, WorktreeError> {
        let branch = entry.and_then(|e| e.branch.clone()).filter(|b| self.has_branch(b));
        let branch = branch.unwrap_or_else(|| self.order.branch.to_owned());
        let elsewhere = self.entries.iter().find(|e| e.branch.as_ref() == Some(&branch) && real(&e.path) != self.place);
        if let Some(Entry { path, .. }) = elsewhere {
            return Err(WorktreeError::CheckedOut { branch, elsewhere: path.display().to_string() });
        }
        if self.has_branch(&branch) {
            return Ok(From::Branch(branch));
        }
        if let Some((above, _)) = branch.split_once('/')
            && self.has_branch(above)
        {
            return Err(WorktreeError::BranchInTheWay { other: above.to_owned(), branch });
        }
        let dir = || self.base.display().to_string();
        self.commit_of("HEAD").map(From::Commit).ok_or_else(|| WorktreeError::NoCommit(dir()))
    }

    /// git, run in the place, finds that it is the top of a worktree of this repository.
    fn works_here(&self) -> bool {
        let mut command = self.git.reading(&self.place);
        command.args(["rev-parse", "--show-toplevel", "--git-common-dir"]);
        let told = self.git.run(command, "rev-parse", READ_TIMEOUT, 64 << 10);
        told.is_ok_and(|out| {
            let mut rows = out.stdout.split(|b| *b == b'\n').map(|row| real(&self.place.join(OsStr::from_bytes(row))));
            out.success && rows.next().as_ref() == Some(&self.place) && rows.next().as_ref() == Some(&self.common)
        })
    }

    fn add(&self, from: &From, lock: &File) -> Result<(), WorktreeError> {
        let mut args: Vec<&OsStr> = vec![OsStr::new("add")];
        let what = match from {
            From::Branch(branch) => branch,
            From::Commit(sha) => {
                args.extend([OsStr::new("-b"), OsStr::new(self.order.branch)]);
                sha
            }
        };
        args.extend([OsStr::new("--"), self.place.as_os_str(), OsStr::new(what)]);
        let held = lock.try_clone().map_err(|e| WorktreeError::Folder(self.place.display().to_string(), e))?;
        self.act(&args, CHECKOUT, Stdio::from(held)).map_err(|error| {
            // Nobody was in it yet: there was nothing before, and what is there now git put there.
            let _ = self.remove(&["--force", "--force"]);
            error.into()
        })
    }

    fn remove(&self, force: &[&str]) -> Result<(), GitError> {
        let mut args = vec![OsStr::new("remove")];
        args.extend(force.iter().map(OsStr::new));
        args.extend([OsStr::new("--"), self.place.as_os_str()]);
        self.act(&args, READ_TIMEOUT, Stdio::null())
    }
}

/// The nearest folder that is there, and what is below it.
fn nearest(dir: &Path) -> (PathBuf, PathBuf) {
    let there = dir.ancestors().find(|a| a.is_dir()).unwrap_or(Path::new("/"));
    (there.to_owned(), dir.strip_prefix(there).unwrap_or(Path::new("")).to_owned())
}

/// With symbolic links resolved as far as it is there.
pub(super) fn real(path: &Path) -> PathBuf {
    let (there, below) = match path.canonicalize() {
        Ok(real) => return real,
        Err(_) => nearest(path),
    };
    there.canonicalize().unwrap_or(there).join(below)
}

fn is_empty_folder(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}
