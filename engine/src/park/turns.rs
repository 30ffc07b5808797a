//! The turns of a lane that stops in between: it gives something and waits, until somebody answers.
//! Everybody may wait for the lane to stop; one answer counts.

use super::deadline::Deadline;
use super::latch::Latch;
use super::refusal::Refusal;
use super::waiter::Wait;
use crate::sync::{Arc, Mutex};

/// One turn: the lane runs, and then stops or ends.
pub struct Turn<G, A> {
    /// Opens when the lane has stopped, or has ended.
    pub stopped: Latch,
    given: Mutex<Option<Arc<G>>>,
    answer: Mutex<Answer<A>>,
    answered: Latch,
}

enum Answer<A> {
    None,
    Given(A),
    /// The lane has read it, or goes on without one.
    Taken,
}

/// The turns of one lane.
pub struct Turns<G, A> {
    current: Mutex<Arc<Turn<G, A>>>,
}

impl<G, A> Turn<G, A> {
    fn new() -> Arc<Turn<G, A>> {
        Arc::new(Turn {
            stopped: Latch::new(),
            given: Mutex::new(None),
            answer: Mutex::new(Answer::None),
            answered: Latch::new(),
        })
    }

    /// What the lane has given; none if it has not stopped.
    pub fn given(&self) -> Option<Arc<G>> {
        self.given.lock().clone()
    }
}

impl<G, A> Turns<G, A> {
    /// The turns of a lane that is about to run.
    pub fn new() -> Turns<G, A> {
        Turns {
            current: Mutex::new(Turn::new()),
        }
    }

    /// The turn that the lane is at.
    pub fn current(&self) -> Arc<Turn<G, A>> {
        Arc::clone(&self.current.lock())
    }

    /// Answers a turn that has stopped. Returns the answer if there is one already.
    pub fn answer(&self, turn: &Turn<G, A>, answer: A) -> Result<(), A> {
        {
            let mut place = turn.answer.lock();
            if !matches!(*place, Answer::None) {
                return Err(answer);
            }
            *place = Answer::Given(answer);
        }
        self.advance();
        turn.answered.open();
        Ok(())
    }

    /// Begins the next turn. Called once a turn, by whoever ends it.
    fn advance(&self) {
        let next = Turn::new();
        let last = std::mem::replace(&mut *self.current.lock(), next);
        drop(last);
    }

    /// Called by the lane: it gives something, and waits for the answer. `stopped` is called before
    /// others see that.
    ///
    /// Errors: `Request`: a request of its own has woken the lane, which goes on without an answer;
    /// a hard request need not wake it. `Interrupted`.
    pub fn stop(&self, wait: &Wait, given: G, stopped: impl FnOnce()) -> Result<A, Refusal> {
        let turn = self.current();
        *turn.given.lock() = Some(Arc::new(given));
        stopped();
        turn.stopped.open();
        let outcome = turn.answered.wait_or_request(wait);
        let answer = std::mem::replace(&mut *turn.answer.lock(), Answer::Taken);
        match (answer, outcome) {
            (Answer::Given(answer), outcome) => {
                if outcome.is_err() {
                    // Whoever has answered is about to begin the next turn.
                    let _ = turn.answered.wait(&Wait {
                        deadline: Deadline::Never,
                        interrupted: None,
                        sleeps: None,
                        ..*wait
                    });
                }
                Ok(answer)
            }
            (_, outcome) => {
                self.advance();
                Err(outcome.err().unwrap_or(Refusal::Interrupted))
            }
        }
    }

    /// The lane has ended: nobody waits for it to stop any more.
    pub fn end(&self) {
        self.current().stopped.open();
    }
}
