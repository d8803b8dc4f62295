//! Which store of jobs this line means: that of the project's fleet, else the user's own.
use super::{Context, failure::Failure, locate};
use crate::{engine::fleet::Fleet, jobs::place::Place};

/// With `--config`, `AGENTS_CONFIG` or an `agents.toml` here or above: its `log_dir`. Else `$XDG_STATE_HOME/agents`.
pub fn of(context: &Context) -> Result<Place, Failure> {
    let config = match locate::config(context.config.clone()) {
        Ok(config) => config,
        // No config is no fault here; one that is named and wrong is.
        Err(Failure::Said { code: 3, .. }) => {
            return Place::of_user(|name| std::env::var_os(name))
                .ok_or_else(|| Failure::new(1, "there is no place for jobs: neither HOME nor XDG_STATE_HOME is set"));
        }
        Err(other) => return Err(other),
    };
    Ok(Place::of_fleet(&Fleet::load(&config)?.policy.log_dir))
}
