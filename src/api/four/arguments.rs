//! How methods of the 4.x interface read timeouts.

use crate::lua::{Arguments, Raise};
use std::os::raw::c_int;

/// Checks a number of seconds at `at`.
///
/// Errors: it is negative, or NaN.
pub fn check_duration(arguments: &Arguments, at: c_int) -> Result<f64, Raise> {
    let seconds = arguments.state.number(at);
    if seconds.is_nan() || seconds < 0.0 {
        return Err(arguments.error(
            at,
            format_args!(
                "duration cannot be < 0, got {seconds} (without one, or nil, it is for ever)"
            ),
        ));
    }
    Ok(seconds)
}
