//! Which branch the fleet's shared files are read from.
use super::repository::{ORIGIN, Repository};

/// The pushed branch: what the checked-out branch follows on `origin`, else the branch of the same name there, else the
/// remote's own default, else `main`, else `master`. Full ref name; `None` without a remote, or when nothing is pushed.
pub(super) fn pushed(repo: &dyn Repository) -> Option<String> {
    if !repo.has_origin() {
        return None;
    }
    let branch = repo.head_branch();
    let follows = branch.as_deref().and_then(|b| repo.upstream(b)).filter(|name| name.starts_with(ORIGIN));
    let same_name = branch.as_deref().and_then(|b| b.strip_prefix("refs/heads/")).map(|b| format!("{ORIGIN}{b}"));
    let default = repo.target_of(&format!("{ORIGIN}HEAD"));
    let usual = ["main", "master"].map(|name| Some(format!("{ORIGIN}{name}")));
    [follows, same_name, default].into_iter().chain(usual).flatten().find(|name| repo.commit_of(name).is_some())
}

/// `origin/main` for people.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("refs/remotes/").or_else(|| name.strip_prefix("refs/heads/")).unwrap_or(name)
}

/// Where a shared file may lie in a commit, best place first: the state folder, then the top; below the configured
/// folder first, if that is not the top of the repository.
pub(super) fn places(prefix: &str, state_subdir: &str, file: &str) -> Vec<String> {
    let subdir = state_subdir.trim_matches('/');
    let subdir = subdir.strip_prefix("./").unwrap_or(subdir);
    let file = file.trim_start_matches("./");
    let mut places: Vec<String> = Vec::new();
    for top in [prefix, ""] {
        let in_folder = if subdir.is_empty() || subdir == "." { None } else { Some(format!("{top}{subdir}/{file}")) };
        for place in in_folder.into_iter().chain([format!("{top}{file}")]) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_comes_first() {
        assert_eq!(places("", "machine-docs", "A.md"), ["machine-docs/A.md", "A.md"]);
        assert_eq!(places("", "./docs/", "A.md"), ["docs/A.md", "A.md"]);
        assert_eq!(places("", ".", "A.md"), ["A.md"]);
        assert_eq!(places("sub/", "docs", "A.md"), ["sub/docs/A.md", "sub/A.md", "docs/A.md", "A.md"]);
    }
}
