//! What most calls of `lanes.select` are: receives from a few slots, one of which has an element
//! now or within a microsecond or two. They need no parking, which takes longer.

use super::linda::arguments::linda_of;
use super::linda::receive;
use super::waiting::Timeout;
use crate::context::Context;
use crate::linda::{KeyRef, Linda, soft_requests};
use crate::lua::{Arguments, Kind, Raise, State, Userdata};
use lanes_engine::park::Refusal;
use lanes_engine::queues::{Received, Who};
use std::os::raw::c_int;

/// How many cases there are at most. A function has room for 20 values on the stack when it is
/// called: for the values of these, and for the result.
const CASES: usize = 4;

/// How many values a case has: linda, operation and key.
const VALUES: c_int = 3;

/// How often the receives are tried.
const ATTEMPTS: u32 = 24;

/// How often the thread looks for an element between two attempts.
const LOOKS: u32 = 8;

/// A receive from one slot.
#[derive(Clone, Copy)]
struct Place<'a> {
    linda: &'a Linda,
    /// The stack index of its key.
    key: c_int,
    kind: Kind,
}

/// Does the first of the receives that can be done soon, if the cases, which are the arguments from
/// `first` to `last`, are receives from one slot each. Returns the number of results, or none if
/// the engine must select; then there may be more values on the stack than before.
#[inline]
pub fn receive_soon(
    context: &Context,
    arguments: &Arguments,
    (first, last): (c_int, c_int),
    timeout: Timeout,
) -> Result<Option<c_int>, Raise> {
    let count = (last - first + 1) as usize;
    let mut places = [None; CASES];
    if count > CASES {
        return Ok(None);
    }
    let mut top = last;
    for (place, index) in places.iter_mut().zip(first..=last) {
        let Some(read) = read(arguments, index, top) else {
            return Ok(None);
        };
        *place = Some(read);
        top += VALUES;
    }
    let places = &places[..count];
    let attempts = match timeout {
        Timeout::Zero => 1,
        _ => ATTEMPTS,
    };
    for attempt in 1..=attempts {
        match receive_now(context, arguments.state, places)? {
            Now::Received(count) => return Ok(Some(count)),
            Now::Nothing if attempt < attempts => {
                look(context, arguments.state, places, attempt == 1);
            }
            Now::Nothing | Now::Unknown => break,
        }
    }
    Ok(None)
}

/// Reads the case that is argument `index`, and pushes its values, over `top` others. Returns none
/// if it is not such a receive, or a wrong one.
#[inline]
fn read<'a>(arguments: &'a Arguments, index: c_int, top: c_int) -> Option<Place<'a>> {
    let state = arguments.state;
    if state.kind(index) != Kind::Table || state.raw_len(index) != VALUES as usize {
        return None;
    }
    state.raw_get_index(index, 1);
    let operation = state.raw_get_index(index, 2);
    let kind = state.raw_get_index(index, 3);
    let key = top + VALUES;
    let linda = Userdata::get(&arguments.state, top + 1).and_then(linda_of)?;
    if operation != Kind::String || state.string(top + 2) != b"receive" || linda.restrictions.any()
    {
        return None;
    }
    // Any string can be a key.
    if kind != Kind::String {
        KeyRef::of_kind(&arguments.state, kind, key)?;
    }
    soft_requests::before(linda, Who::Write);
    Some(Place { linda, key, kind })
}

/// What came of an attempt.
enum Now {
    /// A case has happened; the number of results.
    Received(c_int),
    /// No case could happen.
    Nothing,
    /// Only the engine can tell.
    Unknown,
}

/// Does the first of the receives that can be done at once.
#[inline]
fn receive_now(context: &Context, state: State, places: &[Option<Place>]) -> Result<Now, Raise> {
    let mut scratch = context.coders.scratch();
    let mut received = Received::new(&mut scratch.bytes);
    for (number, place) in (1..).zip(places.iter().flatten()) {
        let Some(key) = KeyRef::of_kind(&state, place.kind, place.key) else {
            return Ok(Now::Unknown);
        };
        match receive::at_once(context, place.linda, &key, &mut received) {
            Ok(()) => {
                state.push_integer(number);
                let (linda, key) = (place.linda, (&key, place.key));
                let count = receive::deliver(context, state, linda, key, &received)?;
                return Ok(Now::Received(count + 1));
            }
            Err(Refusal::TimedOut) => {}
            // The others might not be refused, so the engine asks all in their order.
            Err(_) => return Ok(Now::Unknown),
        }
    }
    Ok(Now::Nothing)
}

/// Looks for an element in those of the slots that this state has received from, a few times and
/// without a lock. The first time it announces that a receiver spins; to write that again and
/// again would keep the sender waiting for the cache line.
#[cold]
fn look(context: &Context, state: State, places: &[Option<Place>], is_first: bool) {
    let shortcuts = context.shortcuts.borrow();
    let mut known = [None; CASES];
    for (known, place) in known.iter_mut().zip(places.iter().flatten()) {
        let key = KeyRef::of_kind(&state, place.kind, place.key);
        *known = key.and_then(|key| shortcuts.find(place.linda, &key));
    }
    let known = || known.iter().flatten();
    if is_first {
        known().for_each(|shortcut| shortcut.watch());
    }
    for _ in 0..LOOKS {
        if known().any(|shortcut| shortcut.is_promising()) {
            return;
        }
    }
}
