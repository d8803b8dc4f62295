//! The hands and eyes: the only room that touches tmux, git, processes and the clock.
pub mod cgroup;
pub mod clock;
pub mod file;
pub mod git;
pub mod machine;
pub mod mishap;
pub mod process;
pub mod tmux;
pub mod zones;
