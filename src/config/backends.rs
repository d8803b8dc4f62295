//! `[backend.NAME]`.
use super::{
    dialogs,
    fault::Class,
    fields::Fields,
    findings::{Findings, Reach},
    hooks,
    keys::BACKEND,
};
use crate::{
    backends::preset,
    model::{
        job_agent::{BackendJob, Stream},
        name::printable_cut,
        policy::{Backend, PromptDelivery, Reader, StallAction, TitleRules},
    },
};
use std::{sync::Arc, time::Duration};
use toml::de::DeValue;

/// Of a backend with a preset.
const HANG_TIMEOUT: Duration = Duration::from_secs(300);

pub(super) struct Read {
    pub backend: Arc<Backend>,
    /// Why no agent can use it.
    pub fault: Option<String>,
}

pub(super) fn read(root: &Fields, out: &mut Findings) -> Vec<Read> {
    let Some((tables, _)) = root.table(out, "backend") else { return Vec::new() };
    let mut backends = Vec::new();
    for (key, value) in tables.iter() {
        let name = key.get_ref().as_ref();
        let subject = format!("backend `{}`", printable_cut(name, 60));
        let mark = out.mark();
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("{subject} is not a table");
            out.add(
                Reach::One,
                Class::WrongType,
                key.span(),
                message,
                "write a header such as `[backend.claude]` above its keys",
            );
            backends.push(Read { backend: Arc::new(placeholder(name)), fault: out.first_since(mark) });
            continue;
        };
        let fields = Fields::new(&BACKEND, table, value.span(), Reach::One).called(subject);
        fields.check_keys(out);
        let backend = one(name, &fields, out);
        backends.push(Read { backend: Arc::new(backend), fault: out.first_since(mark) });
    }
    backends
}

fn one(name: &str, f: &Fields, out: &mut Findings) -> Backend {
    let bin = f.text(out, "bin");
    match &bin {
        // Jobs need no more; an agent that is started by it does ([`super::agents`]).
        None if f.find("bin").is_none() && f.find("job_command").is_some() => {}
        None if f.find("bin").is_none() => f.missing(out, "bin", "add the command that starts it: `bin = \"claude\"`"),
        Some(found) if found.value.trim().is_empty() => {
            let message = format!("`bin` of {} is empty", f.subject);
            f.bad(out, Class::BadValue, found.span.clone(), message, "write the command that starts it");
        }
        _ => {}
    }
    let preset = f.word(out, "preset", "none");
    // Who brings a config of patterns alone keeps what it did.
    let (stall_action, hang_timeout) = match preset {
        Some(_) => (StallAction::Nudge, HANG_TIMEOUT),
        None => (StallAction::Restart, Duration::ZERO),
    };
    let instead = if preset.is_some() { "nudge" } else { "restart" };
    Backend {
        name: name.to_owned(),
        bin: bin.map(|b| b.value).unwrap_or_default(),
        delivery: match f.word(out, "prompt_delivery", "arg").as_deref() {
            Some("exec") => PromptDelivery::Exec,
            Some("ping") => PromptDelivery::Ping,
            _ => PromptDelivery::Arg,
        },
        flags: f.plain(out, "flags"),
        model_flag: f.plain(out, "model_flag"),
        supports_resume: f.bool(out, "supports_resume"),
        resume_flag: f.plain(out, "resume_flag"),
        remote_control: f.bool(out, "remote_control"),
        remote_control_flag: f.plain(out, "remote_control_flag"),
        hooks: f.bool(out, "hooks") && hooks::are_possible(f, out),
        attach: f.plain(out, "attach"),
        server: f.plain(out, "server"),
        preamble: f.plain(out, "preamble"),
        model_env: f.bool(out, "model_env"),
        connect_delay: f.duration(out, "connect_delay"),
        submit_key: f.text(out, "submit_key").map(|t| t.value).filter(|key| !key.is_empty()),
        reader: Reader {
            dialogs: dialogs::read(f, preset.as_deref(), out),
            forgets_failed: preset.as_deref().and_then(preset::named).is_some_and(|p| p.forgets.is_some()),
            preset,
            preset_without: f.texts(out, "preset_without").into_iter().map(|t| t.value).collect(),
            idle: f.regex(out, "idle_re", false),
            active: f.regex(out, "active_re", false),
            limit: f.regex(out, "limit_re", false),
            fatal: f.regex(out, "fatal_re", false),
            waiting: f.regex(out, "waiting_re", false),
            title: TitleRules {
                active: f.regex(out, "title_active_re", false),
                idle: f.regex(out, "title_idle_re", false),
                waiting: f.regex(out, "title_waiting_re", false),
            },
            draft: f.regex(out, "draft_re", false),
            footer_ui: f.bool(out, "footer_ui"),
            log_grace: f.duration(out, "log_grace"),
        },
        stall_idle: f.duration(out, "stall_idle"),
        stall_action: match f.word(out, "stall_action", instead).as_deref() {
            Some("nudge") => StallAction::Nudge,
            Some(_) => StallAction::Restart,
            None => stall_action,
        },
        hang_timeout: match f.find("hang_timeout") {
            Some(_) => f.duration(out, "hang_timeout"),
            None => hang_timeout,
        },
        no_progress: f.duration(out, "no_progress"),
        process_name: f.text(out, "process_name").map(|t| t.value).filter(|p| !p.is_empty()),
        job: job(f, out),
    }
}

/// How it works on the prompt of a job. A list that could not be run is a fault of this backend.
fn job(f: &Fields, out: &mut Findings) -> BackendJob {
    let mut list = |key: &str| -> Vec<String> {
        let words = f.texts(out, key);
        if words.first().is_some_and(|program| program.value.trim().is_empty() || program.value.contains('{')) {
            let message = format!("`{key}` of {} names no program", f.subject);
            f.bad(
                out,
                Class::BadValue,
                words[0].span.clone(),
                message,
                "write the program first: `[\"claude\", \"-p\"]`",
            );
        }
        words.into_iter().map(|word| word.value).collect()
    };
    let (command, resume) = (list("job_command"), list("job_resume"));
    let flags = f.text(out, "job_flags").map(|text| text.value);
    let output = f.word(out, "job_output", "text").as_deref().and_then(Stream::named);
    BackendJob { command, resume, flags, output }
}

/// Stands where an agent names a backend that is not there; such an agent has a fault and never starts.
pub(super) fn placeholder(name: &str) -> Backend {
    Backend {
        name: name.to_owned(),
        bin: String::new(),
        delivery: PromptDelivery::Arg,
        flags: String::new(),
        model_flag: String::new(),
        supports_resume: false,
        resume_flag: String::new(),
        remote_control: false,
        remote_control_flag: String::new(),
        hooks: false,
        attach: String::new(),
        server: String::new(),
        preamble: String::new(),
        model_env: false,
        connect_delay: Duration::ZERO,
        submit_key: None,
        reader: Reader::default(),
        stall_idle: Duration::from_secs(300),
        stall_action: StallAction::Restart,
        hang_timeout: Duration::ZERO,
        no_progress: Duration::ZERO,
        process_name: None,
        job: BackendJob::default(),
    }
}
