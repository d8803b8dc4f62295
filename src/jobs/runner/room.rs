//! Room on the machine for the agent of a job: its program is not started before there is some. `[host]` of the project
//! asked for that when the job was submitted.
use super::tree::Tree;
use crate::{
    model::{job_agent::JobAgent, name::printable_cut},
    store::jobs::JobStore,
    world::{clock, machine},
};
use std::path::Path;

/// Characters of what is told.
const TOLD: usize = 200;

impl Tree<'_> {
    /// Waits for it, with the job's slot and its time limit. `None`: an end came instead ([`Tree::verdict`]). Else whether
    /// it was waited.
    pub fn wait_for_room(&mut self, store: &mut JobStore, agent: &JobAgent, dir: &Path) -> Option<bool> {
        let rules = &agent.host;
        let mut told: Option<String> = None;
        while !rules.asks_nothing() {
            let logs = store.dir().to_owned();
            let folders = [dir, &logs];
            let host = machine::look(rules, folders);
            let Some(why) = rules.lacks_power(&host).or_else(|| rules.lacks_disk(&host, &folders)) else { break };
            let text = printable_cut(&format!("waits for room: {why}"), TOLD);
            // Free memory is another one at every look, and no news.
            if told.is_none() {
                self.tell_waits(store, Some(&text));
            }
            told = Some(text);
            if !self.pause(store, clock::boot().after(rules.retry)) {
                return None;
            }
        }
        if told.is_some() {
            self.tell_waits(store, None);
        }
        Some(told.is_some())
    }

    fn tell_waits(&mut self, store: &mut JobStore, why: Option<&str>) {
        if let Some(log) = self.cap.as_mut().and_then(|cap| cap.agent.as_mut()) {
            log.waits(why);
        }
        self.tell_progress(store);
    }
}
