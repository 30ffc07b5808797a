//! Links of the documentation: those between pages, and those from comments and programs to pages,
//! lead to a file and, behind `#`, to a heading of it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories in which nothing is looked for.
const OUTSIDE: [&str; 3] = ["target", ".git", "vendor"];

/// Endings of the files that are read.
const READ: [&str; 9] = ["md", "rs", "lua", "h", "c", "toml", "rockspec", "sh", ""];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the repository that are text.
fn files(directory: &Path, list: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !OUTSIDE.contains(&&*name) {
                files(&path, list);
            }
        } else if READ.contains(
            &path
                .extension()
                .map_or("", |ending| ending.to_str().unwrap_or("?")),
        ) {
            list.push(path);
        }
    }
}

/// The anchors of a page, as web sites make them from headings.
fn anchors(text: &str) -> HashSet<String> {
    let mut fenced = false;
    let mut anchors = HashSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let letters = heading.trim().to_lowercase();
        let kept = letters
            .chars()
            .filter(|&letter| letter.is_alphanumeric() || "-_ ".contains(letter));
        anchors.insert(
            kept.map(|letter| if letter == ' ' { '-' } else { letter })
                .collect(),
        );
    }
    anchors
}

/// The targets of the links `[text](target)` of a page, those in code left out.
fn page_links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second piece stands between backquotes; a link's text may be code, its target may
        // not.
        let prose: Vec<&str> = line.split('`').step_by(2).collect();
        for rest in prose.join("").split("](").skip(1) {
            links.extend(rest.split(')').next().map(str::to_string));
        }
    }
    links
}

/// Pages of `docs/` that a text names by their path from the root.
fn named_pages(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for rest in text.split("docs/").skip(1) {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_./#".contains(letter);
        let end = rest.find(|letter| !allowed(letter)).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches('.');
        if name.contains(".md") {
            links.push(format!("docs/{name}"));
        }
    }
    links
}

/// Why a link from a directory leads nowhere, if so.
fn broken(directory: &Path, link: &str) -> Option<String> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = directory.join(file);
    if !path.exists() {
        return Some(format!("{link}: there is no such file"));
    }
    if anchor.is_empty() || path.is_dir() {
        return None;
    }
    let text = fs::read_to_string(&path).expect("a page");
    let missing = !anchors(&text).contains(anchor);
    missing.then(|| format!("{link}: {file} has no such heading"))
}

#[test]
fn links_lead_somewhere() {
    let mut list = Vec::new();
    files(root(), &mut list);
    let (mut count, mut wrong) = (0, Vec::new());
    for path in list {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let shown = path.strip_prefix(root()).unwrap_or(&path).display();
        if path.extension().is_some_and(|ending| ending == "md") {
            for link in page_links(&text) {
                if link.contains("://") || link.starts_with("mailto:") {
                    continue;
                }
                count += 1;
                let (directory, link) = match link.strip_prefix('#') {
                    Some(_) => (root(), format!("{shown}{link}")),
                    None => (path.parent().unwrap_or(root()), link),
                };
                wrong.extend(broken(directory, &link).map(|why| format!("{shown}: {why}")));
            }
        } else if !path.ends_with("tests/links.rs") {
            for link in named_pages(&text) {
                count += 1;
                wrong.extend(broken(root(), &link).map(|why| format!("{shown}: {why}")));
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn headings_and_links_are_read_as_sites_read_them() {
    let page = "# The `page`\n## `lanes.sleep([seconds])`\n```\n# no heading\n```\n";
    assert_eq!(
        anchors(page),
        HashSet::from(["the-page".to_string(), "lanessleepseconds".to_string()])
    );
    assert_eq!(
        page_links("a [b](c.md) `[d](e)` [`f`](g.md#h)"),
        ["c.md", "g.md#h"]
    );
    assert_eq!(
        named_pages("see docs/x.md#y-z. And docs/manual/."),
        ["docs/x.md#y-z"]
    );
}
