//! `lanes.select` (docs/manual/select.md): exactly one of several operations on lindas, or the end
//! of a lane.

use super::linda::arguments::{check_restriction, linda_of, timeout, waited};
use super::linda::{receive, results, send};
use super::soon::receive_soon;
use super::waiting::{Timeout, wait_in_periods};
use super::what::{Slots, What};
use crate::context::Context;
use crate::lane::{Handle, Record};
use crate::linda::{Key, KeyRef, Linda, Restriction, soft_requests};
use crate::lua::{Arguments, Kind, Raise, State, Text, Userdata, lua_function, suggestion, text};
use crate::message::{Label, Message};
use lanes_engine::memory::grow;
use lanes_engine::park::Wait;
use lanes_engine::queues::{Case, Happened, Values, Who, select};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::os::raw::c_int;
use std::sync::Arc;

lua_function! {
    /// `lanes.select([timeout,] case...)`: returns the number of the case that has happened with
    /// key and value of a receive, the key of a send, or the handle of a lane; nothing at the
    /// timeout; `cancel_error`.
    pub fn lanes_select = select_body
}

/// A case, as it was read from its table.
struct Place<'a> {
    /// None if the case is a lane.
    linda: Option<&'a Linda>,
    /// Stack index of the first key, or of the handle.
    at: c_int,
    /// How many keys there are.
    keys: c_int,
    is_send: bool,
    /// The lane, if the case is one.
    lane: Option<&'a Arc<Record>>,
}

impl<'a> Place<'a> {
    fn slots(&self) -> Option<Slots<'a>> {
        Some(Slots {
            linda: self.linda?,
            first: self.at,
            count: self.keys,
        })
    }

    /// The case for the engine. `arguments` are those that it was read from; `sent` are the values
    /// of the sends that are left.
    fn case(&self, arguments: &'a Arguments, sent: &mut Sent) -> Option<MessageCase<'a>> {
        if let Some(lane) = self.lane {
            return Some(Case::Open(&lane.end));
        }
        let linda = self.linda?;
        if self.is_send {
            return Some(Case::Send(
                &linda.queues,
                KeyRef::at(&arguments.state, self.at)?,
                sent.pop_front(),
            ));
        }
        let mut keys = grow::list(self.keys as usize);
        for at in self.at..self.at + self.keys {
            keys.push(KeyRef::at(&arguments.state, at)?);
        }
        Some(Case::Receive(&linda.queues, keys))
    }
}

/// The values of the sends, in the order of their cases.
type Sent = VecDeque<Values<Message>>;

/// How many cases are kept without an allocation.
const INLINE: usize = 4;

type MessageCase<'a> = Case<'a, Key, Message, KeyRef<'a>>;

fn select_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let arguments = Arguments::new(state, "select");
    let (timeout, first, kind) = timeout(&arguments, 1)?;
    let last = state.top();
    if last < first {
        return Err(arguments.error(first, "a case expected, got no value"));
    }
    match receive_soon(context, &arguments, (first, kind), last, timeout)? {
        Some(count) => Ok(count),
        None => select_waiting(context, &arguments, (first, last), timeout),
    }
}

/// Selects by the engine. The cases are the arguments from `first` to `last`; there may be more
/// values on the stack.
// A function of its own, so that a select that need not wait has a small frame.
#[inline(never)]
fn select_waiting(
    context: &Context,
    arguments: &Arguments,
    (first, last): (c_int, c_int),
    timeout: Timeout,
) -> Result<c_int, Raise> {
    let state = arguments.state;
    state.set_top(last);
    let count = (last - first + 1) as usize;
    let mut places: SmallVec<[Place; INLINE]> = SmallVec::new();
    grow::room(&mut places, count);
    let mut sent = Sent::new();
    for index in first..=last {
        places.push(read(
            context,
            arguments,
            index,
            index - first + 1,
            &mut sent,
        )?);
    }
    let mut cases = grow::list(count);
    for place in &places {
        cases.extend(place.case(arguments, &mut sent));
    }
    let slots = grow::collect(places.iter().filter_map(Place::slots));
    let ends = grow::collect(places.iter().filter_map(|place| place.lane.map(Arc::clone)));
    let what = What::Ends("select", &ends, &slots);
    let (deadline, period) = (timeout.deadline(), shortest_period(&places));
    let outcome = wait_in_periods(context, state, deadline, period, &what, |wait: &Wait| {
        waited(select(wait, &mut cases))
    })?;
    let (index, happened) = match outcome {
        Ok(happened) => happened,
        Err(refusal) => return results::refused_receive(state, refusal),
    };
    let (Some(place), Some(case)) = (places.get(index), cases.get(index)) else {
        return Ok(0);
    };
    if !state.try_reserve(4) {
        return Err(Raise::message("select: no room on the stack"));
    }
    state.push_integer(index as i64 + 1);
    match happened {
        Happened::Received(position, message) => {
            let (Some(linda), Case::Receive(_, keys)) = (place.linda, case) else {
                return Ok(0);
            };
            let Some(key) = keys.get(position) else {
                return Ok(0);
            };
            let at = place.at + position as c_int;
            let count = receive::deliver_whole(context, state, linda, (key, at), message)?;
            Ok(count + 1)
        }
        Happened::Sent | Happened::Opened => {
            state.push_copy(place.at);
            Ok(2)
        }
    }
}

/// The shortest wake period of the lindas of these cases, in seconds; none if they have none.
fn shortest_period(places: &[Place]) -> Option<f64> {
    let periods = places.iter().filter_map(|place| place.linda?.wake_period);
    periods.reduce(f64::min)
}

/// An error about case number `number`, which is argument `index`.
fn bad(arguments: &Arguments, index: c_int, number: c_int, text: Text) -> Raise {
    arguments.error(index, text!["case ", format_args!("{number}"), ": ", text])
}

/// Reads the case that is argument `index`. What it refers to stays on the stack; the values of a
/// send are added to `sent`.
#[inline]
fn read<'a>(
    context: &Context,
    arguments: &'a Arguments,
    index: c_int,
    number: c_int,
    sent: &mut Sent,
) -> Result<Place<'a>, Raise> {
    let state = arguments.state;
    let bad = |text: Text| bad(arguments, index, number, text);
    if state.kind(index) != Kind::Table {
        return Err(bad(text!["a table expected, got ", state.type_name(index)]));
    }
    let length = state.raw_len(index);
    let Some(length) = c_int::try_from(length)
        .ok()
        .filter(|length| state.try_reserve(length.saturating_add(8)))
    else {
        return Err(bad(text!["too many values"]));
    };
    let subject = state.top() + 1;
    for n in 1..=length.max(1) {
        state.raw_get_index(index, i64::from(n));
    }
    let Some(linda) = Userdata::get(&arguments.state, subject).and_then(linda_of) else {
        let Some(handle) = Userdata::<Handle>::get(&arguments.state, subject) else {
            return Err(bad(text![
                "a linda or a lane expected, got ",
                state.type_name(subject)
            ]));
        };
        if length > 1 {
            return Err(bad(text!["a lane stands alone, got more values"]));
        }
        return Ok(Place {
            linda: None,
            at: subject,
            keys: 0,
            is_send: false,
            lane: Some(&handle.record),
        });
    };
    let (operation, first) = (subject + 1, subject + 2);
    let name = (length >= 2).then(|| state.bytes(operation)).flatten();
    let is_send = match name {
        Some(b"receive") => false,
        Some(b"send") => true,
        _ => {
            let given = match name {
                Some(name) => text!["'", name, "'", suggestion(name, b"receive send")],
                None if length < 2 => text!["no value"],
                None => text![state.type_name(operation)],
            };
            return Err(bad(
                text!["'receive' or 'send' expected, got "].and(given.bytes())
            ));
        }
    };
    if length < 3 {
        return Err(bad(text!["a key expected, got no value"]));
    }
    let who = if is_send { Who::Read } else { Who::Write };
    soft_requests::before(linda, who);
    let place = Place {
        linda: Some(linda),
        at: first,
        keys: if is_send { 1 } else { length - 2 },
        is_send,
        lane: None,
    };
    for at in first..first + place.keys {
        let key =
            KeyRef::at(&arguments.state, at).ok_or_else(|| bad(KeyRef::unsuitable(state, at)))?;
        check_restriction(linda, &key, Restriction::SetGet)?;
    }
    if !is_send {
        return Ok(place);
    }
    let label = Label::Case(number as u32);
    let values = match length - 3 {
        0 => return Err(bad(text!["no data to send (nil is sent as lanes.null)"])),
        1 => Values::One(send::element(context, state, label)?),
        count => Values::Many(send::elements(context, state, first + 1, count, label)?),
    };
    grow::room(sent, 1);
    sent.push_back(values);
    Ok(place)
}
