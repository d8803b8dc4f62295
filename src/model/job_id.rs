//! What a job is called by everybody.
use serde::{Deserialize, Serialize};

/// Shown as `j7`. Given out once, in the order of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "j{}", self.0)
    }
}

impl JobId {
    /// Reads `j7`. Names may not look like this.
    pub fn parse(word: &str) -> Option<JobId> {
        let digits = word.strip_prefix('j')?;
        let plain = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(JobId)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_do_not_look_alike() {
        assert_eq!(JobId::parse("j7"), Some(JobId(7)));
        for name in ["j", "7", "j07", "j7x", "job", "J7", "j-1", "j+1"] {
            assert_eq!(JobId::parse(name), None, "{name}");
        }
        assert_eq!(JobId(7).to_string(), "j7");
    }
}
