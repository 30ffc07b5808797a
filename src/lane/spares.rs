//! Spare states: states of lanes that have ended, ready for the next launch.

use super::kinds::Kinds;
use super::record::Record;
use crate::state::Owned;
use crate::state::libraries::Libraries;
use lanes_engine::sync::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A state with its libraries and its context, and the record of the lane that will use it.
pub struct Spare {
    /// The state.
    pub owned: Owned,
    /// The record that its context has.
    pub record: Arc<Record>,
    /// How it was made.
    pub recipe: Recipe,
}

/// What is needed to make a state again.
pub struct Recipe {
    /// The libraries that are open in it.
    pub libraries: Libraries,
    /// The kinds of userdata that it has.
    pub kinds: Kinds,
    /// Whether another lane with the same libraries can use it.
    pub reusable: bool,
    /// Its place among the states whose arenas remember them.
    pub place: Option<Place>,
}

/// One of the few places for states whose arenas remember them.
pub struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is left of the state of a lane that has ended.
pub enum Leftover {
    /// Nothing that can be used again.
    Nothing,
    /// The state, as it was before it had a context.
    State(Owned, Recipe),
    /// Only the knowledge that a state with these libraries was used.
    Libraries(Libraries),
}

/// How many spare states a universe keeps.
const SPARE_STATES: usize = 8;

/// The spare states of a universe.
#[derive(Default)]
pub struct Spares {
    list: Mutex<Vec<Spare>>,
    /// How many states have a place.
    places: Arc<AtomicUsize>,
}

impl Spares {
    /// A place for a state whose arena remembers it. Returns none if all are taken.
    pub fn place(&self) -> Option<Place> {
        if self.places.fetch_add(1, Ordering::Relaxed) < SPARE_STATES {
            return Some(Place(Arc::clone(&self.places)));
        }
        self.places.fetch_sub(1, Ordering::Relaxed);
        // The oldest spare state is dropped for the new one.
        let mut list = self.list.lock();
        let oldest = (!list.is_empty()).then(|| list.remove(0));
        drop(list);
        let place = oldest.as_ref()?.recipe.place.is_some();
        drop(oldest);
        place.then(|| self.place()).flatten()
    }

    /// Takes the newest state with these libraries.
    pub fn take(&self, libraries: Libraries) -> Option<Spare> {
        let mut list = self.list.lock();
        let position = list
            .iter()
            .rposition(|spare| spare.recipe.libraries == libraries)?;
        Some(list.remove(position))
    }

    /// Whether another one is wanted.
    pub fn has_room(&self, libraries: Libraries) -> bool {
        let list = self.list.lock();
        list.len() < SPARE_STATES || list.iter().all(|spare| spare.recipe.libraries != libraries)
    }

    /// Adds a state. Drops the oldest one if there are too many.
    pub fn give(&self, spare: Spare) {
        let mut list = self.list.lock();
        let oldest = (list.len() >= SPARE_STATES).then(|| list.remove(0));
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
