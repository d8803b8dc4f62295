//! Agents, a backend and a policy as the tests of the mind take them.
use crate::model::{policy::*, trouble::Remedies};
use std::{sync::Arc, time::Duration};

pub fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

pub fn backend() -> Backend {
    let re = |text: &str| Some(regex::Regex::new(text).unwrap());
    Backend {
        name: "claude".into(),
        bin: "agent".into(),
        delivery: PromptDelivery::Arg,
        flags: String::new(),
        model_flag: "--model '{model}'".into(),
        supports_resume: false,
        resume_flag: String::new(),
        remote_control: false,
        remote_control_flag: String::new(),
        attach: "{bin}".into(),
        server: String::new(),
        preamble: String::new(),
        hooks: false,
        model_env: false,
        job: crate::model::job_agent::BackendJob::default(),
        connect_delay: secs(12),
        submit_key: None,
        reader: Reader {
            active: re("busy"),
            limit: re("limit"),
            fatal: re("fatal"),
            waiting: re("proceed"),
            draft: re("draft"),
            footer_ui: false,
            log_grace: secs(180),
            ..Reader::default()
        },
        stall_idle: secs(300),
        stall_action: StallAction::Restart,
        hang_timeout: secs(0),
        no_progress: secs(0),
        process_name: Some("claude".into()),
    }
}

pub fn agent(name: &str) -> Agent {
    Agent {
        name: name.into(),
        session: format!("p-{name}"),
        kind: Kind::Persistent,
        backend: Arc::new(backend()),
        model: String::new(),
        dir: "/tmp".into(),
        worktree: None,
        enabled: true,
        watch: Watch::HealStall,
        role: None,
        prompt: Prompt::Empty,
        resume: false,
        wake: None,
        account: None,
        fault: None,
    }
}

pub fn policy(agents: Vec<Agent>) -> Policy {
    let backends = agents.iter().map(|a| a.backend.clone()).collect();
    Policy {
        config_path: "/p/agents.toml".into(),
        project_dir: "/p".into(),
        log_dir: "/p/.agents".into(),
        session_prefix: "p-".into(),
        agents,
        services: vec![],
        backends,
        phases: None,
        watchdog: watchdog(),
        host: crate::model::host::HostRules::default(),
        errors: Remedies::default(),
        tmux: Tmux { server: TmuxServer::Own, size: (120, 40) },
        env: EnvRules::default(),
        jobs: Default::default(),
        store: Default::default(),
        log: LogRules { max_bytes: 1 << 20, decisions: 0 },
        alert: Some(vec!["true".into()]),
        warnings: vec![],
    }
}

pub fn watchdog() -> Watchdog {
    Watchdog {
        signal_interval: secs(30),
        heavy_interval: secs(300),
        limit_probe_fallback: secs(300),
        limit_probe_max: secs(900),
        limit_reset_slack: secs(45),
        limit_stagger: secs(5),
        stall_grace: secs(180),
        restart_burst: 5,
        restart_window: secs(600),
        restart_delay: secs(1),
        restart_delay_max: secs(300),
        gave_up_retry: secs(1800),
        storm_limit: 10,
        stop_grace: secs(10),
        start_grace: secs(10),
        fetch_timeout: secs(10),
        dialog_burst: 5,
        dialog_window: secs(600),
        reload: Reload::Auto,
    }
}
