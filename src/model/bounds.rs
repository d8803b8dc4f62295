//! What holds a job in: as the machine on which it ran enforced it, not as somebody asked for it.
use serde::{Deserialize, Serialize};

/// Lines for people; each begins with a word that stays the same (`writes: …`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bounds {
    /// Of the sandbox: one for each thing that is enforced.
    pub enforced: Vec<String>,
    /// Of the sandbox: what is not enforced here.
    pub open: Vec<String>,
    /// How memory and the number of processes are limited.
    pub limits: Vec<String>,
}

/// Whose the bounds are in which another job was submitted, in words for people: a job of the same store by its id, and a
/// number below 0 is one of another store.
pub fn whose(bounds: i64) -> String {
    if bounds < 0 { "a job of another store".into() } else { format!("j{bounds}") }
}

impl Bounds {
    /// One for each thing that is enforced, and one for all that is not.
    pub fn sandbox(&self) -> Vec<String> {
        let open = (!self.open.is_empty()).then(|| format!("not limited: {}", self.open.join("; ")));
        self.enforced.iter().cloned().chain(open).collect()
    }

    /// What a log begins with. Empty: there is no sandbox.
    pub fn header(&self) -> String {
        self.sandbox().iter().map(|line| format!("[agents] sandbox: {line}\n")).collect()
    }
}
