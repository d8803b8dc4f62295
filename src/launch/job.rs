//! A backend -> how it works on a prompt without a terminal. No shell has a part in that.
use super::words::{NeedsShell, words};
use crate::model::{
    host::HostRules,
    job::Bytes,
    job_agent::{JobAgent, JobLines, MODEL, PROMPT, SESSION, Stream},
    name::printable_cut,
    policy::{Backend, PromptDelivery},
};

/// Stands for the backend's own flags.
const FLAGS: &str = "{flags}";

/// Why a backend cannot have a job, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub why: String,
    pub hint: String,
}

/// The name of the program in `bin`, without its folder. `None`: it takes a shell to know.
pub fn program(backend: &Backend, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let first = words(&backend.bin, variable).ok()?.into_iter().next()?;
    first.rsplit('/').next().map(str::to_owned)
}

/// `lines`: how its program is run, if that is known. `model`: that somebody asked for, a plain word. `variable`: the
/// environment.
pub fn job_agent(
    backend: &Backend,
    lines: Option<&JobLines>,
    model: Option<&str>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<JobAgent, Unfit> {
    let own = &backend.job;
    let named = |word: &String| model.map_or_else(|| word.clone(), |model| word.replace(MODEL, model));
    let bytes = |list: &[String]| list.iter().map(|word| Bytes(word.into())).collect::<Vec<_>>();
    if !own.command.is_empty() {
        let stream = own.output.unwrap_or(Stream::Text);
        let resume = match (&own.resume[..], stream) {
            // It gets the same name of a conversation in each.
            ([], Stream::Text) if own.command.iter().any(|word| word.contains(SESSION)) => &own.command,
            (resume, _) => resume,
        };
        check_model(backend, model)?;
        let line = |list: &[String]| bytes(&list.iter().map(named).collect::<Vec<_>>());
        let (start, resume, model) = (line(&own.command), line(resume), model.map(str::to_owned));
        let host = HostRules::default();
        return Ok(JobAgent { backend: backend.name.clone(), stream, start, resume, model, host });
    }
    let hint = format!("say how in its table: `job_command = [\"PROGRAM\", \"{PROMPT}\"]`");
    let shown = printable_cut(&backend.name, 60);
    let unfit = |why: String| Unfit { why, hint: hint.clone() };
    let Some(lines) = lines else {
        return Err(unfit(format!("nobody knows how the backend `{shown}` works without a terminal")));
    };
    let in_words = |key: &str, text: &str| {
        words(text, variable).map_err(|NeedsShell(part)| {
            unfit(format!(
                "`{key}` of the backend `{shown}` needs a shell (`{}`), and a job has none",
                part.escape_default()
            ))
        })
    };
    let program = in_words("bin", &backend.bin)?;
    if program.is_empty() || (backend.delivery == PromptDelivery::Exec && backend.bin.contains('{')) {
        return Err(unfit(format!("`bin` of the backend `{shown}` is no program that a prompt could be given to")));
    }
    let flags = match &own.flags {
        Some(flags) => in_words("job_flags", flags)?,
        None => {
            let all = in_words("flags", &backend.flags)?;
            all.into_iter().filter(|flag| !lines.without.contains(flag)).collect()
        }
    };
    let flags = match model {
        Some(_) => {
            let own = in_words("model_flag", &backend.model_flag)?;
            if !own.iter().any(|word| word.contains(MODEL)) {
                let why =
                    format!("`model_flag` of the backend `{shown}` has no `{MODEL}`, so no model can be asked for");
                return Err(Unfit {
                    why,
                    hint: "write for example `model_flag = \"--model '{model}'\"` into its table".into(),
                });
            }
            own.iter().map(named).chain(without_model(flags, &own)).collect()
        }
        None => flags,
    };
    let line = |template: &[String]| {
        let filled = template.iter().flat_map(|word| match word.as_str() {
            FLAGS => flags.clone(),
            _ => vec![word.clone()],
        });
        bytes(&program.iter().cloned().chain(filled).collect::<Vec<_>>())
    };
    Ok(JobAgent {
        backend: backend.name.clone(),
        stream: lines.stream,
        start: line(&lines.start),
        resume: line(&lines.resume),
        model: model.map(str::to_owned),
        host: HostRules::default(),
    })
}

/// `flags` without another model that they name in the same way (`--model x`, `--model=x`): some programs take two for
/// a mistake. `own`: the words that name one.
fn without_model(flags: Vec<String>, own: &[String]) -> Vec<String> {
    let (flag, takes_a_word) = match own {
        [flag, value] if value == MODEL => (format!("{flag}="), Some(flag)),
        [word] => match word.strip_suffix(MODEL) {
            Some(flag) if flag.len() > 1 => (flag.to_owned(), None),
            _ => return flags,
        },
        _ => return flags,
    };
    let mut flags = flags.into_iter();
    let mut kept = Vec::new();
    while let Some(word) = flags.next() {
        if takes_a_word == Some(&word) {
            flags.next();
        } else if !word.starts_with(&flag) {
            kept.push(word);
        }
    }
    kept
}

/// Whether the user's own line says where a model stands, and one is asked for: both or none.
fn check_model(backend: &Backend, model: Option<&str>) -> Result<(), Unfit> {
    let takes = backend.job.command.iter().any(|word| word.contains(MODEL));
    let shown = printable_cut(&backend.name, 60);
    match (takes, model) {
        (false, Some(_)) => Err(Unfit {
            why: format!("`job_command` of the backend `{shown}` has no `{MODEL}`, so no model can be asked for"),
            hint: format!("write it there: `\"--model\", \"{MODEL}\"`"),
        }),
        (true, None) => Err(Unfit {
            why: format!("the backend `{shown}` has to be told a model: `{MODEL}` stands in its `job_command`"),
            hint: format!("agents run --backend {shown} --model NAME 'PROMPT'"),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job_agent::BackendJob;

    fn lines() -> JobLines {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        JobLines {
            start: list(&["{flags}", "run", "--json"]),
            resume: list(&["{flags}", "run", "--json", "--session", "{session}"]),
            without: list(&["-i"]),
            stream: Stream::Claude,
        }
    }

    fn backend(bin: &str, flags: &str, job: BackendJob) -> Backend {
        Backend { name: "x".into(), bin: bin.into(), flags: flags.into(), job, ..Backend::default() }
    }

    fn shown(list: &[Bytes]) -> String {
        list.iter().map(|word| word.0.to_string_lossy()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn a_preset_and_the_users_own_flags_make_the_line() {
        let home = |name: &str| (name == "HOME").then(|| "/h".to_owned());
        let read = |bin: &str, flags: &str, job| job_agent(&backend(bin, flags, job), Some(&lines()), None, &home);
        let agent = read("~/x y", "--a 'b c' -i", BackendJob::default()).expect("an agent");
        assert_eq!(shown(&agent.start), "/h/x|y|--a|b c|run|--json");
        assert_eq!(shown(&agent.resume), "/h/x|y|--a|b c|run|--json|--session|{session}");
        let job = BackendJob { flags: Some("--only".into()), ..BackendJob::default() };
        assert_eq!(shown(&read("x", "$(id)", job).expect("an agent").start), "x|--only|run|--json");
        let unfit = read("x | y", "", BackendJob::default()).expect_err("a shell");
        assert!(unfit.why.contains("`bin` of the backend `x` needs a shell (`|`)"), "{}", unfit.why);
        assert!(unfit.hint.contains("job_command"));
    }

    #[test]
    fn what_the_user_says_goes_before_a_preset() {
        let none = |_: &str| None;
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let job = BackendJob { command: list(&["y", "{prompt}"]), ..BackendJob::default() };
        let agent = job_agent(&backend("x", "", job), Some(&lines()), None, &none).expect("an agent");
        assert_eq!((shown(&agent.start).as_str(), agent.stream, agent.goes_on()), ("y|{prompt}", Stream::Text, false));
        let job = BackendJob { command: list(&["y", "--id={session}", "{prompt}"]), ..BackendJob::default() };
        let agent = job_agent(&backend("x", "", job), None, None, &none).expect("an agent");
        assert_eq!((agent.start == agent.resume, agent.goes_on()), (true, true));
        let unfit = job_agent(&backend("x", "", BackendJob::default()), None, None, &none).expect_err("unknown");
        assert_eq!(unfit.why, "nobody knows how the backend `x` works without a terminal");
    }

    #[test]
    fn a_model_is_data_and_stands_where_the_backend_says() {
        let none = |_: &str| None;
        let of = |flag: &str, command: &[&str]| Backend {
            model_flag: flag.into(),
            ..backend(
                "x",
                "-y",
                BackendJob { command: command.iter().map(|w| (*w).into()).collect(), ..BackendJob::default() },
            )
        };
        let read = |backend: &Backend, model| job_agent(backend, Some(&lines()), model, &none);
        let agent = read(&of("--model '{model}'", &[]), Some("a b'$(id)")).expect("an agent");
        assert_eq!(shown(&agent.start), "x|--model|a b'$(id)|-y|run|--json");
        assert!(shown(&agent.resume).starts_with("x|--model|a b'$(id)|-y|"));
        assert_eq!(agent.model.as_deref(), Some("a b'$(id)"));
        assert_eq!(shown(&read(&of("-m={model}", &[]), Some("m")).expect("an agent").start), "x|-m=m|-y|run|--json");
        assert_eq!(shown(&read(&of("--model '{model}'", &[]), None).expect("an agent").start), "x|-y|run|--json");
        for (flag, flags) in [
            ("--model '{model}'", "-a --model old --models --model=older -y"),
            ("--model={model}", "-a --model=old --models -y"),
        ] {
            let twice = Backend { flags: flags.into(), ..of(flag, &[]) };
            let line = shown(&read(&twice, Some("m")).expect("an agent").start);
            assert!(line.ends_with("m|-a|--models|-y|run|--json") && !line.contains("old"), "{line}");
            assert!(shown(&read(&twice, None).expect("an agent").start).contains("old"));
        }
        let own = of("", &["y", "-m{model}", "{prompt}"]);
        assert_eq!(shown(&read(&own, Some("m")).expect("an agent").start), "y|-mm|{prompt}");
        for (backend, model, told) in [
            (own, None, "has to be told a model"),
            (of("--model '{model}'", &["y"]), Some("m"), "`job_command` of the backend `x` has no `{model}`"),
            (of("", &[]), Some("m"), "`model_flag` of the backend `x` has no `{model}`"),
        ] {
            let unfit = read(&backend, model).expect_err(told);
            assert!(unfit.why.contains(told), "{}", unfit.why);
        }
    }
}
