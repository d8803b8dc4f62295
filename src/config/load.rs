//! The walk from text to policy.
use super::{
    Disk, Loaded, Source, Strictness, agents, backends, errors,
    fault::{Class, Fault},
    fields::{Fields, Roots},
    findings::{Findings, Reach},
    ground::Ground,
    host, jobs,
    keys::ROOT,
    phases, services, settings,
};
use crate::model::policy::Policy;
use toml::de::DeTable;

/// Reads one config. `Err`: nothing can run (it is not TOML, or has no usable `session_prefix`, `log_dir`, …); all
/// faults are in it, not only the fatal one. `Ok` may hold faults too.
pub fn load(source: &Source, disk: &dyn Disk, strictness: Strictness) -> Result<Loaded, Vec<Fault>> {
    let mut out = Findings::new(source);
    let (document, errors) = DeTable::parse_recoverable(source.text);
    for error in &errors {
        let span = error.span().unwrap_or(source.text.len()..source.text.len());
        let message = format!("this is not TOML: {}", crate::model::name::printable_cut(error.message(), 200));
        out.add(Reach::All, Class::Syntax, span, message, syntax_hint(error.message()));
    }
    let policy = read(document.get_ref(), source, disk, &mut out);
    let stopped = policy.is_none() || out.fatal();
    let faults = out.into_faults(strictness);
    match policy {
        Some(policy) if !stopped => {
            let warnings = faults.iter().map(Fault::note).collect();
            Ok(Loaded { policy: Policy { warnings, ..policy }, faults })
        }
        _ => Err(faults),
    }
}

fn read(document: &DeTable, source: &Source, disk: &dyn Disk, out: &mut Findings) -> Option<Policy> {
    let nothing = DeTable::new();
    let root = Fields::new(&ROOT, document, 0..0, Reach::All);
    root.check_keys(out);

    let (defaults, defaults_span) = root.table(out, "defaults").unwrap_or((&nothing, 0..0));
    let base = settings::base(defaults, defaults_span, source, disk, out);
    let roots = Roots { project: &base.project_dir, home: source.home };
    let ground = Ground { roots, prefix: &base.session_prefix, log_dir: &base.log_dir, disk };

    let backends = backends::read(&root, out);
    let (phases, roles) = phases::read(&root, &nothing, &ground, out);
    let agents = agents::read(&root, defaults, &backends, &roles, &ground, out);
    let services = services::read(&root, defaults, &agents, &ground, out);
    phases::check_runs(&root, phases.as_ref(), &agents, out);

    let policy = Policy {
        config_path: source.path.to_path_buf(),
        watchdog: settings::watchdog(&root, &nothing, out),
        host: host::read(&root, &nothing, out),
        errors: errors::errors(&root, &nothing, out),
        tmux: settings::tmux(&root, &nothing, roots, out),
        env: settings::env(&root, &nothing, out),
        log: settings::log(&root, &nothing, out),
        jobs: jobs::jobs(&root, &nothing, out),
        store: jobs::store(&root, &nothing, out),
        alert: settings::alert(&root, &nothing, out),
        agents,
        services,
        backends: backends.into_iter().map(|b| b.backend).collect(),
        phases,
        warnings: Vec::new(),
        project_dir: base.project_dir.clone(),
        log_dir: base.log_dir.clone(),
        session_prefix: base.session_prefix.clone(),
    };
    base.complete.then_some(policy)
}

fn syntax_hint(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "keep one of the two"
    } else if ["unclosed table", "unclosed array of tables", "unclosed array table"].iter().any(|m| message.contains(m))
    {
        "close the header: `[name]`, or `[[name]]` for one of several"
    } else if message.contains("must be quoted") {
        "put text in quotes: `key = \"text\"`"
    } else if message.contains("string") {
        "close the text with the quote it began with; in 'single quotes' a backslash stays as it is"
    } else if message.contains("array") {
        "close the list: `[\"a\", \"b\"]`"
    } else if message.contains("inline table") {
        "close the table: `{ key = \"text\" }`"
    } else {
        "a line is `key = value`, `[table]`, `[[table]]` or `# comment`"
    }
}
