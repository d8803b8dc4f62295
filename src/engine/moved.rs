//! What cannot change under a running fleet: where its memory, its lock and its tmux server are. Whoever looked in the
//! new place would find nothing there, and start everything a second time.
use crate::model::{
    name::printable,
    policy::{Policy, TmuxServer},
};

/// Why the new config cannot be in force yet.
pub fn moved(old: &Policy, new: &Policy) -> Option<String> {
    let (key, was, is) = if old.session_prefix != new.session_prefix {
        ("session_prefix", old.session_prefix.clone(), new.session_prefix.clone())
    } else if old.log_dir != new.log_dir {
        ("log_dir", old.log_dir.display().to_string(), new.log_dir.display().to_string())
    } else if old.tmux.server != new.tmux.server {
        ("server", server_word(old), server_word(new))
    } else {
        return None;
    };
    let (was, is) = (printable(&was), printable(&is));
    Some(format!(
        "`{key}` cannot change while the fleet runs: it stays `{was}`, not `{is}`, until `agents down` and `agents up`"
    ))
}

/// As in the config.
pub fn server_word(policy: &Policy) -> String {
    match &policy.tmux.server {
        TmuxServer::Own => "own".into(),
        TmuxServer::Named(name) => name.clone(),
        TmuxServer::Socket(path) => path.display().to_string(),
    }
}
