//! `agents check`: every fault of the config at once.
use super::{
    Context,
    failure::{Failure, Report, complain},
    locate,
};
use crate::{
    config::{self, Class, Fault, Severity, Source, Strictness},
    engine::{config_file, disk::RealDisk, exposure, words::plain, worktrees},
    jobs::file::template::Templates,
    model::{name::printable, policy::Policy},
    view::paint::Paint,
    world::file,
};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "Exit code 3 if there is any fault. `agents up` is milder where it can go on.")]
pub struct CheckArgs {
    /// One JSON object: v, config, ok, faults, warnings
    #[arg(long)]
    json: bool,
}

pub fn run(args: &CheckArgs, context: &mut Context) -> Report {
    let path = locate::config(context.config.clone())?;
    let (path, text) = read(&path)?;
    let home = std::env::home_dir();
    let source = Source { path: &path, text: &text, home: home.as_deref() };
    let loaded = config::load(&source, &RealDisk, Strictness::Check);
    let whole = loaded.as_ref().map_or_else(|faults| faults, |loaded| &loaded.faults);
    // What is no TOML was told.
    let templates = match whole.iter().any(|fault| fault.class == Class::Syntax) {
        true => Ok(0),
        false => match Templates::read(&source, None) {
            templates if templates.faults.is_empty() => Ok(templates.list.len()),
            templates => Err(templates.faults),
        },
    };
    let (mut summary, warnings, mut faults) = match loaded {
        Ok(loaded) => {
            let mut warnings = exposure::warnings(&loaded.policy);
            warnings.extend(worktrees::warnings(&loaded.policy));
            (Some(counts(&loaded.policy)), warnings, loaded.faults)
        }
        Err(faults) => (None, Vec::new(), faults),
    };
    match templates {
        Ok(0) => {}
        Ok(n) => summary = summary.map(|counts| format!("{counts}, {}", counted(n, "template"))),
        Err(told) => {
            faults.extend(told);
            faults.sort_by_key(|fault| (fault.line, fault.column));
        }
    }
    let out = &mut context.out;
    if args.json {
        let (config, ok) = (path.display().to_string(), faults.is_empty());
        let object = json!({"v": 1, "config": config, "ok": ok, "faults": faults, "warnings": warnings});
        out.line(&format!("{object:#}"))?;
    } else {
        for fault in &faults {
            out.line(&fault.render(out.paint == Paint::Colour))?;
            out.line("")?;
        }
        warnings.iter().for_each(|w| complain(&format!("warning: {w}")));
        out.line(&match summary {
            Some(counts) if faults.is_empty() => format!("ok: {} ({counts})", printable(&path.to_string_lossy())),
            _ => total(&faults, &path),
        })?;
    }
    Ok(if faults.is_empty() { 0 } else { 3 })
}

/// The file, and its real place.
pub fn read(path: &Path) -> Result<(PathBuf, String), Failure> {
    let fail = |e: std::io::Error| {
        let failure = Failure::new(3, format!("`{}` cannot be read: {}", path.display(), plain(&e)));
        if e.kind() == std::io::ErrorKind::NotFound {
            failure.hint("`agents init` makes one, `--config PATH` names another")
        } else {
            failure
        }
    };
    let real = path.canonicalize().map_err(fail)?;
    let bytes = file::read(&real, config_file::LARGEST).map_err(fail)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        Failure::new(3, format!("`{}` is not UTF-8 (line {line})", path.display()))
    })?;
    Ok((real, text))
}

/// `1 agent`, `2 agents`.
fn counted(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

fn counts(policy: &Policy) -> String {
    let mut parts = vec![counted(policy.agents.len(), "agent"), counted(policy.services.len(), "service")];
    if let Some(phases) = &policy.phases {
        parts.push(counted(phases.phases.len(), "phase"));
    }
    parts.join(", ")
}

fn total(faults: &[Fault], path: &Path) -> String {
    let errors = faults.iter().filter(|f| f.severity == Severity::Error).count();
    let warnings = faults.len() - errors;
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(counted(errors, "error"));
    }
    if warnings > 0 {
        parts.push(counted(warnings, "warning"));
    }
    format!("{} in {}", parts.join(" and "), printable(&path.to_string_lossy()))
}
