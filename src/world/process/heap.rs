//! What a process that lives for weeks keeps of memory that it needed for a moment.

/// Large pieces are given back to the system as soon as they are not needed any more, and stay so.
///
/// Without it the C library takes the first large piece that is freed (a list of all sessions, a written decision) for
/// the usual size, and keeps as much at hand for ever: 1.3 MB with 200 agents. Does nothing with another C library.
pub fn give_back_large_pieces() {
    #[cfg(target_env = "gnu")]
    for setting in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        const LARGE: i32 = 128 * 1024;
        // SAFETY: it sets a number under the library's own lock.
        #[allow(unsafe_code, reason = "no library has a safe call for it")]
        unsafe {
            libc::mallopt(setting, LARGE);
        }
    }
}
