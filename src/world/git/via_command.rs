//! Reads with the `git` command, for formats that libgit2 does not know (sha256, reftable).
use super::{
    GitError, GitProgram,
    command::READ_TIMEOUT,
    repository::{BLOB_CAP, Repository, subject},
};
use crate::model::observation::CommitObs;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(super) struct CommandRepo {
    git: GitProgram,
    path: PathBuf,
    prefix: String,
}

/// The format cuts subjects, so that a walk of large ones stays below this.
const OUTPUT_CAP: usize = 64 * 1024 * 1024;

impl CommandRepo {
    pub(super) fn open(path: &Path, git: &GitProgram) -> Result<CommandRepo, GitError> {
        let mut repo = CommandRepo { git: git.clone(), path: path.to_owned(), prefix: String::new() };
        repo.prefix = lines(&repo.read(&["rev-parse", "--show-prefix"])?).into_iter().next().unwrap_or_default();
        Ok(repo)
    }

    fn read(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = self.git.reading(&self.path);
        command.args(args);
        let what = args.first().copied().unwrap_or_default();
        let output = self.git.run(command, what, READ_TIMEOUT, OUTPUT_CAP)?;
        if output.success {
            Ok(output.stdout)
        } else {
            Err(GitError::Failed { what: what.into(), detail: output.stderr })
        }
    }

    fn line(&self, args: &[&str]) -> Option<String> {
        lines(&self.read(args).ok()?).into_iter().next().filter(|line| !line.is_empty())
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

impl Repository for CommandRepo {
    fn has_origin(&self) -> bool {
        self.setting("remote.origin.url").is_some()
    }

    fn heads(&self) -> Result<BTreeMap<String, String>, GitError> {
        let origin = self.has_origin();
        let under = if origin { "refs/remotes/origin/" } else { "refs/heads/" };
        let format = "--format=%(objectname) %(objecttype) %(symref) %(refname)";
        let mut heads = BTreeMap::new();
        for line in lines(&self.read(&["for-each-ref", format, under])?) {
            // A symbolic ref has five words' places filled; an empty one leaves two blanks.
            let mut words = line.splitn(4, ' ');
            if let (Some(sha), Some("commit"), Some(""), Some(name)) =
                (words.next(), words.next(), words.next(), words.next())
            {
                heads.insert(name.to_owned(), sha.to_owned());
            }
        }
        if !origin
            && self.head_branch().is_none()
            && let Some(sha) = self.commit_of("HEAD")
        {
            heads.insert("HEAD".into(), sha);
        }
        Ok(heads)
    }

    fn has_commit(&self, sha: &str) -> bool {
        sha.bytes().all(|b| b.is_ascii_hexdigit())
            && self.read(&["cat-file", "-e", &format!("{sha}^{{commit}}")]).is_ok()
    }

    fn is_ancestor(&self, old: &str, new: &str) -> bool {
        self.read(&["merge-base", "--is-ancestor", old, new]).is_ok()
    }

    fn walk(&self, from: &[&str], hide: &[&str], max: usize) -> Result<Vec<CommitObs>, GitError> {
        let max = format!("--max-count={max}");
        let mut args = vec!["log", "-z", "--no-show-signature", "--date-order", &max];
        args.extend(["--no-color", "--no-notes", "--format=%H %<(4200,trunc)%s"]);
        args.extend(from);
        args.push("--not");
        args.extend(hide);
        args.push("--");
        let output = self.read(&args)?;
        let records = output.split(|b| *b == 0).filter(|record| !record.is_empty());
        let commits = records.filter_map(|record| {
            let blank = record.iter().position(|b| *b == b' ')?;
            let sha = String::from_utf8_lossy(&record[..blank]).into_owned();
            Some(CommitObs { sha, subject: subject(&record[blank + 1..]) })
        });
        Ok(commits.collect())
    }

    fn head_branch(&self) -> Option<String> {
        self.target_of("HEAD")
    }

    fn upstream(&self, branch: &str) -> Option<String> {
        self.line(&["for-each-ref", "--format=%(upstream)", "--", branch])
    }

    fn target_of(&self, symbolic: &str) -> Option<String> {
        self.line(&["symbolic-ref", "--quiet", "--", symbolic])
    }

    fn commit_of(&self, revision: &str) -> Option<String> {
        self.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])
    }

    fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let name = format!("{commit}:{path}");
        // Fails for a folder as well, and for a file that is not there.
        let Ok(size) = self.read(&["cat-file", "-s", &name]) else { return Ok(None) };
        let size: usize = String::from_utf8_lossy(&size).trim().parse().unwrap_or(0);
        if size > BLOB_CAP {
            return Err(GitError::Broken(format!("`{path}` has {size} bytes, more than {BLOB_CAP}")));
        }
        Ok(self.read(&["cat-file", "blob", &name]).ok())
    }

    fn prefix(&self) -> &str {
        &self.prefix
    }

    fn setting(&self, key: &str) -> Option<String> {
        self.line(&["config", "--get", key])
    }
}
