//! What an agent's hooks told of the start that runs now.
use crate::{
    model::{
        own::{Asks, Failed},
        zones::Zones,
    },
    transcripts::{HookEvent, HookRow, Hooks, Notice},
};
use std::path::Path;

pub(super) struct Told {
    hooks: Hooks,
    run: u64,
    /// The session that it is in.
    pub session: Option<String>,
    pub asks: Option<Asks>,
    /// The error that ended its last turn.
    pub failed: Option<Failed>,
}

impl Told {
    pub fn new(path: &Path) -> Told {
        Told { hooks: Hooks::new(path), run: 0, session: None, asks: None, failed: None }
    }

    /// Reads what came to it. `run`: the start that runs now.
    pub fn read(&mut self, run: u64, zones: Zones) {
        if self.run != run {
            (self.run, self.session, self.asks, self.failed) = (run, None, None, None);
        }
        let mut rows = Vec::new();
        if self.hooks.is_behind() {
            // A file that cannot be read tells nothing.
            let _ = self.hooks.read(&mut |row| rows.push(row));
        }
        rows.into_iter().filter(|row| row.run == run && !row.helper).for_each(|row| self.take(row, zones));
    }

    fn take(&mut self, row: HookRow, zones: Zones) {
        let asks = |what: &str| Some(Asks { at: row.at, what: what.to_owned() });
        match &row.event {
            HookEvent::Permission { tool } => self.asks = asks(&format!("leave to use {tool}")),
            HookEvent::Notification { kind: Notice::Permission | Notice::Input, message } => {
                // It comes later than the question itself, which says more.
                self.asks = self.asks.take().or_else(|| asks(message));
            }
            HookEvent::StopFailure { .. } => {
                (self.asks, self.failed) = (None, row.failure(zones).map(|error| Failed { at: row.at, error }));
            }
            HookEvent::SessionStart { .. }
            | HookEvent::Prompt { .. }
            | HookEvent::Stop { .. }
            | HookEvent::SessionEnd { .. } => (self.asks, self.failed) = (None, None),
            HookEvent::Notification { .. } | HookEvent::SubagentStop => {}
        }
        self.session = Some(row.session_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{time::Wall, transcript::Cause},
        transcripts::hook_line,
    };
    use serde_json::{Value, json};
    use std::io::Write;

    const ID: &str = "939e51e9-efaf-4c46-a123-432d6a19a84a";

    #[test]
    fn only_the_newest_event_of_the_main_session_of_this_run_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.hooks");
        let mut at = 1_781_524_800_000;
        let mut tell = |run: u64, event: Value| {
            let mut input = json!({"session_id": ID, "transcript_path": "/h/s.jsonl"});
            input.as_object_mut().expect("an object").extend(event.as_object().expect("an object").clone());
            at += 1000;
            let line = hook_line(input.to_string().as_bytes(), Wall(at), run).expect("a line");
            let mut file = std::fs::File::options().create(true).append(true).open(&path).expect("a file");
            writeln!(file, "{line}").expect("written");
        };
        let mut told = Told::new(&path);
        let mut read = |run| {
            told.read(run, Zones::default());
            let failed = told.failed.as_ref().map(|f| f.error.class);
            (told.session.clone(), told.asks.as_ref().map(|a| a.what.clone()), failed)
        };
        assert_eq!(read(2), (None, None, None), "no file");
        tell(1, json!({"hook_event_name": "PermissionRequest", "tool_name": "Bash"}));
        assert_eq!(read(2), (None, None, None), "of an earlier start");
        let session = Some(ID.to_owned());
        tell(2, json!({"hook_event_name": "PermissionRequest", "tool_name": "Bash"}));
        let later =
            json!({"hook_event_name": "Notification", "notification_type": "permission_prompt", "message": "asks"});
        tell(2, later);
        assert_eq!(read(2), (session.clone(), Some("leave to use Bash".into()), None));
        tell(2, json!({"hook_event_name": "UserPromptSubmit", "prompt": "go on"}));
        assert_eq!(read(2), (session.clone(), None, None));
        let failed = json!({"hook_event_name": "StopFailure", "error": "rate_limit",
            "last_assistant_message": "You've hit your limit · resets 7:12pm (UTC)"});
        tell(2, failed.clone());
        assert_eq!(read(2), (session.clone(), None, Some(Cause::Limit)));
        tell(2, json!({"hook_event_name": "Stop"}));
        let mut of_helper = failed;
        of_helper["agent_id"] = "a1".into();
        tell(2, of_helper);
        assert_eq!(read(2), (session, None, None), "a helper's end is not the agent's");
        assert_eq!(read(3), (None, None, None), "another start has told nothing yet");
    }
}
