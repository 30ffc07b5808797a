//! The stage of a lane, and its outcome: results, an error with its trace, or a cancellation.

use crate::lua::Text;
use crate::message::Packet;
use lanes_engine::park::Turns;

/// The stage of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Stage {
    /// It has not begun.
    Pending,
    /// It runs, or waits.
    Running,
    /// It has returned.
    Done,
    /// It has ended with an error.
    Error,
    /// It has ended by raising `cancel_error`.
    Cancelled,
}

impl Stage {
    /// The stage that is stored as `byte`.
    pub fn of(byte: u8) -> Stage {
        match byte {
            0 => Stage::Pending,
            1 => Stage::Running,
            2 => Stage::Done,
            3 => Stage::Error,
            _ => Stage::Cancelled,
        }
    }
}

/// What the error traces of a lane contain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Traces {
    /// There are none.
    Minimal,
    /// The position of each function.
    Basic,
    /// A table for each function.
    Extended,
}

impl Traces {
    /// Its name in programs.
    pub fn name(self) -> &'static str {
        match self {
            Traces::Minimal => "minimal",
            Traces::Basic => "basic",
            Traces::Extended => "extended",
        }
    }

    /// The one with this name.
    pub fn named(name: &[u8]) -> Option<Traces> {
        [Traces::Minimal, Traces::Basic, Traces::Extended]
            .into_iter()
            .find(|traces| traces.name().as_bytes() == name)
    }
}

/// The outcome of a lane.
pub enum Outcome {
    /// Its results.
    Done(Captured),
    /// Its error value, and its trace if there is one.
    Error(Captured),
    /// It was cancelled.
    Cancelled,
}

/// Captured values.
pub struct Captured {
    /// The values, with nil for those that cannot travel; or why there are none.
    pub packet: Result<Packet, Text>,
    /// The numbers (from 1) of the values that cannot travel, and why.
    pub refused: Vec<(i32, Text)>,
    /// The text of an error value that cannot travel.
    pub shown: Option<Text>,
}

impl Captured {
    /// Why value number `n` is missing; if `n` is none, why any value is missing.
    pub fn reason(&self, n: Option<i32>) -> Option<&Text> {
        match &self.packet {
            Err(reason) => Some(reason),
            Ok(_) => reason(&self.refused, n),
        }
    }
}

/// The reason that `refused` has for value number `n`, or for any value.
pub fn reason(refused: &[(i32, Text)], n: Option<i32>) -> Option<&Text> {
    refused
        .iter()
        .find(|refused| n.is_none_or(|n| n == refused.0))
        .map(|refused| &refused.1)
}

impl Outcome {
    /// The stage of a lane with this outcome.
    pub fn stage(&self) -> Stage {
        match self {
            Outcome::Done(_) => Stage::Done,
            Outcome::Error(_) => Stage::Error,
            Outcome::Cancelled => Stage::Cancelled,
        }
    }

    /// An error of ours, in place of any value.
    pub fn broken(text: &'static str) -> Outcome {
        Outcome::Error(Captured {
            packet: Err(text.into()),
            refused: Vec::new(),
            shown: None,
        })
    }
}

/// What a lane that is a coroutine gets in answer to what it has yielded.
pub enum Answer {
    /// The arguments with which it is resumed.
    Resume(Packet),
    /// It is to end where it is.
    Close,
}

/// The turns of a lane that is a coroutine: it gives what it yields.
pub type LaneTurns = Turns<Captured, Answer>;

/// Whether a lane that is a coroutine is suspended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Suspension {
    /// It is not.
    None,
    /// It has yielded.
    Suspended,
    /// It is being resumed.
    Resuming,
    /// It is being ended.
    Closing,
}
