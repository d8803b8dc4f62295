//! What changes about several jobs: a line for each change, at most one a second and job.
use crate::{
    model::{job::JobState, time::Boot},
    view::jobs::{JobView, Look, news, told},
};
use std::{collections::BTreeMap, time::Duration};

const PAUSE: Duration = Duration::from_secs(1);

type Seen = (JobState, usize, u32, String, Option<String>);

#[derive(Default)]
pub struct Changes {
    /// Id -> what was told of it last, and when.
    told: BTreeMap<String, (Seen, Option<Boot>)>,
}

impl Changes {
    /// The lines for what is new. How a job ended is told at once; other news may have to wait: until then.
    pub fn of(&mut self, jobs: &[JobView], look: Look) -> (Vec<String>, Option<Boot>) {
        let now = look.now.boot;
        let mut lines = Vec::new();
        let mut due: Option<Boot> = None;
        for job in jobs {
            let seen = told(job);
            let before = self.told.get(&job.id);
            if before.is_some_and(|(before, _)| *before == seen) {
                continue;
            }
            let early = before.and_then(|(_, at)| *at).map(|at| at.after(PAUSE)).filter(|at| *at > now);
            match early {
                Some(at) if !job.state.is_over() => {
                    due = Some(due.map_or(at, |due| due.min(at)));
                    continue;
                }
                _ => {}
            }
            // That it waits for its turn is no news to whoever has just asked for it.
            let silent = before.is_none() && job.state == JobState::Queued;
            if !silent {
                lines.push(news(job, look));
            }
            self.told.insert(job.id.clone(), (seen, (!silent).then_some(now)));
        }
        (lines, due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            job::{Job, JobId, JobSpec, Progress},
            time::Now,
        },
        view::{jobs::view, paint::Paint},
    };

    fn at(seconds: u64) -> Look {
        let now = Now { boot: Boot::default().after(Duration::from_secs(seconds)), ..Now::default() };
        Look { width: None, paint: Paint::Plain, now }
    }

    fn job(state: JobState, done: u64) -> JobView {
        let progress = Progress { done: Some(done), total: Some(9), ..Progress::default() };
        let spec = JobSpec { name: "web".into(), ..JobSpec::default() };
        view(&Job { state, progress, ..Job::of(JobId(3), spec) })
    }

    #[test]
    fn a_line_for_each_change_at_most_one_a_second_and_the_end_at_once() {
        let mut changes = Changes::default();
        let mut tell = |state, done, second| changes.of(&[job(state, done)], at(second));
        assert_eq!(tell(JobState::Queued, 0, 1), (Vec::new(), None));
        assert_eq!(tell(JobState::Running, 1, 1), (vec!["⟳ j3 web running · 1/9".into()], None));
        assert_eq!(tell(JobState::Running, 1, 5), (Vec::new(), None), "nothing is new");
        assert_eq!(tell(JobState::Running, 2, 5).0.len(), 1);
        let (lines, due) = tell(JobState::Running, 3, 5);
        assert_eq!((lines.len(), due), (0, Some(at(6).now.boot)), "too early");
        assert_eq!(tell(JobState::Running, 4, 6).0, ["⟳ j3 web running · 4/9"]);
        assert_eq!(tell(JobState::Done, 9, 6).0, ["✓ j3 web done"]);
        assert_eq!(tell(JobState::Done, 9, 99), (Vec::new(), None));
    }
}
