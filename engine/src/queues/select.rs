//! Selecting: exactly one of several operations on lindas and waits for latches is done. The
//! operations are parked one by one, each under the lock of its own linda; a linda claims the
//! choice before it does one (`Choice`), so no two locks are ever held at once.

use super::choice::{Choice, NOTHING};
use super::deferred::Deferred;
use super::operation::{Outcome, Ticket, Work};
use super::shared::Queues;
use super::{BorrowedKey, Element, Values};
use crate::memory::grow::try_list;
use crate::park::{Countdown, Deadline, Latch, Refusal, Request, SharedWatcher, Wait, Woken};
use crate::sync::Arc;

/// One of the cases of a select.
pub enum Case<'a, K, M: Element, Q> {
    /// The first element of the first slot that has one, in the order of the keys, is received.
    Receive(&'a Queues<K, M>, Vec<Q>),
    /// The values are sent, all at once. They are whole, and gone once they are sent.
    Send(&'a Queues<K, M>, Q, Option<Values<M>>),
    /// The latch is open.
    Open(&'a Latch),
}

/// What has happened.
pub enum Happened<M> {
    /// The position of the key among those of the case, and the element, whole.
    Received(usize, M),
    Sent,
    Opened,
}

/// A parked case: the number of its operation, and its ticket.
type Parked<M> = (u32, Arc<Ticket<M>>);

/// Waits until one of the cases can happen, and lets it happen: the first that can, in the order of
/// the cases. Returns its index.
///
/// Errors: the reason why none has happened. Unsent values are still in their cases.
pub fn select<K: Clone, M: Element, Q: BorrowedKey<K>>(
    wait: &Wait,
    cases: &mut [Case<K, M, Q>],
) -> Result<(usize, Happened<M>), Refusal> {
    let at_once = Wait {
        deadline: Deadline::Now,
        ..*wait
    };
    for (index, case) in cases.iter_mut().enumerate() {
        match case.attempt(&at_once) {
            Err(Refusal::TimedOut) => {}
            outcome => return outcome.map(|happened| (index, happened)),
        }
    }
    if wait.deadline == Deadline::Now {
        return Err(Refusal::TimedOut);
    }
    let mut parked: Vec<Option<Parked<M>>> = try_list(cases.len())?;
    let choice = Arc::new(Choice::new());
    let watcher: SharedWatcher = Countdown::new(1, wait.waiter);
    wait.waiter.set_waiting(true);
    let refusal = wait_for_one(wait, cases, &choice, &watcher, &mut parked);
    wait.waiter.set_waiting(false);
    let mut result = Err(refusal);
    for (index, case) in cases.iter_mut().enumerate() {
        let is_chosen = choice.decided() == u32::try_from(index).ok();
        match (case, parked.get_mut(index).and_then(Option::take)) {
            (Case::Open(latch), _) => {
                latch.unwatch(&watcher);
                if is_chosen {
                    result = Ok((index, Happened::Opened));
                }
            }
            (case, Some(parked)) => {
                let outcome = case.unpark(parked);
                if is_chosen {
                    result = case
                        .conclude(wait, outcome)
                        .map(|happened| (index, happened));
                } else if let Outcome::Refused(work) = outcome {
                    case.keep(work);
                }
            }
            _ => {}
        }
    }
    result
}

/// Parks the cases and waits until the choice is decided. Returns the reason if no case happens.
fn wait_for_one<K: Clone, M: Element, Q: BorrowedKey<K>>(
    wait: &Wait,
    cases: &mut [Case<K, M, Q>],
    choice: &Arc<Choice>,
    watcher: &SharedWatcher,
    parked: &mut Vec<Option<Parked<M>>>,
) -> Refusal {
    for (index, case) in (0..).zip(&mut *cases) {
        match case.park(wait, Ticket::choosing(wait.waiter, choice, index), watcher) {
            Ok(operation) => parked.push(operation),
            Err(refusal) => {
                choice.claim(NOTHING);
                return refusal;
            }
        }
        if choice.decided().is_some() {
            return Refusal::TimedOut;
        }
        // Checked again after parking, so that `refuse_asked` misses no waiter.
        let request = wait.waiter.request();
        if request != Request::None {
            choice.claim(NOTHING);
            return Refusal::Request(request);
        }
    }
    loop {
        let woken = wait.park();
        for (index, case) in (0..).zip(&*cases) {
            if let Case::Open(latch) = case
                && latch.is_open()
            {
                choice.claim(index);
            }
        }
        let request = wait.waiter.request();
        if choice.decided().is_some() {
            return Refusal::TimedOut;
        }
        let refusal = match woken {
            _ if request != Request::None => Refusal::Request(request),
            Woken::Notified => continue,
            Woken::Interrupted => Refusal::Interrupted,
            Woken::TimedOut if cases.iter().any(Case::is_cancelled) => Refusal::LindaCancelled,
            Woken::TimedOut => Refusal::TimedOut,
        };
        // A decision that a linda has made in the meantime stands.
        choice.claim(NOTHING);
        return refusal;
    }
}

impl<K: Clone, M: Element, Q: BorrowedKey<K>> Case<'_, K, M, Q> {
    fn queues(&self) -> Option<&Queues<K, M>> {
        match self {
            Case::Receive(queues, _) | Case::Send(queues, ..) => Some(queues),
            Case::Open(_) => None,
        }
    }

    fn is_cancelled(&self) -> bool {
        self.queues().is_some_and(Queues::is_cancelled)
    }

    /// Does the operation if that needs no wait.
    fn attempt(&mut self, at_once: &Wait) -> Result<Happened<M>, Refusal> {
        match self {
            Case::Receive(queues, keys) => {
                let (position, value) = queues.receive(at_once, keys)?;
                Ok(Happened::Received(position, value))
            }
            Case::Send(queues, key, values) => {
                let sending = values.take().expect("the values of the case");
                match queues.send(at_once, key, sending, &[]) {
                    Ok(()) => Ok(Happened::Sent),
                    Err((refusal, back)) => {
                        *values = Some(back);
                        Err(refusal)
                    }
                }
            }
            Case::Open(latch) if latch.is_open() => Ok(Happened::Opened),
            Case::Open(_) => match at_once.waiter.request() {
                Request::None => Err(Refusal::TimedOut),
                request => Err(Refusal::Request(request)),
            },
        }
    }

    /// Parks the operation, or watches the latch; completes it if it has become possible.
    ///
    /// Errors: the reason why the select ends; the operation is then not parked.
    fn park(
        &mut self,
        wait: &Wait,
        ticket: Arc<Ticket<M>>,
        watcher: &SharedWatcher,
    ) -> Result<Option<Parked<M>>, Refusal> {
        let (queues, keys, values) = match self {
            Case::Receive(queues, keys) => (queues, &keys[..], None),
            Case::Send(queues, key, values) => (queues, std::slice::from_ref(&*key), Some(values)),
            Case::Open(latch) => {
                if !latch.watch(watcher)? {
                    ticket.claim();
                }
                return Ok(None);
            }
        };
        // Made before the lock is taken, so that it is dropped after the lock in every case.
        let mut deferred = Deferred::new();
        let mut slots = queues.enter(wait)?;
        let (need, work) = match values {
            None => (1, Work::Receive),
            Some(values) => {
                let sending = values.take().expect("the values of the case");
                (sending.len(), Work::Send(sending))
            }
        };
        let parked = slots.park(&ticket, work, keys, need, &mut deferred);
        let outcome = match parked {
            Ok(operation) => {
                for key in keys {
                    if let Some(slot) = slots.find(key) {
                        slots.settle(slot, &mut deferred);
                        slots.tidy(slot, &mut deferred);
                    }
                }
                Ok(Some((operation, ticket)))
            }
            Err(work) => Err(work),
        };
        drop(slots);
        deferred.run();
        outcome.map_err(|work| {
            self.keep(work);
            Refusal::OutOfMemory
        })
    }

    /// Withdraws the parked operation and returns its outcome.
    fn unpark(&self, (operation, ticket): Parked<M>) -> Outcome<M> {
        let queues = self.queues().expect("the linda of the case");
        let mut deferred = Deferred::new();
        let mut slots = queues.slots.lock();
        // Whoever claims the choice writes the outcome under the same lock.
        let outcome = ticket
            .take_outcome()
            .unwrap_or_else(|| Outcome::Refused(slots.withdraw(operation, &mut deferred)));
        drop(slots);
        deferred.run();
        outcome
    }

    /// Converts the outcome of an operation to the result of the select.
    fn conclude(&mut self, wait: &Wait, outcome: Outcome<M>) -> Result<Happened<M>, Refusal> {
        let (refusal, work) = match (outcome, wait.waiter.request()) {
            (Outcome::Received(position, value), _) => {
                return Ok(Happened::Received(position, value));
            }
            (Outcome::Sent, _) => return Ok(Happened::Sent),
            (Outcome::ReceivedBatch(_), _) => unreachable!("no case receives a batch"),
            (Outcome::OutOfMemory(work), _) => (Refusal::OutOfMemory, work),
            (Outcome::Refused(work), Request::None) => (Refusal::LindaCancelled, work),
            (Outcome::Refused(work), request) => (Refusal::Request(request), work),
        };
        self.keep(work);
        Err(refusal)
    }

    /// Puts the values of a send that has not happened back into their case.
    fn keep(&mut self, work: Work<M>) {
        if let (Case::Send(_, _, values), Work::Send(back)) = (self, work) {
            *values = Some(back);
        }
    }
}
