//! `timer`, `timers` and the conversion of dates (docs/manual/timers.md).

use super::date;
use super::lane::cancel_hook::HOOK;
use super::lane::receiver;
use super::linda::arguments::{check_restriction, linda_of};
use crate::context::Context;
use crate::lane::Record;
use crate::linda::{Key, KeyRef, Linda, Restriction};
use crate::lua::{
    Arguments, KEYS, Kind, Raise, Raising, State, Userdata, check_memory, lua_function, protect,
    protect_with,
};
use crate::message::{Deep, DeepKinds, Proxy, push_proxy};
use crate::timer;
use std::any::Any;
use std::io::ErrorKind;
use std::os::raw::c_int;
use std::sync::Arc;

/// The linda and the key that are the first two arguments.
fn target(arguments: &Arguments) -> Result<(Arc<Linda>, Key), Raise> {
    let state = arguments.state;
    let proxy = Userdata::<Proxy>::get(&state, 1);
    let object = proxy
        .filter(|proxy| linda_of(proxy).is_some())
        .map(|proxy| Arc::clone(&proxy.object));
    let linda = object.and_then(|object| {
        (object as Arc<dyn Any + Send + Sync>)
            .downcast::<Linda>()
            .ok()
    });
    let linda = linda.ok_or_else(|| {
        arguments.error(
            1,
            format_args!("expecting a Linda, got {}", state.type_name(1)),
        )
    })?;
    Ok((linda, KeyRef::argument(arguments, 2)?.to_key()))
}

lua_function! {
    /// `timer(linda, key, first [, period])`; `first` is a number of seconds from now, a table that
    /// is a date, or nil to end the timer.
    always pub fn timer = timer_body
}

fn timer_body(state: State) -> Result<c_int, Raise> {
    set_timer_of_program(state).map_err(Raise::for_caller)
}

lua_function! {
    /// `alarm(linda, key, first)`: as `timer`, also where programs have no timers.
    always pub fn alarm = set_timer
}

fn set_timer_of_program(state: State) -> Result<c_int, Raise> {
    let universe = Context::of(&state)?.universe()?;
    if !universe.settings.with_timers {
        return Err(Raise::message(
            "timers are not active: configure lanes with with_timers = true",
        ));
    }
    set_timer(state)
}

fn set_timer(state: State) -> Result<c_int, Raise> {
    let universe = Context::of(&state)?.universe()?;
    let arguments = Arguments::new(state, "timer");
    let (linda, key) = target(&arguments)?;
    state.set_top(4);
    let period = match state.kind(4) {
        Kind::Nil => None,
        Kind::Boolean if !state.truth(4) => None,
        Kind::Number | Kind::String => {
            let period = arguments.number(4)?;
            if period.is_nan() {
                return Err(arguments.error(4, "period in seconds expected, got NaN"));
            }
            (period > 0.0).then_some(period)
        }
        _ => return Err(arguments.type_error(4, "number")),
    };
    let wrong_first = || arguments.type_error(3, "number or date table");
    let first = match state.kind(3) {
        Kind::Nil => {
            universe.timers().remove(&linda, key);
            return Ok(0);
        }
        Kind::Boolean if !state.truth(3) => {
            universe.timers().remove(&linda, key);
            return Ok(0);
        }
        Kind::Number | Kind::String => {
            check_memory()?;
            check_restriction(&linda, &key.borrowed(), Restriction::SendReceive)?;
            let delay = state.to_number(3).ok_or_else(wrong_first)?;
            if delay.is_nan() {
                return Err(arguments.error(3, "time in seconds expected, got NaN"));
            }
            if delay == 0.0 {
                universe.timers().remove(&linda, key.clone());
                timer::tick(&linda, &key);
                match period {
                    None => return Ok(0),
                    Some(period) => timer::now() + period,
                }
            } else {
                timer::now() + delay
            }
        }
        Kind::Table => {
            check_memory()?;
            check_restriction(&linda, &key.borrowed(), Restriction::SendReceive)?;
            date(&arguments, 3)?
        }
        _ => return Err(wrong_first()),
    };
    universe
        .timers()
        .set(&linda, key, first, period)
        .map_err(|error| match error.kind() {
            ErrorKind::OutOfMemory => Raise::out_of_memory(),
            _ => Raise::message(format!("cannot start the thread of the timers ({error})")),
        })?;
    Ok(0)
}

/// The fields of a date, in the order of `Date`, and the least and greatest value of each.
const FIELDS: [&str; 6] = ["year", "month", "day", "hour", "min", "sec"];

/// The time that the date table at `index` stands for, in seconds since the epoch.
fn date(arguments: &Arguments, index: c_int) -> Result<f64, Raise> {
    let state = arguments.state;
    let mut values = [0i64; 6];
    for (value, name) in values.iter_mut().zip(FIELDS) {
        state.push_copy(index);
        protect(state, 1, move |raising| {
            raising.raw_get_name(1, name.as_bytes());
            raising.remove(1);
        })?;
        *value = match state.kind(-1) {
            Kind::Nil => 0,
            Kind::Number | Kind::String => {
                let number = state
                    .to_number(-1)
                    .filter(|number| number.abs() < 1e9)
                    .ok_or_else(|| {
                        arguments.error(
                            index,
                            format_args!("field '{name}' of the date is not a number in range"),
                        )
                    })?;
                number.trunc() as i64
            }
            _ => {
                return Err(arguments.error(
                    index,
                    format_args!(
                        "field '{name}' of the date should be a number, got {}",
                        state.type_name(-1)
                    ),
                ));
            }
        };
        state.pop(1);
    }
    state.push_copy(index);
    protect(state, 1, |raising| {
        raising.raw_get_name(1, b"isdst");
        raising.remove(1);
    })?;
    let summer = (state.kind(-1) == Kind::Boolean).then(|| state.truth(-1));
    state.pop(1);
    if values.iter().all(|value| *value == 0) {
        return Err(arguments.error(
            index,
            "the date has none of the fields year, month, day, hour, min, sec",
        ));
    }
    date::local_time(values, summer)
        .ok_or_else(|| arguments.error(index, "the date cannot be represented"))
}

lua_function! {
    /// `wakeup_conv(date)`: seconds since the epoch.
    pub fn wakeup_conv = wakeup_conv_body
}

fn wakeup_conv_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "wakeup_conv");
    if state.kind(1) != Kind::Table {
        return Err(arguments.type_error(1, "table"));
    }
    let time = date(&arguments, 1)?;
    state.push_number(time);
    Ok(1)
}

lua_function! {
    /// `timers()`: an array of `{linda, key, {when [, period]}}`.
    pub fn timers = timers_body
}

fn timers_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let universe = context.universe()?;
    if !universe.settings.with_timers {
        return Err(Raise::Level(
            "timers are not active: configure lanes with with_timers = true".into(),
            2,
        ));
    }
    let kinds = &context.coders.cache.kinds;
    state.set_top(0);
    protect(state, 0, |raising| raising.new_table(0, 0))?;
    for (n, mut entry) in universe.timers().list().into_iter().enumerate() {
        let object: Arc<dyn Deep> = entry.0.linda.clone();
        push_proxy(kinds, state, &object)?;
        protect_with(state, 2, &mut entry, |raising, entry| {
            push_entry(raising, kinds, &entry.0.key, entry.1, entry.2)
        })?;
        protect(state, 2, move |raising| {
            raising.raw_set_index(1, n as i64 + 1)
        })?;
    }
    Ok(1)
}

/// Stack: list, linda. Replaces the linda by an entry of the list.
fn push_entry(raising: Raising, kinds: &DeepKinds, key: &Key, when: f64, period: Option<f64>) {
    raising.new_table(3, 0);
    raising.insert(2);
    raising.raw_set_index(2, 1);
    key.push(raising, kinds);
    raising.raw_set_index(2, 2);
    raising.new_table(2, 0);
    raising.push_number(when);
    raising.raw_set_index(-2, 1);
    if let Some(period) = period {
        raising.push_number(period);
        raising.raw_set_index(-2, 2);
    }
    raising.raw_set_index(2, 3);
}

lua_function! {
    /// `timer_lane()`: a lane handle that stands for the service of timers.
    pub fn timer_lane = |state| {
        let context = Context::of(&state)?;
        let universe = context.universe()?;
        let weak = Arc::downgrade(universe);
        let end = move || {
            if let Some(universe) = weak.upgrade() {
                universe.timers().end_timers();
            }
        };
        let record = Record::of_service(b"LanesTimer", HOOK, Box::new(end));
        universe.track(&record);
        receiver::push_plain(context, state, &record)?;
        state.push_copy(-1);
        protect(state, 1, |raising| raising.raw_set_index(State::REGISTRY, KEYS.timer_lane))?;
        Ok(1)
    }
}
