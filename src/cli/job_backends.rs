//! Which agent programs can have prompts as jobs here, and what they find in their environment.
use super::failure::Failure;
use crate::{
    backends::preset,
    engine::environment::passes,
    launch::job::{job_agent, program},
    model::{
        host::HostRules,
        job_agent::{JobAgent, MODEL},
        name::printable_cut,
        policy::{Backend, EnvRules, PRESETS, Policy, Reader},
    },
};
use std::{
    ffi::{OsStr, OsString},
    sync::Arc,
};

/// Of ours, and for one process each: an agent that found them would take itself for one of the fleet, and a program
/// that another one of its kind started may refuse to work.
const NOT_FOR_AGENTS: [&str; 5] = ["AGENTS_*", "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "TMUX*"];
/// But these say where we look for things, and nothing of who somebody is.
const FOR_ALL: [&str; 2] = ["AGENTS_CONFIG", "AGENTS_BOOT_ID"];

/// Those of the project; without one, those that are known.
#[derive(Clone, Default)]
pub struct Backends {
    of_project: Option<(Vec<Arc<Backend>>, EnvRules)>,
    /// Of the project: before an agent is started, for a job too.
    host: HostRules,
}

impl Backends {
    pub fn of(policy: &Policy) -> Backends {
        Backends { of_project: Some((policy.backends.clone(), policy.env.clone())), host: policy.host.clone() }
    }

    /// `model`: that somebody asked for. `env`: that of the job.
    pub fn agent(&self, name: &str, model: Option<&str>, env: &[(OsString, OsString)]) -> Result<JobAgent, Failure> {
        if let Some(model) = model.filter(|model| !is_a_model(model)) {
            let text = format!("`{}` cannot be the name of a model", printable_cut(model, 60));
            return Err(Failure::new(2, text).hint("it is one word: --model opus"));
        }
        let variable = |name: &str| {
            let found = env.iter().rev().find(|(other, _)| other == name);
            found.and_then(|(_, value)| value.to_str()).map(str::to_owned)
        };
        let backend = self.named(name)?;
        let preset = backend.reader.preset.clone().or_else(|| program(&backend, &variable));
        let lines = preset.as_deref().and_then(preset::named).and_then(|preset| preset.job.as_ref());
        let agent = job_agent(&backend, lines, model, &variable)
            .map_err(|unfit| Failure::new(3, unfit.why).hint(unfit.hint))?;
        Ok(JobAgent { host: self.host.clone(), ..agent })
    }

    fn named(&self, name: &str) -> Result<Arc<Backend>, Failure> {
        let unknown = |known: Vec<&str>, hint: String| {
            let text = format!("there is no backend `{}`", printable_cut(name, 60));
            let known = known.iter().map(|name| printable_cut(name, 60)).collect::<Vec<_>>().join(", ");
            Failure::new(3, text).hint(if known.is_empty() { hint } else { format!("known are {known}") })
        };
        match &self.of_project {
            Some((all, _)) => all.iter().find(|backend| backend.name == name).cloned().ok_or_else(|| {
                let hint = format!("write `[backend.{}]` into the config", printable_cut(name, 60));
                unknown(all.iter().map(|backend| backend.name.as_str()).collect(), hint)
            }),
            None if PRESETS.contains(&name) => {
                let reader = Reader { preset: Some(name.to_owned()), ..Reader::default() };
                let (name, model_flag) = (name.to_owned(), format!("--model '{MODEL}'"));
                Ok(Arc::new(Backend { bin: name.clone(), name, model_flag, reader, ..Backend::default() }))
            }
            None => Err(unknown(PRESETS.to_vec(), String::new())),
        }
    }

    /// What of an environment an agent gets. `named`: variables that the line gives, which stay.
    pub fn env(&self, env: &[(OsString, OsString)], named: &[OsString]) -> Vec<(OsString, OsString)> {
        let is_for_agents = |name: &OsStr| {
            let name_text = name.to_string_lossy();
            let is = |pattern: &&str| match pattern.strip_suffix('*') {
                Some(start) => name_text.starts_with(start),
                None => name_text == **pattern,
            };
            let of_ours = NOT_FOR_AGENTS.iter().any(is) && !FOR_ALL.iter().any(is);
            !of_ours && self.of_project.as_ref().is_none_or(|(_, rules)| passes(name, rules))
        };
        let keep = |name: &OsString| named.contains(name) || is_for_agents(name);
        env.iter().filter(|(name, _)| keep(name)).cloned().collect()
    }
}

/// One word, and nothing that we, or the program, would take for something else.
fn is_a_model(word: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "{}".contains(c);
    !word.is_empty() && !word.starts_with('-') && !word.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::Bytes;

    #[test]
    fn an_agent_of_a_job_is_told_nothing_of_the_fleet() {
        let env: Vec<(OsString, OsString)> = [
            "PATH",
            "AGENTS_NAME",
            "AGENTS_FLEET",
            "AGENTS_CONFIG",
            "TMUX",
            "TMUX_PANE",
            "CLAUDECODE",
            "AGENTS_MINE",
            "CLAUDE_CONFIG_DIR",
        ]
        .map(|name| (name.into(), "x".into()))
        .into();
        let rules = EnvRules { deny: vec!["PATH".into()], ..EnvRules::default() };
        let names = |backends: &Backends| -> Vec<String> {
            let env = backends.env(&env, &["AGENTS_MINE".into()]);
            env.into_iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&Backends::default()), ["PATH", "AGENTS_CONFIG", "AGENTS_MINE", "CLAUDE_CONFIG_DIR"]);
        let project = Backends { of_project: Some((Vec::new(), rules)), ..Backends::default() };
        assert_eq!(names(&project), ["AGENTS_CONFIG", "AGENTS_MINE", "CLAUDE_CONFIG_DIR"]);
    }

    #[test]
    fn without_a_project_the_known_programs_are_backends() {
        for name in PRESETS {
            let agent = Backends::default().agent(name, None, &[]).expect("an agent");
            assert_eq!((agent.start[0].clone(), agent.goes_on()), (Bytes(name.into()), true));
            assert!(agent.start.iter().all(|word| !word.0.to_string_lossy().contains("{flags}")));
        }
        let words = |model| Backends::default().agent("opencode", Some(model), &[]).map(|agent| agent.start);
        let line = words("openai/gpt-5.3").expect("an agent");
        assert!(
            line.windows(2).any(|two| two == [Bytes("--model".into()), Bytes("openai/gpt-5.3".into())]),
            "{line:?}"
        );
        for odd in ["", "-p", "a b", "{session}", "a\nb"] {
            assert!(matches!(words(odd), Err(Failure::Said { code: 2, .. })), "{odd:?}");
        }
        assert!(matches!(Backends::default().agent("vim", None, &[]), Err(Failure::Said { code: 3, .. })));
        assert!(matches!(
            Backends::of(&Policy::default()).agent("claude", None, &[]),
            Err(Failure::Said { code: 3, .. })
        ));
    }
}
