//! `agents detect`: what one captured screen says.
use super::{
    Context,
    failure::{Failure, Report},
    locate,
};
use crate::{
    backends::{self, Process, Screen, Verdict, colours::Colours},
    config::{self, Source, Strictness},
    engine::{config_file, disk::RealDisk, words::plain},
    model::{
        name::printable,
        nearest::nearest,
        policy::{PRESETS, Reader},
        seen::Seen,
        time::{Now, Wall},
    },
    view::dialog::{self, DialogView},
    world::{clock, file, zones},
};
use clap::{Args, ValueHint};
use serde_json::json;
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

/// More than any terminal shows.
const LARGEST: u64 = 4 << 20;

#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0 whatever it shows. A screen: `tmux capture-pane -p -t PANE | agents detect --backend claude`.
A screen that is read wrong: `--save NAME` keeps it as NAME.txt and NAME.toml, a case for a test.")]
pub struct DetectArgs {
    /// A backend of the config, or one of claude, codex, opencode, gemini
    #[arg(long, value_name = "B")]
    backend: String,
    /// The pane's title
    #[arg(long, value_name = "T", default_value = "", hide_default_value = true)]
    title: String,
    /// The program in the pane's foreground, as tmux tells it
    #[arg(long, value_name = "C")]
    command: Option<String>,
    /// The pane's program has ended with this code
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    dead: Option<i32>,
    /// Read reset times as at this moment (RFC 3339); else now
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// The zone of a time without one: `UTC`, `+02:00`, `Europe/Berlin`; else the offset in --now, else the local one
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    tz: Option<String>,
    /// One JSON object: v, backend, state, reset_at, reset_text, error, evidence, dialog
    #[arg(long)]
    json: bool,
    /// Also write the screen to NAME.txt and what is known of it to NAME.toml; neither may exist
    #[arg(long, value_name = "NAME", value_hint = ValueHint::FilePath)]
    save: Option<PathBuf>,
    /// The captured screen; `-` or nothing = standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
}

pub fn run(args: &DetectArgs, context: &mut Context) -> Report {
    let reader = reader(&args.backend, context.config.clone())?;
    let now = now(args)?;
    let captured = text(args.file.as_deref())?;
    let (text, colours) = Colours::split(&captured);
    let screen = Screen { text: &text, title: &args.title, cursor: (0, 0), colours: Some(&colours) };
    let process = Process { command: args.command.as_deref(), dead: args.dead };
    let about = backends::Context { reader: &reader, said: "", ours: &[], now };
    let verdict = backends::judge(&screen, process, &about);
    if let Some(name) = &args.save {
        save(name, &captured, args, &verdict, now)?;
    }
    let dialog = match verdict.state {
        Seen::Exited => None,
        _ => backends::read(&screen, &about).dialog.map(|d| dialog::of_reading(&d)),
    };
    let lines = match args.json {
        true => object(&args.backend, &verdict, dialog.as_ref()),
        false => words(&verdict, dialog.as_ref()),
    };
    context.out.line(&lines)?;
    Ok(0)
}

/// The patterns of that backend of the config, else the preset of that name.
fn reader(backend: &str, flag: Option<PathBuf>) -> Result<Reader, Failure> {
    let is_preset = PRESETS.contains(&backend);
    let preset = || Reader { preset: Some(backend.to_owned()), ..Reader::default() };
    let named = flag.is_some() || std::env::var_os("AGENTS_CONFIG").is_some_and(|v| !v.is_empty());
    // A folder without a config, or with a broken one, is no reason not to read a screen of a known CLI.
    let backends = match locate::config(flag) {
        Err(_) if !named => Vec::new(),
        Err(failure) => return Err(failure),
        Ok(path) => match load(&path) {
            Err(_) if is_preset && !named => Vec::new(),
            loaded => loaded?,
        },
    };
    if let Some((_, reader)) = backends.iter().find(|(name, _)| name == backend) {
        return Ok(reader.clone());
    }
    if is_preset {
        return Ok(preset());
    }
    let known: Vec<&str> = backends.iter().map(|(name, _)| name.as_str()).chain(PRESETS).collect();
    let hint = match nearest(backend, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are {}", known.join(", ")),
    };
    Err(Failure::new(3, format!("no backend `{}`", printable(backend))).hint(hint))
}

fn load(path: &Path) -> Result<Vec<(String, Reader)>, Failure> {
    let bytes = file::read(path, config_file::LARGEST)
        .map_err(|e| Failure::new(3, format!("`{}` cannot be read: {}", path.display(), plain(&e))))?;
    let text = String::from_utf8_lossy(&bytes);
    let home = std::env::home_dir();
    let source = Source { path, text: &text, home: home.as_deref() };
    match config::load(&source, &RealDisk, Strictness::Run) {
        Ok(loaded) => Ok(loaded.policy.backends.iter().map(|b| (b.name.clone(), b.reader.clone())).collect()),
        Err(faults) => {
            let first = faults.first().map(|fault| fault.render(false)).unwrap_or_default();
            Err(Failure::new(3, first).hint("`agents check` shows every fault"))
        }
    }
}

fn now(args: &DetectArgs) -> Result<Now, Failure> {
    let here = clock::now();
    let given = args.now.as_deref().map(|text| {
        Wall::parse_with_offset(text).ok_or_else(|| {
            Failure::new(2, format!("`--now {}` is no moment", printable(text)))
                .hint("write it like 2026-11-21T09:00:00+01:00")
        })
    });
    let given = given.transpose()?;
    let wall = given.map_or(here.wall, |(wall, _)| wall);
    let fixed = |utc_offset_s: i32| Now { wall, utc_offset_s, ..Now::default() };
    let Some(zone) = &args.tz else { return Ok(given.map_or(here, |(_, offset)| fixed(offset))) };
    // An offset is read as the end of a moment.
    if let Some((_, offset)) = Wall::parse_with_offset(&format!("2000-01-01T00:00:00{zone}")) {
        return Ok(fixed(offset));
    }
    let zones = zones::elsewhere(zone, here.boot).ok_or_else(|| {
        Failure::new(2, format!("`--tz {}` is no zone", printable(zone)))
            .hint("write `UTC`, an offset (+02:00) or a name (Europe/Berlin)")
    })?;
    Ok(Now { zones, ..fixed(zones.utc_offset_at(wall.0).unwrap_or(0)) })
}

fn text(path: Option<&Path>) -> Result<String, Failure> {
    let fail = |what: &str, e: &std::io::Error| Failure::new(1, format!("{what} cannot be read: {}", plain(e)));
    let bytes = match path.filter(|p| *p != Path::new("-")) {
        Some(path) => {
            file::read(path, LARGEST).map_err(|e| fail(&format!("`{}`", printable(&path.to_string_lossy())), &e))?
        }
        None => {
            let mut bytes = Vec::new();
            std::io::stdin().take(LARGEST).read_to_end(&mut bytes).map_err(|e| fail("standard input", &e))?;
            bytes
        }
    };
    Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
}

fn save(name: &Path, text: &str, args: &DetectArgs, verdict: &Verdict, now: Now) -> Result<(), Failure> {
    let mut facts = toml::Table::new();
    let mut put = |key: &str, value: &str| facts.insert(key.into(), toml::Value::String(value.to_owned()));
    put("state", verdict.state.as_str());
    put("backend", &args.backend);
    put("title", &args.title);
    args.command.iter().for_each(|command| drop(put("command", command)));
    if let Some(at) = verdict.reset_at {
        put("now", &now.wall.rfc3339());
        put("reset", &at.rfc3339());
    }
    verdict.error.iter().for_each(|e| drop(put("error", e.class.as_str())));
    let facts = format!("# What a person says it shows: correct `state` if it was read wrong.\n{facts}");
    for (ending, text) in [("txt", text), ("toml", &facts)] {
        let mut path = name.as_os_str().to_owned();
        path.push(format!(".{ending}"));
        let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
        written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| {
            Failure::new(1, format!("`{}` cannot be written: {}", printable(&path.to_string_lossy()), plain(&e)))
        })?;
    }
    Ok(())
}

fn object(backend: &str, verdict: &Verdict, dialog: Option<&DialogView>) -> String {
    let evidence: Vec<_> = verdict
        .evidence
        .iter()
        .map(|(state, e)| {
            json!({"state": state, "source": e.source, "rule": e.rule, "line": e.line, "text": printable(&e.text)})
        })
        .collect();
    let error = verdict.error.as_ref().map(|e| json!({"class": e.class, "text": e.text, "retry_after": e.retry_after}));
    let object = json!({
        "v": 1, "backend": backend, "state": verdict.state, "reset_at": verdict.reset_at.map(Wall::rfc3339),
        "reset_text": verdict.reset_text, "error": error, "evidence": evidence, "dialog": dialog,
    });
    format!("{object:#}")
}

fn words(verdict: &Verdict, dialog: Option<&DialogView>) -> String {
    let mut lines = vec![verdict.state.as_str().to_owned()];
    if let Some(error) = &verdict.error {
        lines.push(format!("  error {}: {}", error.class.as_str(), error.text));
    }
    if let Some(at) = verdict.reset_at {
        lines.push(format!("  resets {}", at.rfc3339()));
    }
    for (state, e) in &verdict.evidence {
        lines.push(format!(
            "  {} by {} ({}, line {}): {}",
            state.as_str(),
            e.rule,
            e.source,
            e.line + 1,
            printable(&e.text)
        ));
    }
    for (i, row) in dialog.iter().flat_map(|d| dialog::rows(d)).enumerate() {
        lines.push(format!("  {}{row}", if i == 0 { "dialog " } else { "  " }));
    }
    if verdict.state == Seen::Unknown {
        lines.push("  no rule fits; `--save NAME` keeps it as a case".into());
    }
    lines.join("\n")
}
