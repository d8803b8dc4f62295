//! Which log lines look like trouble, for `agents logs --errors`.
use regex::Regex;
use std::sync::LazyLock;

/// Words that programs print when something went wrong. Whole words, so that `errors_total` or `0 errors` are not all
/// that is shown; `0 errors`/`no errors` are left out by [`is_error`].
static TROUBLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
          (?i: \b (?: error | errors | fatal | panic | panicked | exception | traceback | failed | failure | segfault
              | (?:segmentation\ fault) | (?:permission\ denied) | (?:command\ not\ found) | (?:no\ such\ file)
              | (?:out\ of\ memory) | killed | aborted | (?:gave\ up) | refused | unauthorized | overloaded
              | (?:usage\ limit) | (?:limit\ reached) ) \b )
        | \b[A-Z][A-Za-z]*(?:Error|Exception)\b
        | \bE[A-Z]{3,}\b:
        | \bAPI\ Error\b
        | [✗✘×]
        ",
    )
    .ok()
});

static NOTHING_WRONG: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:0|no|without)\s+(?:errors?|failures?|failed)\b").ok());

pub fn is_error(line: &str) -> bool {
    let Some(trouble) = TROUBLE.as_ref() else { return false };
    let cleared;
    let line = match NOTHING_WRONG.as_ref() {
        Some(fine) if fine.is_match(line) => {
            cleared = fine.replace_all(line, "");
            &*cleared
        }
        _ => line,
    };
    trouble.is_match(line)
}

#[cfg(test)]
mod tests {
    use super::is_error;

    #[test]
    fn trouble_is_told_from_talk() {
        for line in [
            "error[E0308]: mismatched types",
            "Error: cannot find module",
            "thread 'main' panicked at src/main.rs:3",
            "Traceback (most recent call last):",
            "ValueError: bad",
            "API Error: 529 Overloaded",
            "bash: foo: command not found",
            "test result: FAILED. 3 passed; 1 failed",
            "[agents 10:00:00] ERROR: config",
        ] {
            assert!(is_error(line), "{line}");
        }
        for line in ["all good", "0 errors, 3 warnings", "test result: ok. 3 passed; 0 failed", "mirrored terror"] {
            assert!(!is_error(line), "{line}");
        }
    }
}
