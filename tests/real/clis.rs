//! The real agent CLIs: which versions, how they are installed, and the settings under which they run here.
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// One CLI. The versions are moved by hand: after a move run `cargo test --test real -- record`, look at what changed
/// under `tests/panes/`, and adjust the patterns in `agents.example.toml`.
#[derive(Debug, PartialEq, Eq)]
pub struct Cli {
    /// Name of the program and of its backend in `agents.example.toml`.
    pub name: &'static str,
    pub package: &'static str,
    pub version: &'static str,
    /// What to ask for as `model`; the stand-in service takes any.
    pub model: &'static str,
}

pub const CLIS: [Cli; 4] = [
    Cli { name: "claude", package: "@anthropic-ai/claude-code", version: "2.1.197", model: "claude-sonnet-4-6" },
    Cli { name: "codex", package: "@openai/codex", version: "0.169.0", model: "stub" },
    Cli { name: "opencode", package: "opencode-ai", version: "1.18.33", model: "stub/stub" },
    Cli { name: "gemini", package: "@google/gemini-cli", version: "0.61.0", model: "gemini-2.5-flash" },
];

/// The oldest Node that all four run on.
const NODE_MAJOR: u32 = 20;

/// Where the programs are.
pub struct Installed {
    /// Goes in front of `PATH`.
    pub bin_dirs: Vec<PathBuf>,
    /// `XDG_CONFIG_HOME` for OpenCode: on its first start it installs a package of its own there, which takes minutes
    /// on a slow line, so all its runs share one.
    pub opencode_config: PathBuf,
}

impl Installed {
    /// `PATH` under which the CLIs are found.
    pub fn path(&self) -> String {
        path_with(&self.bin_dirs)
    }
}

/// Why nothing can be run, in words for people.
#[derive(Debug)]
pub enum Trouble {
    /// This machine lacks something, or npm cannot be reached: nobody's fault, the cases are skipped.
    Lacking(String),
    /// npm answered, and what is asked of it is wrong.
    Wrong(String),
}

/// What npm says when it got no answer from its registry.
const UNREACHABLE: [&str; 9] = [
    "ECONNREFUSED",
    "ECONNRESET",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ERR_SOCKET_TIMEOUT",
    "E503",
];

/// Installs what is missing.
pub fn install() -> Result<Installed, Trouble> {
    let root = cache_dir();
    let node_dir = find_node(&root)?;
    let missing: Vec<&Cli> =
        CLIS.iter().filter(|c| installed_version(&root, c).as_deref() != Some(c.version)).collect();
    if !missing.is_empty() {
        let wanted: Vec<String> = missing.iter().map(|c| format!("{}@{}", c.package, c.version)).collect();
        println!("installing {} from npm", wanted.join(" "));
        npm_install(&root, node_dir.as_deref(), &wanted)?;
    }
    let opencode_config = root.join("opencode-config");
    let plugin = format!("@opencode-ai/plugin@{}", CLIS[2].version);
    if !opencode_config.join("opencode/node_modules/@opencode-ai/plugin").exists() {
        println!("installing {plugin} from npm");
        npm_install(&opencode_config.join("opencode"), node_dir.as_deref(), &[plugin])?;
    }
    let bin_dirs = node_dir.into_iter().chain([root.join("node_modules/.bin")]).collect();
    Ok(Installed { bin_dirs, opencode_config })
}

/// Another version of one CLI, in a folder of its own: `installed` stays as it is.
pub fn install_version(cli: &Cli, version: &str, installed: &Installed) -> Result<Installed, Trouble> {
    let root = cache_dir().join("versions").join(format!("{}-{version}", cli.name));
    let node_dir = find_node(&cache_dir())?;
    if installed_version(&root, cli).as_deref() != Some(version) {
        let wanted = format!("{}@{version}", cli.package);
        println!("installing {wanted} from npm");
        npm_install(&root, node_dir.as_deref(), &[wanted])?;
    }
    let bin_dirs = node_dir.into_iter().chain([root.join("node_modules/.bin")]).collect();
    Ok(Installed { bin_dirs, opencode_config: installed.opencode_config.clone() })
}

/// `AGENTS_REAL_CLIS`, else a folder in the build directory.
fn cache_dir() -> PathBuf {
    match std::env::var_os("AGENTS_REAL_CLIS") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target")).join("real-clis"),
    }
}

fn installed_version(root: &Path, cli: &Cli) -> Option<String> {
    root.join("node_modules/.bin").join(cli.name).exists().then_some(())?;
    let text = fs::read_to_string(root.join("node_modules").join(cli.package).join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_str(&text).ok()?;
    package.get("version")?.as_str().map(str::to_owned)
}

/// A Node that is new enough: on `PATH` (`None`), or set up by us (its folder). Tried in this order: what is there,
/// the distribution's package, the npm package `node`.
fn find_node(root: &Path) -> Result<Option<PathBuf>, Trouble> {
    if node_major("node") >= Some(NODE_MAJOR) && works("npm", &["--version"]) {
        return Ok(None);
    }
    let own = root.join("node_modules/node/bin");
    if node_major(own.join("node")) >= Some(NODE_MAJOR) {
        return Ok(Some(own));
    }
    if !works("npm", &["--version"]) && works("apt-get", &["--version"]) && rustix::process::getuid().is_root() {
        println!("installing nodejs and npm with apt-get");
        let _ = quiet(Command::new("apt-get").args(["install", "-y", "--no-install-recommends", "nodejs", "npm"]));
        if node_major("node") >= Some(NODE_MAJOR) {
            return Ok(None);
        }
    }
    if !works("npm", &["--version"]) {
        let why = format!("no Node {NODE_MAJOR} or newer with npm on PATH, and it could not be set up");
        return Err(Trouble::Lacking(why));
    }
    println!("installing Node from npm: the one on PATH is too old or missing");
    npm_install(root, None, &["node@22".to_owned()])?;
    match node_major(own.join("node")) {
        Some(major) if major >= NODE_MAJOR => Ok(Some(own)),
        _ => Err(Trouble::Lacking(format!("no Node {NODE_MAJOR} or newer on PATH, nor from the npm package `node`"))),
    }
}

fn node_major(node: impl AsRef<Path>) -> Option<u32> {
    let out = Command::new(node.as_ref()).arg("--version").stderr(Stdio::null()).output().ok()?;
    String::from_utf8(out.stdout).ok()?.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn works(program: &str, args: &[&str]) -> bool {
    quiet(Command::new(program).args(args)).is_ok_and(|ok| ok)
}

fn quiet(command: &mut Command) -> io::Result<bool> {
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success())
}

fn npm_install(root: &Path, node_dir: Option<&Path>, packages: &[String]) -> Result<(), Trouble> {
    fs::create_dir_all(root).map_err(|e| Trouble::Lacking(format!("cannot make `{}`: {e}", root.display())))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-fund", "--no-audit", "--save-exact", "--fetch-retries=1", "--fetch-timeout=60000"])
        .arg("--prefix")
        .arg(root)
        .args(packages)
        .stdin(Stdio::null());
    if let Some(dir) = node_dir {
        npm.env("PATH", path_with(&[dir.to_owned()]));
    }
    let out = npm.output().map_err(|e| Trouble::Lacking(format!("npm cannot be run: {e}")))?;
    if out.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&out.stderr);
    let reason = said.lines().find_map(|l| l.strip_prefix("npm error code ")).unwrap_or("no reason given").trim();
    Err(match UNREACHABLE.contains(&reason) {
        true => Trouble::Lacking(format!("npm cannot be reached ({reason})")),
        false => Trouble::Wrong(format!("npm install failed: {}", said.trim())),
    })
}

/// `PATH` with these folders in front.
fn path_with(dirs: &[PathBuf]) -> String {
    let old = std::env::var("PATH").unwrap_or_default();
    dirs.iter().map(|d| d.display().to_string()).chain([old]).collect::<Vec<_>>().join(":")
}
