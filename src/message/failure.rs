//! Why a transfer failed: the text of its error, with the path of the value from the argument and
//! what can be done.

use crate::lua::{Kind, State, Text, text};
use std::fmt::Write;
use std::os::raw::c_int;

/// The transfer cannot go on; the coder has the failure.
#[derive(Clone, Copy)]
pub struct Stop;

/// What the values of a transfer are: the beginning of their paths in error messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Label {
    /// Arguments of a call: value `n` (from 0) is `arg #<first + n>`.
    Argument(u32),
    /// Values that a case of `select` sends; the number of the case (from 1).
    Case(u32),
    /// The function that a lane runs.
    Body,
    /// Results of a lane.
    Result,
    /// The error value of a lane.
    Error,
    /// Arguments with which a lane that is a coroutine is resumed.
    Resumed,
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
    fn write(self, n: usize, out: &mut Text) {
        let _ = match self {
            Label::Argument(first) => write!(out, "arg #{}", first as usize + n),
            Label::Case(case) => write!(out, "case {case}, value {}", n + 1),
            Label::Body => write!(out, "lane body"),
            Label::Result => write!(out, "result #{}", n + 1),
            Label::Resumed => write!(out, "arg #{}", n + 1),
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

/// An object whose contents are numbered values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A function with its upvalues.
    Function,
    /// A userdata with its user values.
    Userdata,
}

/// One step of a path.
pub enum Step {
    /// Into a table, by the key at this stack index.
    Key(c_int),
    /// Into a table, by this position.
    Position(i64),
    /// Into the owner at this stack index, by the number of the upvalue or user value.
    Numbered(Owner, c_int, c_int),
    /// Into the metatable of a table.
    Metatable,
    /// Into an object whose container is not known any more.
    Unknown,
}

/// The path of value `n` (from 0) of a transfer, or of a part of it: `arg #2.config[3]`.
pub fn path(state: State, label: Label, n: usize, steps: impl Iterator<Item = Step>) -> Text {
    let mut out = Text::new();
    label.write(n, &mut out);
    if label == Label::Global && n == 1 {
        // The transfer is of a key and its value: the key is at the bottom of the stack.
        write_key(state, 1, &mut out);
    }
    for step in steps {
        match step {
            Step::Key(index) => write_key(state, index, &mut out),
            Step::Position(position) => {
                out.add(format_args!("[{position}]"));
            }
            Step::Numbered(Owner::Function, index, n) => {
                out.add(", upvalue ");
                match state.push_upvalue(index, n) {
                    Some(name) => {
                        if name.is_empty() {
                            out.add(format_args!("#{n}"));
                        } else {
                            out.add(name.to_bytes());
                        }
                        state.pop(1);
                    }
                    None => out.add(format_args!("#{n}")),
                }
            }
            Step::Numbered(Owner::Userdata, _, n) => {
                out.add(format_args!(", user value #{n}"));
            }
            Step::Metatable => out.add(", metatable"),
            Step::Unknown => out.add("..."),
        }
    }
    out
}

fn write_key(state: State, index: c_int, out: &mut Text) {
    match state.kind(index) {
        Kind::String => {
            let key = state.string(index);
            let plain = key.first().is_some_and(|first| !first.is_ascii_digit())
                && key
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            if plain {
                out.add(".");
                out.add(key);
            } else {
                out.add("[");
                write_quoted(key, out);
                out.add("]");
            }
        }
        Kind::Number if state.is_integer(index) => {
            out.add(format_args!("[{}]", state.integer(index)));
        }
        Kind::Number => out.add(format_args!("[{}]", state.number(index))),
        Kind::Boolean => out.add(format_args!("[{}]", state.truth(index))),
        Kind::Light => out.add(format_args!("[U:{:p}]", state.userdata(index))),
        _ => out.add("[?]"),
    }
}

/// Writes a string in quotation marks, with Lua's escapes for quotation marks, backslashes and
/// control characters.
fn write_quoted(string: &[u8], out: &mut Text) {
    out.add("\"");
    let mut rest = string;
    while let Some(at) = rest
        .iter()
        .position(|&byte| byte.is_ascii_control() || byte == b'"' || byte == b'\\')
    {
        out.add(&rest[..at]);
        match rest[at] {
            b'\n' => out.add("\\n"),
            b'\r' => out.add("\\r"),
            b'\t' => out.add("\\t"),
            byte @ (b'"' | b'\\') => out.add(&[b'\\', byte][..]),
            // With three digits, so a digit behind it is not read as a part of the escape.
            control => out.add(format_args!("\\{control:03}")),
        }
        rest = &rest[at + 1..];
    }
    out.add(rest);
    out.add("\"");
}

/// A failed transfer.
#[derive(Debug)]
pub enum Failure {
    /// A value of a type that cannot travel.
    Type {
        path: Text,
        kind: &'static str,
        place: Place,
    },
    /// A full userdata that is neither deep nor clonable; `name` is that of its kind, if its
    /// metatable has one.
    Userdata { path: Text, name: Option<Text> },
    /// A C function that no module of this state exports; `what` says whether it is a closure.
    Unnamed {
        what: &'static str,
        path: Text,
        state: Text,
    },
    /// A clonable userdata whose metatable has no name and cannot be copied, with the reason.
    Clonable { path: Text, reason: Text },
    /// A failure within a module's table that is copied, with the reason for the copy.
    Copy {
        name: Text,
        reason: Text,
        failure: Text,
    },
    /// A name that the receiving state does not have, with the reason why its module could not be
    /// loaded there.
    Unknown {
        what: &'static str,
        name: Text,
        module: Text,
        path: Text,
        state: Text,
        reason: Text,
    },
    /// An object that the receiving state cannot have, with the reason.
    Deep { path: Text, reason: Text },
    /// An object that cannot be converted, with the reason.
    Conversion { path: Text, reason: Text },
    /// A function whose bytecode could not be written or read.
    Code { path: Text },
    /// A malformed message: a defect of Lanes.
    Malformed,
}

/// Where a value of a type that cannot travel is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It is the value itself.
    Top,
    /// It is in a table.
    Table,
    /// It is in a metatable.
    Metatable,
    /// It is an upvalue or a user value.
    Numbered,
}

/// `what` of a [`Failure::Unnamed`] for a C function with upvalues.
pub const C_CLOSURE: &str = "closure of C";

/// What can be done about a type that cannot travel.
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
    /// The failure as the reason of another one.
    pub fn reason(&self) -> Text {
        match self {
            Failure::Unnamed { path, .. } => text![
                "'",
                path,
                "' is a function written in C that no module exports",
            ],
            failure => failure.text(),
        }
    }

    /// The text of the error.
    pub fn text(&self) -> Text {
        match self {
            Failure::Type {
                path,
                kind,
                place: Place::Top,
            } => text![
                "tried to copy unsupported types (",
                path,
                format_args!(" is of type '{kind}'; {})", remedy(kind)),
            ],
            Failure::Type {
                path,
                kind,
                place: place @ (Place::Table | Place::Metatable),
            } => text![
                if *place == Place::Table {
                    "Unable to copy table entry '"
                } else {
                    "Unable to copy metatable entry '"
                },
                path,
                format_args!("' because of value is of type '{kind}' ({})", remedy(kind)),
            ],
            Failure::Type { path, kind, .. } => text![
                format_args!("Cannot copy upvalue type '{kind}' ("),
                path,
                format_args!("; {})", remedy(kind)),
            ],
            Failure::Userdata { path, name } => {
                let words = text!["can't copy non-deep full userdata across lanes (", path];
                let (words, is_ours) = match name {
                    Some(name) => (
                        text![words, ", a ", name],
                        matches!(name.bytes(), b"Lane" | b"Notifier"),
                    ),
                    None => (words, false),
                };
                words.and(if is_ours {
                    "; it belongs to the state that made it)"
                } else {
                    "; give its metatable __lanesclone or __lanesignore, or send what is needed to make it again)"
                })
            }
            Failure::Clonable { path, reason } => text![
                "can't copy clonable userdata across lanes (",
                path,
                "; its metatable is in no table of a module and not in the registry under a name, and a copy of it fails: ",
                reason,
                ". Keep the metatable in a field of the module that makes such userdata)",
            ],
            Failure::Copy {
                name,
                reason,
                failure,
            } => {
                let words = text![
                    failure,
                    "\n(the table '",
                    name,
                    "' is copied, because it cannot be had by name",
                ];
                if reason.is_empty() {
                    words.and(")")
                } else {
                    text![words, ": ", reason, ")"]
                }
            }
            Failure::Unnamed {
                what: C_CLOSURE,
                path,
                state,
            } => text![
                "function referenced by '",
                path,
                "' not found in ",
                state,
                " origin transfer database.\n\
                 (a C function that holds values of its own, such as coroutine.wrap, string.gmatch and io.lines \
                 return, belongs to the state that made it: make it in the lane that uses it. One that a module \
                 exports can be named with lanes.register)",
            ],
            Failure::Unnamed { what, path, state } => text![
                *what,
                " referenced by '",
                path,
                "' not found in ",
                state,
                " origin transfer database.\n\
                 (did you remove it from the source Lua state before requiring Lanes? A function written in C travels \
                 by name: require the module that exports it, or name it with lanes.register)",
            ],
            Failure::Unknown {
                what,
                name,
                module,
                path,
                state,
                reason,
            } => {
                let mut text = text![
                    *what,
                    " '",
                    name,
                    "' not found in ",
                    state,
                    " destination transfer database. (",
                    path,
                ];
                if !reason.is_empty() {
                    text = text![text, ": ", reason];
                }
                if module.is_empty() {
                    text.and("; require the module that makes such userdata there first)")
                } else if module.bytes() == b"_G" {
                    text.and("; give the lane its libraries, or make it known there with on_state_create)")
                } else {
                    text![
                        text,
                        "; give the lane the module '",
                        module,
                        "', for example required = {\"",
                        module,
                        "\"})",
                    ]
                }
            }
            Failure::Deep { path, reason } | Failure::Conversion { path, reason } => {
                text![reason, " (", path, ")"]
            }
            Failure::Code { path } => {
                text!["internal error: function dump failed. (", path, ")"]
            }
            Failure::Malformed => "internal error in lanes: a message cannot be read".into(),
        }
    }
}
