//! The settings that ask an agent's program for hooks (`src/launch/hooks.rs`), for the version of it that would run.
use super::{paths::Paths, server};
use crate::{
    launch::hooks::{self, Version},
    model::policy::Backend,
    world::file,
};
use serde::Deserialize;
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// As npm names the package.
const PACKAGE: &str = "@anthropic-ai/claude-code";
/// No environment, and no package's description, is larger.
const LARGEST: u64 = 4 << 20;

/// The text of an agent's settings file. `None`: the log folder's name is no text, so that no shell could be told it.
pub(super) fn text(paths: &Paths, backend: &Backend, name: &str, dir: &Path) -> Option<String> {
    let (program, file) = (server::program(), paths.hooks(name));
    let environment = file::read(&paths.env, LARGEST).unwrap_or_default();
    let var = |name: &[u8]| -> Option<&OsStr> {
        let mut pairs = environment.split(|b| *b == 0);
        pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"=")).map(OsStr::from_bytes)
    };
    let version = found(&backend.bin, dir, var(b"PATH"), var(b"HOME")).and_then(|path| version_of(&path));
    Some(hooks::settings(&hooks::argv(&program, &file)?, version))
}

/// The file that a shell would run.
fn found(bin: &str, dir: &Path, path: Option<&OsStr>, home: Option<&OsStr>) -> Option<PathBuf> {
    let word = bin.split_whitespace().find(|word| !word.contains('='))?.trim_matches(['"', '\'']);
    if let (Some(rest), Some(home)) = (word.strip_prefix("~/"), home) {
        return Some(Path::new(home).join(rest));
    }
    if word.contains('/') {
        return Some(dir.join(word));
    }
    std::env::split_paths(path?).map(|folder| dir.join(folder).join(word)).find(|file| file.is_file())
}

/// By where the program lies; never by running it. An npm package says its version beside the program, an installation
/// of the program's own in the file's name (`claude/versions/2.1.197`), others in the folder's (`2.1.197/claude`).
fn version_of(program: &Path) -> Option<Version> {
    let program = program.canonicalize().ok()?;
    if let Some(package) = program.ancestors().skip(1).take(3).find_map(package) {
        return (package.name == PACKAGE).then(|| hooks::version(&package.version)).flatten();
    }
    let name = |path: &Path| path.file_name()?.to_str().map(str::to_owned);
    let (own, folder) = (name(&program)?, name(program.parent()?)?);
    hooks::version(&own).or_else(|| hooks::version(&folder).filter(|_| own.starts_with("claude")))
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

fn package(folder: &Path) -> Option<Package> {
    serde_json::from_slice(&file::read(&folder.join("package.json"), LARGEST).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn the_version_is_told_by_the_place() {
        let dir = tempfile::tempdir().expect("a folder");
        let make = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| fs::write(&path, text)).expect("made");
            path
        };
        let of = |path: &str| version_of(&dir.path().join(path));
        make("lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe", "");
        make(
            "lib/node_modules/@anthropic-ai/claude-code/package.json",
            "{\"name\":\"@anthropic-ai/claude-code\",\"version\":\"2.1.197\"}",
        );
        make("versions/2.1.200", "");
        make("casks/2.1.201/claude", "");
        make("node/22.1.0/wrapper", "");
        make("other/claude", "");
        make("other/package.json", "{\"name\":\"claude\",\"version\":\"9.9.9\"}");
        fs::create_dir(dir.path().join("bin")).expect("made");
        symlink("../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe", dir.path().join("bin/claude"))
            .expect("a link");
        assert_eq!(of("bin/claude"), Some([2, 1, 197]));
        assert_eq!(of("versions/2.1.200"), Some([2, 1, 200]));
        assert_eq!(of("casks/2.1.201/claude"), Some([2, 1, 201]));
        for other in ["node/22.1.0/wrapper", "other/claude", "missing"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn the_program_is_looked_for_as_a_shell_does() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("b")).and_then(|()| fs::write(dir.path().join("b/claude"), "")).expect("made");
        let path = OsStr::new("/nowhere:b");
        let found = |bin: &str| found(bin, dir.path(), Some(path), Some(OsStr::new("/h")));
        assert_eq!(found("X=1 claude --x"), Some(dir.path().join("b/claude")));
        assert_eq!(found("'/opt/my/claude'"), Some("/opt/my/claude".into()));
        assert_eq!(found("~/bin/claude"), Some("/h/bin/claude".into()));
        assert_eq!(found("bin/claude"), Some(dir.path().join("bin/claude")));
        assert_eq!((found("missing"), found("")), (None, None));
    }
}
