//! What is refused at submit: a job that could never run, told to the person who can mend it.
use super::{
    agent::{Turn, call},
    file,
};
use crate::model::{
    job::{Bytes, JobCommand, JobSpec},
    name::{printable, printable_cut},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Component, Path, PathBuf},
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
                let is_home = |part: Component| part.as_os_str().as_bytes().starts_with(b"~");
                let hint = Some(if spec.dir.components().any(is_home) {
                    "`~` is only what a shell makes of it, where it stands without quotes: write the whole path".into()
                } else {
                    format!("mkdir -p {}", quoted(&spec.dir))
                });
                return Err(Refused { text: format!("there is no folder `{}`", shown(&spec.dir)), hint });
            }
            Err(e) => return Err(refused(format!("the folder `{}` cannot be looked at: {e}", shown(&spec.dir)))),
        }
    }
    if spec.steps.is_empty() {
        return Err(refused("the job has no step"));
    }
    agent(spec, env)?;
    for (number, step) in spec.steps.iter().enumerate() {
        command(&step.command)?;
        match &step.command {
            JobCommand::Shell(_) if !is_program(&spec.shell) => {
                return Err(refused(format!("the shell `{}` cannot be run", shown(&spec.shell))));
            }
            JobCommand::Argv(words) => {
                let program = words.first().map_or(OsStr::new(""), |program| &program.0);
                // What a step before it makes is not there yet.
                let may_come = number > 0 && program.as_bytes().contains(&b'/');
                if !may_come && find(program, spec, env).is_none() {
                    return Err(no_program(program, spec));
                }
            }
            JobCommand::Shell(_) | JobCommand::Prompt(_) => {}
        }
        if let Some(line) = &step.only_if {
            command(&JobCommand::Shell(Bytes(line.into())))?;
        }
    }
    Ok(())
}

/// Its prompts have somebody to go to, in one conversation.
fn agent(spec: &JobSpec, env: &[(OsString, OsString)]) -> Result<(), Refused> {
    let prompts = spec.steps.iter().filter_map(|step| match &step.command {
        JobCommand::Prompt(prompt) => Some(prompt),
        _ => None,
    });
    let prompts: Vec<&Bytes> = prompts.collect();
    if prompts.is_empty() {
        return Ok(());
    }
    let Some(agent) = &spec.agent else {
        let text = "the job has a prompt, and no backend";
        return Err(Refused { text: text.into(), hint: Some("`backend` says which agent it is for".into()) });
    };
    if prompts.len() > 1 && !agent.goes_on() {
        let text = format!(
            "the backend `{}` cannot go on with a conversation, and the job has several prompts",
            agent.backend
        );
        let hint = "`job_resume` in its table of the config says how it can".to_owned();
        return Err(Refused { text: printable(&text), hint: Some(hint) });
    }
    for (number, prompt) in prompts.iter().enumerate() {
        let turn = if number == 0 { Turn::Fresh { session: "" } } else { Turn::Resumed { session: "" } };
        let argv = JobCommand::Argv(call(agent, turn, &prompt.0).argv);
        if let Some((why, hint)) = file::unusable_command(&argv) {
            let hint = if why.contains("too long") {
                "without `{prompt}` in `job_command` it is on the standard input"
            } else {
                hint
            };
            let text = format!("the command of the backend `{}` {why}", printable(&agent.backend));
            return Err(Refused { text, hint: Some(hint.to_owned()) });
        }
    }
    let program = agent.start.first().map_or(OsStr::new(""), |program| &program.0);
    match find(program, spec, env) {
        Some(_) => Ok(()),
        None => {
            let hint = format!("the backend `{}` runs it: install it, or give its path", printable(&agent.backend));
            Err(Refused { hint: Some(hint), ..no_program(program, spec) })
        }
    }
}

fn no_program(program: &OsStr, spec: &JobSpec) -> Refused {
    let text = format!("there is no program `{}`", printable_cut(&program.to_string_lossy(), 80));
    let bytes = program.as_bytes();
    let hint = match () {
        () if spec.own_dir && bytes.contains(&b'/') => {
            Some("the job gets an empty folder of its own; `dir` says another")
        }
        () if bytes.contains(&b' ') => {
            Some("one word is a line for the shell, several are a program and its arguments")
        }
        () if !bytes.contains(&b'/') => Some("it was looked for in the folders of PATH"),
        () => None,
    };
    Refused { text, hint: hint.map(str::to_owned) }
}

/// A name of a job: empty, or letters, digits, `-`, `_`, `.`; not like an id.
pub fn name(name: &str) -> Result<(), Refused> {
    let Some(why) = file::name::unusable(name).filter(|_| !name.is_empty()) else { return Ok(()) };
    let text = format!("`{}` cannot be a job's name: {why}", printable_cut(name, 80));
    Err(Refused { text, hint: Some(format!("for example `{}`", file::name::usable_form(name))) })
}

fn command(command: &JobCommand) -> Result<(), Refused> {
    let what = if matches!(command, JobCommand::Prompt(_)) { "prompt" } else { "command" };
    match file::unusable_command(command) {
        None => Ok(()),
        Some((why, hint)) => Err(Refused { text: format!("the {what} {why}"), hint: Some(hint.to_owned()) }),
    }
}

/// As the system finds it: a path, or a name in the folders of the job's PATH.
fn find(program: &OsStr, spec: &JobSpec, env: &[(OsString, OsString)]) -> Option<PathBuf> {
    // A folder of its own is empty at first.
    let place = |path: PathBuf| if spec.own_dir && path.is_relative() { None } else { Some(spec.dir.join(path)) };
    if program.as_bytes().contains(&b'/') {
        return place(program.into()).filter(|path| is_program(path));
    }
    let path = env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let path = path.unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&path).filter_map(|folder| place(folder.join(program))).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// As it can be typed.
fn quoted(path: &Path) -> String {
    let text = shown(path);
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/-_.+,@%:=".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job_agent::{JobAgent, Stream};

    #[test]
    fn names_that_are_names() {
        for good in ["", "build", "a.b-c_9", "j", "job7", "7"] {
            assert_eq!(name(good), Ok(()), "{good}");
        }
        for bad in ["j7", "a b", "a/b", "-a", ".a", "é", "a\nb", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    fn spec(dir: &str, own_dir: bool) -> JobSpec {
        JobSpec { dir: dir.into(), own_dir, ..JobSpec::default() }
    }

    #[test]
    fn a_program_is_looked_for_where_the_job_will_look() {
        let path = |path: &str| vec![("PATH".into(), path.into())];
        let root = spec("/", false);
        assert!(find(OsStr::new("sh"), &root, &path("/nowhere:/bin")).is_some());
        assert!(find(OsStr::new("sh"), &root, &path("/nowhere")).is_none());
        assert!(find(OsStr::new("bin/sh"), &root, &path("/nowhere")).is_some());
        assert!(find(OsStr::new("/bin"), &root, &[]).is_none(), "a folder");
        let own = spec("/", true);
        assert!(find(OsStr::new("bin/sh"), &own, &path("/nowhere")).is_none(), "its folder is empty");
        assert!(find(OsStr::new("/bin/sh"), &own, &[]).is_some());
    }

    #[test]
    fn what_an_earlier_step_makes_is_not_missed() {
        let argv = |words: &[&str]| JobCommand::Argv(words.iter().map(|w| Bytes(w.into())).collect());
        let step = crate::model::job::StepSpec::of;
        let mut job_of = spec("/", true);
        job_of.steps = vec![step(argv(&["/bin/sh", "-c", "true"])), step(argv(&["./made", "x"]))];
        assert_eq!(job(&job_of, &[]), Ok(()));
        job_of.steps.reverse();
        let told = job(&job_of, &[]).expect_err("its folder is empty");
        assert!(told.hint.is_some_and(|hint| hint.contains("`dir`")));
    }

    #[test]
    fn prompts_need_an_agent_that_can_have_them_all() {
        let list = |words: &[&str]| words.iter().map(|word| Bytes(word.into())).collect::<Vec<_>>();
        let prompt = |text: &str| crate::model::job::StepSpec::of(JobCommand::Prompt(Bytes(text.into())));
        let agent = |start: &[&str], resume: &[&str]| JobAgent {
            backend: "x".into(),
            stream: Stream::Text,
            start: list(start),
            resume: list(resume),
            model: None,
            host: Default::default(),
        };
        let told = |agent: Option<JobAgent>, prompts: &[&str]| {
            let steps = prompts.iter().map(|text| prompt(text)).collect();
            job(&JobSpec { agent, steps, ..spec("/", false) }, &[])
                .err()
                .map(|refused| refused.text)
                .unwrap_or_default()
        };
        let sh = ["/bin/sh", "-c"];
        assert_eq!(told(None, &["a"]), "the job has a prompt, and no backend");
        assert_eq!(told(Some(agent(&sh, &[])), &["a"]), "");
        assert!(told(Some(agent(&sh, &[])), &["a", "b"]).contains("cannot go on with a conversation"));
        assert_eq!(told(Some(agent(&sh, &sh)), &["a", "b"]), "");
        assert_eq!(told(Some(agent(&sh, &sh)), &["a", " "]), "the prompt is empty");
        assert_eq!(told(Some(agent(&["/bin/not-there"], &[])), &["a"]), "there is no program `/bin/not-there`");
        let long = "x".repeat(200_000);
        assert_eq!(told(Some(agent(&sh, &[])), &[&long]), "", "on the standard input");
        let line = agent(&["/bin/sh", "{prompt}"], &[]);
        assert!(told(Some(line), &[&long]).starts_with("the command of the backend `x` is too long"));
    }
}
