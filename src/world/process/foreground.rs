//! A child that has the terminal from its first instruction.
use rustix::termios::tcsetpgrp;
use std::{io, os::unix::process::CommandExt, process::Command};

/// Makes `command` run in a group of its own that is the foreground of the terminal at its stdin, if that is one: only
/// what runs in the foreground may read from it, and is what tmux's `pane_current_command` tells.
///
/// The child takes the terminal itself, before it becomes the program. tmux leaves SIGTTIN ignored, so a read from the
/// background is not put off: it fails, and an agent takes that for the end of its input.
pub fn in_the_foreground(command: &mut Command) -> &mut Command {
    let take_terminal = || {
        // SAFETY: changes this process's own disposition and gives the old one back.
        #[allow(unsafe_code, reason = "no library has a safe call for it")]
        let before = unsafe { libc::signal(libc::SIGTTOU, libc::SIG_IGN) };
        // Fails without a terminal (run by hand, or closed already: HUP says so too). The program runs all the same.
        let _ = tcsetpgrp(rustix::stdio::stdin(), rustix::process::getpid());
        // SAFETY: as above. A background process may take the terminal only while it ignores SIGTTOU.
        #[allow(unsafe_code, reason = "no library has a safe call for it")]
        unsafe {
            libc::signal(libc::SIGTTOU, before)
        };
        io::Result::Ok(())
    };
    // SAFETY: four system calls and nothing else between fork and exec.
    #[allow(unsafe_code, reason = "the libraries have no safe call for something to do between fork and exec")]
    unsafe {
        command.process_group(0).pre_exec(take_terminal)
    }
}
