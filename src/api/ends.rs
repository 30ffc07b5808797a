//! Waiting for several lanes and slots at once: what `lanes.wait` builds on
//! (docs/manual/select.md#laneswaitlist--options).

use super::lane::receiver;
use super::linda::arguments::{linda_of, waited};
use super::linda::results;
use super::waiting::{Timeout, wait};
use super::what::{Slots, What};
use crate::context::Context;
use crate::lane::{Handle, Record};
use crate::linda::{Key, KeyRef, Linda};
use crate::loading::Waiting;
use crate::lua::{Arguments, Kind, Raise, State, Userdata, lua_function};
use lanes_engine::memory::grow::{self, OutOfMemory, out_of_memory};
use lanes_engine::park::{Countdown, SharedWatcher, Wait};
use lanes_engine::queues::WatchFor;
use std::os::raw::c_int;
use std::sync::Arc;

lua_function! {
    /// `end_number([lane])`: of two lanes that have ended, the one with the lower number has ended
    /// first. Returns nil if the lane has not ended. Without a lane it returns a new number.
    always pub fn end_number = end_number_body
}

fn end_number_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "end_number");
    let number = if state.is_none_or_nil(1) {
        Some(Record::next_end_number())
    } else {
        receiver::this(&arguments)?.record.end_number()
    };
    match number {
        Some(number) => state.push_integer(number as i64),
        None => state.push_nil(),
    }
    Ok(1)
}

lua_function! {
    /// `is_lane(value)`: returns whether a value is the handle of a lane.
    always pub fn is_lane = is_lane_body
}

fn is_lane_body(state: State) -> Result<c_int, Raise> {
    let is_lane = state.top() > 0 && Userdata::<Handle>::get(&state, 1).is_some();
    state.push_boolean(is_lane);
    Ok(1)
}

lua_function! {
    /// `is_coroutine(lane)`: returns whether the lane is a coroutine lane of the 4.x interface.
    pub fn is_coroutine = |state| {
        let arguments = Arguments::new(state, "is_coroutine");
        state.push_boolean(receiver::this(&arguments)?.record.turns.get().is_some());
        Ok(1)
    }
}

lua_function! {
    /// `age(lane)`: the seconds since the lane was launched.
    pub fn age = age_body
}

fn age_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "age");
    let age = receiver::this(&arguments)?.record.launched.elapsed();
    state.push_number(age.as_secs_f64());
    Ok(1)
}

/// The watched lanes and slots. Dropping this ends the watch.
struct Watched<'a> {
    lanes: Vec<Arc<Record>>,
    slots: Vec<(&'a Linda, Key)>,
    lane_ends: SharedWatcher,
    elements: SharedWatcher,
}

impl Watched<'_> {
    fn begin(&self) -> Result<(), OutOfMemory> {
        for lane in &self.lanes {
            if !lane.end.watch(&self.lane_ends)? {
                self.lane_ends.tell();
            }
        }
        for (linda, key) in &self.slots {
            let key = key.borrowed();
            linda
                .queues
                .watch(&key, WatchFor::Elements, &self.elements)?;
        }
        Ok(())
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        for lane in &self.lanes {
            lane.end.unwatch(&self.lane_ends);
        }
        for (linda, key) in &self.slots {
            let key = key.borrowed();
            linda
                .queues
                .unwatch(&key, WatchFor::Elements, &self.elements);
        }
    }
}

lua_function! {
    /// `await(timeout, count, lanes, slots)`: waits until `count` of the lanes in the list have
    /// ended, or one of the slots in the list, `{linda, key, linda, key...}`, has an element or its
    /// linda is cancelled. Returns true; false at the timeout; `cancel_error`.
    pub fn await_ends = await_body
}

fn await_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "await");
    let timeout = match state.kind(1) {
        Kind::Nil => Timeout::Never,
        _ => Timeout::argument(&arguments, 1)?,
    };
    let count = usize::try_from(arguments.integer(2)?).unwrap_or_default();
    for list in 3..=4 {
        if state.kind(list) != Kind::Table {
            return Err(arguments.type_error(list, "table"));
        }
    }
    let mut lanes = grow::list(state.raw_len(3));
    for n in 1..=state.raw_len(3) {
        state.raw_get_index(3, n as i64);
        let handle: &Handle = Userdata::get(&arguments.state, -1)
            .ok_or_else(|| arguments.error(3, "a list of lanes expected"))?;
        lanes.push(Arc::clone(&handle.record));
        state.pop(1);
    }
    let mut slots = grow::list(state.raw_len(4) / 2);
    for n in (1..state.raw_len(4)).step_by(2) {
        if !state.try_reserve(4) {
            return Err(Raise::message("await: no room on the stack"));
        }
        // The linda stays on the stack.
        state.raw_get_index(4, n as i64);
        let linda = Userdata::get(&arguments.state, state.top()).and_then(linda_of);
        state.raw_get_index(4, n as i64 + 1);
        let key = KeyRef::argument(&arguments, state.top())?.to_key();
        state.pop(1);
        slots.push((
            linda.ok_or_else(|| arguments.error(4, "a list of lindas and keys expected"))?,
            key,
        ));
    }
    let lane_ends = Countdown::new(count, &context.waiter);
    let elements = Countdown::new(1, &context.waiter);
    let slots_are_none = slots.is_empty();
    let watched = Watched {
        lanes,
        slots,
        lane_ends: lane_ends.clone(),
        elements: elements.clone(),
    };
    watched
        .begin()
        .unwrap_or_else(|OutOfMemory| out_of_memory());
    // A wait for all is one for each: a `require` in one of the lanes that would wait for this
    // state is an error.
    let mut marks = Vec::new();
    if slots_are_none && count >= watched.lanes.len() {
        grow::room(&mut marks, watched.lanes.len());
        let waiters = watched.lanes.iter().map(|lane| &lane.waiter);
        marks
            .extend(waiters.filter_map(|lane| Waiting::for_end(context, lane, timeout.deadline())));
    }
    let slots = grow::collect(watched.slots.iter().map(|(linda, _)| Slots {
        linda,
        first: 0,
        count: 0,
    }));
    let what = What::Ends("wait", &watched.lanes, &slots);
    let outcome = wait(context, state, timeout.deadline(), &what, |wait: &Wait| {
        waited(wait.until(|| lane_ends.is_over() || elements.is_over()))
    })?;
    drop((watched, marks));
    match outcome {
        Ok(()) => state.push_boolean(true),
        Err(refusal) => return results::refused_send(state, refusal),
    }
    Ok(1)
}
