//! Models of turns: a lane that stops and is answered, against requests, other answers, the end of
//! the program, and a wait that is refused.

use crate::model;
use lanes_engine::park::{Deadline, Refusal, Request, Sleeps, Turns, Wait, Waiter};
use lanes_engine::sync::Arc;
use loom::thread;

/// What travels: loom reports those that are never dropped.
type Value = Arc<u32>;

fn wait(waiter: &Arc<Waiter>) -> Wait<'_> {
    Wait {
        waiter,
        deadline: Deadline::Never,
        interrupted: None,
        sleeps: None,
    }
}

/// The lane gives 1 and returns the answer.
fn stop(turns: &Turns<Value, Value>, waiter: &Arc<Waiter>) -> Result<u32, Refusal> {
    let answer = turns.stop(&wait(waiter), Arc::new(1), || {});
    answer.map(|answer| *answer)
}

/// Waits until the lane has stopped or ended, and answers. Returns whether the answer counts.
fn answer(turns: &Turns<Value, Value>, value: u32) -> bool {
    let turn = turns.current();
    turn.stopped.wait(&wait(&Waiter::new())).unwrap();
    turn.given().is_some() && turns.answer(&turn, Arc::new(value)).is_ok()
}

/// Answers on another thread.
fn answering(turns: &Arc<Turns<Value, Value>>, value: u32) -> thread::JoinHandle<bool> {
    let turns = Arc::clone(turns);
    thread::spawn(move || answer(&turns, value))
}

/// Makes requests, each with a wake-up, on another thread.
fn asking(waiter: &Arc<Waiter>, requests: &'static [Request]) -> thread::JoinHandle<()> {
    let waiter = Arc::clone(waiter);
    thread::spawn(move || {
        for request in requests {
            waiter.cancel(*request, true);
        }
    })
}

#[test]
fn one_of_two_answers_counts() {
    model(3, || {
        let turns = Arc::new(Turns::new());
        let answers = [5, 6].map(|value| (answering(&turns, value), value));
        let answered = stop(&turns, &Waiter::new()).unwrap();
        turns.end();
        let counted: Vec<_> = answers
            .into_iter()
            .filter_map(|(answer, value)| answer.join().unwrap().then_some(value))
            .collect();
        assert_eq!(counted, [answered]);
    });
}

#[test]
fn an_answer_against_a_request() {
    for requests in [&[Request::Soft], &[Request::Hard]] {
        model(3, move || {
            let turns = Arc::new(Turns::new());
            let waiter = Waiter::new();
            let answering = answering(&turns, 5);
            let asking = asking(&waiter, requests);
            let outcome = stop(&turns, &waiter);
            turns.end();
            asking.join().unwrap();
            assert_eq!(answering.join().unwrap(), outcome == Ok(5));
            assert!(outcome == Ok(5) || outcome == Err(Refusal::Request(requests[0])));
        });
    }
}

/// A lane that was answered while it was asked to stop does not sleep where it stops next.
#[test]
fn a_request_holds_for_later_stops() {
    for requests in [&[Request::Soft], &[Request::Hard]] {
        model(3, move || {
            let turns = Arc::new(Turns::new());
            let waiter = Waiter::new();
            let answering = answering(&turns, 5);
            let asking = asking(&waiter, requests);
            let refused = Err(Refusal::Request(requests[0]));
            let first = stop(&turns, &waiter);
            if first == Ok(5) {
                assert_eq!(stop(&turns, &waiter), refused);
            } else {
                assert_eq!(first, refused);
            }
            turns.end();
            asking.join().unwrap();
            assert_eq!(answering.join().unwrap(), first == Ok(5));
        });
    }
}

/// A request without a wake-up, and those who look at the lane, leave it where it is.
#[test]
fn a_soft_request_that_does_not_wake_waits_for_the_answer() {
    model(3, || {
        let turns = Arc::new(Turns::new());
        let waiter = Waiter::new();
        let asking = {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || {
                waiter.cancel(Request::Soft, false);
                waiter.wake();
            })
        };
        let answering = answering(&turns, 5);
        assert_eq!(stop(&turns, &waiter), Ok(5));
        asking.join().unwrap();
        assert_eq!(waiter.request(), Request::Soft);
        assert!(answering.join().unwrap());
    });
}

/// The end of the program asks softly, and then hard, while the only one who could answer goes.
#[test]
fn the_end_of_the_program_against_a_handle_that_is_collected() {
    model(3, || {
        let turns = Arc::new(Turns::<Value, Value>::new());
        let waiter = Waiter::new();
        let collected = {
            let turns = Arc::clone(&turns);
            thread::spawn(move || {
                // What somebody has read is dropped with the handle.
                let turn = turns.current();
                let given = turn.given();
                drop(turns);
                given.is_none_or(|given| **given == 1)
            })
        };
        let asking = asking(&waiter, &[Request::Soft, Request::Hard]);
        assert!(matches!(stop(&turns, &waiter), Err(Refusal::Request(_))));
        turns.end();
        drop(turns);
        asking.join().unwrap();
        assert!(collected.join().unwrap());
    });
}

/// Those who wait for the lane to stop are told of its end.
#[test]
fn an_end_against_those_who_wait_for_a_stop() {
    model(3, || {
        let turns = Arc::new(Turns::new());
        let answers = [5, 6].map(|value| answering(&turns, value));
        turns.end();
        for answer in answers {
            assert!(!answer.join().unwrap());
        }
    });
}

/// The lane must not sleep: it would be the last to do so.
struct Last;

impl Sleeps for Last {
    fn begin(&self, _: &Wait) -> bool {
        false
    }

    fn end(&self) {}
}

#[test]
fn an_answer_against_a_sleep_that_is_refused() {
    model(3, || {
        let turns = Arc::new(Turns::<Value, Value>::new());
        let waiter = Waiter::new();
        let answering = answering(&turns, 5);
        let wait = Wait {
            sleeps: Some(&Last),
            ..wait(&waiter)
        };
        let outcome = turns.stop(&wait, Arc::new(1), || {});
        turns.end();
        match outcome {
            Ok(answer) => assert!(*answer == 5 && answering.join().unwrap()),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Interrupted);
                assert!(!answering.join().unwrap());
            }
        }
    });
}
