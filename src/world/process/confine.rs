//! What a child may not do, nor anything that it starts: by Landlock, as far as the running kernel has it, and without
//! new privileges.
use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope,
};
use std::{io, path::PathBuf};

/// The newest version of Landlock that this was tested with: of a newer one, as much as this.
const NEWEST: i32 = 7;
/// The version that limits signals and abstract sockets.
const SCOPES: i32 = 6;

/// Which version of Landlock the running kernel enforces; 0: none.
pub fn landlock_version() -> i32 {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag it takes no pointer, makes nothing, and answers with a number.
    #[allow(unsafe_code, reason = "no library has a public call for it")]
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION) };
    i32::try_from(version).unwrap_or(0).clamp(0, NEWEST)
}

/// Where a confined process may write.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// All that can be done to files, in these folders and below them.
    pub folders: Vec<PathBuf>,
    /// Written to, and commanded if they are devices; a folder stands for all the files in it. Those that are not there
    /// are left out.
    pub files: Vec<PathBuf>,
}

/// Made once, entered by every child that it is for: each of them in a confinement of its own.
#[derive(Debug)]
pub struct Confinement {
    /// `None`: the kernel has no Landlock.
    rules: Option<RulesetCreated>,
}

impl Confinement {
    /// By all that this version of Landlock has: a kernel that has less of it is an error, and so is a folder that is not
    /// there.
    pub fn new(version: i32, room: &Room) -> io::Result<Confinement> {
        if version <= 0 {
            return Ok(Confinement { rules: None });
        }
        let abi = ABI::from(version.min(NEWEST));
        let all = AccessFs::from_write(abi);
        let file = all & AccessFs::from_file(abi);
        let mut rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        rules = rules.handle_access(all).map_err(io::Error::other)?;
        if version >= SCOPES {
            rules = rules.scope(Scope::from_all(abi)).map_err(io::Error::other)?;
        }
        let mut rules = rules.create().map_err(io::Error::other)?;
        for folder in &room.folders {
            let at = PathFd::new(folder).map_err(io::Error::other)?;
            rules = rules.add_rule(PathBeneath::new(at, all)).map_err(io::Error::other)?;
        }
        for path in &room.files {
            let Ok(at) = PathFd::new(path) else { continue };
            rules = rules.add_rule(PathBeneath::new(at, file)).map_err(io::Error::other)?;
        }
        Ok(Confinement { rules: Some(rules) })
    }

    pub fn try_clone(&self) -> io::Result<Confinement> {
        Ok(Confinement { rules: self.rules.as_ref().map(RulesetCreated::try_clone).transpose()? })
    }

    /// This process, and all that it starts from now on. For between fork and exec: system calls, and no memory is asked
    /// for unless they fail.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        rustix::thread::set_no_new_privs(true)?;
        match self.rules.take() {
            None => Ok(()),
            Some(rules) => rules.restrict_self().map(drop).map_err(|_| io::ErrorKind::PermissionDenied.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::process::{Limits, in_own_session};
    use std::process::Command;

    #[test]
    fn every_version_up_to_that_of_the_kernel_is_entered_and_holds() {
        let newest = landlock_version();
        if newest == 0 {
            eprintln!("skipped: this kernel has no Landlock");
        }
        for version in 0..=newest {
            let dir = tempfile::tempdir().unwrap();
            let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
            std::fs::create_dir(&inside).unwrap();
            let room = Room { folders: vec![inside.clone()], files: vec!["/dev/null".into(), "/not/there".into()] };
            let confinement = Some(Confinement::new(version, &room).unwrap());
            let mut command = Command::new("sh");
            command.arg("-c").arg("echo > /dev/null && echo > in/x && cat /etc/passwd > in/y && echo > out");
            command.current_dir(&dir);
            let ended = in_own_session(&mut command, Limits { confinement, ..Limits::default() }).status().unwrap();
            assert!(inside.join("y").exists(), "{version}");
            assert_eq!((ended.success(), outside.exists()), (version == 0, version == 0), "{version}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let room = Room { folders: vec!["/not/there".into()], ..Room::default() };
        assert_eq!(Confinement::new(landlock_version(), &room).is_err(), landlock_version() > 0);
    }
}
