//! The libraries of a lane: the list that a generator takes, and how they are opened
//! (docs/manual/generators.md#libraries).

use crate::lua::compat::{LIBRARIES, Library};
use crate::lua::{Raising, Text, suggestion, text};

/// The libraries of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Libraries {
    /// None, not even the base library.
    None,
    /// All standard libraries, and ours.
    All,
    /// The base library and some others, as positions in [`NAMES`], in the order in which they were
    /// named.
    Some([u8; 16], u8),
}

/// Every name that a list may have. Names of libraries that this Lua lacks are skipped. `base` is
/// always open.
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
    /// Reads a list: names are runs of letters, digits, dots, underscores, stars and bytes beyond
    /// ASCII. `*` stands for all libraries; names beside it are checked like any others. `None`
    /// stands for no list at all.
    ///
    /// Errors, as texts: an unknown name, a name given twice.
    pub fn parse(list: Option<&[u8]>) -> Result<Libraries, Text> {
        let Some(list) = list else {
            return Ok(Libraries::None);
        };
        let mut some = ([0; 16], 0u8);
        let mut all = false;
        let separates =
            |byte: &u8| byte.is_ascii() && !(byte.is_ascii_alphanumeric() || b"._*".contains(byte));
        for name in list.split(separates).filter(|name| !name.is_empty()) {
            let twice = if name == b"*" {
                std::mem::replace(&mut all, true)
            } else {
                let known = if name == b"lanes_core" {
                    CORE.as_bytes()
                } else {
                    name
                };
                let position = NAMES
                    .iter()
                    .position(|&other| other.as_bytes() == known)
                    .ok_or_else(|| unknown(name))? as u8;
                let count = usize::from(some.1);
                let twice = some.0[..count].contains(&position);
                if !twice {
                    some.0[count] = position;
                    some.1 += 1;
                }
                twice
            };
            if twice {
                return Err(text![
                    "libs specification contains '",
                    name,
                    "' more than once"
                ]);
            }
        }
        Ok(if all {
            Libraries::All
        } else {
            Libraries::Some(some.0, some.1)
        })
    }

    /// Whether this Lua has the library of this name. Returns none if there is none of that name.
    pub fn support(name: &[u8]) -> Option<bool> {
        let name = NAMES.iter().find(|known| known.as_bytes() == name)?;
        Some(*name == "base" || *name == CORE || find(name).is_some())
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

/// The error text about a name that is not the name of a library.
fn unknown(name: &[u8]) -> Text {
    text!["Bad library name: ", name, instead_of(name, CORE)]
}

/// The end of the error text about a name that is not the name of a library: the nearest name, and
/// all of them. Most such names are names of modules. `core` is the name of our native module.
pub fn instead_of(name: &[u8], core: &str) -> Text {
    let names = NAMES.map(|known| if known == CORE { core } else { known });
    text![
        suggestion(name, names.join(" ").as_bytes()),
        format_args!(
            " (libraries of lanes.gen are {}, or \"*\" for all; modules are named in the option 'required': \
             {{required = {{\"",
            names.join(", ")
        ),
        name,
        "\"}})",
    ]
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
