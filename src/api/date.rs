//! Dates in local time, converted by the C library as `os.time` does.

#![allow(unsafe_code, reason = "mktime takes a structure by address")]

/// Seconds since the epoch of a local date: year, month (from 1), day (from 1), hour, minute,
/// second, any of which may be out of its range. The C library decides whether it is summer time
/// unless that is given. Returns `None` if the C library cannot represent it.
pub fn local_time(date: [i64; 6], summer: Option<bool>) -> Option<f64> {
    let field = |value: i64| i32::try_from(value).ok();
    // SAFETY: all fields are numbers, or pointers that mktime does not read; zero is valid for
    // them.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    tm.tm_year = field(date[0] - 1900)?;
    tm.tm_mon = field(date[1] - 1)?;
    tm.tm_mday = field(date[2])?;
    tm.tm_hour = field(date[3])?;
    tm.tm_min = field(date[4])?;
    tm.tm_sec = field(date[5])?;
    tm.tm_isdst = summer.map_or(-1, i32::from);
    // SAFETY: the structure is initialised and only used during the call.
    let time = unsafe { mktime(&mut tm) };
    // -1 is both an error and a second before the epoch; mktime sets the weekday only when it
    // succeeds.
    (time != -1 || tm.tm_wday != 0 || tm.tm_yday != 0).then_some(time as f64)
}

#[cfg(not(windows))]
use libc::mktime;

#[cfg(windows)]
unsafe extern "C" {
    /// The name in the C runtime of the function with a 64-bit `time_t`. The crate libc does not
    /// declare it.
    #[link_name = "_mktime64"]
    fn mktime(tm: *mut libc::tm) -> i64;
}
