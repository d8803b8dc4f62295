//! What a person (or an agent) asks of the engine: a row in the store, answered accepted, ignored or denied.
use super::time::Wall;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Unique in the store, growing.
    pub id: i64,
    pub at: Wall,
    pub verb: Verb,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Verb {
    /// Start these agents and services (also disabled ones, if `named`). Clears `stopped` and `gave-up`.
    Up {
        names: Vec<String>,
        named: bool,
        /// Agent -> model, from `AGENT_MODEL_<name>` of the caller: for this start only.
        models: std::collections::BTreeMap<String, String>,
        /// Agent -> backend, from `AGENT_BACKEND_<name>`.
        backends: std::collections::BTreeMap<String, String>,
    },
    /// Stop these and remember that they are to stay stopped.
    Down {
        names: Vec<String>,
    },
    Restart {
        names: Vec<String>,
    },
    Pause {
        names: Vec<String>,
    },
    Resume {
        names: Vec<String>,
    },
    Send {
        name: String,
        text: String,
    },
    /// Checked by the asker: `0 <= index < count`.
    PhaseSet {
        index: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// Decided; `delivery` for `send`.
    Accepted {
        text: String,
        delivery: Option<i64>,
    },
    /// Nothing to do.
    Ignored {
        text: String,
    },
    Denied {
        text: String,
    },
}
