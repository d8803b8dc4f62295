fn main() -> std::process::ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let hidden = agents::shim::main(&words).or_else(|| agents::engine::guardian::main(&words));
    hidden.or_else(|| agents::engine::supervisor::main(&words)).unwrap_or_else(agents::cli::main)
}
