//! What most calls of `lanes.select` are: receives from a few slots, one of which has an element
//! now or within a microsecond or two. They need no parking, which takes longer.

use super::linda::arguments::linda_of;
use super::linda::receive;
use super::waiting::Timeout;
use crate::context::Context;
use crate::linda::{KeyRef, Linda, soft_requests};
use crate::lua::{Arguments, Kind, Raise, Raising, State, Userdata, protect, upvalue};
use crate::message::Message;
use lanes_engine::park::Refusal;
use lanes_engine::queues::{Received, Who};
use std::os::raw::c_int;

/// How many cases there are at most. A function has room for 20 values on the stack when it is
/// called: for the values of these, for those of them that are known, and for the result.
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
/// `first`, which is a `kind`, to `last`, are receives from one slot each. Returns the number of
/// results, or none if the engine must select; then there may be more values on the stack than
/// before.
#[inline]
pub fn receive_soon(
    context: &Context,
    arguments: &Arguments,
    (first, kind): (c_int, Kind),
    last: c_int,
    timeout: Timeout,
) -> Result<Option<c_int>, Raise> {
    if last - first >= CASES as c_int {
        return Ok(None);
    }
    let state = arguments.state;
    let cases = Cases::new(state, first, last);
    let Some(place) = read(arguments, first, kind, cases.values(0)) else {
        return Ok(None);
    };
    // To read the others takes as long as to receive an element.
    if cases.are_known {
        let mut scratch = context.coders.scratch();
        let mut received = Received::new(&mut scratch.bytes);
        if let Now::Received(count) = receive_from(context, state, place, 1, &mut received)? {
            return Ok(Some(count));
        }
    }
    receive_from_all(context, arguments, cases, place, timeout)
}

/// As [`receive_soon`], with all cases. The first has been read: it is `place`.
// A function of its own, so that the one before has a small frame.
#[inline(never)]
fn receive_from_all<'a>(
    context: &Context,
    arguments: &'a Arguments,
    cases: Cases,
    place: Place<'a>,
    timeout: Timeout,
) -> Result<Option<c_int>, Raise> {
    let state = arguments.state;
    let mut places = [place; CASES];
    let mut count = 1;
    for (place, index) in places.iter_mut().zip(cases.first..=cases.last).skip(1) {
        let Some(read) = read(arguments, index, state.kind(index), cases.values(count)) else {
            return Ok(None);
        };
        *place = read;
        count += 1;
    }
    if !cases.are_known {
        cases.remember(context, state)?;
    }
    let places = &places[..count];
    let attempts = match timeout {
        Timeout::Zero => 1,
        _ => ATTEMPTS,
    };
    for attempt in 1..=attempts {
        match receive_now(context, state, places)? {
            Now::Received(count) => return Ok(Some(count)),
            Now::Nothing if attempt < attempts => {
                look(context, state, places, attempt == 1);
            }
            Now::Nothing | Now::Unknown => break,
        }
    }
    Ok(None)
}

/// The upvalue of `lanes.select` that is a weak table of known cases: for each place after the
/// first, the last table that came there twice in a row and was right.
const KNOWN: c_int = upvalue(3);

/// Pushes a new table for the upvalue [`KNOWN`].
pub fn push_known(raising: Raising) {
    raising.new_weak_table(b"v");
}

/// The arguments that are the cases.
#[derive(Clone, Copy)]
struct Cases {
    first: c_int,
    last: c_int,
    /// Whether those after the first were right when they were last read.
    are_known: bool,
}

impl Cases {
    /// The cases, before any of them is read. If they are known, pushes all after the first.
    #[inline]
    fn new(state: State, first: c_int, last: c_int) -> Cases {
        let are_known = (first + 1..=last).zip(1..).all(|(index, place)| {
            state.raw_get_index(KNOWN, place) == Kind::Table && state.raw_equal(-1, index)
        });
        if !are_known {
            state.set_top(last);
        }
        Cases {
            first,
            last,
            are_known,
        }
    }

    /// The stack index after which the values of case `n` (from 0) are, if those before it have
    /// been read.
    #[inline]
    fn values(self, n: usize) -> c_int {
        let known = if self.are_known {
            self.last - self.first
        } else {
            0
        };
        self.last + known + VALUES * n as c_int
    }

    /// Makes all after the first known if they come for the second time in a row: tables that were
    /// made for one call would take the time in vain. They have been read and are right.
    #[inline]
    fn remember(self, context: &Context, state: State) -> Result<(), Raise> {
        let mut seen = [0; CASES - 1];
        for (seen, index) in seen.iter_mut().zip(self.first + 1..=self.last) {
            *seen = state.pointer(index).addr();
        }
        if context.seen_cases.replace(seen) != seen {
            return Ok(());
        }
        let count = self.last - self.first;
        state.push_copy(KNOWN);
        for index in self.first + 1..=self.last {
            state.push_copy(index);
        }
        protect(state, count + 1, move |raising| {
            for place in (1..=count).rev() {
                raising.raw_set_index(1, i64::from(place));
            }
            raising.pop(1);
        })
    }
}

/// Reads the case that is argument `index`, which is a `kind`, and pushes its values, over `top`
/// others. Returns none if it is not such a receive, or a wrong one.
#[inline(always)]
fn read<'a>(arguments: &'a Arguments, index: c_int, kind: Kind, top: c_int) -> Option<Place<'a>> {
    let state = arguments.state;
    if kind != Kind::Table || state.raw_len(index) != VALUES as usize {
        return None;
    }
    state.raw_get_index(index, 1);
    let operation = state.raw_get_index(index, 2);
    let kind = state.raw_get_index(index, 3);
    let key = top + VALUES;
    let linda = Userdata::get(&arguments.state, top + 1).and_then(linda_of)?;
    if operation != Kind::String
        // Compared as an array, which takes no call.
        || <&[u8; 7]>::try_from(state.string(top + 2)).ok() != Some(b"receive")
        || linda.restrictions.any()
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
fn receive_now(context: &Context, state: State, places: &[Place]) -> Result<Now, Raise> {
    let mut scratch = context.coders.scratch();
    let mut received = Received::new(&mut scratch.bytes);
    for (&place, number) in places.iter().zip(1..) {
        match receive_from(context, state, place, number, &mut received)? {
            Now::Nothing => {}
            other => return Ok(other),
        }
    }
    Ok(Now::Nothing)
}

/// Does the receive of case number `number`, if that can be done at once.
#[inline(always)]
fn receive_from(
    context: &Context,
    state: State,
    place: Place,
    number: i64,
    received: &mut Received<Message>,
) -> Result<Now, Raise> {
    let Some(key) = KeyRef::of_kind(&state, place.kind, place.key) else {
        return Ok(Now::Unknown);
    };
    match receive::at_once(context, place.linda, &key, received) {
        Ok(()) => {
            state.push_integer(number);
            let (linda, key) = (place.linda, (&key, place.key));
            let count = receive::deliver(context, state, linda, key, received)?;
            Ok(Now::Received(count + 1))
        }
        Err(Refusal::TimedOut) => Ok(Now::Nothing),
        // The others might not be refused, so the engine asks all in their order.
        Err(_) => Ok(Now::Unknown),
    }
}

/// Looks for an element in those of the slots that this state has received from, a few times and
/// without a lock. The first time it announces that a receiver spins; to write that again and
/// again would keep the sender waiting for the cache line.
#[cold]
fn look(context: &Context, state: State, places: &[Place], is_first: bool) {
    let shortcuts = context.shortcuts.borrow();
    let mut known = [None; CASES];
    for (known, place) in known.iter_mut().zip(places) {
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
