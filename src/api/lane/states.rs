//! The states of lanes: made, prepared, and made again of those of lanes that have ended.

#![allow(
    unsafe_code,
    reason = "an allocator function of the program's own is taken for what the program says that it is"
)]

use super::cancel_hook::HOOK;
use super::{callback, coroutines, debug_hooks, globals};
use crate::api::prepare;
use crate::api::{loaded, require};
use crate::context::Context;
use crate::lane::{Kinds, Kit, Leftover, Place, Record, Spare};
use crate::lua::compat::{self, LUAJIT, SEEDS_ITSELF};
use crate::lua::{KEYS, Kind, Raise, State, Text, protect};
use crate::state::Owned;
use crate::state::allocator::Memory;
use crate::state::libraries::Libraries;
use crate::universe::Universe;
use lanes_engine::memory::grow::OutOfMemory;
use std::hash::{BuildHasher, RandomState};
use std::os::raw::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A state with these libraries: a spare one, or a new one.
pub fn take(
    universe: &Arc<Universe>,
    state: State,
    libraries: Libraries,
    limit: usize,
) -> Result<Spare, Raise> {
    if universe.settings.custom_allocator {
        return make(Some(custom(state, limit)?), libraries, None, false);
    }
    if let (Some(shared), false) = (&universe.settings.allocator, LUAJIT) {
        return make(
            Some(Memory::shared(Arc::clone(shared), limit)),
            libraries,
            None,
            false,
        );
    }
    if limit == usize::MAX {
        if let Some(spare) = universe.spares().take(libraries) {
            return Ok(spare);
        }
        return make(
            own_memory(limit)?,
            libraries,
            universe.spares().place(),
            true,
        );
    }
    make(own_memory(limit)?, libraries, None, false).map_err(|raise| {
        if LUAJIT && Owned::new(Memory::own(usize::MAX)).is_err() {
            Raise::message("Bad 'memory_limit' option: this LuaJIT does not let lanes have an allocator of their own")
        } else {
            raise
        }
    })
}

/// LuaJIT refused an allocator: on some systems its states come from its own arenas only.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Memory for one state; `None` stands for that of the interpreter's own choice.
fn own_memory(limit: usize) -> Result<Option<Box<Memory>>, Raise> {
    if REFUSED.load(Ordering::Relaxed) && limit == usize::MAX {
        return Ok(None);
    }
    Memory::own(limit)
        .map(Some)
        .ok_or_else(Raise::out_of_memory)
}

/// Asks the program's allocator function for the allocator of one state: it answers a userdata that holds an
/// allocator function and its data.
fn custom(state: State, limit: usize) -> Result<Box<Memory>, Raise> {
    state.raw_get_index(State::REGISTRY, ALLOCATOR);
    state
        .call_protected(0, Some(1), 0)
        .map_err(|_| Raise::Value)?;
    let block = state.block(-1);
    let size = std::mem::size_of::<usize>();
    let word = |n: usize| {
        block
            .get(n * size..(n + 1) * size)
            .and_then(|word| word.try_into().ok())
    };
    let (Some(function), Some(data)) = (
        word(0).map(usize::from_ne_bytes),
        word(1).map(usize::from_ne_bytes),
    ) else {
        return Err(Raise::message(format!(
            "Bad allocator: the function should return a userdata that holds an allocator function and its data, got \
             a {}",
            state.type_name(-1)
        )));
    };
    state.pop(1);
    compat::allocator_from(function)
        // SAFETY: the program says that this is an allocator (docs/manual/loading.md#allocator).
        .map(|function| unsafe { Memory::custom(function, data as *mut c_void, limit) })
        .ok_or_else(|| Raise::message("Bad allocator: the userdata holds no allocator function"))
}

/// An error of a new state: its error value is of no use to the caller but for its text.
fn in_words(state: State, raise: Raise) -> Raise {
    match raise {
        Raise::Value => Raise::Bare(state.text(-1).unwrap_or_else(Text::out_of_memory)),
        raise => raise,
    }
}

/// Makes a state with these libraries. With a place its beginning is remembered.
fn make(
    memory: Option<Box<Memory>>,
    libraries: Libraries,
    place: Option<Place>,
    reusable: bool,
) -> Result<Spare, Raise> {
    let may_choose = LUAJIT && reusable && memory.is_some();
    let mut owned = match Owned::new(memory) {
        Err(OutOfMemory) if may_choose => {
            REFUSED.store(true, Ordering::Relaxed);
            Owned::new(None)
        }
        owned => owned,
    }
    .map_err(|OutOfMemory| Raise::out_of_memory())?;
    let state = owned.state();
    let kinds = prepare(state, libraries).map_err(|raise| in_words(state, raise))?;
    if place.is_some() {
        // Else the collector would begin, in every lane anew, with the first thing that is allocated.
        protect(state, 0, |raising| raising.collect()).map_err(|raise| in_words(state, raise))?;
    }
    owned.prepared(place.is_some());
    begin(
        owned,
        Kit {
            libraries,
            kinds,
            reusable,
            place,
        },
    )
}

/// Gives a prepared state the context of a new lane.
fn begin(owned: Owned, kit: Kit) -> Result<Spare, Raise> {
    let record = Record::new(HOOK);
    let state = owned.state();
    Context::install(
        state,
        kit.kinds,
        Context::new("Lane", Some(Arc::clone(&record))),
    );
    seed(state).map_err(|raise| in_words(state, raise))?;
    Ok(Spare { owned, record, kit })
}

/// Opens the libraries and puts in what does not depend on the lane.
fn prepare(state: State, libraries: Libraries) -> Result<Kinds, Raise> {
    state.run_collector(false);
    protect(state, 0, |raising| libraries.open(raising))?;
    let kinds = prepare::prepare(state)?;
    protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        let context = raising.top();
        globals::prepare(raising, context);
        coroutines::prepare(raising, context);
        debug_hooks::prepare(raising, context);
        callback::prepare(raising);
        require::wrap(raising, context);
        if libraries.has_core() {
            loaded::preload(raising, context);
        } else {
            loaded::offer(raising);
        }
        if SEEDS_ITSELF {
            raising.push_globals();
            raising.raw_get_name(-1, b"math");
            if raising.kind(-1) == Kind::Table {
                raising.raw_get_name(-1, b"randomseed");
                raising.raw_set_index(State::REGISTRY, RANDOM_SEED);
            }
        }
        raising.set_top(0);
    })?;
    state.run_collector(true);
    Ok(kinds)
}

/// The registry key of the function that answers an allocator for each state, in a master state.
pub const ALLOCATOR: i64 = -0x4c61_0101;

/// The registry key of `math.randomseed`.
const RANDOM_SEED: i64 = -0x4c61_0102;

/// Seeds `math.random` where a new state does that by itself: a state that is made again would repeat itself.
fn seed(state: State) -> Result<(), Raise> {
    if !SEEDS_ITSELF {
        return Ok(());
    }
    state.raw_get_index(State::REGISTRY, RANDOM_SEED);
    if state.kind(-1) != Kind::Function {
        state.pop(1);
        return Ok(());
    }
    // Every RandomState has other keys.
    let random = |n: u64| RandomState::new().hash_one(n) as i64;
    state.push_integer(random(1));
    state.push_integer(random(2));
    state
        .call_protected(2, Some(0), 0)
        .map_err(|_| Raise::Value)
}

/// Ends the state of a lane. What the answer is worth is for [`give`] to use, once the lane is known to be closed.
#[inline(never)]
pub fn close(mut owned: Owned, kit: Kit) -> Leftover {
    if !kit.reusable {
        drop(owned);
        return Leftover::Nothing;
    }
    if owned.is_renewable() {
        return owned
            .renew()
            .map_or(Leftover::Nothing, |owned| Leftover::State(owned, kit));
    }
    drop(owned);
    if REFUSED.load(Ordering::Relaxed) {
        Leftover::Libraries(kit.libraries)
    } else {
        Leftover::Nothing
    }
}

/// Makes a spare state of what is left.
#[inline(never)]
pub fn give(universe: &Universe, leftover: Leftover) {
    if universe.is_closing() {
        return;
    }
    let spare = match leftover {
        Leftover::Nothing => return,
        Leftover::State(owned, kit) => begin(owned, kit),
        Leftover::Libraries(libraries) => {
            if !universe.spares().has_room(libraries) {
                return;
            }
            make(None, libraries, None, true)
        }
    };
    if let Ok(spare) = spare {
        universe.spares().give(spare);
    }
}
