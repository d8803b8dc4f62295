//! `[[agent]]`, over what `[defaults]` gives.
use super::{
    backends::{self, Read},
    fault::{Class, word_hint},
    fields::{Fields, Found},
    findings::{Findings, Reach},
    ground::{Ground, missing_file},
    keys::{AGENT, WAKE},
    phases::Roles,
};
use crate::model::{
    name::{self, printable_cut},
    policy::{Agent, Backend, Kind, Prompt, Wake, Watch},
    worktree as place,
};
use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
    path::PathBuf,
    sync::Arc,
};
use toml::de::DeTable;

/// What an agent does not take from `[defaults]`.
const OWN: &[&str] = &["name", "session", "kind"];

pub(super) fn read(
    root: &Fields,
    defaults: &DeTable,
    backends: &[Read],
    roles: &Roles,
    ground: &Ground,
    out: &mut Findings,
) -> Vec<Agent> {
    let mut agents: Vec<(Agent, Range<usize>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (index, (table, span)) in root.tables(out, "agent").into_iter().enumerate() {
        let fields = Fields::new(&AGENT, table, span, Reach::One).over(defaults, OWN);
        let Some(name) = agent_name(&fields, index, "agent", out) else { continue };
        let at = fields.span_of("name");
        let fields = fields.called(format!("agent `{}`", printable_cut(&name, 60)));
        let agent = one(name, &fields, backends, roles, ground, out);
        // As in a dictionary: the later one counts, on the earlier one's place.
        match places.entry(agent.name.clone()) {
            Entry::Occupied(place) => {
                say_duplicate("agents", &agent.name, at.clone(), out);
                agents[*place.get()] = (agent, at);
            }
            Entry::Vacant(place) => {
                place.insert(agents.len());
                agents.push((agent, at));
            }
        }
    }
    shared_sessions(&mut agents, out);
    agents.into_iter().map(|(agent, _)| agent).collect()
}

/// The name, said to be missing if it is.
pub(super) fn agent_name(fields: &Fields, index: usize, what: &str, out: &mut Findings) -> Option<String> {
    fields.check_keys(out);
    let name = fields.text(out, "name");
    match name {
        Some(found) if !found.value.is_empty() => return Some(found.value),
        None if fields.find("name").is_some() => {}
        _ => {
            let message = format!("{what} number {} has no name", index + 1);
            out.add(Reach::One, Class::MissingKey, fields.span.clone(), message, "add `name = \"…\"`");
        }
    }
    None
}

pub(super) fn say_duplicate(what: &str, word: &str, span: Range<usize>, out: &mut Findings) {
    let shown = printable_cut(word, 60);
    let message = format!("two {what} are named `{shown}`; the later one counts");
    out.add(Reach::None, Class::Duplicate, span, message, "rename or remove one of them");
}

/// Says why a name cannot be (part of) a session's name.
pub(super) fn check_name(
    name: &str,
    session: &str,
    own_session: bool,
    ground: &Ground,
    f: &Fields,
    out: &mut Findings,
) {
    let at = f.span_of("name");
    if name == "watchdog" {
        let message = format!("{} has the watchdog's own name", f.subject);
        f.bad(out, Class::BadName, at.clone(), message, "for example `watchdog-2`");
    }
    if own_session {
        // The name is still part of `state/<name>.id` and of messages.
        if name.contains('/') || name.chars().any(char::is_control) || name == ".." {
            let message = format!("{} has an unusable name: it contains `/` or a control character", f.subject);
            f.bad(out, Class::BadName, at.clone(), message, format!("for example `{}`", name::usable_form(name)));
        }
    } else if let Some(reason) = name::unusable(name) {
        let message = format!("{} has an unusable name: {reason}", f.subject);
        f.bad(out, Class::BadName, at.clone(), message, format!("for example `{}`", name::usable_form(name)));
        return;
    }
    if let Some(reason) = name::unusable(session) {
        let shown = printable_cut(session, 60);
        let span = if own_session { f.span_of("session") } else { at };
        let message = format!("{} has the unusable session `{shown}`: {reason}", f.subject);
        let hint = match session.len() > name::MAX_SESSION {
            true => "choose a shorter name".to_owned(),
            false => format!("for example `{}`", name::usable_form(session)),
        };
        f.bad(out, Class::BadName, span, message, hint);
    } else if own_session && session == format!("{}watchdog", ground.prefix) {
        let message = format!("{} has the watchdog's session `{session}`", f.subject);
        f.bad(out, Class::BadName, f.span_of("session"), message, "give it a session of its own");
    }
}

fn one(name: String, f: &Fields, backends: &[Read], roles: &Roles, ground: &Ground, out: &mut Findings) -> Agent {
    let mark = out.mark();
    let own_session = f.text(out, "session").map(|s| s.value).filter(|s| !s.is_empty());
    let session = own_session.clone().unwrap_or_else(|| format!("{}{name}", ground.prefix));
    check_name(&name, &session, own_session.is_some(), ground, f, out);

    let kind = kind(&f.plain(out, "kind"));
    let role = f.text(out, "role").map(|r| r.value).filter(|r| !r.is_empty());
    let (backend, backend_fault) = backend(f, backends, out);
    let prompt = if kind == Kind::Loop {
        role_prompt(f, role.as_deref(), roles, ground, out)
    } else {
        own_prompt(f, ground, out)
    };
    let agent = Agent {
        session,
        kind,
        backend,
        model: f.plain(out, "model"),
        dir: f.path(out, "dir", ground.roots).map_or_else(|| ground.roots.project.to_path_buf(), |d| d.value),
        worktree: worktree(&name, f, ground, out),
        enabled: f.bool(out, "enabled"),
        watch: watch(f, out),
        role,
        prompt,
        resume: f.bool(out, "resume"),
        wake: wake(f, ground, out),
        account: f.text(out, "account").map(|a| a.value).filter(|a| !a.is_empty()),
        fault: None,
        name,
    };
    Agent { fault: out.first_since(mark).or(backend_fault), ..agent }
}

fn kind(word: &str) -> Kind {
    match word {
        "persistent" => Kind::Persistent,
        "orchestrator" => Kind::Orchestrator,
        "loop" => Kind::Loop,
        "task" => Kind::Task,
        other => Kind::Other(other.to_owned()),
    }
}

/// Any word but `none` heals, as it always did; an unknown one is said.
fn watch(f: &Fields, out: &mut Findings) -> Watch {
    match f.word(out, "watch", "heal").as_deref() {
        Some("none") => Watch::None,
        Some("heal+stall") => Watch::HealStall,
        _ => Watch::Heal,
    }
}

/// Its place is named after the agent, and so is its branch.
fn worktree(name: &str, f: &Fields, ground: &Ground, out: &mut Findings) -> Option<PathBuf> {
    if !f.bool(out, "worktree") {
        return None;
    }
    if let Some(reason) = place::unusable(name) {
        let message = format!("{} cannot have a worktree: its name is no good branch name, {reason}", f.subject);
        f.bad(out, Class::BadName, f.span_of("name"), message, format!("for example `{}`", name::usable_form(name)));
    }
    Some(place::place(ground.log_dir, name))
}

fn backend(f: &Fields, backends: &[Read], out: &mut Findings) -> (Arc<Backend>, Option<String>) {
    let named = f.text(out, "backend").filter(|b| !b.value.is_empty());
    let Some(Found { value: wanted, span }) = named else {
        if f.find("backend").is_none_or(|v| v.get_ref().as_str() == Some("")) {
            f.missing(out, "backend", "add `backend = \"…\"` to it or to `[defaults]`");
        }
        return (Arc::new(backends::placeholder("")), None);
    };
    match backends.iter().find(|b| b.backend.name == wanted) {
        Some(read) => {
            if read.fault.is_none() && read.backend.bin.is_empty() {
                let shown = printable_cut(&wanted, 60);
                let message =
                    format!("{} names backend `{shown}`, which has no `bin`: it is only for jobs", f.owner("backend"));
                let hint = format!("add the command that starts it to `[backend.{shown}]`: `bin = \"claude\"`");
                f.bad(out, Class::MissingKey, span, message, hint);
            }
            (read.backend.clone(), read.fault.clone())
        }
        None => {
            let known: Vec<&str> = backends.iter().map(|b| b.backend.name.as_str()).collect();
            let shown = printable_cut(&wanted, 60);
            let hint = match known.is_empty() {
                true => format!("add a table `[backend.{shown}]`"),
                false => word_hint(&wanted, &known, "the backends are"),
            };
            let message = format!("{} names unknown backend `{shown}`", f.owner("backend"));
            f.bad(out, Class::UnknownBackend, span, message, hint);
            (Arc::new(backends::placeholder(&wanted)), None)
        }
    }
}

fn own_prompt(f: &Fields, ground: &Ground, out: &mut Findings) -> Prompt {
    let text = f.plain(out, "prompt");
    match f.path(out, "prompt_file", ground.roots) {
        Some(file) => {
            if let Some((what, hint)) = missing_file(&file.value, ground) {
                let message = format!("prompt file of {} {what}", f.owner("prompt_file"));
                f.bad(out, Class::MissingFile, file.span, message, hint);
            }
            Prompt::File(file.value)
        }
        None if text.is_empty() => Prompt::Empty,
        None => Prompt::Text(text),
    }
}

fn role_prompt(f: &Fields, role: Option<&str>, roles: &Roles, ground: &Ground, out: &mut Findings) -> Prompt {
    roles.check_template(ground, out);
    let Some(role) = role else {
        if f.find("role").is_none_or(|v| v.get_ref().as_str() == Some("")) {
            let message = format!("loop {} has no `role`", f.subject);
            f.bad(
                out,
                Class::MissingKey,
                f.span_of("role"),
                message,
                "add `role = \"builder\"`: its prompt is `<roles_dir>/builder.md`",
            );
        }
        return Prompt::Empty;
    };
    let role_file = roles.dir.join(format!("{role}.md"));
    if let Some((what, hint)) = missing_file(&role_file, ground) {
        let message = format!("role file of {} {what}", f.owner("role"));
        f.bad(out, Class::MissingFile, f.span_of("role"), message, hint);
    }
    Prompt::Role { template: roles.template.as_ref().map(|t| t.value.clone()), role_file }
}

/// A wake without anything to say is no wake; one whose file is not there yet is kept.
fn wake(f: &Fields, ground: &Ground, out: &mut Findings) -> Option<Wake> {
    let (table, span) = f.table(out, "wake")?;
    let fields = Fields::new(&WAKE, table, span.clone(), Reach::None).called(format!("wake of {}", f.owner("wake")));
    fields.check_keys(out);
    let interval = fields.duration(out, "interval");
    let Some(file) = fields.path(out, "prompt_file", ground.roots) else {
        if fields.find("prompt_file").is_none_or(|v| v.get_ref().as_str() == Some("")) {
            let message = format!("{} has no `prompt_file`, so there is nothing to say", fields.subject);
            out.add(Reach::None, Class::MissingKey, span, message, "add `prompt_file = \"prompts/wake.md\"` to it");
        }
        return None;
    };
    if let Some((what, hint)) = missing_file(&file.value, ground) {
        let message = format!("prompt file of {} {what}", fields.subject);
        out.add(Reach::None, Class::MissingFile, file.span, message, hint);
    }
    Some(Wake { interval, prompt_file: file.value })
}

/// Of two agents with one session the later has a fault.
fn shared_sessions(agents: &mut [(Agent, Range<usize>)], out: &mut Findings) {
    let mut first: HashMap<String, String> = HashMap::new();
    for (agent, at) in agents {
        let session = agent.session.clone();
        let earlier = match first.entry(session.clone()) {
            Entry::Occupied(earlier) => earlier.get().clone(),
            Entry::Vacant(place) => {
                place.insert(agent.name.clone());
                continue;
            }
        };
        let message = format!(
            "agent `{}` has the session of agent `{}`: `{}`",
            printable_cut(&agent.name, 60),
            printable_cut(&earlier, 60),
            printable_cut(&session, 60)
        );
        agent.fault.get_or_insert_with(|| message.clone());
        out.add(Reach::One, Class::Duplicate, at.clone(), message, "give it a `session` of its own");
    }
}
