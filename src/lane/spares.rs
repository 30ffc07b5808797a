//! Spare states: made of those of lanes that have ended, so that a launch finds one ready.

use super::kinds::Kinds;
use super::record::Record;
use crate::state::Owned;
use crate::state::libraries::Libraries;
use lanes_engine::sync::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// The libraries that are open in it.
    pub libraries: Libraries,
    /// The kinds of userdata that it has.
    pub kinds: Kinds,
    /// Another lane with the same libraries can have it.
    pub reusable: bool,
    /// Its place among the states that are kept to be made again.
    pub place: Option<Place>,
}

/// One of the few states whose beginnings are remembered.
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
    State(Owned, Kit),
    /// The knowledge that a state with these libraries was wanted.
    Libraries(Libraries),
}

/// How many spare states a universe keeps.
const KEPT_STATES: usize = 8;

/// The spare states of a universe.
#[derive(Default)]
pub struct Spares {
    list: Mutex<Vec<Spare>>,
    /// How many states have a place.
    places: Arc<AtomicUsize>,
}

impl Spares {
    /// A place for a state that is to be made again, unless all are taken.
    pub fn place(&self) -> Option<Place> {
        if self.places.fetch_add(1, Ordering::Relaxed) < KEPT_STATES {
            return Some(Place(Arc::clone(&self.places)));
        }
        self.places.fetch_sub(1, Ordering::Relaxed);
        // Spare states that nobody takes make way.
        let mut list = self.list.lock();
        let oldest = (!list.is_empty()).then(|| list.remove(0));
        drop(list);
        let place = oldest.as_ref()?.kit.place.is_some();
        drop(oldest);
        place.then(|| self.place()).flatten()
    }

    /// Takes the newest one with these libraries out.
    pub fn take(&self, libraries: Libraries) -> Option<Spare> {
        let mut list = self.list.lock();
        let position = list
            .iter()
            .rposition(|spare| spare.kit.libraries == libraries)?;
        Some(list.remove(position))
    }

    /// Whether another one is wanted.
    pub fn has_room(&self, libraries: Libraries) -> bool {
        let list = self.list.lock();
        list.len() < KEPT_STATES || list.iter().all(|spare| spare.kit.libraries != libraries)
    }

    /// Puts one in; the oldest goes when there are too many.
    pub fn give(&self, spare: Spare) {
        let mut list = self.list.lock();
        let oldest = (list.len() >= KEPT_STATES).then(|| list.remove(0));
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
