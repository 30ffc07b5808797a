//! One source file as tokens: the modules and items that it declares, and the paths that it mentions. Tests within it are left out.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{HashMap, HashSet};

/// A path as it is written, such as `crate::park::Waiter`.
pub struct Mention {
    /// Its names, the first of which may be `crate`, `self` or `super`.
    pub path: Vec<String>,
    /// The line of its first name, from 1.
    pub line: usize,
}

/// What one module declares and mentions. Modules written inline count as a part of the file that they are in.
#[derive(Default)]
pub struct Source {
    /// Modules with a file of their own, and the files that attributes name for them.
    pub modules: Vec<(String, Vec<String>)>,
    /// Names of items that are defined here by a keyword.
    pub items: HashSet<String>,
    /// Names that a `use` brings here, with the path of each.
    pub bindings: HashMap<String, Vec<String>>,
    /// Paths of `use` declarations that end in `*`.
    pub globs: Vec<Vec<String>>,
    /// Every path of two names or more, those of `use` declarations among them.
    pub mentions: Vec<Mention>,
}

const DEFINING: [&str; 9] = [
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "const",
    "static",
    "type",
    "macro_rules",
];

/// Reads the text of a file.
///
/// # Panics
/// The text is no Rust.
pub fn read(text: &str) -> Source {
    let tokens: TokenStream = text.parse().expect("a source file that the compiler takes");
    let mut source = Source::default();
    scan(&tokens.into_iter().collect::<Vec<_>>(), 0, &mut source);
    source
}

fn identifier(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    }
}

fn is(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Whether `::` is at `at`.
fn colons(tokens: &[TokenTree], at: usize) -> bool {
    is(tokens.get(at), ':') && is(tokens.get(at + 1), ':')
}

/// Whether an attribute's contents leave the item after it to tests.
fn is_test(attribute: &TokenStream) -> bool {
    let text: String = attribute.to_string().split_whitespace().collect();
    text == "test"
        || (text.starts_with("cfg(") && !text.contains("not(test)") && {
            let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            words.into_iter().any(|word| word == "test")
        })
}

/// Reads tokens at a depth of nested groups, which is 0 for the file itself.
fn scan(tokens: &[TokenTree], depth: usize, source: &mut Source) {
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                at += 1 + usize::from(is(tokens.get(at + 1), '!'));
                if let Some(TokenTree::Group(group)) = tokens.get(at) {
                    at += 1;
                    if is_test(&group.stream()) {
                        at = after_item(tokens, at);
                    }
                }
            }
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                scan(&inner, depth + 1, source);
                at += 1;
            }
            TokenTree::Ident(name) => at = word(tokens, at, &name.to_string(), depth, source),
            _ => at += 1,
        }
    }
}

/// Reads what begins with the word at `at`; returns where to go on.
fn word(tokens: &[TokenTree], at: usize, name: &str, depth: usize, source: &mut Source) -> usize {
    if name == "use" {
        return tree(tokens, at + 1, &[], true, source);
    }
    if name == "mod" && is(tokens.get(at + 2), ';') {
        let name = identifier(tokens.get(at + 1));
        let files = named_files(tokens, at);
        source.modules.extend(name.map(|name| (name, files)));
        return at + 3;
    }
    if depth == 0 && DEFINING.contains(&name) {
        // `macro_rules! name`: the sign stands in between.
        let place = at + 1 + usize::from(is(tokens.get(at + 1), '!'));
        source.items.extend(identifier(tokens.get(place)));
        return place;
    }
    let follows_path = at >= 2 && colons(tokens, at - 2);
    if colons(tokens, at + 1) && !follows_path {
        return tree(tokens, at, &[], false, source);
    }
    at + 1
}

/// Reads a path, or in a `use` a tree of them, behind the names of `prefix`; returns where to go on.
fn tree(
    tokens: &[TokenTree],
    mut at: usize,
    prefix: &[String],
    binds: bool,
    source: &mut Source,
) -> usize {
    let mut path = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.span().start().line);
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(name)) => path.push(name.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace && binds => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let mut place = 0;
                while place < inner.len() {
                    place = 1 + tree(&inner, place, &path, true, source);
                }
                return at + 1;
            }
            Some(TokenTree::Punct(sign)) if sign.as_char() == '*' && binds => {
                source.mentions.push(Mention {
                    path: path.clone(),
                    line,
                });
                source.globs.push(path);
                return at + 1;
            }
            _ => return at + 1,
        }
        at += 1;
        if !colons(tokens, at) || !(binds || identifier(tokens.get(at + 2)).is_some()) {
            break;
        }
        at += 2;
    }
    if path.last().is_some_and(|name| name == "self") && path.len() > 1 {
        path.pop();
    }
    if binds {
        let renamed = identifier(tokens.get(at)).filter(|word| word == "as");
        let name = match renamed {
            Some(_) => {
                at += 2;
                identifier(tokens.get(at - 1))
            }
            None => path.last().cloned(),
        };
        source
            .bindings
            .extend(name.map(|name| (name, path.clone())));
    }
    source.mentions.push(Mention { path, line });
    at
}

/// The files that `path = "..."` names in the attributes that end at `at`.
fn named_files(tokens: &[TokenTree], at: usize) -> Vec<String> {
    let mut files = Vec::new();
    let mut at = at;
    while at >= 2 && is(tokens.get(at - 2), '#') {
        let text = tokens[at - 1].to_string();
        let named = text.split("path = \"").skip(1);
        files.extend(
            named
                .filter_map(|rest| rest.split('"').next())
                .map(str::to_string),
        );
        at -= 2;
    }
    files
}

/// Where the item that begins at `at` has ended: behind its `;` or its block.
fn after_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(sign) if sign.as_char() == ';' => break,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            _ => {}
        }
    }
    at
}
