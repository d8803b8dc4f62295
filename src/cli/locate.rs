//! Which config this line means.
use super::failure::Failure;
use std::path::{Path, PathBuf};

const FILE: &str = "agents.toml";

/// `--config`, else `AGENTS_CONFIG`, else `./agents.toml`, else the nearest one in a parent folder.
pub fn config(flag: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let named = flag.map(|p| ("--config", p)).or_else(|| {
        std::env::var_os("AGENTS_CONFIG").filter(|v| !v.is_empty()).map(|v| ("AGENTS_CONFIG", PathBuf::from(v)))
    });
    if let Some((source, path)) = named {
        return if path.is_dir() {
            Ok(path.join(FILE))
        } else if path.as_os_str().is_empty() {
            Err(Failure::new(2, format!("`{source}` is empty")))
        } else {
            Ok(path)
        };
    }
    let here =
        std::env::current_dir().map_err(|e| Failure::new(1, format!("the current directory cannot be read: {e}")))?;
    above(&here).ok_or_else(|| {
        Failure::new(3, format!("no `{FILE}` in `{}` or any folder above it", here.display()))
            .hint("`agents init` makes one, `--config PATH` names one")
    })
}

/// The same, for what also works without: `None` where no config is named and there is none here or above.
pub fn optional(flag: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    if flag.is_some() || std::env::var_os("AGENTS_CONFIG").is_some_and(|v| !v.is_empty()) {
        return config(flag).map(Some);
    }
    Ok(std::env::current_dir().ok().and_then(|here| above(&here)))
}

fn above(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|dir| dir.join(FILE)).find(|file| file.exists() && !file.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_one_above_counts() {
        let dir = tempfile::tempdir().expect("a directory");
        let deep = dir.path().join("a/b");
        std::fs::create_dir_all(&deep).expect("directories");
        std::fs::write(dir.path().join(FILE), "").expect("a file");
        assert_eq!(above(&deep), Some(dir.path().join(FILE)));
        std::fs::write(deep.join(FILE), "").expect("a file");
        assert_eq!(above(&deep), Some(deep.join(FILE)));
    }
}
