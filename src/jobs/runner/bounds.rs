//! What a job is held in by: made before its first step, told in its log and its row, and given to every process of it.
//! A job for which nothing was asked pays nothing.
use crate::{
    jobs::fences::{self, DEVICES, Place, SHARED},
    model::{
        bounds::Bounds,
        job::{JobId, JobSpec},
    },
    store::jobs::{Claimed, JobStore},
    world::{
        cgroup::{Cgroup, Wanted},
        process::{Confinement, Limits, ProcId, Room, is_our_own_master, landlock_version},
    },
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    rc::Rc,
};

/// What is left of it for whoever looks after the job.
#[derive(Debug, Default)]
pub struct Held {
    confinement: Option<Confinement>,
    pub group: Option<Rc<Group>>,
    /// Bytes of address space, for each process.
    mem: Option<u64>,
    /// More processes than this at the same time, and the job is ended.
    pub most: Option<u32>,
}

impl Held {
    /// For one process.
    pub fn limits(&self, nice: Option<i32>) -> io::Result<Limits> {
        Ok(Limits {
            changes: None,
            nice,
            mem: self.mem,
            group: self.group.as_ref().map(|group| group.0.door()).transpose()?,
            confinement: self.confinement.as_ref().map(Confinement::try_clone).transpose()?,
        })
    }
}

/// The control group of one job.
#[derive(Debug)]
pub struct Group(Cgroup);

impl Group {
    /// That of a job whose runner is gone, if one of these processes is in it.
    pub fn of(id: JobId, members: &[ProcId]) -> Option<Group> {
        members.iter().find_map(|member| Cgroup::of(member.pid, &id.to_string())).map(Group)
    }

    /// All of it. A runner that the job started, and with it the jobs of that one, are other people's: then none.
    pub fn members(&self) -> Vec<ProcId> {
        let members = self.0.members();
        if members.iter().any(|pid| is_our_own_master(*pid)) {
            return Vec::new();
        }
        members.into_iter().filter_map(ProcId::of).collect()
    }

    /// KILL for all at once, as far as they are ours alone.
    pub fn kill(&self) {
        if !self.members().is_empty() {
            self.0.kill();
        }
    }

    pub fn ran_out_of_memory(&self) -> bool {
        self.0.ran_out_of_memory()
    }

    pub fn remove(&self) {
        self.0.remove();
    }
}

/// `dir`: where it runs. `Err`: why it cannot be held.
pub fn hold(store: &mut JobStore, claimed: &Claimed, dir: &Path, mut log: &File) -> Result<Held, String> {
    let (job, spec) = (&claimed.job, &claimed.job.spec);
    let mut held = Held::default();
    if !spec.sandbox && spec.mem.is_none() && spec.procs.is_none() {
        return Ok(held);
    }
    let mut bounds = Bounds::default();
    if spec.sandbox {
        let room = room(dir, &claimed.env, &job.log).map_err(|e| format!("its folder cannot be looked at: {e}"))?;
        let version = landlock_version();
        let confinement = Confinement::new(version, &room).map_err(|e| format!("its sandbox cannot be made: {e}"))?;
        held.confinement = Some(confinement);
        let store = store.dir().canonicalize().unwrap_or_else(|_| store.dir().to_owned());
        let root = rustix::process::geteuid().is_root();
        bounds = fences::told(version, &Place { folders: room.folders, store, root });
    }
    let header = bounds.header();
    if job.bounds.as_ref().map(Bounds::header).unwrap_or_default() != header {
        log.write_all(header.as_bytes()).map_err(|e| format!("its log cannot be written: {e}"))?;
    }
    limit(&mut held, &mut bounds, spec, job.id);
    // Who looks on waits for this, or for the job's end.
    let _ = store.set_bounds(job.id, claimed.epoch, &bounds);
    Ok(held)
}

fn limit(held: &mut Held, bounds: &mut Bounds, spec: &JobSpec, id: JobId) {
    let wanted = Wanted { memory: spec.mem, pids: spec.procs };
    let counts = Cgroup::make(&id.to_string(), wanted);
    let counted = counts.is_some();
    held.group = counts.or_else(|| Cgroup::make(&id.to_string(), Wanted::default())).map(|group| Rc::new(Group(group)));
    if !counted {
        (held.mem, held.most) = (spec.mem, spec.procs);
    }
    bounds.limits.extend(spec.mem.map(|bytes| {
        let how = if counted { "for all its processes together" } else { "of address space for each process" };
        format!("memory: {} MB {how}", bytes / 1_000_000)
    }));
    bounds.limits.extend(spec.procs.map(|most| {
        let how = if counted {
            "at the same time, threads counted"
        } else {
            "counted ten times a second: with more it is ended"
        };
        format!("processes: {most}, {how}")
    }));
}

/// As `--mem` was told, for a job that the kernel ended.
pub fn out_of_memory(spec: &JobSpec) -> String {
    let limit = spec.mem.map(|bytes| format!(" than {} MB", bytes / 1_000_000)).unwrap_or_default();
    format!("it wanted more memory{limit}, and the kernel ended it")
}

fn room(dir: &Path, env: &[(OsString, OsString)], log: &Path) -> io::Result<Room> {
    let mut folders = vec![dir.canonicalize()?];
    for other in [temporary(env), SHARED.into()] {
        let other = other.canonicalize().ok().filter(|folder| folder.is_dir() && !folders.contains(folder));
        folders.extend(other);
    }
    let files = DEVICES.iter().map(PathBuf::from).chain([log.to_owned()]).collect();
    Ok(Room { folders, files })
}

/// As programs find it.
fn temporary(env: &[(OsString, OsString)]) -> PathBuf {
    let given = env.iter().rev().find(|(name, _)| name == OsStr::new("TMPDIR")).map(|(_, value)| PathBuf::from(value));
    given.filter(|dir| dir.is_absolute() && dir.is_dir()).unwrap_or_else(|| "/tmp".into())
}
