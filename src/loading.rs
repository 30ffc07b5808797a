//! Modules that are being loaded in a universe: one party at a time loads a module of one name, and
//! a wait that would never end is an error.

use crate::context::Context;
use crate::lua::{Text, text};
use crate::universe::Universe;
use lanes_engine::memory::grow::{OutOfMemory, out_of_memory};
use lanes_engine::park::named::{MOST_HOLDERS, Party, Refused, Step};
use lanes_engine::park::{Deadline, Wait, Waiter};
use std::sync::Arc;

/// A module that is being loaded, for as long as this value lives.
pub struct Loading<'a> {
    universe: &'a Universe,
    party: Party,
    name: &'a [u8],
}

impl<'a> Loading<'a> {
    /// Waits until nobody else loads the module `name`.
    ///
    /// Errors: the wait was ended by a request or an interruption, or would never end.
    pub fn begin(
        universe: &'a Universe,
        context: &Context,
        name: &'a [u8],
        wait: &Wait,
    ) -> Result<Loading<'a>, Refused> {
        let party = Party::of(&context.waiter);
        universe.loading().lock(party, name, wait)?;
        Ok(Loading {
            universe,
            party,
            name,
        })
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        // A process that was forked meanwhile has other locks.
        self.universe.loading().unlock(self.party, self.name);
    }
}

/// A state that waits for a lane without a deadline, for as long as this value lives.
pub struct Waiting<'a> {
    universe: &'a Universe,
    from: Party,
    to: Party,
    lends: bool,
}

impl<'a> Waiting<'a> {
    /// The state waits until the lane with this waiter has ended. Returns none if the wait has a
    /// deadline. The lane cannot load a module that the state is loading: it would most likely
    /// launch the next lane, and so on.
    pub fn for_end(context: &'a Context, lane: &Arc<Waiter>, deadline: Deadline) -> Option<Self> {
        match context.universe_if_any() {
            Some(universe) if deadline == Deadline::Never => Some(
                Waiting::begin(universe, &context.waiter, lane, false)
                    .unwrap_or_else(|OutOfMemory| out_of_memory()),
            ),
            _ => None,
        }
    }

    /// As `for_end`, for a wait without a deadline. Returns none if out of memory, too.
    pub fn for_end_if_possible(context: &'a Context, lane: &Arc<Waiter>) -> Option<Self> {
        let universe = context.universe_if_any()?;
        Waiting::begin(universe, &context.waiter, lane, false).ok()
    }

    /// The state whose waiter is `creator` launches the lane of `context`, which loads a module for
    /// that. The lane can load the modules that the state is loading, because it does so within the
    /// same call. None where there is no universe.
    pub fn for_launch(creator: &Arc<Waiter>, context: &'a Context) -> Option<Self> {
        let universe = context.universe_if_any()?;
        let waiting = Waiting::begin(universe, creator, &context.waiter, true);
        Some(waiting.unwrap_or_else(|OutOfMemory| out_of_memory()))
    }

    fn begin(
        universe: &'a Universe,
        from: &Arc<Waiter>,
        lane: &Arc<Waiter>,
        lends: bool,
    ) -> Result<Self, OutOfMemory> {
        let (from, to) = (Party::of(from), Party::of(lane));
        universe.loading().waits(from, to, lends)?;
        Ok(Waiting {
            universe,
            from,
            to,
            lends,
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Waiting {
            universe,
            from,
            to,
            lends,
        } = *self;
        universe.loading().ended(from, to, lends);
    }
}

/// Says why the module `name` cannot be loaded. Returns none if the wait for it ended for another
/// reason.
pub fn explain(
    universe: &Universe,
    context: &Context,
    name: &[u8],
    refused: &Refused,
) -> Option<Text> {
    match refused {
        Refused::Wait(_) => None,
        Refused::Lent => Some(text![
            "module '",
            name,
            format_args!(
                "' cannot be loaded: while it is loaded it launches a lane that loads it, {MOST_HOLDERS} times within each other"
            ),
        ]),
        Refused::Never(steps) => {
            let lanes = universe.running();
            let me = Party::of(&context.waiter);
            let called = |party: Party| {
                let lane = lanes.iter().find(|lane| Party::of(&lane.waiter) == party);
                match lane {
                    _ if party == me && context.record.is_some() => Text::from("this lane"),
                    None if party == universe.main => Text::from("main"),
                    None => Text::from("a lane that is being launched"),
                    Some(lane) => lane.called(),
                }
            };
            Some(circle(name, steps, me, called))
        }
    }
}

/// The words for a circle of parties that wait for each other.
fn circle(name: &[u8], steps: &[Step], me: Party, called: impl Fn(Party) -> Text) -> Text {
    let mut words = text!["module '", name, "' cannot be loaded: "];
    for (place, step) in steps.iter().enumerate() {
        let next = called(steps.get(place + 1).map_or(me, |next| next.party));
        let who = called(step.party);
        words.add(match place {
            0 => text![who, " is loading it and"],
            _ => text![", and ", who],
        });
        words.add(match &step.lock {
            Some(module) => text![" waits for ", next, " to load module '", &module[..], "'"],
            None => text![" waits for ", next],
        });
    }
    words
}
