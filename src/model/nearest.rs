//! "did you mean": the nearest known word, if it is near enough to be a slip, or its beginning.

/// Longer words are pasted rubbish; comparing them would only cost time.
const LONGEST: usize = 64;
/// Shorter beginnings may be anything.
const SHORTEST: usize = 2;

pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let fold = |text: &str| text.to_lowercase().replace('-', "_");
    let word = fold(word);
    let length = word.chars().count();
    let distance = |known: &str| match fold(known) {
        whole if length >= SHORTEST && whole.starts_with(&word) => 0,
        // A key that was pressed twice, also at the end of a name of one letter.
        whole if word.strip_prefix(&whole).is_some_and(|rest| rest.chars().count() == 1) => 0,
        whole => strsim::damerau_levenshtein(&word, &whole),
    };
    let (best, distance) = known
        .into_iter()
        .filter(|k| !k.is_empty() && k.len() <= LONGEST)
        .map(|k| (k, distance(k)))
        .min_by_key(|(_, d)| *d)?;
    let best_length = best.chars().count();
    let allowed = (best_length.max(length) / 3).clamp(1, 4);
    (distance <= allowed && distance < best_length).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_beginnings_are_found_and_strangers_are_not() {
        let known = ["claude", "codex", "opencode", "gemini"];
        assert_eq!(nearest("cladue", known), Some("claude"));
        assert_eq!(nearest("Codex", known), Some("codex"));
        assert_eq!(nearest("open-code", ["open_code"]), Some("open_code"));
        assert_eq!(nearest("exce", ["arg", "exec", "ping"]), Some("exec"));
        assert_eq!(nearest("nonee", ["none", "heal", "heal+stall"]), Some("none"));
        assert_eq!(nearest("buidler", ["builder", "adversary", "web"]), Some("builder"));
        assert_eq!(nearest("adv", ["builder", "adversary", "web"]), Some("adversary"));
        assert_eq!(nearest("aider", known), None);
        assert_eq!(nearest("zzz", ["builder", "adversary", "web"]), None);
        assert_eq!(nearest("x", ["a"]), None);
        assert_eq!(nearest("bb", ["a", "b"]), Some("b"));
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"c".repeat(100_000), known), None);
    }
}
