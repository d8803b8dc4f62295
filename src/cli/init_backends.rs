//! How `agents init` writes each kind of agent program down.

pub struct Preset {
    pub name: &'static str,
    /// The agent's `model`, where one has to be named; empty = the program's own default.
    pub model: &'static str,
    /// The `[backend.NAME]` table.
    pub table: &'static str,
}

pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|p| p.name == name)
}

pub const PRESETS: [Preset; 4] = [
    Preset {
        name: "claude",
        model: "claude-sonnet-4-6",
        table: r#"[backend.claude]
bin = "claude"
flags = "--dangerously-skip-permissions"   # it works alone: nobody is there to say yes
prompt_delivery = "arg"
process_name = "claude"
submit_key = "Enter"
stall_idle = 300
active_re = 'esc to interrupt|ctrl\+c to interrupt|Running tool|…\s*\(\d+|\u00b7 \d+'
limit_re = 'usage limit|limit reached|(reached|hit) your .*limit'
waiting_re = 'Do you want to proceed|Would you like to proceed|Enter to (select|confirm)|Do you trust the files|Is this a project you created'
"#,
    },
    Preset {
        name: "codex",
        model: "",
        table: r#"[backend.codex]
bin = "codex"
flags = "--dangerously-bypass-approvals-and-sandbox"   # it works alone: nobody is there to say yes
prompt_delivery = "arg"
process_name = "codex"
submit_key = "Enter"
stall_idle = 300
active_re = 'esc to interrupt|Ctrl C to interrupt'
limit_re = 'hit your usage limit|usage limit reached|Plan limit reached'
waiting_re = 'Would you like to (run|make)|Press enter to (confirm|continue)|Do you trust the contents|Approval Required|enter to submit'
"#,
    },
    Preset {
        name: "opencode",
        model: "",
        table: r#"[backend.opencode]
bin = "opencode"
attach = "{bin} {dir}"
prompt_delivery = "ping"
connect_delay = 12
process_name = "opencode"
submit_key = "Enter"
stall_idle = 300
footer_ui = true
active_re = 'esc (to )?interrupt'
limit_re = 'usage limit|limit reached|(reached|hit) your .*limit'
waiting_re = 'Permission required|Allow once'
"#,
    },
    Preset {
        name: "gemini",
        model: "",
        table: r#"[backend.gemini]
bin = "gemini"
flags = "--yolo -i"   # it works alone: nobody is there to say yes; -i stays open after the first message
prompt_delivery = "arg"
process_name = "gemini"
submit_key = "Enter"
stall_idle = 300
active_re = 'esc to cancel'
limit_re = 'usage limit|limit reached|quota exceeded|(reached|hit) your .*limit'
waiting_re = 'Apply this change|Allow execution|Do you trust this folder'
"#,
    },
];
