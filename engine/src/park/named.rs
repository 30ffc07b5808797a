//! Locks that have names. They are recursive, and they know who waits for whom: a wait for a lock
//! that would never end is refused, or the lock is lent.
//!
//! Parties wait for locks, and for other parties. A party that waits for another party has stopped
//! in the middle of what it does under its locks, and goes on only after the other party. So if the
//! other party waits for one of these locks, the first *lends* it: both hold it. Not every wait
//! lends. If a circle of waits has one that does not lend, the parties in it that wait for locks
//! are refused.

use super::parker::Woken;
use super::refusal::{Refusal, Request};
use super::waiter::{Wait, Waiter};
use crate::memory::grow::{self, OutOfMemory, out_of_memory};
use crate::sync::{Arc, Mutex};
use std::collections::VecDeque;

/// Who takes locks and waits: the owner of a waiter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party(usize);

impl Party {
    /// The owner of this waiter. The waiter must live as long as the party holds or waits for
    /// something.
    pub fn of(waiter: &Arc<Waiter>) -> Party {
        Party(Arc::as_ptr(waiter) as usize)
    }
}

/// Why a lock was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// The wait ended for another reason.
    Wait(Refusal),
    /// The wait would never end. The party of the first step holds the lock, each party waits for
    /// the next one, and the last one waits for the party that was refused.
    Never(Vec<Step>),
    /// The lock has been lent as often as it can be.
    Lent,
}

/// A party in a circle of parties that wait for each other.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Who waits.
    pub party: Party,
    /// The lock that it waits for, which the next party holds; `None` if it waits for that party
    /// itself.
    pub lock: Option<Vec<u8>>,
}

/// How many parties can hold one lock, each lent it by the one before.
pub const MOST_HOLDERS: usize = 16;

/// A name, shared by the rows that have it.
type Name = std::sync::Arc<Vec<u8>>;

/// All locks, by name. They protect no data: code under them calls Lua, which may take them again.
pub struct Locks(Mutex<Table>);

/// Each list has few rows at a time.
#[derive(Default)]
struct Table {
    /// Who holds which lock. A lock that is lent has several holders.
    held: Vec<Held>,
    /// Who waits for a lock, in the order of arrival.
    queue: VecDeque<Queued>,
    /// Who waits for which party, without a deadline.
    waits: Vec<Waits>,
    /// The result of `reaches`: the parties that a party waits for, directly or not. It has room
    /// for all parties, so that unlocking needs no memory.
    reached: Vec<Reached>,
}

struct Held {
    name: Name,
    party: Party,
    /// How often the party has taken it.
    times: usize,
}

struct Queued {
    name: Name,
    party: Party,
    waiter: Arc<Waiter>,
}

#[derive(PartialEq)]
struct Waits {
    from: Party,
    to: Party,
    lends: bool,
}

struct Reached {
    party: Party,
    /// The place in `reached` of the party that waits for this one.
    by: usize,
    /// The place in `held` of the lock that it waits for; `None` if it waits for the party itself.
    lock: Option<usize>,
}

/// Whether a party can take a lock.
#[derive(PartialEq)]
enum Standing {
    /// It can.
    Free,
    /// It has to wait. If a holder waits for nobody, this is its place in `held`.
    Later(Option<usize>),
    /// It would wait without end for the holder at this place in `held`.
    Never(usize),
    /// It could be lent the lock, but `MOST_HOLDERS` hold it.
    Lent,
}

impl Table {
    /// Makes room for one more row in each list.
    ///
    /// Errors: out of memory.
    fn try_room(&mut self) -> Result<(), OutOfMemory> {
        grow::try_room(&mut self.held, 1)?;
        grow::try_room(&mut self.queue, 1)?;
        grow::try_room(&mut self.waits, 1)?;
        self.reached.clear();
        let most = self.held.len() + self.queue.len() + self.waits.len() + 2;
        grow::try_room(&mut self.reached, most)
    }

    /// As `try_room`. Unwinds if out of memory.
    fn room(&mut self) {
        self.try_room()
            .unwrap_or_else(|OutOfMemory| out_of_memory());
    }

    /// The place in `held` of this lock, if the party holds it.
    fn place(&self, name: &[u8], party: Party) -> Option<usize> {
        self.held
            .iter()
            .position(|held| held.party == party && *held.name == name)
    }

    /// Whether `from` waits for `to`, directly or not; with `lending`, by waits that lend only.
    /// `reached` has the way.
    fn reaches(&mut self, from: Party, to: Party, lending: bool) -> bool {
        self.reached.clear();
        self.reached.push(Reached {
            party: from,
            by: 0,
            lock: None,
        });
        let mut by = 0;
        while let Some(Reached { party, .. }) = self.reached.get(by) {
            let party = *party;
            for waits in &self.waits {
                if waits.from == party && (waits.lends || !lending) {
                    add(&mut self.reached, waits.to, by, None);
                }
            }
            for queued in self.queue.iter().filter(|queued| queued.party == party) {
                for (place, held) in self.held.iter().enumerate() {
                    if held.name == queued.name {
                        add(&mut self.reached, held.party, by, Some(place));
                    }
                }
            }
            if self.reached.iter().skip(1).any(|one| one.party == to) {
                return true;
            }
            by += 1;
        }
        false
    }

    fn standing(&mut self, name: &[u8], party: Party) -> Standing {
        let (mut holders, mut lent, mut busy) = (0, true, None);
        for place in 0..self.held.len() {
            let holder = match self.held.get(place) {
                Some(held) if *held.name == name => held.party,
                _ => continue,
            };
            holders += 1;
            if !self.reaches(holder, party, true) {
                if self.reaches(holder, party, false) {
                    return Standing::Never(place);
                }
                lent = false;
                busy = busy.or((self.reached.len() == 1).then_some(place));
            }
        }
        match lent {
            true if holders >= MOST_HOLDERS => Standing::Lent,
            true => Standing::Free,
            false => Standing::Later(busy),
        }
    }

    /// The way from the holder at `place` to the party that waits for it. Unwinds if out of memory.
    fn circle(&mut self, place: usize, party: Party) -> Vec<Step> {
        let Some(holder) = self.held.get(place).map(|held| held.party) else {
            return Vec::new();
        };
        self.reaches(holder, party, false);
        let mut steps = Vec::new();
        let last = self.reached.iter().skip(1).find(|one| one.party == party);
        let mut at = last;
        while let Some(one) = at {
            let Some(before) = self.reached.get(one.by) else {
                break;
            };
            grow::room(&mut steps, 1);
            let lock = one.lock.and_then(|place| self.held.get(place));
            steps.push(Step {
                party: before.party,
                lock: lock.map(|held| grow::copy(&held.name)),
            });
            at = (one.by != 0).then_some(before);
        }
        steps.reverse();
        steps
    }

    /// To be called after a change: gives locks to parties that can take them now, and wakes those
    /// that would wait without end.
    fn settle(&mut self) {
        let (mut at, mut busy) = (0, None);
        while let Some(queued) = self.queue.get(at) {
            let (name, party) = (Name::clone(&queued.name), queued.party);
            // Many parties wait for the same lock if all lanes begin with the same module.
            if busy
                .and_then(|place: usize| self.held.get(place))
                .is_some_and(|held| held.name == name)
            {
                at += 1;
                continue;
            }
            match self.standing(&name, party) {
                Standing::Free => {
                    if let Some(queued) = self.queue.remove(at) {
                        self.held.push(Held {
                            name,
                            party,
                            times: 1,
                        });
                        queued.waiter.unpark();
                    }
                    continue;
                }
                Standing::Later(holder) => busy = holder.or(busy),
                Standing::Never(_) | Standing::Lent => wake(&self.queue, at),
            }
            at += 1;
        }
    }
}

/// Wakes the party at `at` in the queue. It then finds out why it cannot take the lock.
fn wake(queue: &VecDeque<Queued>, at: usize) {
    if let Some(queued) = queue.get(at) {
        queued.waiter.unpark();
    }
}

/// Adds a party to `reached`, if it is not there.
fn add(reached: &mut Vec<Reached>, party: Party, by: usize, lock: Option<usize>) {
    // The way begins at the first party, and may end there, too.
    if !reached.iter().skip(1).any(|one| one.party == party) {
        reached.push(Reached { party, by, lock });
    }
}

/// Removes a party that no longer waits for a lock from the queue.
fn leave(table: &mut Table, name: &[u8], party: Party) {
    let mine = |queued: &Queued| queued.party == party && *queued.name == name;
    if let Some(place) = table.queue.iter().position(mine) {
        table.queue.remove(place);
    }
}

impl Default for Locks {
    fn default() -> Self {
        Locks(Mutex::new(Table::default()))
    }
}

impl Locks {
    /// Takes the lock with this name; `unlock` must follow. A hard request to the waiter ends the
    /// wait. A soft one does not, because the callers have no result for it. Unwinds if out of
    /// memory.
    ///
    /// Errors: why the lock was not taken.
    pub fn lock(&self, party: Party, name: &[u8], wait: &Wait) -> Result<(), Refused> {
        {
            let mut table = self.0.lock();
            if let Some(place) = table.place(name, party) {
                table.held[place].times += 1;
                return Ok(());
            }
            table.room();
            let own = Name::new(grow::copy(name));
            match table.standing(name, party) {
                Standing::Free => {
                    table.held.push(Held {
                        name: own,
                        party,
                        times: 1,
                    });
                    return Ok(());
                }
                Standing::Never(place) => return Err(Refused::Never(table.circle(place, party))),
                Standing::Lent => return Err(Refused::Lent),
                Standing::Later(_) if wait.waiter.request() == Request::Hard => {
                    return Err(Refused::Wait(Refusal::Request(Request::Hard)));
                }
                Standing::Later(_) => table.queue.push_back(Queued {
                    name: own,
                    party,
                    waiter: Arc::clone(wait.waiter),
                }),
            }
        }
        loop {
            let woken = wait.park();
            let mut table = self.0.lock();
            // A lock that was given to the party in the meantime is taken.
            if table.place(name, party).is_some() {
                return Ok(());
            }
            let refusal = match woken {
                _ if wait.waiter.request() == Request::Hard => Refusal::Request(Request::Hard),
                Woken::Notified => match table.standing(name, party) {
                    Standing::Never(place) => {
                        leave(&mut table, name, party);
                        return Err(Refused::Never(table.circle(place, party)));
                    }
                    Standing::Lent => {
                        leave(&mut table, name, party);
                        return Err(Refused::Lent);
                    }
                    Standing::Free | Standing::Later(_) => continue,
                },
                Woken::TimedOut => Refusal::TimedOut,
                Woken::Interrupted => Refusal::Interrupted,
            };
            leave(&mut table, name, party);
            return Err(Refused::Wait(refusal));
        }
    }

    /// Releases the lock. After as many calls as of `lock` the party that has waited longest gets
    /// it. Does nothing if the party does not hold it.
    pub fn unlock(&self, party: Party, name: &[u8]) {
        let mut table = self.0.lock();
        let Some(place) = table.place(name, party) else {
            return;
        };
        table.held[place].times -= 1;
        if table.held[place].times == 0 {
            table.held.swap_remove(place);
            table.settle();
        }
    }

    /// Notes that `from` waits for `to`, without a deadline, until `ended` is called. If the wait
    /// `lends`, `to` can take the locks that `from` holds.
    ///
    /// Errors: out of memory, and nothing has changed.
    pub fn waits(&self, from: Party, to: Party, lends: bool) -> Result<(), OutOfMemory> {
        let mut table = self.0.lock();
        table.try_room()?;
        table.waits.push(Waits { from, to, lends });
        if !table.queue.is_empty() {
            table.settle();
        }
        Ok(())
    }

    /// Notes that `from` no longer waits for `to`.
    pub fn ended(&self, from: Party, to: Party, lends: bool) {
        let mut table = self.0.lock();
        let ended = Waits { from, to, lends };
        if let Some(place) = table.waits.iter().rposition(|waits| *waits == ended) {
            table.waits.swap_remove(place);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
