//! Worktrees: those that agents need, and those that none uses any more.
use super::Finding;
use crate::{
    engine::worktrees::{self, Left},
    model::policy::Policy,
    world::git::WorktreeWork,
};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let missing = worktrees::warnings(policy).into_iter().map(|text| match text.split_once("\nhint: ") {
        Some((text, hint)) => Finding::warn("worktree", text, hint),
        None => Finding::warn("worktree", text, "`agents check`"),
    });
    missing.chain(worktrees::left(policy).iter().map(unused)).collect()
}

/// One that no agent uses. Removing it is up to a person.
fn unused(left: &Left) -> Finding {
    let place = left.place.display();
    let Some(work) = &left.work else {
        let text = format!("{place} belongs to no agent, and is no worktree that git knows");
        return Finding::warn("worktree", text, "look into it, then move it away");
    };
    let remove = format!("`git -C '{}' worktree remove '{place}'`", work.repository.display());
    let text = format!("no agent uses {place}");
    match held(work) {
        None => {
            Finding::warn("worktree", format!("{text}; all its work is elsewhere, too"), format!("{remove} removes it"))
        }
        Some(held) => {
            let text = format!("{text}, and it holds work: {held}");
            Finding::warn("worktree", text, format!("save that first; then {remove}"))
        }
    }
}

/// What is there and nowhere else.
fn held(work: &WorktreeWork) -> Option<String> {
    let some = |n: u64, one: &str, more: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {more}")),
    };
    let branch = work.branch.as_deref().map_or("no branch".to_owned(), |b| format!("branch {b} alone"));
    let files = some(work.uncommitted as u64, "uncommitted file", "uncommitted files");
    let commits = some(work.commits, "commit", "commits").map(|n| format!("{n} on {branch}"));
    let held: Vec<String> = files.into_iter().chain(commits).collect();
    (!held.is_empty()).then(|| held.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_told_and_nothing_is_forced() {
        let mut work =
            WorktreeWork { repository: "/p".into(), branch: Some("agents/x".into()), uncommitted: 0, commits: 0 };
        let told = |work: &WorktreeWork| {
            let finding = unused(&Left { place: "/p/w/x".into(), work: Some(work.clone()) });
            format!("{} — {}", finding.text, finding.hint.unwrap_or_default())
        };
        assert_eq!(
            told(&work),
            "no agent uses /p/w/x; all its work is elsewhere, too — `git -C '/p' worktree remove '/p/w/x'` removes it"
        );
        (work.uncommitted, work.commits) = (2, 1);
        assert_eq!(
            told(&work),
            "no agent uses /p/w/x, and it holds work: 2 uncommitted files, 1 commit on branch agents/x alone — \
             save that first; then `git -C '/p' worktree remove '/p/w/x'`"
        );
        (work.uncommitted, work.branch) = (0, None);
        assert!(told(&work).contains("1 commit on no branch"), "{}", told(&work));
    }
}
