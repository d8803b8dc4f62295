//! `[host]`: what the machine must have before something is started.
use super::{
    fault::Class,
    fields::Fields,
    findings::{Findings, Reach},
    keys::HOST,
    values::{number, shown_value},
};
use crate::model::host::HostRules;
use toml::de::DeTable;

pub(super) fn read(root: &Fields, nothing: &DeTable, out: &mut Findings) -> HostRules {
    let (table, span) = root.table(out, "host").unwrap_or((nothing, 0..0));
    let f = Fields::new(&HOST, table, span, Reach::All);
    f.check_keys(out);
    HostRules {
        min_memory: f.size_or_none(out, "min_memory"),
        min_disk: f.size_or_none(out, "min_disk"),
        max_load: load(&f, out),
        retry: f.duration(out, "retry"),
    }
}

fn load(f: &Fields, out: &mut Findings) -> f64 {
    let Some(value) = f.find("max_load") else { return 0.0 };
    match number(value.get_ref()) {
        Some(load) if (0.0..=1e6).contains(&load) => load,
        Some(_) => {
            let message = format!("`max_load` of [host] is out of range: `{}`", shown_value(value.get_ref()));
            f.bad(
                out,
                Class::BadValue,
                value.span(),
                message,
                "the load of one core that is too much, for example `4`; 0 = off",
            );
            0.0
        }
        None => {
            f.wrong_type(out, "max_load", value, "a number");
            0.0
        }
    }
}
