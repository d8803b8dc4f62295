//! What was asked for, borrowed from where it is stored: a [`JobSpec`] as far as it is shown.
use super::{
    job::{DEFAULT_GROUP, JobCommand, JobId, JobSpec, StepSpec},
    job_agent::JobAgent,
    job_input::JobInput,
    job_spec::{LOG_CAP, STOP_GRACE},
    time::Wall,
};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, time::Duration};

/// What a [`JobSpec`] is stored as, with all that is asked of it: what cannot be read as the one cannot be read as the
/// other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct SpecSeen<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow)]
    pub description: Cow<'a, str>,
    #[serde(borrow)]
    pub group: Cow<'a, str>,
    pub priority: i64,
    #[serde(borrow)]
    pub dir: Cow<'a, str>,
    #[serde(borrow)]
    pub shell: Cow<'a, str>,
    #[serde(borrow)]
    pub steps: Vec<StepAsked<'a>>,
    pub timeout: Option<Duration>,
    pub retries: u32,
    pub after: Cow<'a, [JobId]>,
    pub not_before: Option<Wall>,
    pub hold: bool,
    pub interactive: bool,
    pub own_dir: bool,
    pub stop_grace: Duration,
    pub log_cap: u64,
    pub nice: Option<i32>,
    pub mem: Option<u64>,
    pub procs: Option<u32>,
    pub tmux: bool,
    pub tmux_asked: bool,
    pub agent: Option<Cow<'a, JobAgent>>,
    pub sandbox: bool,
    pub input: Option<JobInput>,
}

/// A [`StepSpec`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StepAsked<'a> {
    #[serde(borrow, default)]
    pub desc: Cow<'a, str>,
    #[serde(borrow)]
    pub command: CommandSeen<'a>,
    #[serde(default)]
    pub timeout: Option<Duration>,
    #[serde(borrow, default)]
    pub only_if: Option<Cow<'a, str>>,
    #[serde(default)]
    pub retries: u32,
    #[serde(default)]
    pub pause: bool,
}

/// A [`JobCommand`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandSeen<'a> {
    #[serde(borrow)]
    Shell(Shown<'a>),
    #[serde(borrow)]
    Argv(Vec<Shown<'a>>),
    #[serde(borrow)]
    Prompt(Shown<'a>),
}

/// Words of the operating system, as well as text can have them.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Shown<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shown<'a>, D::Error> {
        deserializer.deserialize_any(TextOrRaw).map(Shown)
    }
}

struct TextOrRaw;

impl<'de> Visitor<'de> for TextOrRaw {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text, or a list of bytes")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cow<'de, str>, A::Error> {
        let mut raw: Vec<u8> = Vec::new();
        while let Some(byte) = list.next_element()? {
            raw.push(byte);
        }
        Ok(Cow::Owned(String::from_utf8_lossy(&raw).into_owned()))
    }
}

/// That of a [`JobSpec`].
impl Default for SpecSeen<'_> {
    fn default() -> Self {
        SpecSeen {
            name: "".into(),
            description: "".into(),
            group: DEFAULT_GROUP.into(),
            priority: 0,
            dir: "/".into(),
            shell: "/bin/sh".into(),
            steps: Vec::new(),
            timeout: None,
            retries: 0,
            after: Cow::Borrowed(&[]),
            not_before: None,
            hold: false,
            interactive: false,
            own_dir: false,
            stop_grace: STOP_GRACE,
            log_cap: LOG_CAP,
            nice: None,
            mem: None,
            procs: None,
            tmux: false,
            tmux_asked: false,
            agent: None,
            sandbox: false,
            input: None,
        }
    }
}

impl<'a> SpecSeen<'a> {
    pub fn of(spec: &'a JobSpec) -> SpecSeen<'a> {
        SpecSeen {
            name: spec.name.as_str().into(),
            description: spec.description.as_str().into(),
            group: spec.group.as_str().into(),
            priority: spec.priority,
            dir: spec.dir.to_string_lossy(),
            shell: spec.shell.to_string_lossy(),
            steps: spec.steps.iter().map(StepAsked::of).collect(),
            timeout: spec.timeout,
            retries: spec.retries,
            after: spec.after[..].into(),
            not_before: spec.not_before,
            hold: spec.hold,
            interactive: spec.interactive,
            own_dir: spec.own_dir,
            stop_grace: spec.stop_grace,
            log_cap: spec.log_cap,
            nice: spec.nice,
            mem: spec.mem,
            procs: spec.procs,
            tmux: spec.tmux,
            tmux_asked: spec.tmux_asked,
            agent: spec.agent.as_ref().map(Cow::Borrowed),
            sandbox: spec.sandbox,
            input: spec.input,
        }
    }
}

impl<'a> StepAsked<'a> {
    fn of(step: &'a StepSpec) -> StepAsked<'a> {
        StepAsked {
            desc: step.desc.as_str().into(),
            command: match &step.command {
                JobCommand::Shell(line) => CommandSeen::Shell(Shown(line.0.to_string_lossy())),
                JobCommand::Argv(words) => {
                    CommandSeen::Argv(words.iter().map(|word| Shown(word.0.to_string_lossy())).collect())
                }
                JobCommand::Prompt(text) => CommandSeen::Prompt(Shown(text.0.to_string_lossy())),
            },
            timeout: step.timeout,
            only_if: step.only_if.as_deref().map(Cow::Borrowed),
            retries: step.retries,
            pause: step.pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{host::HostRules, job::Bytes};
    use proptest::{prelude::*, sample::Index};
    use std::{ffi::OsString, os::unix::ffi::OsStringExt};

    /// Every field is other than it is by default.
    fn odd() -> JobSpec {
        let step = |command| StepSpec {
            desc: "a \"step\"".into(),
            timeout: Some(Duration::from_millis(1500)),
            only_if: Some("test -e \\x".into()),
            retries: 1,
            pause: true,
            ..StepSpec::of(command)
        };
        let raw = Bytes(OsString::from_vec(vec![b'a', 0xff]));
        let text = Bytes("a\n\"b\"".into());
        JobSpec {
            name: "n".into(),
            description: "d \u{1}".into(),
            group: "g".into(),
            priority: -3,
            dir: "/d".into(),
            shell: "/bin/zsh".into(),
            steps: vec![
                step(JobCommand::Shell(text.clone())),
                step(JobCommand::Argv(vec![raw.clone(), text])),
                step(JobCommand::Prompt(raw)),
            ],
            timeout: Some(Duration::from_secs(7)),
            retries: 2,
            after: vec![JobId(1), JobId(2)],
            not_before: Some(Wall(9)),
            hold: true,
            interactive: true,
            own_dir: true,
            stop_grace: Duration::ZERO,
            log_cap: 1,
            nice: Some(1),
            mem: Some(2),
            procs: Some(3),
            tmux: true,
            tmux_asked: true,
            agent: Some(JobAgent {
                backend: "claude".into(),
                stream: crate::model::job_agent::Stream::Claude,
                start: vec![Bytes("claude".into())],
                resume: Vec::new(),
                model: Some("m".into()),
                host: HostRules::default(),
            }),
            input: Some(JobInput { pid: 1, start: 2, fd: 3, inode: 4 }),
            sandbox: true,
        }
    }

    fn same(json: &str) -> Result<(), TestCaseError> {
        let (seen, spec) = (serde_json::from_str::<SpecSeen>(json), serde_json::from_str::<JobSpec>(json));
        match (&seen, &spec) {
            (Ok(seen), Ok(spec)) => prop_assert_eq!(seen, &SpecSeen::of(spec), "{}", json),
            _ => prop_assert_eq!(seen.is_ok(), spec.is_ok(), "{}: {:?}", json, seen.err()),
        }
        Ok(())
    }

    #[test]
    fn what_is_stored_is_seen_as_it_was_meant() {
        for spec in [JobSpec::default(), odd()] {
            let json = serde_json::to_string(&spec).expect("json");
            assert_eq!(serde_json::from_str::<SpecSeen>(&json).expect("seen"), SpecSeen::of(&spec));
        }
        assert_eq!(SpecSeen::default(), SpecSeen::of(&JobSpec::default()));
    }

    proptest! {
        #[test]
        fn what_no_runner_can_read_is_not_seen_either(
            at in any::<Index>(), with in prop_oneof![Just("null"), Just("-1"), Just("1e3"), Just("\"\""), Just("["), Just("")],
            cut in 0..12_usize,
        ) {
            let json = serde_json::to_string(&odd()).expect("json");
            let at = at.index(json.len());
            let end = (at + cut).min(json.len());
            if json.is_char_boundary(at) && json.is_char_boundary(end) {
                same(&format!("{}{with}{}", &json[..at], &json[end..]))?;
            }
        }

        #[test]
        fn a_value_of_another_kind_is_one_for_both(field in any::<Index>(), value in any::<Index>()) {
            let values = ["null", "true", "-1", "7", "1.5", "\"x\"", "[]", "[1]", "{}", "{\"secs\":1,\"nanos\":2}"];
            let mut spec = serde_json::to_value(odd()).expect("a value");
            let value: serde_json::Value = values[value.index(values.len())].parse().expect("a value");
            let fields = spec.as_object_mut().expect("an object");
            let names: Vec<String> = fields.keys().cloned().collect();
            fields.insert(names[field.index(names.len())].clone(), value);
            same(&spec.to_string())?;
        }
    }
}
