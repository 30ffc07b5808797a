//! Argument checks, with messages in the form of Lua's own: `bad argument #2 to 'send' (number
//! expected, got nil)`.

use super::compat as c;
use super::kind::Kind;
use super::raise::Raise;
use super::state::State;
use super::text::{Part, text};
use std::os::raw::c_int;

/// The error about argument `index` (from 1) of the function called `function`, raised with the
/// caller's position.
#[cold]
#[inline(never)]
pub fn argument_error(index: c_int, function: &str, text: impl Part) -> Raise {
    let function = format_args!("bad argument #{index} to '{function}' (");
    Raise::message(text![function, text, ")"])
}

/// The arguments of a running function, and the name that its messages give it.
#[derive(Clone, Copy)]
pub struct Arguments {
    /// The state in which the function runs.
    pub state: State,
    /// Name of the function in messages.
    pub function: &'static str,
}

impl Arguments {
    /// Arguments of the function running in `state`.
    #[inline]
    pub fn new(state: State, function: &'static str) -> Arguments {
        Arguments { state, function }
    }

    /// An error about argument `index`.
    #[cold]
    pub fn error(&self, index: c_int, text: impl Part) -> Raise {
        argument_error(index, self.function, text)
    }

    /// An error about the type of argument `index`.
    #[cold]
    #[inline(never)]
    pub fn type_error(&self, index: c_int, expected: &str) -> Raise {
        self.error(
            index,
            format_args!("{expected} expected, got {}", self.state.type_name(index)),
        )
    }

    /// Refuses more than `most` arguments.
    pub fn at_most(&self, most: c_int) -> Result<(), Raise> {
        if self.state.top() > most {
            return Err(self.error(most + 1, "too many arguments"));
        }
        Ok(())
    }

    /// A number; numeric strings are converted, as Lua does.
    pub fn number(&self, index: c_int) -> Result<f64, Raise> {
        match self.state.kind(index) {
            Kind::Number | Kind::String => self
                .state
                .to_number(index)
                .ok_or_else(|| self.type_error(index, "number")),
            _ => Err(self.type_error(index, "number")),
        }
    }

    /// A whole number that fits 64 bits; numeric strings are converted.
    pub fn integer(&self, index: c_int) -> Result<i64, Raise> {
        if c::HAS_INTEGERS && self.state.is_integer(index) {
            return Ok(self.state.integer(index));
        }
        let number = self.number(index)?;
        whole(number).ok_or_else(|| {
            // Long numbers are shorter with an exponent.
            let given = if number.abs() < 1e9 {
                number.to_string()
            } else {
                format!("{number:e}")
            };
            self.error(
                index,
                format_args!("number has no integer representation: {given}"),
            )
        })
    }

    /// A function.
    #[cfg(feature = "hooks")]
    pub fn function(&self, index: c_int) -> Result<(), Raise> {
        if self.state.kind(index) == Kind::Function {
            Ok(())
        } else {
            Err(self.type_error(index, "function"))
        }
    }

    /// A string; numbers are not converted.
    pub fn bytes(&self, index: c_int) -> Result<&[u8], Raise> {
        self.state
            .bytes(index)
            .ok_or_else(|| self.type_error(index, "string"))
    }
}

/// The integer equal to a float, if there is one.
pub fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0
        && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    fits.then_some(number as i64)
}
