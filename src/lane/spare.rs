//! Spare states: made of those of lanes that have ended, so that a launch finds one ready.

#![allow(
    unsafe_code,
    reason = "an allocator function of the program's own is taken for what the program says that it is"
)]

use super::record::Record;
use super::{callback, coroutines, globals, hooks};
use crate::context::{Context, Kinds};
use crate::lua::compat::{self, LUAJIT, SEEDS_ITSELF};
use crate::lua::{Kind, Raise, State, Text, protect};
use crate::message::KEYS;
use crate::module;
use crate::state::Owned;
use crate::state::allocator::Memory;
use crate::state::libraries::Libraries;
use crate::universe::Universe;
use lanes_engine::memory::grow::OutOfMemory;
use lanes_engine::sync::Mutex;
use std::hash::{BuildHasher, RandomState};
use std::os::raw::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A state with its libraries and its context, and the record of the lane that it will be.
pub struct Spare {
    /// The state.
    pub owned: Owned,
    /// The record that its context has.
    pub record: Arc<Record>,
    /// How it was made.
    pub kit: Kit,
}

/// How a state was made, and what it takes to make it again.
pub struct Kit {
    libraries: Libraries,
    kinds: Kinds,
    /// Another lane with the same libraries can have it.
    reusable: bool,
    /// Its place among the states that are kept to be made again.
    _place: Option<Place>,
}

/// One of the few states whose beginnings are remembered.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

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
    state.raw_get_index(State::REGISTRY, module::ALLOCATOR);
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
            _place: place,
        },
    )
}

/// Gives a prepared state the context of a new lane.
fn begin(owned: Owned, kit: Kit) -> Result<Spare, Raise> {
    let record = Record::new();
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
    let kinds = Context::prepare(state)?;
    protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        let context = raising.top();
        globals::prepare(raising, context);
        coroutines::prepare(raising, context);
        hooks::prepare(raising, context);
        callback::prepare(raising);
        module::wrap_require(raising, context);
        if libraries.has_core() {
            module::preload(raising, context);
        } else {
            module::offer(raising);
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

/// What is left of the state of a lane that has ended.
pub enum Leftover {
    /// Nothing that can be used again.
    Nothing,
    /// The state, as it was before it had a context.
    State(Owned, Kit),
    /// The knowledge that a state with these libraries was wanted.
    Libraries(Libraries),
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

/// How many spare states a universe keeps.
const MOST: usize = 8;

/// The spare states of a universe.
#[derive(Default)]
pub struct Spares {
    list: Mutex<Vec<Spare>>,
    /// How many states have a place.
    places: Arc<AtomicUsize>,
}

impl Spares {
    /// A place for a state that is to be made again, unless all are taken.
    fn place(&self) -> Option<Place> {
        if self.places.fetch_add(1, Ordering::Relaxed) < MOST {
            return Some(Place(Arc::clone(&self.places)));
        }
        self.places.fetch_sub(1, Ordering::Relaxed);
        // Spare states that nobody takes make way.
        let mut list = self.list.lock();
        let oldest = (!list.is_empty()).then(|| list.remove(0));
        drop(list);
        let place = oldest.as_ref()?.kit._place.is_some();
        drop(oldest);
        place.then(|| self.place()).flatten()
    }

    /// Takes the newest one with these libraries out.
    fn take(&self, libraries: Libraries) -> Option<Spare> {
        let mut list = self.list.lock();
        let position = list
            .iter()
            .rposition(|spare| spare.kit.libraries == libraries)?;
        Some(list.remove(position))
    }

    /// Whether another one is wanted.
    fn has_room(&self, libraries: Libraries) -> bool {
        let list = self.list.lock();
        list.len() < MOST || list.iter().all(|spare| spare.kit.libraries != libraries)
    }

    /// Puts one in; the oldest goes when there are too many.
    fn give(&self, spare: Spare) {
        let mut list = self.list.lock();
        let oldest = (list.len() >= MOST).then(|| list.remove(0));
        list.push(spare);
        drop(list);
        drop(oldest);
    }

    /// Closes them all.
    pub fn clear(&self) {
        let spares = std::mem::take(&mut *self.list.lock());
        drop(spares);
    }
}
