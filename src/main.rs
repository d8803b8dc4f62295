fn main() -> std::process::ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    agents::shim::main(&words).or_else(|| agents::engine::supervisor::main(&words)).unwrap_or_else(agents::cli::main)
}
