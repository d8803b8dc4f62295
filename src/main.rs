use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(code) = agents::shim::main(&words) {
        return code;
    }
    eprintln!("error: no verbs yet");
    ExitCode::from(2)
}
