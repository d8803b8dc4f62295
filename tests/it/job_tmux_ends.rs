//! What becomes of a job when its tmux server ends, and of the server when nobody is left.
use crate::{jobs_world::JobWorld, sandbox::wait_until};
use agents::{
    jobs::process,
    model::job::{JobId, JobState},
    world::process::{ProcId, called_with_more},
};
use rustix::process::Signal;
use std::process::Command;

fn tmux(world: &JobWorld, args: &[&str]) {
    let socket = world.dir().join("jobs.tmux/tmux.sock");
    Command::new("tmux").args(["-u", "-N", "-S"]).arg(socket).args(args).env_remove("TMUX").output().expect("tmux");
}

fn server(world: &JobWorld) -> Option<ProcId> {
    let conf = world.dir().join("jobs.tmux/tmux.conf");
    called_with_more(&["-u".as_ref(), "-f".as_ref(), conf.as_os_str()]).first().copied()
}

fn in_session(world: &JobWorld) -> JobId {
    let id = world.submit(&["echo begun; exec sleep 600"], |spec| spec.tmux = true);
    world.kick();
    wait_until(30, "it runs", || world.log(id) == "begun\n" && world.job(id).child.is_some());
    id
}

#[test]
fn a_tmux_server_that_is_told_to_end_did_not_end_its_jobs_by_hand() {
    let world = JobWorld::new();
    let ids = [in_session(&world), in_session(&world)];
    let both = ids.map(|id| world.job(id));
    tmux(&world, &["kill-server"]);
    for (id, job) in ids.into_iter().zip(both) {
        let ended = world.over(id);
        assert_eq!((ended.state, ended.error.as_deref()), (JobState::Interrupted, Some("its tmux server was killed")));
        assert!(!process(job.child.expect("it ran")).is_alive());
    }
    let id = in_session(&world);
    tmux(&world, &["kill-session", "-t", &id.to_string()]);
    let ended = world.over(id);
    assert_eq!((ended.state, ended.error.as_deref()), (JobState::Cancelled, Some("its tmux session was ended")));
}

#[test]
fn a_tmux_server_is_not_kept_when_a_job_and_its_runner_were_killed() {
    let world = JobWorld::new();
    let id = in_session(&world);
    let job = world.job(id);
    let first = server(&world).expect("it is there");
    for mark in [job.runner, job.child] {
        assert!(process(mark.expect("it runs")).signal(Signal::KILL));
    }
    wait_until(30, "both are gone", || ![job.runner, job.child].into_iter().flatten().any(|m| process(m).is_alive()));
    // The next command finds that nobody runs it.
    assert_eq!(world.run(&["jobs", "limit"]).status.code(), Some(0));
    assert_eq!(world.over(id).state, JobState::Interrupted);
    wait_until(30, "the server is gone", || !first.is_alive());
}
