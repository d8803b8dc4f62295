//! What is refused at submit: a job that could never run, told to the person who can mend it.
use super::file::{LONGEST_ARGUMENT as LONGEST_WORD, name::LONGEST as LONGEST_NAME};
use crate::model::{
    job::{JobCommand, JobId, JobSpec},
    name::{printable, printable_cut},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

/// Why a job cannot be, in words, with a hint where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub text: String,
    pub hint: Option<String>,
}

fn refused(text: impl Into<String>) -> Refused {
    Refused { text: text.into(), hint: None }
}

/// Looks at the name, the folder, the shell, and each step's command. `env`: the job's own.
pub fn job(spec: &JobSpec, env: &[(OsString, OsString)]) -> Result<(), Refused> {
    name(&spec.name)?;
    if !spec.own_dir {
        match std::fs::metadata(&spec.dir) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Err(refused(format!("`{}` is not a folder", shown(&spec.dir)))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(refused(format!("there is no folder `{}`", shown(&spec.dir))));
            }
            Err(e) => return Err(refused(format!("the folder `{}` cannot be looked at: {e}", shown(&spec.dir)))),
        }
    }
    if spec.steps.is_empty() {
        return Err(refused("the job has no step"));
    }
    for step in &spec.steps {
        match &step.command {
            JobCommand::Shell(line) => {
                if line.0.as_bytes().trim_ascii().is_empty() {
                    return Err(refused("the command is empty"));
                }
                word(&line.0)?;
                if !is_program(&spec.shell) {
                    return Err(refused(format!("the shell `{}` cannot be run", shown(&spec.shell))));
                }
            }
            JobCommand::Argv(words) => {
                let Some(program) = words.first().filter(|program| !program.0.is_empty()) else {
                    return Err(refused("the command is empty"));
                };
                words.iter().try_for_each(|each| word(&each.0))?;
                if find(&program.0, &spec.dir, env).is_none() {
                    let text = format!("there is no program `{}`", printable_cut(&program.0.to_string_lossy(), 80));
                    let hint = program.0.as_bytes().contains(&b' ').then(|| {
                        "one word is a line for the shell, several are a program and its arguments".to_owned()
                    });
                    return Err(Refused { text, hint });
                }
            }
        }
        if let Some(line) = &step.only_if {
            word(OsStr::new(line))?;
        }
    }
    Ok(())
}

/// A name of a job: empty, or letters, digits, `-`, `_`, `.`; not like an id.
pub fn name(name: &str) -> Result<(), Refused> {
    let shown = printable_cut(name, 80);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        return Ok(());
    }
    if JobId::parse(name).is_some() {
        return Err(refused(format!("the name `{shown}` looks like the id of a job")));
    }
    if name.len() > LONGEST_NAME {
        return Err(refused(format!("the name `{shown}` is longer than {LONGEST_NAME} bytes")));
    }
    if !name.chars().all(plain) || name.starts_with(['-', '.']) {
        let text = format!("`{shown}` is no name for a job");
        let hint = "letters, digits, `-`, `_` and `.`, beginning with none of `-` and `.`".to_owned();
        return Err(Refused { text, hint: Some(hint) });
    }
    Ok(())
}

fn word(word: &OsStr) -> Result<(), Refused> {
    let length = word.as_bytes().len();
    if length > LONGEST_WORD {
        let text = format!("the command is too long: {length} bytes in one piece, where {LONGEST_WORD} can be");
        return Err(Refused { text, hint: Some("put it into a script, and run that".into()) });
    }
    if word.as_bytes().contains(&0) {
        return Err(refused("the command has a NUL byte in it"));
    }
    Ok(())
}

/// As the system finds it: a path, or a name in the folders of the job's PATH.
fn find(program: &OsStr, dir: &Path, env: &[(OsString, OsString)]) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(dir.join(program)).filter(|path| is_program(path));
    }
    let path = env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let path = path.unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&path).map(|folder| dir.join(folder).join(program)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_names() {
        for good in ["", "build", "a.b-c_9", "j", "job7", "7"] {
            assert_eq!(name(good), Ok(()), "{good}");
        }
        for bad in ["j7", "a b", "a/b", "-a", ".a", "é", "a\nb", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_program_is_looked_for_where_the_job_will_look() {
        let path = |path: &str| vec![("PATH".into(), path.into())];
        assert!(find(OsStr::new("sh"), Path::new("/"), &path("/nowhere:/bin")).is_some());
        assert!(find(OsStr::new("sh"), Path::new("/"), &path("/nowhere")).is_none());
        assert!(find(OsStr::new("bin/sh"), Path::new("/"), &path("/nowhere")).is_some());
        assert!(find(OsStr::new("/bin"), Path::new("/"), &[]).is_none(), "a folder");
    }
}
