//! `[loop]`, `[[loop.phases]]`, `[loop.handoff]` and `[loop.on_complete]`.
use super::{
    fault::{Class, word_hint},
    fields::{Fields, Found},
    findings::{Findings, Reach},
    ground::{Ground, missing_file},
    keys::{HANDOFF, LOOP, ON_COMPLETE, PHASE},
    pattern,
};
use crate::model::{
    name::printable_cut,
    policy::{Agent, DoneFrom, Handoff, Loop, OnComplete, Phase},
};
use regex::Regex;
use std::{collections::BTreeMap, path::PathBuf};
use toml::de::{DeTable, DeValue};

/// Where loop agents find their prompts; also without phases.
pub(super) struct Roles {
    pub dir: PathBuf,
    pub template: Option<Found<PathBuf>>,
}

impl Roles {
    /// Asked for by each loop agent, so that each of them is stopped by a template that is not there.
    pub fn check_template(&self, ground: &Ground, out: &mut Findings) {
        let Some(template) = &self.template else { return };
        if let Some((what, hint)) = missing_file(&template.value, ground) {
            let message = format!("`kickoff_template` of [loop] {what}");
            out.add(Reach::One, Class::MissingFile, template.span.clone(), message, hint);
        }
    }
}

/// `None` without phases.
pub(super) fn read<'a, 'i>(
    root: &Fields<'a, 'i>,
    nothing: &'a DeTable<'i>,
    ground: &Ground,
    out: &mut Findings,
) -> (Option<Loop>, Roles) {
    let (table, span) = root.table(out, "loop").unwrap_or((nothing, 0..0));
    let f = Fields::new(&LOOP, table, span, Reach::All);
    f.check_keys(out);
    let roles = Roles {
        dir: f.path(out, "roles_dir", ground.roots).map_or_else(|| ground.roots.project.join("prompts"), |d| d.value),
        template: f.path(out, "kickoff_template", ground.roots),
    };
    roles.check_template(ground, out);
    f.bool(out, "resume_phase");

    let phases = phases(&f, out);
    let handoff_table = f.table(out, "handoff");
    let h = handoff_table.clone().unwrap_or((nothing, 0..0));
    let h = Fields::new(&HANDOFF, h.0, h.1, Reach::All);
    h.check_keys(out);
    let repo = h.path(out, "repo", ground.roots).map_or_else(|| ground.roots.project.to_path_buf(), |p| p.value);
    let state_subdir = h.plain(out, "state_subdir");
    let handoff = handoff_table.is_some().then(|| handoff(&h, out));

    let state_file = ground.log_dir.join("state").join(f.plain(out, "state_file"));
    let all = Loop {
        state_file,
        auto_advance: f.bool(out, "auto_advance"),
        done_marker: done_marker(&f, out),
        done_from: match f.plain(out, "done_from").as_str() {
            "auto" | "" => DoneFrom::Auto,
            "working-tree" => DoneFrom::WorkingTree,
            reference => DoneFrom::Ref(reference.to_owned()),
        },
        on_complete: on_complete(&f, ground, out),
        phases,
        handoff,
        repo,
        state_subdir,
    };
    if all.phases.is_empty()
        && let Some((_, span)) = handoff_table
    {
        let message = "[loop.handoff] without `[[loop.phases]]` is not looked at".to_owned();
        out.add(Reach::None, Class::MissingKey, span, message, "add a phase: `[[loop.phases]]` with `id` and `status`");
    }
    ((!all.phases.is_empty()).then_some(all), roles)
}

/// An empty marker would make every line say "done".
fn done_marker(f: &Fields, out: &mut Findings) -> String {
    match f.text(out, "done_marker") {
        Some(found) if found.value.trim().is_empty() => {
            let message = "`done_marker` of [loop] is empty, so every line would match".to_owned();
            f.bad(out, Class::BadValue, found.span, message, "the default is `## DONE`");
            "## DONE".into()
        }
        found => found.map(|m| m.value).unwrap_or_default(),
    }
}

fn phases(f: &Fields, out: &mut Findings) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for (index, (table, span)) in f.tables(out, "phases").into_iter().enumerate() {
        let p = Fields::new(&PHASE, table, span, Reach::All).called(format!("phase {}", index + 1));
        let id = p.text(out, "id").filter(|id| !id.value.is_empty());
        if id.is_none() && p.find("id").is_none_or(|v| v.get_ref().as_str() == Some("")) {
            let message = format!("{} has no `id`; its number is used", p.subject);
            out.add(Reach::None, Class::MissingKey, p.span.clone(), message, "add `id = \"…\"`");
        }
        let id_span = p.span_of("id");
        let id = id.map_or_else(|| (index + 1).to_string(), |id| id.value);
        let p = p.called(format!("phase `{}`", printable_cut(&id, 60)));
        p.check_keys(out);
        if phases.iter().any(|earlier| earlier.id == id) {
            let message = format!("two phases are named `{}`", printable_cut(&id, 60));
            out.add(Reach::None, Class::Duplicate, id_span, message, "rename one of them");
        }
        let status = p.plain(out, "status");
        if status.is_empty() && p.find("status").is_none_or(|v| v.get_ref().as_str() == Some("")) {
            let message = format!("{} has no `status`, so it can never be done", p.subject);
            out.add(
                Reach::None,
                Class::MissingKey,
                p.span.clone(),
                message,
                format!("add `status = \"STATUS-{}.md\"`", printable_cut(&id, 60)),
            );
        }
        let plan = p.text(out, "plan").map(|plan| plan.value).filter(|plan| !plan.is_empty());
        let models = models(&p, out);
        phases.push(Phase { id, plan, status, models });
    }
    phases
}

fn models(p: &Fields, out: &mut Findings) -> BTreeMap<String, String> {
    let mut models = BTreeMap::new();
    let Some((table, _)) = p.table(out, "models") else { return models };
    for (role, model) in table.iter() {
        match model.get_ref() {
            DeValue::String(text) => {
                models.insert(role.get_ref().to_string(), text.to_string());
            }
            _ => p.wrong_type(out, "models", model, "text in quotes"),
        }
    }
    models
}

fn handoff(h: &Fields, out: &mut Findings) -> Handoff {
    let inboxes = h.texts(out, "inboxes");
    if let Some(third) = inboxes.get(2) {
        let message = "`inboxes` of [loop.handoff] has more than two files; only the first two count".to_owned();
        out.add(
            Reach::None,
            Class::BadValue,
            third.span.clone(),
            message,
            "the first belongs to `claim_pings`, the second to `review_pings`",
        );
    }
    Handoff {
        claim: pattern_or_default(h, "claim_pattern", "^claim", out),
        review: pattern_or_default(h, "review_pattern", "^review", out),
        claim_pings: h.plain(out, "claim_pings"),
        review_pings: h.plain(out, "review_pings"),
        inboxes: inboxes.into_iter().take(2).map(|i| i.value).collect(),
    }
}

/// The agents go on with the default when this pattern is bad.
fn pattern_or_default(h: &Fields, name: &str, default: &str, out: &mut Findings) -> Regex {
    let text = h.text(out, name);
    let mut own = None;
    if let Some(found) = text {
        match pattern::compile(&found.value, true) {
            Ok(regex) => own = Some(regex),
            Err((reason, hint)) => {
                let message = format!("`{name}` of {} {reason}; `{default}` is used", h.subject);
                out.add(Reach::None, Class::BadRegex, found.span, message, hint);
            }
        }
    }
    // The default is a constant of ours, which a test compiles; the empty pattern can always be built.
    own.or_else(|| pattern::compile(default, true).ok()).unwrap_or_else(never)
}

fn never() -> Regex {
    static NEVER: std::sync::LazyLock<Regex> =
        std::sync::LazyLock::new(|| Regex::new(r"[^\s\S]").unwrap_or_else(|e| unreachable!("{e}")));
    NEVER.clone()
}

fn on_complete(f: &Fields, ground: &Ground, out: &mut Findings) -> Option<OnComplete> {
    let (table, span) = f.table(out, "on_complete")?;
    let c = Fields::new(&ON_COMPLETE, table, span, Reach::All);
    c.check_keys(out);
    Some(OnComplete {
        run: c.text(out, "run").map(|r| r.value).filter(|r| !r.is_empty()),
        trigger_file: ground.log_dir.join(c.plain(out, "trigger_file")),
        always: c.bool(out, "always"),
    })
}

/// Says a `run` that is no agent; nothing is started then, as before.
pub(super) fn check_runs(root: &Fields, phases: Option<&Loop>, agents: &[Agent], out: &mut Findings) {
    let Some(run) = phases.and_then(|p| p.on_complete.as_ref()).and_then(|c| c.run.as_deref()) else { return };
    if agents.iter().any(|a| a.name == run) {
        return;
    }
    let at = root
        .find("loop")
        .and_then(|v| v.get_ref().get("on_complete"))
        .and_then(|v| v.get_ref().get("run"))
        .map_or(0..0, |v| v.span());
    let known: Vec<&str> = agents.iter().map(|a| a.name.as_str()).collect();
    let message = format!("`run` of [loop.on_complete] names unknown agent `{}`", printable_cut(run, 60));
    let hint =
        if known.is_empty() { "add an agent of this name".into() } else { word_hint(run, &known, "the agents are") };
    out.add(Reach::None, Class::UnknownAgent, at, message, hint);
}
