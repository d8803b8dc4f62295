//! "did you mean": the nearest known word, if it is near enough to be a slip.

/// Longer words are pasted rubbish; comparing them would only cost time.
const LONGEST: usize = 64;

pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase().replace('-', "_");
    let (best, distance) = known
        .into_iter()
        .filter(|k| !k.is_empty() && k.len() <= LONGEST)
        .map(|k| (k, strsim::damerau_levenshtein(&lower, &k.to_lowercase().replace('-', "_"))))
        .min_by_key(|(_, d)| *d)?;
    let allowed = (best.chars().count().max(lower.chars().count()) / 3).clamp(1, 4);
    (distance <= allowed && distance < best.chars().count()).then_some(best)
}

/// `` `a`, `b` and `c` ``.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> =
        words.into_iter().map(|w| format!("`{}`", crate::model::name::printable_cut(w, 60))).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((one, [])) => one.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["claude", "codex", "opencode", "gemini"];
        assert_eq!(nearest("cladue", known), Some("claude"));
        assert_eq!(nearest("Codex", known), Some("codex"));
        assert_eq!(nearest("open-code", ["open_code"]), Some("open_code"));
        assert_eq!(nearest("exce", ["arg", "exec", "ping"]), Some("exec"));
        assert_eq!(nearest("nonee", ["none", "heal", "heal+stall"]), Some("none"));
        assert_eq!(nearest("aider", known), None);
        assert_eq!(nearest("x", ["a"]), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"c".repeat(100_000), known), None);
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
