//! `git fetch origin`, as the user's own git would do it, but without a person.
use super::{GitError, GitProgram, repository::Repository};
use std::{path::Path, time::Duration};

/// Brings `refs/remotes/origin/*` up to date. Branches follow the clone's own refspec; one without any (a bare clone)
/// gets the usual one.
pub(super) fn fetch(path: &Path, repo: &dyn Repository, git: &GitProgram, deadline: Duration) -> Result<(), GitError> {
    let mut command = git.command(path);
    // A connection that hangs ends by itself even if nobody is left to end it.
    command.args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"]);
    if ["GIT_SSH_COMMAND", "GIT_SSH"].iter().all(|name| git.variable(name).is_none())
        && repo.setting("core.sshCommand").is_none()
    {
        let ssh = "ssh -oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=15 -oServerAliveCountMax=3";
        command.env("GIT_SSH_COMMAND", ssh);
    }
    command.args(["fetch", "-q", "--no-write-fetch-head", "--no-recurse-submodules", "--prune"]);
    command.args(["--no-auto-maintenance", "origin"]);
    if repo.setting("remote.origin.fetch").is_none() {
        command.arg("+refs/heads/*:refs/remotes/origin/*");
    }
    let output = git.run(command, "fetch origin", deadline, 0)?;
    if output.success { Ok(()) } else { Err(GitError::Failed { what: "fetch origin".into(), detail: output.stderr }) }
}
