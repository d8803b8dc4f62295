//! The keys of `[loop]` and what is below it: part of the key table.
use super::key::{
    Default::{Is, List as Those, None as Absent, Required, Words},
    Section,
    Type::*,
    key,
};

pub(super) static LOOP: Section = Section {
    header: "[loop]",
    doc: "",
    keys: &[
        key("phases", List(&PHASE), Those(&[]), "In this order."),
        key("state_file", Text, Is("phase-idx"), "Holds the index of the current phase; inside `<log_dir>/state`."),
        key("auto_advance", Bool, Is("true"), "Go on to the next phase when one is done."),
        key("done_marker", Text, Is("## DONE"), "A line that begins with this says that the phase is done."),
        key(
            "done_from",
            OpenWord(&["auto", "working-tree"]),
            Is("auto"),
            "Where the status file is read: `auto` (pushed branch if there is a remote), `working-tree`, or a ref such as `origin/main`.",
        ),
        key(
            "kickoff_template",
            Path,
            Absent,
            "Put before the role's prompt; with `{phase_id}`, `{plan}`, `{status}` and `{role}`.",
        ),
        key("roles_dir", Path, Is("prompts"), "Holds `<role>.md`."),
        key("resume_phase", Bool, Is("true"), "Kept for old files; the phase is always remembered."),
        key("handoff", Table(&HANDOFF), Absent, "Tells one agent of the other's commits."),
        key("on_complete", Table(&ON_COMPLETE), Absent, "What starts after the last phase."),
    ],
};

pub(super) static PHASE: Section = Section {
    header: "[[loop.phases]]",
    doc: "",
    keys: &[
        key("id", Text, Required, "Short name."),
        key("plan", Text, Absent, "Plan file, as told to the agents."),
        key("status", Text, Required, "Status file, in the repository's `state_subdir` or root."),
        key("models", TextMap, Absent, "Model by role."),
    ],
};

pub(super) static HANDOFF: Section = Section {
    header: "[loop.handoff]",
    doc: "",
    keys: &[
        key("repo", Path, Words("`project_dir`"), "Repository that is watched."),
        key("state_subdir", Text, Is("machine-docs"), "Folder of status files and inboxes in it."),
        key("claim_pattern", Regex, Is("^claim"), "Commit subject that asks for a review."),
        key("review_pattern", Regex, Is("^review"), "Commit subject that answers."),
        key("claim_pings", Text, Is("adversary"), "Agent that hears of a claim."),
        key("review_pings", Text, Is("builder"), "Agent that hears of a review."),
        key(
            "inboxes",
            Texts,
            Those(&[]),
            "Two files: a change of the first is told to `claim_pings`, of the second to `review_pings`.",
        ),
    ],
};

pub(super) static ON_COMPLETE: Section = Section {
    header: "[loop.on_complete]",
    doc: "",
    keys: &[
        key("run", Text, Absent, "Agent to start."),
        key("trigger_file", Text, Is(".run-on-complete"), "Only if this file exists in `log_dir`; it is removed."),
        key("always", Bool, Is("false"), "Start it without a trigger file."),
    ],
};
