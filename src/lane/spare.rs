//! Spare states: made by lanes that have ended, so that a launch finds one ready.

use super::record::Record;
use super::{coroutines, globals};
use crate::context::Context;
use crate::lua::compat::{self, LUAJIT};
use crate::lua::{Kind, Raise, State, protect};
use crate::message::KEYS;
use crate::module;
use crate::state::allocator::Memory;
use crate::state::libraries::Libraries;
use crate::state::{OutOfMemory, Owned};
use crate::universe::Universe;
use std::os::raw::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A state with its libraries and its context, and the record of the lane that it will be.
pub struct Spare {
    /// The state.
    pub owned: Owned,
    /// The record that its context has.
    pub record: Arc<Record>,
    libraries: Libraries,
}

/// The integer key under which a state's registry has its libraries, where a spare one may replace it.
const LIBRARIES: i64 = -0x4c61_0100;

fn not_enough_memory(_: OutOfMemory) -> Raise {
    Raise::Bare("not enough memory".into())
}

/// A state with these libraries: a spare one, or a new one.
pub fn take(
    universe: &Arc<Universe>,
    context: &Context,
    state: State,
    libraries: Libraries,
    limit: usize,
) -> Result<Spare, Raise> {
    if universe.settings.custom_allocator {
        return make(Some(custom(context, state, limit)?), libraries, false);
    }
    let memory = match &universe.settings.allocator {
        Some(shared) if !LUAJIT => Some(Memory::shared(Arc::clone(shared), limit)),
        _ if limit != usize::MAX => Some(Memory::library(limit)),
        _ => {
            if let Some(spare) = universe.spares.take(libraries) {
                return Ok(spare);
            }
            return make(None, libraries, true);
        }
    };
    make(memory, libraries, false).map_err(|raise| {
        if LUAJIT && limit != usize::MAX {
            Raise::message("Bad 'memory_limit' option: this LuaJIT does not let lanes have an allocator of their own")
        } else {
            raise
        }
    })
}

/// Asks the program's allocator function for the allocator of one state: it answers a userdata that holds an
/// allocator function and its data.
fn custom(_context: &Context, state: State, limit: usize) -> Result<Box<Memory>, Raise> {
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
        // SAFETY: the program says that this is an allocator (SPEC-3x 1.2, `allocator`).
        .map(|function| unsafe { Memory::custom(function, data as *mut c_void, limit) })
        .ok_or_else(|| Raise::message("Bad allocator: the userdata holds no allocator function"))
}

/// Makes a state with these libraries.
fn make(memory: Option<Box<Memory>>, libraries: Libraries, reusable: bool) -> Result<Spare, Raise> {
    let memory = memory.or_else(|| {
        if LUAJIT {
            None
        } else {
            Some(Memory::library(usize::MAX))
        }
    });
    let owned = Owned::new(memory).map_err(not_enough_memory)?;
    let state = owned.state();
    let record = Record::new();
    // An error value in the new state is of no use to the caller but for its text.
    prepare(state, libraries, &record, reusable).map_err(|raise| match raise {
        Raise::Value => Raise::Bare(
            state
                .text(-1)
                .unwrap_or_else(|| "not enough memory".to_owned())
                .into(),
        ),
        raise => raise,
    })?;
    Ok(Spare {
        owned,
        record,
        libraries,
    })
}

fn prepare(
    state: State,
    libraries: Libraries,
    record: &Arc<Record>,
    reusable: bool,
) -> Result<(), Raise> {
    state.run_collector(false);
    protect(state, 0, |raising| libraries.open(raising))?;
    Context::install(state, Context::new("Lane", Some(Arc::clone(record))))?;
    protect(state, 0, |raising| {
        raising.raw_get_index(State::REGISTRY, KEYS.context);
        let context = raising.top();
        globals::prepare(raising, context);
        coroutines::prepare(raising, context);
        module::wrap_require(raising, context);
        if libraries.has_core() {
            module::preload(raising, context);
        }
        if reusable {
            raising.new_userdata_with(&libraries.to_bytes(), 0);
            raising.raw_set_index(State::REGISTRY, LIBRARIES);
        }
        raising.set_top(0);
    })?;
    state.run_collector(true);
    Ok(())
}

/// The libraries of a state that a spare one may replace.
pub fn libraries_of(state: State) -> Option<Libraries> {
    state.raw_get_index(State::REGISTRY, LIBRARIES);
    let libraries = (state.kind(-1) == Kind::Userdata)
        .then(|| Libraries::from_bytes(state.block(-1)))
        .flatten();
    state.pop(1);
    libraries
}

/// Makes a spare state for the next launch with these libraries, unless there are enough.
pub fn refill(universe: &Universe, libraries: Libraries) {
    if universe.is_closing() || !universe.spares.has_room(libraries) {
        return;
    }
    if let Ok(spare) = make(None, libraries, true) {
        universe.spares.give(spare);
    }
}

/// How many spare states a universe keeps.
const MOST: usize = 8;

/// The spare states of a universe.
#[derive(Default)]
pub struct Spares(Mutex<Vec<Spare>>);

impl Spares {
    fn list(&self) -> MutexGuard<'_, Vec<Spare>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the newest one with these libraries out.
    fn take(&self, libraries: Libraries) -> Option<Spare> {
        let mut list = self.list();
        let position = list
            .iter()
            .rposition(|spare| spare.libraries == libraries)?;
        Some(list.remove(position))
    }

    /// Whether another one is wanted.
    fn has_room(&self, libraries: Libraries) -> bool {
        let list = self.list();
        list.len() < MOST || list.iter().all(|spare| spare.libraries != libraries)
    }

    /// Puts one in; the oldest goes when there are too many.
    fn give(&self, spare: Spare) {
        let mut list = self.list();
        let oldest = (list.len() >= MOST).then(|| list.remove(0));
        list.push(spare);
        drop(list);
        drop(oldest);
    }

    /// Closes them all.
    pub fn clear(&self) {
        let spares = std::mem::take(&mut *self.list());
        drop(spares);
    }
}
