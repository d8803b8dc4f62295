//! A home of its own for each run of a CLI: settings that skip first-run dialogs and updates, ask before a shell
//! command is run, and send every request to the stand-in service.
use crate::clis::{Cli, Installed};
use serde_json::json;
use std::{fs, io, path::Path, process::Command};

/// How much the CLI may find already answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// The first-run questions (theme, trust) are answered.
    Done,
    /// Everything is new: the CLI asks before it starts.
    FirstRun,
    /// A newer version is known, and the CLI may say so.
    Update,
    /// As `Done`, but with a plan instead of an API key, where the CLI shows the difference.
    Plan,
}

/// Nothing of the harness's own environment reaches a CLI but the way to programs: with `CI=true` Gemini takes itself
/// for headless and ends (55) in a folder that nobody trusted yet, where for a person it would ask.
pub fn neutral(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("TERM", "xterm-256color").env("LANG", "C.UTF-8")
}

/// Writes the settings under `home` and returns the environment that belongs to them.
pub fn furnish(
    cli: &Cli,
    installed: &Installed,
    home: &Path,
    url: &str,
    project: &Path,
    welcome: Welcome,
) -> io::Result<Vec<(String, String)>> {
    fs::create_dir_all(home)?;
    let mut env = match cli.name {
        "claude" => claude(home, url, project, welcome)?,
        "codex" => codex(home, url, project, welcome)?,
        "opencode" => opencode(installed, home, url)?,
        "gemini" => gemini(home, url, welcome)?,
        other => return Err(io::Error::other(format!("no settings known for `{other}`"))),
    };
    env.push(("PATH", installed.path()));
    env.push(("HOME", home.display().to_string()));
    for (name, folder) in
        [("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share"), ("XDG_CACHE_HOME", ".cache")]
    {
        if !env.iter().any(|(known, _)| *known == name) {
            env.push((name, home.join(folder).display().to_string()));
        }
    }
    env.push(("COLORTERM", "truecolor".into()));
    Ok(env.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

type Env = Vec<(&'static str, String)>;

fn claude(home: &Path, url: &str, project: &Path, welcome: Welcome) -> io::Result<Env> {
    if welcome != Welcome::FirstRun {
        let settings = json!({"hasCompletedOnboarding": true, "theme": "dark", "bypassPermissionsModeAccepted": true,
            "projects": {project.display().to_string(): {"hasTrustDialogAccepted": true, "allowedTools": []}}});
        fs::write(home.join(".claude.json"), settings.to_string())?;
    }
    Ok(vec![
        ("ANTHROPIC_BASE_URL", url.into()),
        match welcome {
            Welcome::Plan => ("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-stand-in".into()),
            _ => ("ANTHROPIC_AUTH_TOKEN", "stand-in".into()),
        },
        ("DISABLE_AUTOUPDATER", "1".into()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".into()),
        // It refuses to skip permissions as root outside a sandbox; this is one.
        ("IS_SANDBOX", "1".into()),
    ])
}

fn codex(home: &Path, url: &str, project: &Path, welcome: Welcome) -> io::Result<Env> {
    let folder = home.join(".codex");
    fs::create_dir_all(&folder)?;
    let mut settings = format!(
        "model = \"stub\"\nmodel_provider = \"stand-in\"\ncheck_for_update_on_startup = {}\n",
        welcome == Welcome::Update
    );
    if welcome != Welcome::FirstRun {
        settings.push_str("approval_policy = \"on-request\"\nsandbox_mode = \"read-only\"\n");
        settings.push_str(&format!("[projects.\"{}\"]\ntrust_level = \"trusted\"\n", project.display()));
    }
    settings.push_str(&format!(
        "[model_providers.stand-in]\nname = \"stand-in\"\nbase_url = \"{url}/v1\"\nwire_api = \"responses\"\nenv_key = \"STAND_IN_KEY\"\n"
    ));
    fs::write(folder.join("config.toml"), settings)?;
    if welcome == Welcome::Update {
        let seen =
            json!({"latest_version": "99.0.0", "last_checked_at": "2099-01-01T00:00:00Z", "dismissed_version": null});
        fs::write(folder.join("version.json"), seen.to_string())?;
    }
    Ok(vec![("STAND_IN_KEY", "x".into())])
}

fn opencode(installed: &Installed, home: &Path, url: &str) -> io::Result<Env> {
    let provider = json!({"npm": "@ai-sdk/openai-compatible", "name": "Stub", "options": {"baseURL": format!("{url}/v1"), "apiKey": "x"},
        "models": {"stub": {"name": "Stub", "tool_call": true}, "other": {"name": "Other", "tool_call": true}}});
    let settings = json!({"$schema": "https://opencode.ai/config.json", "model": "stub/stub", "small_model": "stub/stub",
        "autoupdate": false, "snapshot": false, "share": "disabled", "permission": {"bash": "ask"}, "provider": {"stub": provider}});
    let file = home.join("opencode.json");
    fs::write(&file, settings.to_string())?;
    Ok(vec![
        ("OPENCODE_CONFIG", file.display().to_string()),
        ("XDG_CONFIG_HOME", installed.opencode_config.display().to_string()),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1".into()),
        ("OPENCODE_DISABLE_AUTOUPDATE", "1".into()),
    ])
}

fn gemini(home: &Path, url: &str, welcome: Welcome) -> io::Result<Env> {
    let folder = home.join(".gemini");
    fs::create_dir_all(&folder)?;
    let settings = json!({"security": {"auth": {"selectedType": "gemini-api-key"},
            "folderTrust": {"enabled": welcome == Welcome::FirstRun}},
        "general": {"enableAutoUpdate": false, "enableAutoUpdateNotification": false},
        "privacy": {"usageStatisticsEnabled": false}});
    fs::write(folder.join("settings.json"), settings.to_string())?;
    Ok(vec![("GEMINI_API_KEY", "x".into()), ("GOOGLE_GEMINI_BASE_URL", url.into())])
}
