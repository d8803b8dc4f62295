//! Where jobs live: with the fleet, or with the user.
//!
//! ```text
//! DIR/jobs.db                 the store
//!     jobs.pulse jobs.alarm   touched when something changed
//!     jobs.idle               a pipe by which a runner that waits a moment for the next job is called
//!     jobs.waited             locked while somebody waits for jobs that are not kept
//!     jobs.within/            locked while somebody is within the bounds of a job
//!     logs/jobs/j7-NAME.log
//!     jobs/NAME-YYYYmmdd_HHMMSS/
//! ```
use crate::store::jobs::FILE;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    dir: PathBuf,
}

impl Place {
    /// The fleet's `log_dir`.
    pub fn of_fleet(log_dir: &Path) -> Place {
        Place { dir: log_dir.to_owned() }
    }

    /// Outside of any project: `$XDG_STATE_HOME/agents`, else `~/.local/state/agents`. `None`: there is no home either.
    /// `variable`: the environment.
    pub fn of_user(variable: impl Fn(&str) -> Option<OsString>) -> Option<Place> {
        // A relative one means nothing: the specification says to pass over it.
        let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
        Some(Place { dir: state.join("agents") })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn db(&self) -> PathBuf {
        self.dir.join(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_of_the_user() {
        let of = |xdg: Option<&str>, home: Option<&str>| {
            let place = Place::of_user(|name| match name {
                "XDG_STATE_HOME" => xdg.map(OsString::from),
                "HOME" => home.map(OsString::from),
                _ => None,
            });
            place.map(|place| place.db())
        };
        assert_eq!(of(Some("/x"), Some("/h")), Some("/x/agents/jobs.db".into()));
        assert_eq!(of(Some("x"), Some("/h")), Some("/h/.local/state/agents/jobs.db".into()));
        assert_eq!(of(Some(""), None), None);
        assert_eq!(Place::of_fleet(Path::new("/p/.agents")).db(), Path::new("/p/.agents/jobs.db"));
    }
}
