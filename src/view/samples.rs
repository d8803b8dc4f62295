//! Agents, a backend and a policy as the tests of the views take them.
use crate::model::policy::*;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(super) fn backend() -> Arc<Backend> {
    Arc::new(Backend {
        name: "claude".into(),
        bin: "claude".into(),
        delivery: PromptDelivery::Arg,
        flags: String::new(),
        model_flag: String::new(),
        supports_resume: false,
        resume_flag: String::new(),
        remote_control: false,
        remote_control_flag: String::new(),
        attach: String::new(),
        server: String::new(),
        preamble: String::new(),
        hooks: false,
        model_env: false,
        job: crate::model::job_agent::BackendJob::default(),
        connect_delay: Duration::from_secs(12),
        submit_key: None,
        reader: Reader::default(),
        stall_idle: Duration::from_secs(300),
        stall_action: StallAction::Restart,
        hang_timeout: Duration::ZERO,
        no_progress: Duration::ZERO,
        process_name: Some("claude".into()),
    })
}

pub(super) fn agent(name: &str) -> Agent {
    Agent {
        name: name.into(),
        session: format!("p-{name}"),
        kind: Kind::Persistent,
        backend: backend(),
        model: String::new(),
        dir: "/p".into(),
        worktree: None,
        enabled: true,
        watch: Watch::HealStall,
        role: Some("builder".into()),
        prompt: Prompt::Empty,
        resume: false,
        wake: None,
        account: None,
        fault: None,
    }
}

pub(super) fn policy(agents: Vec<Agent>) -> Policy {
    let s = Duration::from_secs;
    Policy {
        errors: Default::default(),
        host: Default::default(),
        config_path: "/p/agents.toml".into(),
        project_dir: "/p".into(),
        log_dir: "/p/.agents".into(),
        session_prefix: "p-".into(),
        agents,
        services: vec![Service {
            name: "web".into(),
            session: "p-web".into(),
            command: "serve".into(),
            dir: "/p".into(),
            fault: None,
        }],
        backends: vec![backend()],
        phases: Some(Loop {
            phases: ["p1", "p2"]
                .map(|id| Phase {
                    id: id.into(),
                    plan: (id == "p1").then(|| "plan.md".into()),
                    status: "STATUS.md".into(),
                    models: BTreeMap::from([("builder".to_owned(), format!("model-{id}"))]),
                })
                .into(),
            state_file: "/p/.agents/state/phase-idx".into(),
            auto_advance: true,
            done_marker: "## DONE".into(),
            done_from: DoneFrom::Auto,
            handoff: None,
            repo: "/p".into(),
            state_subdir: "machine-docs".into(),
            on_complete: None,
        }),
        watchdog: crate::model::policy::Watchdog {
            signal_interval: s(30),
            heavy_interval: s(300),
            limit_probe_fallback: s(300),
            limit_probe_max: s(900),
            limit_reset_slack: s(45),
            limit_stagger: s(5),
            stall_grace: s(180),
            restart_burst: 5,
            restart_window: s(600),
            restart_delay: s(1),
            restart_delay_max: s(300),
            gave_up_retry: s(0),
            storm_limit: 20,
            stop_grace: s(10),
            start_grace: s(30),
            fetch_timeout: s(30),
            dialog_burst: 5,
            dialog_window: s(600),
            reload: Reload::Auto,
        },
        tmux: Tmux { server: TmuxServer::Own, size: (120, 40) },
        env: EnvRules::default(),
        jobs: Default::default(),
        store: Default::default(),
        log: LogRules { max_bytes: 1, decisions: 0 },
        alert: None,
        warnings: Vec::new(),
    }
}
