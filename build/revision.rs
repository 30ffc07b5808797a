//! The git revision of the sources, if they are the root of a checkout.

use std::path::Path;
use std::process::Command;

/// The abbreviated revision, with `-modified` appended if the sources of the library differ from
/// it; `None` outside a checkout or without git.
pub fn revision(root: &Path) -> Option<String> {
    // A .git in a parent directory is another repository, such as a distribution's packaging.
    if !root.join(".git").exists() {
        return None;
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(root)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_string())
    };
    let revision = git(&["rev-parse", "--short=12", "HEAD"])?;
    let sources = ["src", "build", "build.rs", "Cargo.toml", "Cargo.lock"];
    let changes = git(&[&["status", "--porcelain", "--"], &sources[..]].concat())?;
    Some(if changes.is_empty() {
        revision
    } else {
        format!("{revision}-modified")
    })
}
