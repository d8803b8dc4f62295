//! `hooks` of a backend: only Claude Code has them, and only a command line that we put together can name our file.
use super::{
    fault::Class,
    fields::Fields,
    findings::{Findings, Reach},
};
use crate::model::transcript::Program;

/// Whether `hooks = true` can be done; what stands against it is said, and everything runs without hooks.
pub(super) fn are_possible(f: &Fields, out: &mut Findings) -> bool {
    let text = |name: &str| f.find(name).and_then(|v| v.get_ref().as_str()).unwrap_or_default();
    let preset = Some(text("preset")).filter(|p| !p.is_empty());
    let (problem, hint) = if Program::of(preset, text("bin")) != Some(Program::Claude) {
        ("is for Claude Code, which it does not run", "take `hooks` out, or say `preset = \"claude\"`")
    } else if !matches!(text("prompt_delivery"), "" | "arg") {
        ("needs `prompt_delivery = \"arg\"`", "take `hooks` out; with another delivery `bin` is the whole command")
    } else if ["bin", "flags"].iter().any(|name| names_settings(text(name))) {
        (
            "needs a `--settings` of its own, and the flags have one already",
            "take `hooks` out, or move your settings to `.claude/settings.json`",
        )
    } else {
        return true;
    };
    let message = format!("`hooks` of {} {problem}", f.subject);
    out.add(Reach::None, Class::BadValue, f.span_of("hooks"), message, hint);
    false
}

/// A second `--settings` would take the place of the first.
fn names_settings(shell: &str) -> bool {
    let words = shell.split(|c: char| c.is_whitespace() || "\"'".contains(c));
    words.into_iter().any(|word| word == "--settings" || word.starts_with("--settings="))
}
