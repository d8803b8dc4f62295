//! A pushed commit hands the work over: the builder's claim pings the adversary, a review pings the builder. One ping
//! for each commit; commits seen together share one. The position and the ping are saved in the same moment.
use super::{Mind, unit::Spec};
use crate::{
    launch::prompt,
    model::{
        delivery::DeliveryKind,
        event::EventKind,
        observation::GitObs,
        policy::{Handoff, Kind},
    },
};

/// How many handled commits are remembered against a force push.
const REMEMBERED: usize = 2000;

impl Mind<'_> {
    pub(super) fn handoff(&mut self) {
        let obs = self.obs;
        let policy = self.policy;
        let Some(git) = &obs.git else { return };
        self.git_errors(git);
        let Some(handoff) = policy.phases.as_ref().and_then(|l| l.handoff.as_ref()) else { return };
        if git.heads.is_empty() {
            // An empty remote has been seen: whatever is pushed first is news.
            if git.error.is_none() {
                self.state.fleet.handoff.seen_once = true;
            }
            return;
        }
        self.commits(git, handoff);
        self.inboxes(git, handoff);
    }

    fn commits(&mut self, git: &GitObs, handoff: &Handoff) {
        let memory = &mut self.state.fleet.handoff;
        if !memory.seen_once {
            memory.seen_once = true;
            memory.heads = git.heads.clone();
            return;
        }
        let fresh: Vec<_> = git.commits.iter().filter(|c| !memory.handled.contains(&c.sha)).collect();
        memory.handled.extend(fresh.iter().map(|c| c.sha.clone()));
        let excess = memory.handled.len().saturating_sub(REMEMBERED);
        memory.handled.drain(..excess);
        memory.heads = git.heads.clone();
        let owner = |pinged: &str, others: &str| {
            let spec =
                self.spec_named(others).or_else(|| self.spec(&format!("{}{others}", self.policy.session_prefix)));
            spec.filter(|_| pinged != others).map(|spec| spec.name().to_owned())
        };
        // Who claims is pinged for reviews, and the other way round.
        let of = |subject: &str| match (handoff.claim.is_match(subject), handoff.review.is_match(subject)) {
            (true, false) => owner(&handoff.claim_pings, &handoff.review_pings),
            (false, true) => owner(&handoff.review_pings, &handoff.claim_pings),
            _ => None,
        };
        let told: Vec<_> = fresh.iter().map(|c| (c.sha.as_str(), of(&c.subject))).collect();
        self.tell_commits(&told);
        let claims = fresh.iter().filter(|c| handoff.claim.is_match(&c.subject)).count();
        let reviews = fresh.iter().filter(|c| handoff.review.is_match(&c.subject)).count();
        let shas = |re: &regex::Regex| -> Vec<&str> {
            fresh.iter().filter(|c| re.is_match(&c.subject)).map(|c| c.sha.as_str()).collect()
        };
        if claims > 0 {
            let data = serde_json::json!({ "commits": shas(&handoff.claim) });
            self.ping(
                &handoff.claim_pings,
                DeliveryKind::Claim,
                prompt::claim(),
                "handoff: claim commit → pinging reviewer",
                data,
            );
        }
        if reviews > 0 {
            let data = serde_json::json!({ "commits": shas(&handoff.review) });
            self.ping(
                &handoff.review_pings,
                DeliveryKind::Review,
                prompt::review(),
                "handoff: review commit → pinging builder",
                data,
            );
        }
    }

    fn inboxes(&mut self, git: &GitObs, handoff: &Handoff) {
        let subdir = self.policy.phases.as_ref().map(|l| l.state_subdir.clone()).unwrap_or_default();
        for (i, file) in handoff.inboxes.iter().enumerate() {
            let known = self.state.fleet.handoff.inboxes.get(file).cloned();
            match git.inboxes.get(file) {
                None => {
                    self.state.fleet.handoff.inboxes.remove(file);
                }
                Some(hash) if known.as_ref() == Some(hash) => {}
                Some(hash) => {
                    self.state.fleet.handoff.inboxes.insert(file.clone(), hash.clone());
                    let target = if i == 0 { &handoff.claim_pings } else { &handoff.review_pings };
                    let line = format!("handoff: {file} changed → pinging {target}");
                    let data = serde_json::json!({ "file": file });
                    self.ping(target, DeliveryKind::Inbox, prompt::inbox(&subdir, file), &line, data);
                }
            }
        }
    }

    fn ping(&mut self, target: &str, kind: DeliveryKind, text: String, line: &str, data: serde_json::Value) {
        let by_suffix = format!("{}{target}", self.policy.session_prefix);
        let Some(spec) = self.spec_named(target).or_else(|| self.spec(&by_suffix)) else {
            let warning = format!("handoff: nobody is named `{target}` — the ping is not sent");
            return self.alert(EventKind::Handoff, None, warning);
        };
        let (name, session) = (spec.name().to_owned(), spec.session().to_owned());
        self.unit(spec);
        self.tell_with(EventKind::Handoff, Some(&name), line, data, false);
        // After the last phase the loops are over; whoever starts one again gives it a first message that tells it all.
        let over = self.is_sequence_over() && spec.agent().is_some_and(|a| a.kind == Kind::Loop);
        if over && !self.is_live(spec) {
            return;
        }
        // One that still waits in the queue says it already.
        if self
            .state
            .deliveries
            .values()
            .any(|d| d.session == session && d.kind == kind && d.text == text && is_queued(d))
        {
            return;
        }
        let key = self.submit_key(spec);
        let now = self.now.boot;
        self.queue_text(&session, kind, text, key, None, now);
    }

    /// A fault of the repository is told once, and again when it is another one.
    fn git_errors(&mut self, git: &GitObs) {
        let error = git.error.clone();
        if self.state.fleet.handoff.last_error == error {
            return;
        }
        self.state.fleet.handoff.last_error = error.clone();
        match error {
            Some(error) if git.repo_gone => {
                self.alert(EventKind::Git, None, format!("handoff: the repository is gone: {error}"))
            }
            Some(error) => self.tell(EventKind::Git, None, format!("handoff: {error}")),
            None => self.tell(EventKind::Git, None, "handoff: the repository can be read again"),
        }
    }
}

fn is_queued(d: &crate::model::delivery::Delivery) -> bool {
    matches!(d.stage, crate::model::delivery::Stage::Queued { .. })
}

/// Loop agents get a new first message with a new phase; pings of the old one are stale.
impl Mind<'_> {
    pub(super) fn forget_handoff(&mut self) {
        // An inbox that still lies there is news in the new phase.
        self.state.fleet.handoff.inboxes.clear();
        self.drop_stale("a new phase began");
    }

    pub(super) fn drop_stale(&mut self, why: &str) {
        use DeliveryKind::{Claim, Inbox, Nudge, Review, Wake};
        let policy = self.policy;
        for agent in policy.agents.iter().filter(|a| a.kind == Kind::Loop) {
            let session = Spec::Agent(agent).session();
            for kind in [Claim, Review, Inbox, Wake, Nudge] {
                self.drop_queued(session, kind, why);
            }
        }
    }
}
