//! `Raise`: a Lua error on its way, while frames that own something are left.

use super::text::Text;
use std::os::raw::c_int;

/// The Lua error with which a body ends.
#[derive(Debug)]
pub enum Raise {
    /// The value on the top of the stack.
    Value,
    /// A message without position.
    Bare(Text),
    /// A message that begins with the position of the line that called us.
    Message(Text),
    /// A message that begins with the position of a function further up: 1 is our caller, 2 its
    /// caller.
    Level(Text, c_int),
    /// A light userdata, such as the one that stands for cancellation.
    Light(usize),
}

impl Raise {
    /// A message with the position of our caller. If there was no memory for its text, Lua's own
    /// "not enough memory".
    pub fn message(text: impl Into<Text>) -> Raise {
        let text = text.into();
        if text.is_out_of_memory() {
            Raise::Bare(text)
        } else {
            Raise::Message(text)
        }
    }

    /// Lua's own error when memory runs out.
    pub fn out_of_memory() -> Raise {
        Raise::Bare(Text::out_of_memory())
    }

    /// Turns the position of `lanes.lua` into the position of its caller, for a function that
    /// `lanes.lua` calls on behalf of a program.
    pub fn for_caller(self) -> Raise {
        match self {
            // 0 is the function, 1 the one in `lanes.lua`, 2 its caller.
            Raise::Message(text) => Raise::Level(text, 2),
            raise => raise,
        }
    }
}
