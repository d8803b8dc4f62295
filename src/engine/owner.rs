//! Whose memory a store is. Two configs with one `log_dir` would take each other's agents for ones that were removed.
use crate::{
    model::{name::printable, policy::Policy},
    store::{Store, StoreError},
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Store key.
const KEY: &str = "fleet";

#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    config: PathBuf,
    prefix: String,
}

/// An error if the store is the memory of another config that is still there. A config that was moved, and one that
/// changes its own prefix, keep their memory.
pub fn check(store: &dyn Store, policy: &Policy, db: &Path) -> Result<(), StoreError> {
    let owner: Option<Owner> = store.get(KEY)?.and_then(|text| serde_json::from_str(&text).ok());
    let Some(owner) = owner else { return Ok(()) };
    if owner.prefix == policy.session_prefix || owner.config == policy.config_path || !owner.config.exists() {
        return Ok(());
    }
    let (prefix, config) = (printable(&owner.prefix), printable(&owner.config.to_string_lossy()));
    let detail =
        format!("it is the memory of the fleet `{prefix}` of `{config}`\nhint: give each config its own `log_dir`");
    Err(StoreError::Other { path: db.display().to_string(), detail })
}

/// From now on it is this one's. Best effort: on a full disk it is noted next time.
pub fn note(store: &mut dyn Store, policy: &Policy) {
    let owner = Owner { config: policy.config_path.clone(), prefix: policy.session_prefix.clone() };
    let text = serde_json::to_string(&owner).unwrap_or_default();
    if store.get(KEY).ok().flatten().as_ref() != Some(&text) {
        let _ = store.put(&[(KEY.to_owned(), text)].into());
    }
}
