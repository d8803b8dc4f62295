fn main() -> std::process::ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    agents::world::process::signals::outlive_file_limit();
    agents::world::process::signals::wait_for_children();
    // First of all: an agent waits for it.
    let hook = agents::cli::hook_event::main(&words);
    let hidden = hook.or_else(|| agents::shim::main(&words)).or_else(|| agents::jobs::runner::main(&words));
    let hidden = hidden.or_else(|| agents::jobs::pane::main(&words)).or_else(|| agents::cli::window::main(&words));
    let hidden = hidden.or_else(|| agents::engine::guardian::main(&words));
    hidden.or_else(|| agents::engine::supervisor::main(&words)).unwrap_or_else(agents::cli::main)
}
