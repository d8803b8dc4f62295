//! The real agent CLIs against a stand-in model service. See `--help`.
mod busy;
mod clis;
mod dialogs;
mod example;
mod home;
mod incident;
mod jobs;
mod long;
mod night;
mod prompts;
mod record;
mod report;
mod resumed;
mod sandbox;
mod scenes;
mod screen;
mod service;
mod session;
mod story;
mod sweep;
mod terminal;

use std::process::ExitCode;

const HELP: &str = "\
cargo test --test real [-- CLI…]          play the stories and the incidents
cargo test --test real -- [CLI…] stories  only these; likewise `incidents`, `dialogs`, or the name of one
cargo test --test real -- night [MINUTES [SEED]]
                                          all four in one fleet, incidents at random; prints the morning's report
cargo test --test real -- long [CLI…] [INCIDENT…]
                                          every incident, one after the other, each with its time to be back at work
cargo test --test real -- busy [CLI…]     prompts while the machine has no time: each is to come once
cargo test --test real -- jobs [CLI…]     prompts as jobs: phases, a tool, an error, a cancel and its resume
cargo test --test real -- record [--size COLSxROWS|all] [--colors 256] [CLI…|CLI/SCENE…]
                                          take the screens under tests/panes again (see the README there)
cargo test --test real -- record --version V [--size S] CLI…   with another version of a CLI
cargo test --test real -- serve PORT      the stand-in model service, for use by hand
cargo test --test real -- env CLI PORT HOME PROJECT   furnish a home and print what to export";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["record", names @ ..] => record::record(names),
        ["long", names @ ..] => long::play(names),
        ["busy", names @ ..] => busy::play(names),
        ["jobs", names @ ..] => jobs::play(names),
        ["night", numbers @ ..] => night::play(numbers),
        ["serve", port] => serve(port),
        ["env", cli, port, home, project] => print_env(cli, port, home, project),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        names => report::run(&names.iter().copied().filter(|n| !n.starts_with('-')).collect::<Vec<_>>()),
    }
}

fn serve(port: &str) -> ExitCode {
    match port
        .parse()
        .map_err(|e| format!("{e}"))
        .and_then(|p| service::Service::start_on(p).map_err(|e| e.to_string()))
    {
        Ok(service) => {
            println!("{}", service.url());
            loop {
                std::thread::park();
            }
        }
        Err(e) => {
            eprintln!("error: cannot serve on port `{port}`: {e}");
            ExitCode::FAILURE
        }
    }
}

fn print_env(cli: &str, port: &str, home: &str, project: &str) -> ExitCode {
    let Some(cli) = clis::CLIS.iter().find(|c| c.name == cli) else {
        eprintln!("error: unknown CLI `{cli}`");
        return ExitCode::FAILURE;
    };
    let env = clis::install().map_err(|trouble| format!("{trouble:?}")).and_then(|installed| {
        let url = format!("http://127.0.0.1:{port}");
        home::furnish(cli, &installed, home.as_ref(), &url, project.as_ref(), home::Welcome::Done)
            .map_err(|e| e.to_string())
    });
    match env {
        Ok(env) => {
            env.iter().for_each(|(k, v)| println!("export {k}='{v}'"));
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}
