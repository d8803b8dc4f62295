//! Where a program keeps its session files: the environment of the agent decides.
use crate::model::transcript::Program;
use std::{
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

/// The folder of one program's files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Base {
    pub program: Program,
    pub folder: PathBuf,
}

/// So many characters of a folder's name are the path; what is longer ends with a hash that we do not know.
const SLUG: usize = 200;

impl Base {
    /// `var`: the agent's environment. `dir`: where it runs, for a relative path. `None`: not even a home is known.
    pub fn of(program: Program, dir: &Path, var: impl Fn(&str) -> Option<OsString>) -> Option<Base> {
        let (own, in_home) = match program {
            Program::Claude => ("CLAUDE_CONFIG_DIR", ".claude"),
            Program::Codex => ("CODEX_HOME", ".codex"),
        };
        let set = |name: &str| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set(own).or_else(|| Some(set("HOME")?.join(in_home)))?;
        Some(Base { program, folder: dir.join(folder) })
    }

    /// Where Claude Code's session file says that its base is: `BASE/projects/FOLDER/ID.jsonl`.
    pub fn of_claude_session(path: &Path, id: &str) -> Option<Base> {
        let plain = path.components().all(|c| matches!(c, Component::RootDir | Component::Normal(_)));
        let name = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
        let projects = path.parent()?.parent()?;
        let folder = projects.parent()?.to_owned();
        (plain && name == id && projects.ends_with("projects")).then_some(Base { program: Program::Claude, folder })
    }

    /// All session files are below it.
    pub fn sessions(&self) -> PathBuf {
        self.folder.join(match self.program {
            Program::Claude => "projects",
            Program::Codex => "sessions",
        })
    }
}

/// The name of the folder in which Claude Code keeps the sessions of one working directory: every character but ASCII
/// letters and digits is a `-`. `false`: only the beginning of the name. Several directories may have the same one.
pub fn slug(dir: &Path) -> (String, bool) {
    let text = dir.to_string_lossy();
    let units = text.encode_utf16();
    let mut name: String =
        units.map(|u| u8::try_from(u).ok().filter(u8::is_ascii_alphanumeric).map_or('-', char::from)).collect();
    let whole = name.len() <= SLUG;
    name.truncate(SLUG);
    (name, whole)
}

/// The session's id in the name of a rollout: `rollout-2026-11-21T16-11-26-<uuid>.jsonl`.
pub fn rollout_id(name: &str) -> Option<&str> {
    let stem = name.strip_prefix("rollout-")?.strip_suffix(".jsonl")?;
    let id = stem.get(stem.len().checked_sub(36)?..)?;
    id.chars().all(|c| c.is_ascii_hexdigit() || c == '-').then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        let base = |program, vars: &[(&str, &str)]| {
            let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
            Base::of(program, Path::new("/p"), var).map(|b| b.sessions())
        };
        let home = ("HOME", "/h");
        assert_eq!(base(Program::Claude, &[home]), Some("/h/.claude/projects".into()));
        assert_eq!(base(Program::Claude, &[home, ("CLAUDE_CONFIG_DIR", "/c")]), Some("/c/projects".into()));
        assert_eq!(base(Program::Claude, &[home, ("CLAUDE_CONFIG_DIR", "")]), Some("/h/.claude/projects".into()));
        assert_eq!(base(Program::Codex, &[("CODEX_HOME", "own")]), Some("/p/own/sessions".into()));
        assert_eq!(base(Program::Codex, &[home, ("CLAUDE_CONFIG_DIR", "/c")]), Some("/h/.codex/sessions".into()));
        assert_eq!(base(Program::Codex, &[]), None);
    }

    #[test]
    fn a_session_file_says_where_the_others_are() {
        let of = |path: &str| Base::of_claude_session(Path::new(path), "a1").map(|b| b.folder);
        assert_eq!(of("/c/d/projects/-p/a1.jsonl"), Some("/c/d".into()));
        for other in
            ["/c/projects/-p/b2.jsonl", "/c/other/-p/a1.jsonl", "/c/projects/../projects/-p/a1.jsonl", "a1.jsonl"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn the_program_is_known_by_preset_or_command() {
        assert_eq!(Program::of(Some("claude"), "my-wrapper"), Some(Program::Claude));
        assert_eq!(Program::of(Some("gemini"), "claude"), None);
        assert_eq!(Program::of(None, "CODEX_HOME=/x '/opt/bin/codex' --no-daemon"), Some(Program::Codex));
        assert_eq!(Program::of(None, "sh fake.sh claude"), None);
        assert_eq!(Program::of(None, ""), None);
    }

    #[test]
    fn names_of_folders_and_files() {
        assert_eq!(slug(Path::new("/home/dev/my_shop.é😀")), ("-home-dev-my-shop----".into(), true));
        let (long, whole) = slug(Path::new(&format!("/{}", "a".repeat(300))));
        assert_eq!((long.len(), whole), (200, false));
        let id = "01a1fee0-797f-73f0-905a-4251a86a864a";
        assert_eq!(rollout_id(&format!("rollout-2026-11-21T16-11-26-{id}.jsonl")), Some(id));
        for other in
            ["rollout-.jsonl", "history.jsonl", "rollout-2026-11-21T16-11-26-01a1fee0é797f-73f0-905a-4251a86a864.jsonl"]
        {
            assert_eq!(rollout_id(other), None, "{other}");
        }
    }
}
