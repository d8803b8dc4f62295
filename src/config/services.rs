//! `[[service]]`.
use super::{
    agents::{agent_name, check_name, say_duplicate},
    fault::Class,
    fields::Fields,
    findings::{Findings, Reach},
    ground::Ground,
    keys::SERVICE,
};
use crate::model::{
    name::printable_cut,
    policy::{Agent, Service},
};
use toml::de::DeTable;

/// What a service does not take from `[defaults]`: the folder there is for agents.
const OWN: &[&str] = &["name", "dir"];

pub(super) fn read(
    root: &Fields,
    defaults: &DeTable,
    agents: &[Agent],
    ground: &Ground,
    out: &mut Findings,
) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for (index, (table, span)) in root.tables(out, "service").into_iter().enumerate() {
        let fields = Fields::new(&SERVICE, table, span, Reach::One).over(defaults, OWN);
        let Some(name) = agent_name(&fields, index, "service", out) else { continue };
        let fields = fields.called(format!("service `{}`", printable_cut(&name, 60)));
        let service = one(name, &fields, agents, ground, out);
        match services.iter_mut().find(|s| s.name == service.name) {
            Some(earlier) => {
                say_duplicate("services", &service.name, fields.span_of("name"), out);
                *earlier = service;
            }
            None => services.push(service),
        }
    }
    services
}

fn one(name: String, f: &Fields, agents: &[Agent], ground: &Ground, out: &mut Findings) -> Service {
    let mark = out.mark();
    let session = format!("{}{name}", ground.prefix);
    check_name(&name, &session, false, ground, f, out);
    let shown = printable_cut(&name, 60);
    if agents.iter().any(|a| a.name == name) {
        let message = format!("an agent and a service are both named `{shown}`");
        f.bad(out, Class::Duplicate, f.span_of("name"), message, format!("for example `{shown}-service`"));
    } else if let Some(agent) = agents.iter().find(|a| a.session == session) {
        let message = format!("service `{shown}` has the session of agent `{}`", printable_cut(&agent.name, 60));
        f.bad(out, Class::Duplicate, f.span_of("name"), message, "rename one of them");
    }
    let command = f.text(out, "command");
    match &command {
        None if f.find("command").is_none() => f.missing(out, "command", "add what it runs: `command = \"…\"`"),
        Some(found) if found.value.trim().is_empty() => {
            let message = format!("`command` of {} is empty", f.subject);
            f.bad(out, Class::BadValue, found.span.clone(), message, "write what it runs");
        }
        _ => {}
    }
    let dir = f.path(out, "dir", ground.roots).map_or_else(|| ground.roots.project.to_path_buf(), |d| d.value);
    let command = command.map(|c| c.value).unwrap_or_default();
    Service { fault: out.first_since(mark), name, session, command, dir }
}
