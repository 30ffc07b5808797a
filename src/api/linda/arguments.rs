//! What the methods of lindas have in common: their receiver, timeouts, and how a wait on a linda
//! ends.

use crate::api::waiting::{Timeout, Waited};
use crate::linda::{KeyRef, Linda, Restriction, soft_requests};
use crate::lua::{Arguments, Kind, Raise, State, Userdata};
use crate::message::Proxy;
use lanes_engine::park::{Refusal, Request};
use lanes_engine::queues::Who;
use std::any::Any;
use std::os::raw::c_int;
use std::sync::Arc;

/// The linda that is the receiver of a method. `may_wake`: whose waits the method may end.
#[inline(always)]
pub fn this(arguments: &Arguments, may_wake: Who) -> Result<&Linda, Raise> {
    let linda = Userdata::get(&arguments.state, 1)
        .and_then(linda_of)
        .ok_or_else(|| {
            arguments.error(
                1,
                format_args!(
                    "expecting a linda object, got {}",
                    arguments.state.type_name(1)
                ),
            )
        })?;
    soft_requests::before(linda, may_wake);
    Ok(linda)
}

/// The linda that a proxy stands for.
#[inline(always)]
pub fn linda_of(proxy: &Proxy) -> Option<&Linda> {
    (&*proxy.object as &dyn Any).downcast_ref::<Linda>()
}

/// The linda that is argument `index`, to be kept.
pub fn shared_linda(arguments: &Arguments, index: c_int) -> Result<Arc<Linda>, Raise> {
    let state = arguments.state;
    Userdata::<Proxy>::get(&state, index)
        .filter(|proxy| linda_of(proxy).is_some())
        .map(|proxy| Arc::clone(&proxy.object) as Arc<dyn Any + Send + Sync>)
        .and_then(|object| object.downcast::<Linda>().ok())
        .ok_or_else(|| {
            arguments.error(
                index,
                format_args!("expecting a linda, got {}", state.type_name(index)),
            )
        })
}

/// The timeout that may be argument `at`, before all others: a number of seconds (negative: for
/// ever, or an error, see [`Timeout::argument`]), or nil. Returns it with the index and the type of
/// the next argument.
#[inline(always)]
pub fn timeout(arguments: &Arguments, at: c_int) -> Result<(Timeout, c_int, Kind), Raise> {
    let timeout = match arguments.state.kind(at) {
        Kind::Number => Timeout::argument(arguments, at)?,
        Kind::Nil => Timeout::Never,
        other => return Ok((Timeout::Never, at, other)),
    };
    Ok((timeout, at + 1, arguments.state.kind(at + 1)))
}

/// Refuses a slot that is kept to other operations.
#[inline(always)]
pub fn check_restriction(linda: &Linda, key: &KeyRef, other: Restriction) -> Result<(), Raise> {
    if linda.restrictions.any() {
        return refuse_restricted(linda, key, other);
    }
    Ok(())
}

/// Refuses a slot that is kept to some operations, for a call that needs both kinds.
#[inline(always)]
pub fn check_unrestricted(linda: &Linda, key: &KeyRef) -> Result<(), Raise> {
    check_restriction(linda, key, Restriction::SetGet)?;
    check_restriction(linda, key, Restriction::SendReceive)
}

#[cold]
fn refuse_restricted(linda: &Linda, key: &KeyRef, other: Restriction) -> Result<(), Raise> {
    if linda.restrictions.of(key) == other {
        return Err(Raise::message(format!(
            "Key is restricted: this slot is for {} only",
            other.name()
        )));
    }
    Ok(())
}

/// Whether the value at `index` is this light userdata (see [`sentinels`](crate::lua::sentinels)).
pub fn is_marker(state: State, index: c_int, marker: usize) -> bool {
    state.kind(index) == Kind::Light && state.userdata(index) as usize == marker
}

/// How a wait goes on after this outcome of an operation.
pub fn waited<T>(outcome: Result<T, Refusal>) -> Waited<Result<T, Refusal>> {
    match outcome {
        Err(Refusal::Interrupted) => Waited::Interrupted,
        Err(Refusal::Request(Request::Hard)) => Waited::Asked(outcome),
        Err(Refusal::TimedOut) => Waited::TimedOut(outcome),
        outcome => Waited::Ended(outcome),
    }
}
