//! The files of a crate as modules, and which file a path leads to, through every `use` on the way.

use crate::source::{self, Source};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How many `use` declarations one path may lead through: more than that is a circle of them.
const STEPS: usize = 32;

/// One file.
pub struct Room {
    /// Its path, from the root of the repository, with `/`.
    pub file: String,
    pub source: Source,
    parent: Option<usize>,
    children: HashMap<String, usize>,
}

/// All files of the crates, and the name by which each crate is mentioned in others.
pub struct House {
    pub rooms: Vec<Room>,
    crates: HashMap<String, usize>,
}

/// One file that uses another.
pub struct Import {
    pub from: usize,
    pub to: usize,
    pub line: usize,
    /// The path as it is written.
    pub text: String,
}

impl House {
    /// Reads crates, each given by its name and its first file, from the root of the repository.
    pub fn read(root: &Path, crates: &[(&str, &str)]) -> House {
        let mut house = House {
            rooms: Vec::new(),
            crates: HashMap::new(),
        };
        for (name, file) in crates {
            let room = house.enter(root, &PathBuf::from(file), None);
            house.crates.insert((*name).to_string(), room);
        }
        house
    }

    /// Reads a file and those of its modules; returns its number.
    fn enter(&mut self, root: &Path, file: &Path, parent: Option<usize>) -> usize {
        let text = fs::read_to_string(root.join(file))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let room = self.rooms.len();
        let source = source::read(&text);
        let modules = source.modules.clone();
        self.rooms.push(Room {
            file: file.to_string_lossy().replace('\\', "/"),
            source,
            parent,
            children: HashMap::new(),
        });
        // Modules of `mod.rs`, and of a crate's first file, lie beside it; those of `x.rs` in the directory `x`.
        let directory = match file.file_name().and_then(|name| name.to_str()) {
            Some("mod.rs" | "lib.rs") => file.with_file_name(""),
            _ => file.with_extension(""),
        };
        for (name, named) in modules {
            let mut files: Vec<_> = named.iter().map(|file| directory.join(file)).collect();
            if files.is_empty() {
                let beside = directory.join(format!("{name}.rs"));
                let within = directory.join(&name).join("mod.rs");
                files.push(if root.join(&beside).exists() {
                    beside
                } else {
                    within
                });
            }
            // Of several, which a condition chooses from, all are read, and the first is where paths lead.
            for file in files {
                let child = self.enter(root, &file, Some(room));
                self.rooms[room]
                    .children
                    .entry(name.clone())
                    .or_insert(child);
            }
        }
        room
    }

    /// All imports of all files, those of a file from itself left out.
    pub fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        for (from, room) in self.rooms.iter().enumerate() {
            for mention in &room.source.mentions {
                if let Some(to) = self
                    .find(from, &mention.path, STEPS)
                    .filter(|&to| to != from)
                {
                    let text = mention.path.join("::");
                    imports.push(Import {
                        from,
                        to,
                        line: mention.line,
                        text,
                    });
                }
            }
        }
        imports
    }

    /// The first file of the crate that a file belongs to.
    fn first(&self, mut room: usize) -> usize {
        while let Some(parent) = self.rooms[room].parent {
            room = parent;
        }
        room
    }

    /// The file in which what `path` names, from `room`, is defined; `None` if that is in none of these crates.
    fn find(&self, room: usize, path: &[String], steps: usize) -> Option<usize> {
        let (name, rest) = path.split_first()?;
        let steps = steps.checked_sub(1)?;
        match name.as_str() {
            "crate" => self.within(self.first(room), rest, steps),
            "self" => self.within(room, rest, steps),
            "super" => self.within(self.rooms[room].parent?, rest, steps),
            name => {
                if self.rooms[room].children.contains_key(name) {
                    return self.within(room, path, steps);
                }
                match self.rooms[room].source.bindings.get(name) {
                    // What is brought here under the name of its crate.
                    Some(target) if target.len() > 1 => {
                        self.find(room, &[target, rest].concat(), steps)
                    }
                    _ => self.within(*self.crates.get(name)?, rest, steps),
                }
            }
        }
    }

    /// As `find`, for a path that begins in the module of `room`.
    fn within(&self, room: usize, path: &[String], steps: usize) -> Option<usize> {
        let Some((name, rest)) = path.split_first() else {
            return Some(room);
        };
        let steps = steps.checked_sub(1)?;
        if name == "super" {
            return self.within(self.rooms[room].parent?, rest, steps);
        }
        if let Some(&child) = self.rooms[room].children.get(name) {
            return self.within(child, rest, steps);
        }
        let source = &self.rooms[room].source;
        if source.items.contains(name) {
            return Some(room);
        }
        if let Some(target) = source.bindings.get(name) {
            return self.find(room, &[target, rest].concat(), steps);
        }
        for glob in &source.globs {
            let target = self.find(room, glob, steps);
            if let Some(target) =
                target.filter(|&target| self.rooms[target].source.items.contains(name))
            {
                return Some(target);
            }
        }
        // An item that a macro defines.
        Some(room)
    }
}
