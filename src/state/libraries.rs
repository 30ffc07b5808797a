//! Which libraries a lane has: the list that a generator is given, and how it is opened (docs/manual/generators.md#libraries).

use crate::lua::Raising;
use crate::lua::compat::{LIBRARIES, Library};

/// The libraries of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Libraries {
    /// None, not even the base library.
    None,
    /// All standard libraries, and ours.
    All,
    /// The base library and some others, as positions in [`NAMES`], in the order in which they were named.
    Some([u8; 16], u8),
}

/// Every name that a list may have; those that this Lua lacks are passed over. `base` is always open.
const NAMES: [&str; 15] = [
    "base",
    "package",
    "table",
    "io",
    "os",
    "string",
    "math",
    "debug",
    "bit32",
    "utf8",
    "bit",
    "jit",
    "ffi",
    "coroutine",
    CORE,
];

/// The name of our native module in a list of libraries.
const CORE: &str = "lanes.core";

impl Libraries {
    /// Reads a list: names are runs of letters, digits and dots. `None` stands for no list at all.
    ///
    /// Errors, as texts: an unknown name, a name given twice.
    pub fn parse(list: Option<&str>) -> Result<Libraries, String> {
        let Some(list) = list else {
            return Ok(Libraries::None);
        };
        if list.contains('*') {
            return Ok(Libraries::All);
        }
        let mut some = ([0; 16], 0u8);
        for name in list.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_')) {
            if name.is_empty() {
                continue;
            }
            let known = if name == "lanes_core" { CORE } else { name };
            let Some(position) = NAMES.iter().position(|&other| other == known) else {
                return Err(format!(
                    "Bad library name: {name} (libraries of lanes.gen are {}, or \"*\" for all)",
                    NAMES.join(", ")
                ));
            };
            let position = position as u8;
            if some.0[..usize::from(some.1)].contains(&position) {
                return Err(format!(
                    "libs specification contains '{name}' more than once"
                ));
            }
            some.0[usize::from(some.1)] = position;
            some.1 += 1;
        }
        Ok(Libraries::Some(some.0, some.1))
    }

    /// Opens them. Inside `protect`, in a state that has none.
    pub fn open(self, raising: Raising) {
        match self {
            Libraries::None => {}
            Libraries::All => raising.open_all_libraries(),
            Libraries::Some(positions, count) => {
                open(raising, &LIBRARIES[0]);
                for &position in positions.iter().take(usize::from(count)) {
                    if let Some(library) = find(NAMES[usize::from(position)]) {
                        open(raising, library);
                    }
                }
            }
        }
    }

    /// Whether our native module is among them.
    pub fn has_core(self) -> bool {
        match self {
            Libraries::None => false,
            Libraries::All => true,
            Libraries::Some(positions, count) => positions
                .iter()
                .take(usize::from(count))
                .any(|&position| NAMES[usize::from(position)] == CORE),
        }
    }
}

fn find(name: &str) -> Option<&'static Library> {
    LIBRARIES
        .iter()
        .skip(1)
        .find(|library| library.name.to_bytes() == name.as_bytes())
}

fn open(raising: Raising, library: &Library) {
    raising.open_library(library.name, library.open);
}
