//! The keys of `[[job]]`: part of the key table. What stands in them is read with the job files, when a template is used.
use super::key::{
    Default::{Is, None as Absent, Required, Words},
    Section,
    Type::*,
    key,
};

pub(super) static JOB: Section = Section {
    header: "[[job]]",
    doc: "A job with parameters, `agents run --template NAME host=a.example`. In texts and commands `{host}` stands for the \
          value of `host`, `{{host}}` for itself; `${HOME}` and other braces stay as they are.",
    keys: &[
        key("name", Text, Required, "Of the template and of its jobs."),
        key("params", Texts, Absent, "`[\"host\", \"tag=latest\"]`: names; one without a default has to be given."),
        key("description", Text, Words("the values given"), "A sentence for people."),
        key("steps", List(&STEP), Required, "At least one."),
        key("dir", Text, Words("a folder of its own"), "Relative to the project root."),
        key("env", TextMap, Absent, "Variables beside those of your environment."),
        key("group", Text, Is("default"), "Whose limit counts."),
        key("priority", Integer, Is("0"), "Higher goes first."),
        key("timeout", Duration, Is("0"), "Of the whole job; 0: none."),
        key("retries", Whole, Is("0"), "Tried again so often: after 1 s, doubling to 60 s."),
        key("after", TextOrTexts, Absent, "Ids or names of jobs that have to succeed before."),
        key("at", Text, Absent, "Not before, as the flag `--at`."),
        key("hold", Bool, Is("false"), "Waits until somebody releases it."),
        key("interactive", Bool, Is("false"), "Asks before the first step and after each but the last."),
        key("nice", Whole, Absent, "Niceness, 0 to 19."),
        key("mem", Size, Absent, "Memory of its processes, as the flag `--mem`."),
        key("procs", Count, Absent, "Processes at the same time."),
        key("sandbox", Bool, Is("false"), "Writes only in its folder and the temporary one, as the flag `--sandbox`."),
        key("tmux", Bool, Words("true, where tmux is there"), "A tmux session of its own."),
        key("backend", Text, Absent, "Who gets its prompts: the name of a `[backend.NAME]`."),
        key("model", Text, Absent, "Which model it takes, as the flag `--model`."),
    ],
};

static STEP: Section = Section {
    header: "[[job.steps]]",
    doc: "They run in order; the first that fails ends the job.",
    keys: &[
        key(
            "cmd",
            TextOrTexts,
            Absent,
            "A line for the shell, or a list: a program and its arguments, seen by no shell.",
        ),
        key("prompt", Text, Absent, "In place of `cmd`: a prompt for the job's `backend`."),
        key("desc", Text, Absent, "What it does, for people."),
        key("timeout", Duration, Words("`step_timeout` of `[jobs]`"), "Ended after this long; 0: no limit."),
        key("if", Text, Absent, "A line for the shell: the step is left out where it fails."),
        key("retries", Whole, Is("0"), "Tried again so often."),
        key("pause", Bool, Is("false"), "Somebody is asked after this step."),
    ],
};
