//! Everything that can fail about a start, done before anything is ended: prompt, folder, launch record.
use super::{
    hook_settings,
    paths::{Paths, make_private},
    worktrees,
};
use crate::{
    launch::{self, Start, hooks, prompt},
    model::{
        action::Outcome,
        name::printable,
        own::Conversation,
        policy::{Agent, Backend, Kind, Policy, Prompt, Service},
        seen::ErrorClass,
        transcript::Program,
    },
    shim::record::{self as shim, LaunchRecord},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// One start, as the mind ordered it.
pub struct Order<'a> {
    pub session: &'a str,
    pub incarnation: u64,
    /// Asked for by the caller of `up`.
    pub model: Option<&'a str>,
    pub backend: Option<&'a str>,
    pub phase: usize,
    pub sweep: bool,
    /// Its conversation was given up, for this reason: not resumed.
    pub fresh: Option<ErrorClass>,
    /// The one it was in last, by its session file.
    pub conversation: Option<&'a Conversation>,
}

/// Prepares one start. Nothing that runs is touched.
pub fn prepare(policy: &Policy, paths: &Paths, order: &Order) -> Outcome {
    super::crash_point::stumble(|| format!("prepare {}", order.session));
    let agent = policy.agents.iter().find(|a| a.session == order.session);
    let made = match agent {
        Some(agent) => prepare_agent(policy, paths, order, agent),
        None => match policy.services.iter().find(|s| s.session == order.session) {
            Some(service) => prepare_service(policy, paths, order, service),
            None => Err(format!("`{}` is not in the config", order.session)),
        },
    };
    match made {
        Ok((log_line, notes)) => Outcome::Prepared { log_line, notes },
        Err(error) => Outcome::Failed { error: printable(&error) },
    }
}

type Made = Result<(String, Vec<String>), String>;

fn prepare_agent(policy: &Policy, paths: &Paths, order: &Order, agent: &Agent) -> Made {
    if let Some(fault) = &agent.fault {
        return Err(fault.clone());
    }
    let backend: &Backend = match order.backend {
        None => &agent.backend,
        Some(name) => policy
            .backends
            .iter()
            .find(|b| b.name == name)
            .ok_or_else(|| format!("AGENT_BACKEND_{} names unknown backend `{name}`", agent.name))?,
    };
    let phases = policy.phases.as_ref();
    let phase = phases.and_then(|l| l.phases.get(order.phase));
    let model = policy.model_for(agent, order.phase, order.model).unwrap_or_default();
    let text = match &agent.prompt {
        Prompt::Empty => String::new(),
        Prompt::Text(text) => text.clone(),
        Prompt::File(file) => read(file, "prompt")?,
        Prompt::Role { template, role_file } => {
            let role = agent.role.as_deref().unwrap_or_default();
            let phase = phase.ok_or("a loop agent needs [loop] phases")?;
            let template = template.as_deref().map_or(Ok(String::new()), |file| read(file, "kickoff template"))?;
            prompt::loop_prompt(&template, &read(role_file, "role prompt")?, phase, role)
        }
    };
    let mut notes = Vec::new();
    let at = worktrees::workplace(agent)?;
    notes.extend(at.note.map(|note| format!("{}: {note}", agent.name)));
    if !at.dir.is_dir() {
        std::fs::create_dir_all(&at.dir)
            .map_err(|e| format!("cannot make `{}`: {}", at.dir.display(), super::words::plain(&e)))?;
        notes.push(format!("{}: made its folder {}", agent.name, at.dir.display()));
    }
    let text = match order.fresh {
        Some(class) => prompt::hand_over(class) + &text,
        None => text,
    };
    let kickoff = paths.kickoff(order.session);
    write(&kickoff, text.as_bytes())?;
    let program = Program::of(backend.reader.preset.as_deref(), &backend.bin);
    let real_dir = at.dir.canonicalize().unwrap_or_else(|_| at.dir.clone());
    let here = |c: &&Conversation| Some(c.whose.program) == program && c.whose.dir == real_dir;
    let resume_id = resume_id(&paths.resume_id(&agent.name), order.conversation.filter(here));
    let hooks = hook_settings(paths, backend, &agent.name, &at.dir, &mut notes);
    let start = Start {
        agent,
        backend,
        model,
        prompt: &text,
        kickoff_file: &kickoff,
        dir: &at.dir,
        resume_id: if order.fresh.is_some() { "" } else { &resume_id },
        hooks: hooks.is_some(),
        phase: match agent.kind {
            Kind::Loop => phase.map_or("-", |p| p.id.as_str()),
            _ => "-",
        },
    };
    let command = launch::command(&start);
    let mut env = at.env;
    env.insert("AGENTS_KICKOFF".into(), kickoff.to_string_lossy().into_owned());
    env.insert("AGENTS_READ_KICKOFF".into(), prompt::read_kickoff(&kickoff));
    env.insert("AGENTS_NAME".into(), agent.name.clone());
    env.extend(hooks.map(|file| (hooks::VARIABLE.to_owned(), file.to_string_lossy().into_owned())));
    record(policy, paths, order, command.shell, &at.dir, env)?;
    if order.fresh.is_some() {
        put_ids_aside(&paths.resume_id(&agent.name), &resume_id)?;
    }
    Ok((command.log_line, notes))
}

/// What the file says, as it was given by a person or the agent; but once the program was seen in another conversation,
/// it goes on with that one.
fn resume_id(file: &Path, seen: Option<&Conversation>) -> String {
    let said = crate::world::file::read(file, 1 << 20).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let written = std::fs::metadata(file).and_then(|m| m.modified()).ok();
    let written = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map(|at| at.as_millis() as i64);
    let said = said.map(|id| id.trim().to_owned());
    match (said, seen) {
        // Also an empty one: none is to be taken up.
        (Some(id), Some(seen)) if written.is_some_and(|at| at > seen.since.0) => id,
        (_, Some(seen)) => seen.whose.id.clone(),
        (said, None) => said.unwrap_or_default(),
    }
}

/// Writes the settings that ask for hooks. An agent without them works as well: no failure is one of the start.
fn hook_settings(paths: &Paths, backend: &Backend, name: &str, dir: &Path, notes: &mut Vec<String>) -> Option<PathBuf> {
    let text = if backend.hooks { hook_settings::text(paths, backend, name, dir)? } else { return None };
    let file = paths.hook_settings(name);
    match write(&file, text.as_bytes()) {
        Ok(()) => Some(file),
        Err(e) => {
            notes.push(format!("{name}: starts without hooks: {e}"));
            None
        }
    }
}

/// The ids of a conversation that was given up are kept where nothing resumes them: the one it was in, and the one that
/// it was to take up.
fn put_ids_aside(file: &Path, id: &str) -> Result<(), String> {
    let written = crate::world::file::read(file, 1 << 20).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let ids: BTreeSet<&str> = [id, written.as_deref().unwrap_or_default()].map(str::trim).into();
    let ids: Vec<&str> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let old = file.with_extension("id.old");
    let at = crate::world::clock::wall().rfc3339();
    let lines: String = ids.iter().map(|id| format!("{at} {}\n", printable(id))).collect();
    let put = || {
        let mut kept = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&old)?;
        kept.write_all(lines.as_bytes())?;
        match std::fs::remove_file(file) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    };
    put().map_err(|e: std::io::Error| {
        format!("cannot keep the old id in `{}`: {}", old.display(), super::words::plain(&e))
    })?;
    Ok(())
}

fn prepare_service(policy: &Policy, paths: &Paths, order: &Order, service: &Service) -> Made {
    if let Some(fault) = &service.fault {
        return Err(fault.clone());
    }
    let mut notes = Vec::new();
    if !service.dir.is_dir() {
        std::fs::create_dir_all(&service.dir)
            .map_err(|e| format!("cannot make `{}`: {}", service.dir.display(), super::words::plain(&e)))?;
        notes.push(format!("{}: made its folder {}", service.name, service.dir.display()));
    }
    let env = BTreeMap::from([("AGENTS_NAME".to_owned(), service.name.clone())]);
    record(policy, paths, order, service.command.clone(), &service.dir, env)?;
    Ok((format!("starting service {}", service.session), notes))
}

fn record(
    policy: &Policy,
    paths: &Paths,
    order: &Order,
    command: String,
    dir: &Path,
    env: BTreeMap<String, String>,
) -> Result<(), String> {
    let run_dir = paths.run_dir(order.session, order.incarnation);
    forget_old(paths, order);
    let record = LaunchRecord {
        v: 1,
        session: order.session.to_owned(),
        name: env.get("AGENTS_NAME").cloned().unwrap_or_default(),
        incarnation: order.incarnation,
        fleet: paths.state_dir.to_string_lossy().into_owned(),
        shell: shell(&paths.env),
        command,
        dir: dir.to_owned(),
        env_file: paths.env.clone(),
        env_remove: match env.contains_key("AGENTS_WORKTREE") {
            true => worktrees::NOT_HANDED_ON.map(str::to_owned).into(),
            false => Vec::new(),
        },
        env_set: env,
        grace_ms: policy.watchdog.stop_grace.as_millis() as u64,
        log: paths.session_log(order.session),
        log_max_bytes: policy.log.max_bytes,
        wait_for_log_ms: 5_000,
        sweep: order.sweep,
    };
    let bytes = serde_json::to_vec(&record).map_err(|e| e.to_string())?;
    let file = run_dir.join(shim::LAUNCH);
    let fresh = || make_private(&run_dir).and_then(|()| shim::write_atomically(&file, &bytes));
    let written = match fresh() {
        Err(e) if shim::is_full(&e) => match older(paths, order).into_iter().any(|old| shim::take_over(&old, &run_dir))
        {
            true => shim::write_atomically(&file, &bytes),
            false => Err(e),
        },
        other => other,
    };
    written.map_err(|e| format!("cannot write `{}`: {}", file.display(), super::words::plain(&e)))
}

/// Run folders of earlier starts of this session, the newest first.
fn older(paths: &Paths, order: &Order) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(paths.run.join(order.session)).into_iter().flatten().flatten();
    let numbers = entries.filter_map(|e| e.file_name().to_str()?.parse::<u64>().ok());
    let mut numbers: Vec<u64> = numbers.filter(|n| *n < order.incarnation).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.into_iter().map(|n| paths.run_dir(order.session, n)).collect()
}

/// `$SHELL` of whoever called `up`, as tmux itself would choose.
fn shell(env: &Path) -> String {
    let bytes = std::fs::read(env).unwrap_or_default();
    let found = bytes.split(|b| *b == 0).find_map(|pair| pair.strip_prefix(b"SHELL="));
    let shell =
        found.and_then(|s| std::str::from_utf8(s).ok()).filter(|s| s.starts_with('/') && Path::new(s).is_file());
    shell.unwrap_or("/bin/sh").to_owned()
}

/// Run folders of incarnations that are long over.
fn forget_old(paths: &Paths, order: &Order) {
    let Ok(entries) = std::fs::read_dir(paths.run.join(order.session)) else { return };
    for entry in entries.flatten() {
        let number = entry.file_name().to_str().and_then(|n| n.parse::<u64>().ok());
        if number.is_some_and(|n| n + 3 <= order.incarnation) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// No first message needs to be larger.
const LARGEST_PROMPT: u64 = 16 << 20;

fn read(file: &Path, what: &str) -> Result<String, String> {
    let bytes = crate::world::file::read(file, LARGEST_PROMPT)
        .map_err(|e| format!("cannot read {what} `{}`: {}", file.display(), super::words::plain(&e)))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    // The same prompt as last time costs nothing, not even on a full disk.
    if std::fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    // Without a sync: after a crash of the machine nothing of this start is left, and the next one writes its own. Two
    // hundred starts would wait for the disk for seconds.
    shim::write_atomically(file, bytes)
        .map_err(|e| format!("cannot write `{}`: {}", file.display(), super::words::plain(&e)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_id_of_a_conversation_that_was_given_up_is_kept_where_nothing_resumes_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("team.one.id");
        for id in ["first-id\n", " second-id"] {
            std::fs::write(&file, id).unwrap();
            put_ids_aside(&file, id).unwrap();
            assert!(!file.exists(), "nothing resumes {id}");
        }
        let old = folder.path().join("team.one.id.old");
        let kept = std::fs::read_to_string(&old).unwrap();
        let ids: Vec<&str> = kept.lines().filter_map(|l| l.split_once(' ')).map(|(_, id)| id).collect();
        assert_eq!(ids, ["first-id", "second-id"], "one a line, after its time: {kept}");
        assert_eq!(std::fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn one_without_an_id_has_nothing_to_put_aside_and_an_id_that_cannot_be_kept_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.id");
        put_ids_aside(&file, " \n").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(&file, "an-id").unwrap();
        std::fs::create_dir(folder.path().join("a.id.old")).unwrap();
        let error = put_ids_aside(&file, "an-id").unwrap_err();
        assert!(error.starts_with("cannot keep the old id in `"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "an-id");
    }
}
