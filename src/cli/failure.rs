//! Why a verb ended without success, and the exit code that says so.
//!
//! | code | meaning |
//! |---|---|
//! | 1 | it failed |
//! | 2 | usage |
//! | 3 | config |
//! | 4 | a running supervisor is needed |
//! | 5 | denied |
use crate::{
    engine::fleet::FleetError,
    model::name::printable,
    store::{LIFT_FILE_LIMIT, StoreError, jobs::FILE},
};
use std::{io::Write, path::Path};

/// Failures that are told together.
const AT_ONCE: usize = 10;

/// The kernel's words for a file that may not grow, whichever it is.
const TOO_LARGE: &str = "File too large";

/// Exit code of a verb, or why there is none.
pub type Report = Result<u8, Failure>;

#[derive(Debug)]
pub enum Failure {
    /// Whoever read our output went away: no reason to speak.
    Closed,
    Said {
        code: u8,
        text: String,
        hint: Option<String>,
    },
}

impl Failure {
    pub fn new(code: u8, text: impl Into<String>) -> Failure {
        Failure::Said { code, text: text.into(), hint: None }
    }

    pub fn hint(self, hint: impl Into<String>) -> Failure {
        match self {
            Failure::Said { code, text, .. } => Failure::Said { code, text, hint: Some(hint.into()) },
            closed => closed,
        }
    }

    /// The same, of something that is named first.
    pub fn about(self, what: &str) -> Failure {
        match self {
            Failure::Said { code, text, hint } => Failure::Said { code, text: format!("{what}: {text}"), hint },
            closed => closed,
        }
    }

    /// Of several, what they all say, as far as it fits a screen; the code is the first one's.
    pub fn all(failures: Vec<Failure>) -> Failure {
        let left = failures.len().saturating_sub(AT_ONCE);
        let mut first = None;
        let mut texts: Vec<String> = Vec::new();
        for failure in failures.into_iter().take(AT_ONCE) {
            let Failure::Said { code, text, hint } = failure else { return Failure::Closed };
            first.get_or_insert(code);
            let hint = hint.map_or_else(String::new, |hint| format!("\nhint: {hint}"));
            texts.push(format!("error: {text}{hint}"));
        }
        if left > 0 {
            texts.push(format!("error: {left} more like these"));
        }
        first.map_or(Failure::Closed, |code| Failure::new(code, texts.join("\n\n")))
    }

    /// Says it on stderr; the exit code.
    pub fn report(&self) -> u8 {
        match self {
            Failure::Closed => 0,
            Failure::Said { code, text, hint } => {
                let mut message = text.trim_end().to_owned();
                // Faults of a config come rendered, and the first one may be a warning.
                if !message.starts_with("error: ") && !message.starts_with("warning: ") {
                    message.insert_str(0, "error: ");
                }
                let of_limit = message.contains(TOO_LARGE).then_some(LIFT_FILE_LIMIT);
                if let Some(hint) = hint.as_deref().or(of_limit) {
                    message.push_str(&format!("\nhint: {hint}"));
                }
                complain(&message);
                *code
            }
        }
    }
}

/// Lines on stderr, safe for a terminal: paths and words may hold anything. Nobody there to read them is no failure.
pub fn complain(text: &str) {
    let lines: Vec<String> = text.lines().map(printable).collect();
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
}

impl From<FleetError> for Failure {
    fn from(error: FleetError) -> Failure {
        let code = match &error {
            FleetError::Config(_) => 3,
            FleetError::Failed(_) => 1,
            FleetError::NoSupervisor(_) => 4,
            FleetError::Denied(_) => 5,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let hint = match &error {
            StoreError::Full { path } => {
                let dir = Path::new(path).parent().unwrap_or(Path::new("/"));
                Some(format!("`df -h {}` tells how full it is", printable(&dir.to_string_lossy())))
            }
            // Of the fleet's own store a backup takes its place.
            StoreError::Corrupt { path, .. } if path.ends_with(FILE) => Some(
                "move it away, with its `-wal`: the next job begins a new one; what jobs printed stays in `logs/jobs`"
                    .into(),
            ),
            StoreError::FileLimit { .. } => Some(LIFT_FILE_LIMIT.into()),
            _ => None,
        };
        Failure::Said { code: 1, text: error.to_string(), hint }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Failure::Closed
        } else {
            Failure::new(1, format!("cannot write the output: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_exit_code() {
        let code = |f: Failure| match f {
            Failure::Said { code, .. } => code,
            Failure::Closed => 0,
        };
        assert_eq!(code(FleetError::Config(String::new()).into()), 3);
        assert_eq!(code(FleetError::Failed(String::new()).into()), 1);
        assert_eq!(code(FleetError::NoSupervisor(String::new()).into()), 4);
        assert_eq!(code(FleetError::Denied(String::new()).into()), 5);
        assert!(matches!(Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe)), Failure::Closed));
    }
}
