//! The path rule of every setting: `~` first, then joined to the project root.
use std::path::{Component, Path, PathBuf};

/// `text` as an absolute path below `root` (absolute). `Err`: why not, to follow the words "`key` …".
pub(super) fn place(text: &str, root: &Path, home: Option<&Path>) -> Result<PathBuf, String> {
    let expanded = match text.strip_prefix('~') {
        None => PathBuf::from(text),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match home {
            Some(home) => home.join(rest.trim_start_matches('/')),
            None => return Err("begins with `~`, and there is no home folder".into()),
        },
        Some(_) => return Err("names another user's home folder, which is not looked up".into()),
    };
    // `.` is dropped, `..` stays: after a symlink only the file system knows where it leads.
    Ok(root.join(expanded).components().filter(|c| *c != Component::CurDir).collect())
}

/// `path` with `.` and `..` worked out in the text alone: what is left to do for a folder that does not exist.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule() {
        let (root, home) = (Path::new("/p/x"), Some(Path::new("/home/me")));
        for (text, path) in [
            (".", "/p/x"),
            ("", "/p/x"),
            ("./a/./b", "/p/x/a/b"),
            ("../a", "/p/x/../a"),
            ("/abs", "/abs"),
            ("~", "/home/me"),
            ("~/w", "/home/me/w"),
            ("a~", "/p/x/a~"),
        ] {
            assert_eq!(place(text, root, home), Ok(PathBuf::from(path)), "{text}");
        }
        assert!(place("~other/x", root, home).is_err());
        assert!(place("~/x", root, None).is_err());
        assert_eq!(lexical(Path::new("/a/./b/../c")), PathBuf::from("/a/c"));
        assert_eq!(lexical(Path::new("/../..")), PathBuf::from("/"));
    }
}
