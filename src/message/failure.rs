//! Why a transfer failed, in words: which value, by its path from the argument, and what can be done.

use crate::lua::{Kind, NOT_ENOUGH_MEMORY, State};
use std::fmt::{self, Write};
use std::os::raw::c_int;

/// What the values of a transfer are to the person who reads an error about them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Label {
    /// Arguments of a call: value `n` (from 0) is `arg #<first + n>`.
    Argument(u32),
    /// The function that a lane runs.
    Body,
    /// Results of a lane.
    Result,
    /// The error value of a lane.
    Error,
    /// An entry of the option `globals`: its key and its value.
    Global,
    /// The option `on_state_create`.
    StateCreate,
    /// An entry of `package`.
    Package,
    /// A metatable.
    Metatable,
    /// A module's table.
    Module,
    /// An element read from a linda.
    Element,
}

impl Label {
    /// The name of value `n` (from 0) of the transfer.
    fn write(self, n: usize, out: &mut String) {
        let _ = match self {
            Label::Argument(first) => write!(out, "arg #{}", first as usize + n),
            Label::Body => write!(out, "lane body"),
            Label::Result => write!(out, "result #{}", n + 1),
            Label::Error => write!(out, "error value"),
            Label::Global => write!(out, "globals"),
            Label::StateCreate => write!(out, "on_state_create"),
            Label::Package => write!(out, "package"),
            Label::Metatable => write!(out, "metatable"),
            Label::Module => write!(out, "module"),
            Label::Element => write!(out, "element #{}", n + 1),
        };
    }
}

/// One step of a path.
pub enum Step {
    /// Into a table, by the key at this stack index.
    Key(c_int),
    /// Into a table, by this position.
    Position(i64),
    /// Into a function, by the number of an upvalue; the function is at this stack index.
    Upvalue(c_int, c_int),
    /// Into a userdata, by the number of a user value.
    UserValue(c_int),
    /// Into the metatable of a table.
    Metatable,
    /// Into something whose way cannot be told any more.
    Unknown,
}

/// The path of a value: `arg #2.config[3]`.
pub fn path(state: State, label: Label, n: usize, steps: impl Iterator<Item = Step>) -> String {
    let mut out = String::new();
    label.write(n, &mut out);
    if label == Label::Global && n == 1 {
        // Key and value of one entry are the values of one transfer: the key is at the bottom of the stack.
        write_key(state, 1, &mut out);
    }
    for step in steps {
        match step {
            Step::Key(index) => write_key(state, index, &mut out),
            Step::Position(position) => {
                let _ = write!(out, "[{position}]");
            }
            Step::Upvalue(index, n) => {
                let name = match state.push_upvalue(index, n) {
                    Some(name) => {
                        state.pop(1);
                        name.to_string_lossy().into_owned()
                    }
                    None => String::new(),
                };
                let _ = if name.is_empty() {
                    write!(out, ", upvalue #{n}")
                } else {
                    write!(out, ", upvalue {name}")
                };
            }
            Step::UserValue(n) => {
                let _ = write!(out, ", user value #{n}");
            }
            Step::Metatable => out.push_str(", metatable"),
            Step::Unknown => out.push_str("..."),
        }
    }
    out
}

fn write_key(state: State, index: c_int, out: &mut String) {
    let _ = match state.kind(index) {
        Kind::String => {
            let text = state.text(index).unwrap_or_default();
            let text: String = text.chars().take(1000).collect();
            let plain = !text.is_empty()
                && !text.starts_with(|first: char| first.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if plain {
                write!(out, ".{text}")
            } else {
                write!(out, "[{text:?}]")
            }
        }
        Kind::Number if state.is_integer(index) => write!(out, "[{}]", state.integer(index)),
        Kind::Number => write!(out, "[{}]", state.number(index)),
        Kind::Boolean => write!(out, "[{}]", state.truth(index)),
        Kind::Light => write!(out, "[U:{:p}]", state.userdata(index)),
        _ => write!(out, "[?]"),
    };
}

/// A failed transfer.
#[derive(Debug)]
pub enum Failure {
    /// A value of a type that cannot travel: as a whole, in a table, or as an upvalue.
    Type {
        path: String,
        kind: &'static str,
        place: Place,
    },
    /// A full userdata that is neither shared nor clonable.
    Userdata { path: String },
    /// A C function that no module of this state exports.
    Unnamed { path: String, state: String },
    /// A clonable userdata whose metatable has no name and cannot be copied, and why not.
    Clonable { path: String, reason: String },
    /// A failure within a module's table that was copied, and why it was.
    Copy {
        name: String,
        reason: String,
        failure: String,
    },
    /// A name that the receiving state does not have, and the reason why its module could not be loaded there.
    Unknown {
        what: &'static str,
        name: String,
        module: String,
        path: String,
        state: String,
        reason: String,
    },
    /// An object that the receiving state cannot have, and why.
    Deep { path: String, reason: String },
    /// Bytecode that could not be written or read.
    Code { path: String },
    /// The wait for a module was ended by a request to end.
    Cancelled,
    /// There is no memory for the message.
    Memory,
    /// A message that does not make sense: a defect of ours.
    Broken,
}

/// Where a value of a wrong type is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It is the value itself.
    Top,
    /// It is in a table.
    Table,
    /// It is in a metatable.
    Metatable,
    /// It is an upvalue.
    Upvalue,
    /// It is a user value.
    UserValue,
}

/// What a person can do about a type that cannot travel.
fn remedy(kind: &str) -> &'static str {
    match kind {
        "thread" => {
            "a coroutine belongs to its state: send the function and create the coroutine there"
        }
        "cdata" => "cdata belongs to its state: send its fields, or a pointer as light userdata",
        _ => "values of this type belong to their state",
    }
}

impl Failure {
    /// The failure as a reason within another's text.
    pub fn reason(&self) -> String {
        match self {
            Failure::Unnamed { path, .. } => {
                format!("'{path}' is a function written in C that no module exports")
            }
            failure => failure.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Type {
                path,
                kind,
                place: Place::Top,
            } => {
                write!(
                    f,
                    "tried to copy unsupported types ({path} is of type '{kind}'; {})",
                    remedy(kind)
                )
            }
            Failure::Type {
                path,
                kind,
                place: place @ (Place::Table | Place::Metatable),
            } => write!(
                f,
                "Unable to copy {} entry '{path}' because of value is of type '{kind}' ({})",
                if *place == Place::Table {
                    "table"
                } else {
                    "metatable"
                },
                remedy(kind)
            ),
            Failure::Type { path, kind, .. } => {
                write!(
                    f,
                    "Cannot copy upvalue type '{kind}' ({path}; {})",
                    remedy(kind)
                )
            }
            Failure::Userdata { path } => write!(
                f,
                "can't copy non-deep full userdata across lanes ({path}; give its metatable __lanesclone or \
                 __lanesignore, or send what is needed to make it again)"
            ),
            Failure::Clonable { path, reason } => write!(
                f,
                "can't copy clonable userdata across lanes ({path}; its metatable is in no table of a module and not in the \
                 registry under a name, and a copy of it fails: {reason}. Keep the metatable in a field of the module that \
                 makes such userdata)"
            ),
            Failure::Copy {
                name,
                reason,
                failure,
            } => {
                write!(
                    f,
                    "{failure}\n(the table '{name}' is copied, because it cannot be had by name"
                )?;
                if reason.is_empty() {
                    write!(f, ")")
                } else {
                    write!(f, ": {reason})")
                }
            }
            Failure::Unnamed { path, state } => write!(
                f,
                "function referenced by '{path}' not found in {state} origin transfer database.\n\
                 (did you remove it from the source Lua state before requiring Lanes? A function written in C travels \
                 by name: require the module that exports it, or name it with lanes.register)"
            ),
            Failure::Unknown {
                what,
                name,
                module,
                path,
                state,
                reason,
            } => {
                write!(
                    f,
                    "{what} '{name}' not found in {state} destination transfer database. ({path}"
                )?;
                if !reason.is_empty() {
                    write!(f, ": {reason}")?;
                }
                if module.is_empty() {
                    write!(
                        f,
                        "; require the module that makes such userdata there first)"
                    )
                } else if module == "_G" {
                    write!(
                        f,
                        "; give the lane its libraries, or make it known there with on_state_create)"
                    )
                } else {
                    write!(
                        f,
                        "; give the lane the module '{module}', for example required = {{\"{module}\"}})"
                    )
                }
            }
            Failure::Deep { path, reason } => write!(f, "{reason} ({path})"),
            Failure::Code { path } => write!(f, "internal error: function dump failed. ({path})"),
            Failure::Cancelled => f.write_str("cancelled"),
            Failure::Memory => f.write_str(NOT_ENOUGH_MEMORY),
            Failure::Broken => write!(f, "internal error in lanes: a message cannot be read"),
        }
    }
}
