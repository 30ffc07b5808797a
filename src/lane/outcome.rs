//! What came of a lane: results, an error with its trace, or a cancellation, captured on the lane's own thread.

use super::record::Stage;
use crate::context::Context;
use crate::lua::{Kind, Raise, State, compat};
use crate::markers::CANCEL_ERROR;
use crate::message::{Destination, KEYS, Label, Packet, encode_packet};

/// What came of a lane.
pub enum Outcome {
    /// Its results, or why they cannot travel.
    Done(Result<Packet, String>),
    /// Its error value, and its trace if there is one; or why they cannot travel.
    Error(Result<Packet, String>),
    /// It was cancelled.
    Cancelled,
}

impl Outcome {
    /// The stage in which it leaves the lane.
    pub fn stage(&self) -> Stage {
        match self {
            Outcome::Done(_) => Stage::Done,
            Outcome::Error(_) => Stage::Error,
            Outcome::Cancelled => Stage::Cancelled,
        }
    }

    /// Captures the values above `base` as results.
    pub fn results(context: &Context, state: State, base: i32) -> Outcome {
        Outcome::Done(capture(context, state, state.top() - base, Label::Result))
    }

    /// Captures the error value on the top and the trace that the message handler left.
    pub fn error(context: &Context, state: State, status: i32) -> Outcome {
        if is_cancel_error(state, -1) {
            state.pop(1);
            return Outcome::Cancelled;
        }
        // Memory errors and errors in the handler have no trace.
        let traced = status == compat::LUA_ERRRUN;
        if traced {
            state.raw_get_index(State::REGISTRY, KEYS.trace);
        }
        let has_trace = traced && !state.is_none_or_nil(-1);
        if traced && !has_trace {
            state.pop(1);
        }
        Outcome::Error(capture(
            context,
            state,
            1 + i32::from(has_trace),
            Label::Error,
        ))
    }
}

/// Whether the value at `index` is `cancel_error`.
pub fn is_cancel_error(state: State, index: i32) -> bool {
    state.kind(index) == Kind::Light && state.userdata(index) as usize == CANCEL_ERROR
}

/// Captures the top `count` values, or says why that failed.
fn capture(context: &Context, state: State, count: i32, label: Label) -> Result<Packet, String> {
    encode_packet(&context.local, state, count, label, Destination::Anywhere).map_err(|raise| {
        match raise {
            Raise::Bare(text) | Raise::Message(text) | Raise::Level(text, _) => text.into_owned(),
            Raise::Value => {
                let text = state.text(-1).unwrap_or_else(|| {
                    format!("(error object is a {} value)", state.type_name(-1))
                });
                state.pop(1);
                text
            }
            Raise::Light(_) => "cancelled".to_owned(),
        }
    })
}
