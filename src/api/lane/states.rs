//! The states of lanes: they are made, prepared, and reused after a lane has ended.

#![allow(
    unsafe_code,
    reason = "an allocator function of the program's own is taken for what the program says that it is"
)]

use super::cancel_hook::HOOK;
use super::{callback, coroutines, debug_hooks, globals};
use crate::api::prepare;
use crate::api::{loaded, require};
use crate::context::Context;
use crate::lane::{Kinds, Leftover, Place, Recipe, Record, Spare};
use crate::lua::compat::{self, LUAJIT, SEEDS_ITSELF};
use crate::lua::{KEYS, Kind, Raise, State, Text, protect};
use crate::state::Owned;
use crate::state::allocator::Memory;
use crate::state::libraries::Libraries;
use crate::universe::{Interface, Universe};
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
    let interface = universe.settings.interface;
    if universe.settings.custom_allocator {
        return make(
            Some(custom(state, limit)?),
            libraries,
            interface,
            None,
            false,
        );
    }
    if let (Some(shared), false) = (&universe.settings.allocator, LUAJIT) {
        return make(
            Some(Memory::shared(Arc::clone(shared), limit)),
            libraries,
            interface,
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
            interface,
            universe.spares().place(),
            true,
        );
    }
    make(own_memory(limit)?, libraries, interface, None, false).map_err(|raise| {
        if LUAJIT && Owned::new(Memory::own(usize::MAX)).is_err() {
            Raise::message("Bad 'memory_limit' option: this LuaJIT does not let lanes have an allocator of their own")
        } else {
            raise
        }
    })
}

/// Whether LuaJIT has refused an allocator: some builds make states with their own allocator only.
static ALLOCATOR_REFUSED: AtomicBool = AtomicBool::new(false);

/// Memory for one state. `None` stands for the interpreter's default allocator.
fn own_memory(limit: usize) -> Result<Option<Box<Memory>>, Raise> {
    if ALLOCATOR_REFUSED.load(Ordering::Relaxed) && limit == usize::MAX {
        return Ok(None);
    }
    Memory::own(limit)
        .map(Some)
        .ok_or_else(Raise::out_of_memory)
}

/// Calls the program's function for the allocator of one state: it returns a userdata that holds an
/// allocator function and its data.
fn custom(state: State, limit: usize) -> Result<Box<Memory>, Raise> {
    state.raw_get_index(State::REGISTRY, ALLOCATOR_KEY);
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

/// Turns an error of a new state into its text, because the error value stays in that state.
fn in_words(state: State, raise: Raise) -> Raise {
    match raise {
        Raise::Value => Raise::Bare(state.text(-1).unwrap_or_else(Text::out_of_memory)),
        raise => raise,
    }
}

/// Makes a state with these libraries. With a place, its arena remembers the prepared state.
fn make(
    memory: Option<Box<Memory>>,
    libraries: Libraries,
    interface: Interface,
    place: Option<Place>,
    reusable: bool,
) -> Result<Spare, Raise> {
    let may_choose = LUAJIT && reusable && memory.is_some();
    let mut owned = match Owned::new(memory) {
        Err(OutOfMemory) if may_choose => {
            ALLOCATOR_REFUSED.store(true, Ordering::Relaxed);
            Owned::new(None)
        }
        owned => owned,
    }
    .map_err(|OutOfMemory| Raise::out_of_memory())?;
    let state = owned.state();
    let kinds = prepare(state, libraries, interface).map_err(|raise| in_words(state, raise))?;
    if place.is_some() {
        // If not, the collector would start in every lane with the first allocation.
        protect(state, 0, |raising| raising.collect()).map_err(|raise| in_words(state, raise))?;
    }
    owned.prepared(place.is_some());
    begin(
        owned,
        Recipe {
            libraries,
            kinds,
            reusable,
            place,
        },
    )
}

/// Gives a prepared state the context of a new lane.
fn begin(owned: Owned, recipe: Recipe) -> Result<Spare, Raise> {
    let record = Record::new(HOOK);
    let state = owned.state();
    Context::install(
        state,
        recipe.kinds,
        Context::new("Lane", Some(Arc::clone(&record))),
    );
    seed(state).map_err(|raise| in_words(state, raise))?;
    Ok(Spare {
        owned,
        record,
        recipe,
    })
}

/// Opens the libraries and adds all that does not depend on the lane.
fn prepare(state: State, libraries: Libraries, interface: Interface) -> Result<Kinds, Raise> {
    state.run_collector(false);
    protect(state, 0, |raising| libraries.open(raising))?;
    let kinds = prepare::prepare(state, interface)?;
    protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        let context = raising.top();
        globals::prepare(raising, context, interface);
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
                raising.raw_set_index(State::REGISTRY, RANDOM_SEED_KEY);
            }
        }
        raising.set_top(0);
    })?;
    state.run_collector(true);
    Ok(kinds)
}

/// The registry key, in a master state, of the function that returns an allocator for each state.
pub const ALLOCATOR_KEY: i64 = -0x4c61_0101;

/// The registry key of `math.randomseed`.
const RANDOM_SEED_KEY: i64 = -0x4c61_0102;

/// Seeds `math.random` on Luas that seed every new state: a reused state would repeat its numbers.
fn seed(state: State) -> Result<(), Raise> {
    if !SEEDS_ITSELF {
        return Ok(());
    }
    if state.raw_get_index(State::REGISTRY, RANDOM_SEED_KEY) != Kind::Function {
        state.pop(1);
        return Ok(());
    }
    // Every `RandomState` has other random keys.
    let random = |n: u64| RandomState::new().hash_one(n) as i64;
    state.push_integer(random(1));
    state.push_integer(random(2));
    state
        .call_protected(2, Some(0), 0)
        .map_err(|_| Raise::Value)
}

/// Closes the state of a lane. [`give`] takes what is left, once the lane is marked as closed.
#[inline(never)]
pub fn close(mut owned: Owned, recipe: Recipe) -> Leftover {
    if !recipe.reusable {
        drop(owned);
        return Leftover::Nothing;
    }
    if owned.is_renewable() {
        return owned
            .renew()
            .map_or(Leftover::Nothing, |owned| Leftover::State(owned, recipe));
    }
    drop(owned);
    if ALLOCATOR_REFUSED.load(Ordering::Relaxed) {
        Leftover::Libraries(recipe.libraries)
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
        Leftover::State(owned, recipe) => begin(owned, recipe),
        Leftover::Libraries(libraries) => {
            if !universe.spares().has_room(libraries) {
                return;
            }
            make(None, libraries, universe.settings.interface, None, true)
        }
    };
    if let Ok(spare) = spare {
        universe.spares().give(spare);
    }
}
