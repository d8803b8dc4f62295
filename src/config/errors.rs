//! `[errors]`: what is done about an error that ended a turn.
use super::{
    fields::Fields,
    findings::Findings,
    keys::{ERRORS, REMEDIES},
    settings::below,
};
use crate::model::trouble::{Remedies, Remedy};
use toml::de::DeTable;

pub(super) fn errors<'a, 'i>(root: &Fields<'a, 'i>, nothing: &'a DeTable<'i>, out: &mut Findings) -> Remedies {
    let f = below(root, nothing, "errors", &ERRORS, out);
    let defaults = Remedies::default();
    let mut remedy = |key: &str, default: Remedy| match f.word(out, key, REMEDIES[default as usize]).as_deref() {
        Some("hold") => Remedy::Hold,
        Some("nudge") => Remedy::Nudge,
        Some("fresh") => Remedy::Fresh,
        Some("restart") => Remedy::Restart,
        Some("alert") => Remedy::Alert,
        _ => default,
    };
    let (auth, overload) = (remedy("auth", defaults.auth), remedy("overload", defaults.overload));
    let (network, transcript) = (remedy("network", defaults.network), remedy("transcript", defaults.transcript));
    let (context, model) = (remedy("context", defaults.context), remedy("model", defaults.model));
    let other = remedy("other", defaults.other);
    Remedies {
        auth,
        overload,
        network,
        transcript,
        context,
        model,
        other,
        nudge: f.duration(out, "nudge_pause"),
        nudge_max: f.duration(out, "nudge_pause_max"),
        probe: f.duration(out, "probe_pause"),
        probe_max: f.duration(out, "probe_pause_max"),
    }
}
