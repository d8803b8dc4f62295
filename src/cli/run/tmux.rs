//! Whether a job that is submitted gets a tmux session of its own.
use super::super::failure::Failure;
use crate::jobs::pane;
use std::cell::OnceCell;

/// What the line says, and what is known of the tmux at hand: it is looked for once for all jobs.
#[derive(Default)]
pub struct Sessions {
    /// `--tmux`, `--no-tmux`. `None`: the file decides, and the kind of job.
    asked: Option<bool>,
    /// The jobs come from job files.
    pub files: bool,
    there: OnceCell<bool>,
    /// Why the tmux at hand is of no use, in its own words.
    refused: OnceCell<Option<String>>,
}

/// What becomes of it.
pub struct Wanted {
    pub tmux: bool,
    /// It is not run without.
    pub asked: bool,
}

impl Sessions {
    pub fn asked(asked: Option<bool>) -> Sessions {
        Sessions { asked, ..Sessions::default() }
    }

    /// `own`: what the file says of the job.
    pub fn wanted(&self, own: Option<bool>, interactive: bool) -> Result<Wanted, Failure> {
        let Some(tmux) = self.asked.or(own) else {
            let by_default = self.files || interactive;
            return Ok(Wanted { tmux: by_default && *self.there.get_or_init(pane::is_there), asked: false });
        };
        if tmux && let Some(why) = self.refused.get_or_init(|| pane::usable().err().map(|e| e.to_string())) {
            let text = format!("no tmux session can be made: {}", why.lines().next().unwrap_or_default());
            return Err(Failure::new(1, text).hint("install tmux 3.2 or newer, or leave it out: `--no-tmux`"));
        }
        Ok(Wanted { tmux, asked: tmux })
    }
}
