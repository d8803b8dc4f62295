//! The keys of `[jobs]` and `[store]`: part of the key table.
use super::key::{
    Default::{Is, Words},
    Section,
    Type::*,
    key,
};

pub(super) static JOBS: Section = Section {
    header: "[jobs]",
    doc: "Jobs (`agents run`) of this project. Elsewhere the defaults hold.",
    keys: &[
        key(
            "slots",
            Count,
            Words("the number of cores, at least 4"),
            "Jobs of the group `default` that run at the same time; `agents jobs limit` changes it for any group.",
        ),
        key("step_timeout", Duration, Is("120"), "Time limit of a step of a job file that names none; 0: none."),
        key("keep_dirs", Whole, Is("20"), "Newest folders below `jobs/` that are kept."),
        key(
            "keep_finished",
            Whole,
            Is("1000"),
            "Newest jobs that are done or skipped which are kept, and all of the last minute; 0: gone at once.",
        ),
        key(
            "keep_unfinished",
            Whole,
            Is("10"),
            "Newest failed, timed out, cancelled and interrupted jobs which are kept; 0: gone at once.",
        ),
        key("stop_grace", Duration, Is("10"), "Time between TERM and KILL, when a job is ended."),
        key("log_cap", Size, Is("100MB"), "Most that the log of one job may take."),
    ],
};

pub(super) static STORE: Section = Section {
    header: "[store]",
    doc: "",
    keys: &[key(
        "durability",
        Word(&["full", "normal"]),
        Is("full"),
        "`full`: a job that was submitted survives a power cut; `normal`: any crash of a program, and submitting is faster.",
    )],
};
