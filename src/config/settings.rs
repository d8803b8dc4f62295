//! The fleet's own tables: `[defaults]` (names and folders), `[watchdog]`, `[tmux]`, `[env]`, `[log]`, `[alert]`.
use super::{
    Disk, Source,
    fault::Class,
    fields::{Fields, Roots},
    findings::{Findings, Reach},
    keys::{ALERT, DEFAULTS, ENV, LOG, Section, TMUX, WATCHDOG},
    place,
};
use crate::model::{
    name,
    policy::{EnvRules, LogRules, Reload, Tmux, TmuxServer, Watchdog},
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};
use toml::de::DeTable;

pub(super) struct Base {
    pub session_prefix: String,
    pub project_dir: PathBuf,
    pub log_dir: PathBuf,
    /// All three are really there.
    pub complete: bool,
}

pub(super) fn base(table: &DeTable, span: Range<usize>, source: &Source, disk: &dyn Disk, out: &mut Findings) -> Base {
    let fields = Fields::new(&DEFAULTS, table, span, Reach::All);
    fields.check_keys(out);
    let folder = source.path.parent().unwrap_or(Path::new("/"));

    let at_folder = Roots { project: folder, home: source.home };
    let project = fields.path(out, "project_dir", at_folder);
    let project_dir = match &project {
        Some(found) => disk.canonical(&found.value).unwrap_or_else(|| place::lexical(&found.value)),
        None => folder.to_path_buf(),
    };
    if fields.find("project_dir").is_some()
        && let Some(found) = &project
        && !disk.is_dir(&project_dir)
    {
        let shown = name::printable_cut(&project_dir.to_string_lossy(), 200);
        let message = format!("`project_dir` is not a folder: `{shown}`");
        out.add(Reach::None, Class::MissingFile, found.span.clone(), message, format!("make it: `mkdir -p '{shown}'`"));
    }

    let prefix = prefix(&fields, out);
    let log_dir = log_dir(&fields, Roots { project: &project_dir, home: source.home }, disk, out);
    Base {
        complete: prefix.is_some() && log_dir.is_some() && project.is_some(),
        session_prefix: prefix.unwrap_or_default(),
        log_dir: log_dir.unwrap_or_else(|| project_dir.join(".agents")),
        project_dir,
    }
}

fn prefix(fields: &Fields, out: &mut Findings) -> Option<String> {
    let found = match fields.text(out, "session_prefix") {
        Some(found) if !found.value.is_empty() => found,
        Some(_) => {
            let message = "`session_prefix` of [defaults] is empty".to_owned();
            out.add(
                Reach::All,
                Class::MissingKey,
                fields.span_of("session_prefix"),
                message,
                "for example `session_prefix = \"proj-\"`",
            );
            return None;
        }
        None => {
            if fields.find("session_prefix").is_none() {
                fields.missing(out, "session_prefix", "add `session_prefix = \"proj-\"` below `[defaults]`");
            }
            return None;
        }
    };
    let Some(reason) = name::unusable(&found.value) else { return Some(found.value) };
    let shown = name::printable_cut(&found.value, 60);
    let mut usable = name::usable_form(&found.value);
    if found.value.ends_with(['-', '_']) && !usable.ends_with(['-', '_']) {
        usable.push('-');
    }
    let message = format!("`session_prefix` `{shown}` cannot be part of a tmux session name: {reason}");
    out.add(Reach::All, Class::BadName, found.span, message, format!("for example `{usable}`"));
    None
}

fn log_dir(fields: &Fields, roots: Roots, disk: &dyn Disk, out: &mut Findings) -> Option<PathBuf> {
    let Some(found) = fields.path(out, "log_dir", roots) else {
        let given = fields.find("log_dir").map(|v| v.get_ref());
        if given.is_none() || given.and_then(|v| v.as_str()) == Some("") {
            fields.missing(out, "log_dir", "add `log_dir = \".agents\"` below `[defaults]`");
        }
        return None;
    };
    if disk.is_file(&found.value) && !disk.is_dir(&found.value) {
        let shown = name::printable_cut(&found.value.to_string_lossy(), 200);
        let message = format!("`log_dir` is a file, not a folder: `{shown}`");
        out.add(Reach::All, Class::MissingFile, found.span, message, "name a folder; it is made if missing");
        return None;
    }
    Some(found.value)
}

pub(super) fn below<'a, 'i>(
    root: &Fields<'a, 'i>,
    nothing: &'a DeTable<'i>,
    name: &str,
    section: &'static Section,
    out: &mut Findings,
) -> Fields<'a, 'i> {
    let (table, span) = root.table(out, name).unwrap_or((nothing, 0..0));
    let fields = Fields::new(section, table, span, Reach::All);
    fields.check_keys(out);
    fields
}

pub(super) fn watchdog<'a, 'i>(root: &Fields<'a, 'i>, nothing: &'a DeTable<'i>, out: &mut Findings) -> Watchdog {
    let f = below(root, nothing, "watchdog", &WATCHDOG, out);
    Watchdog {
        signal_interval: f.duration(out, "signal_interval"),
        heavy_interval: f.duration(out, "heavy_interval"),
        limit_probe_fallback: f.duration(out, "limit_probe_fallback"),
        limit_probe_max: f.duration(out, "limit_probe_max"),
        limit_reset_slack: f.duration(out, "limit_reset_slack"),
        limit_stagger: f.duration(out, "limit_stagger"),
        stall_grace: f.duration(out, "stall_grace"),
        restart_burst: f.count(out, "restart_burst"),
        restart_window: f.duration(out, "restart_window"),
        restart_delay: f.duration(out, "restart_delay"),
        restart_delay_max: f.duration(out, "restart_delay_max"),
        gave_up_retry: f.duration(out, "gave_up_retry"),
        storm_limit: f.count(out, "storm_limit"),
        stop_grace: f.duration(out, "stop_grace"),
        start_grace: f.duration(out, "start_grace"),
        fetch_timeout: f.duration(out, "fetch_timeout"),
        dialog_burst: f.count(out, "dialog_burst"),
        dialog_window: f.duration(out, "dialog_window"),
        reload: match f.word(out, "reload", "auto").as_deref() {
            Some("manual") => Reload::Manual,
            _ => Reload::Auto,
        },
    }
}

pub(super) fn tmux<'a, 'i>(root: &Fields<'a, 'i>, nothing: &'a DeTable<'i>, roots: Roots, out: &mut Findings) -> Tmux {
    let f = below(root, nothing, "tmux", &TMUX, out);
    let mut server = TmuxServer::Own;
    if let Some(found) = f.text(out, "server") {
        let text = found.value.as_str();
        let shown = name::printable_cut(text, 60);
        if text == "own" {
        } else if text.starts_with('/') || text.starts_with("~/") {
            match place::place(text, roots.project, roots.home) {
                Ok(path) => server = TmuxServer::Socket(path),
                Err(reason) => f.bad(
                    out,
                    Class::BadValue,
                    found.span,
                    format!("`server` of [tmux] {reason}"),
                    "write the whole path",
                ),
            }
        } else if text.contains('/') {
            let message = format!("`server` of [tmux] is a relative path: `{shown}`");
            f.bad(out, Class::BadValue, found.span, message, "write `own`, `default`, a name, or an absolute path");
        } else if let Some(reason) = name::unusable(text) {
            let message = format!("`server` of [tmux] cannot be a server's name, {reason}: `{shown}`");
            f.bad(out, Class::BadValue, found.span, message, "write `own`, `default`, a name, or an absolute path");
        } else {
            server = TmuxServer::Named(text.to_owned());
        }
    }
    let mut size = (200, 50);
    if let Some(found) = f.text(out, "size") {
        match dimensions(&found.value) {
            Some(read) => size = read,
            None => {
                let message =
                    format!("`size` of [tmux] is not columns x rows: `{}`", name::printable_cut(&found.value, 60));
                f.bad(
                    out,
                    Class::BadValue,
                    found.span,
                    message,
                    "for example `200x50`; at least `20x5`, at most `1000x1000`",
                );
            }
        }
    }
    Tmux { server, size }
}

fn dimensions(text: &str) -> Option<(u16, u16)> {
    let (columns, rows) = text.split_once(['x', 'X'])?;
    let (columns, rows) = (columns.trim().parse().ok()?, rows.trim().parse().ok()?);
    ((20..=1000).contains(&columns) && (5..=1000).contains(&rows)).then_some((columns, rows))
}

pub(super) fn env<'a, 'i>(root: &Fields<'a, 'i>, nothing: &'a DeTable<'i>, out: &mut Findings) -> EnvRules {
    let f = below(root, nothing, "env", &ENV, out);
    let mut names = |key: &str| {
        let mut kept = Vec::new();
        for found in f.texts(out, key) {
            let stem = found.value.strip_suffix('*').unwrap_or(&found.value);
            if found.value.is_empty() || stem.contains(['*', '=', ' ']) {
                let message =
                    format!("`{key}` of [env] is not a variable's name: `{}`", name::printable_cut(&found.value, 60));
                f.bad(
                    out,
                    Class::BadValue,
                    found.span,
                    message,
                    "for example `AWS_PROFILE`, or `AWS_*` for all that begin so",
                );
            } else {
                kept.push(found.value);
            }
        }
        kept
    };
    EnvRules { allow: names("allow"), deny: names("deny") }
}

pub(super) fn log<'a, 'i>(root: &Fields<'a, 'i>, nothing: &'a DeTable<'i>, out: &mut Findings) -> LogRules {
    let f = below(root, nothing, "log", &LOG, out);
    LogRules { max_bytes: f.size(out, "max_size"), decisions: f.size_or_none(out, "decisions") }
}

pub(super) fn alert<'a, 'i>(
    root: &Fields<'a, 'i>,
    nothing: &'a DeTable<'i>,
    out: &mut Findings,
) -> Option<Vec<String>> {
    let f = below(root, nothing, "alert", &ALERT, out);
    f.find("command")?;
    let command: Vec<String> = f.texts(out, "command").into_iter().map(|t| t.value).collect();
    if command.first().is_none_or(|program| program.is_empty()) {
        let message = "`command` of [alert] names no program".to_owned();
        f.bad(
            out,
            Class::BadValue,
            f.span_of("command"),
            message,
            "for example `command = [\"notify-send\", \"agents\"]`",
        );
        return None;
    }
    Some(command)
}
