//! The git revision of the sources, where they are a checkout of their own.

use std::path::Path;
use std::process::Command;

/// The abbreviated revision, with `-modified` after it where what the library is made of differs from it;
/// `None` outside a checkout or without git.
pub fn revision(root: &Path) -> Option<String> {
    // A .git further up belongs to somebody else, such as a distribution's packaging.
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
