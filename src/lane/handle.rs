//! The handle of a lane, through which its creator sees it.

use super::outcome::Traces;
use super::record::Record;
use crate::lua::Text;
use std::cell::{Cell, RefCell};
use std::os::raw::c_int;
use std::sync::Arc;

/// What a handle holds.
pub struct Handle {
    /// The lane.
    pub record: Arc<Record>,
    /// What its error trace contains.
    pub traces: Traces,
    /// The user value is a table: at 0 the callback for the end of the handle, from 1 on the values
    /// of the outcome.
    pub has_table: Cell<bool>,
    /// The values of the outcome that are in the table.
    pub fetched: RefCell<Fetched>,
}

/// What a handle keeps of the outcome in its table.
#[derive(Default)]
pub struct Fetched {
    /// How many values there are; none if they have not been fetched, or contain no objects.
    pub count: Option<c_int>,
    /// The numbers (from 1) of the values that could not be built in this state at the last
    /// attempt, and why.
    pub missing: Vec<(c_int, Text)>,
}
