//! Test hooks, compiled in with the feature `hooks` only: `lanes_core.hooks`.

use crate::context::{Context, push_function};
use crate::lua::{Arguments, Function, Kind, Raise, Raising, State, lua_function};
use crate::message;
use crate::state::refusing;
use lanes_engine::memory::faults::{self, Plan};
use std::os::raw::c_int;
use std::sync::atomic::Ordering;

/// Adds the hooks to the module's table, which is at the top of the stack.
pub fn add(raising: Raising, context: c_int) {
    const HOOKS: [(&str, Function); 7] = [
        ("decode_mutated", decode_mutated),
        ("panic", panic),
        ("refuse", refuse),
        ("refuse_allocators", refuse_allocators),
        ("refuse_in_lanes", refuse_in_lanes),
        ("refuse_in_library", refuse_in_library),
        ("refuse_threads", refuse_threads),
    ];
    raising.new_table(0, HOOKS.len());
    for (name, function) in HOOKS {
        push_function(raising, context, function);
        raising.raw_set_name(-2, name.as_bytes());
    }
    raising.raw_set_name(-2, b"hooks");
}

lua_function! {
    /// `hooks.panic()`: panics, which callers see as a Lua error.
    fn panic = |_| panic!("provoked by a test")
}

/// The first two arguments: the number (from 1) of the first request that is refused, and how many
/// are refused in all.
fn numbers(arguments: &Arguments) -> Result<(u64, u64), Raise> {
    Ok((arguments.number(1)? as u64, arguments.number(2)? as u64))
}

lua_function! {
    /// `hooks.refuse(n, count, f, ...)`: calls `f(...)` while allocation number `n` of this state
    /// and those after it, `count` in all, are refused. Returns whether the call succeeded, how
    /// many were refused, and the results or the error.
    fn refuse = refuse_body
}

fn refuse_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "refuse");
    let (first, count) = numbers(&arguments)?;
    arguments.function(3)?;
    let passed = state.top() - 3;
    let plan = Plan::off();
    plan.begin(first, count);
    let (outcome, refused) = refusing::during(state, plan, || {
        state.call_protected(passed, None, 0).is_ok()
    });
    state.push_boolean(outcome);
    state.replace(1);
    state.push_integer(refused as i64);
    state.replace(2);
    Ok(state.top())
}

/// Begins a plan, or ends it if there are no arguments. Returns how many requests were refused
/// until now.
fn change(state: State, plan: &Plan, function: &'static str) -> Result<c_int, Raise> {
    let refused = plan.end();
    if state.kind(1) != Kind::None {
        let (first, count) = numbers(&Arguments::new(state, function))?;
        plan.begin(first, count);
    }
    state.push_integer(refused as i64);
    Ok(1)
}

lua_function! {
    /// `hooks.refuse_in_lanes(n, count)`: as `refuse`, for the states of all lanes together, until
    /// it is called without arguments. Returns how many were refused since the previous call.
    fn refuse_in_lanes = |state| change(state, &faults::LANES, "refuse_in_lanes")
}

lua_function! {
    /// `hooks.refuse_in_library(n, count [, size])`: as `refuse_in_lanes`, for the memory of the
    /// library itself; of blocks of at least `size` bytes only.
    always fn refuse_in_library = refuse_in_library_body
}

fn refuse_in_library_body(state: State) -> Result<c_int, Raise> {
    let arguments = Arguments::new(state, "refuse_in_library");
    let size = if state.top() < 3 {
        0
    } else {
        arguments.integer(3)? as usize
    };
    faults::OURS_FROM.store(size, Ordering::Relaxed);
    change(state, &faults::OURS, "refuse_in_library")
}

lua_function! {
    /// `hooks.refuse_allocators(n, count)`: as `refuse_in_lanes`, for new states that would use our
    /// allocator. Some builds of LuaJIT refuse all of them.
    fn refuse_allocators = |state| change(state, &faults::ALLOCATORS, "refuse_allocators")
}

lua_function! {
    /// `hooks.refuse_threads(n, count)`: as `refuse_in_lanes`, for the threads of lanes that are to
    /// be started.
    fn refuse_threads = |state| change(state, &faults::THREADS, "refuse_threads")
}

lua_function! {
    /// `hooks.decode_mutated(seed, ...)`: captures the values as one message, changes its bytes at
    /// random, and returns what they mean then, or raises an error.
    fn decode_mutated = decode_mutated_body
}

fn decode_mutated_body(state: State) -> Result<c_int, Raise> {
    let seed = Arguments::new(state, "decode_mutated").number(1)? as u64;
    state.remove(1);
    message::decode_mutated(&Context::of(&state)?.coders, state, seed)
}
