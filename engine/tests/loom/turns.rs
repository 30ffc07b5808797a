//! Models of turns: a lane that stops and is answered, against requests and other answers.

use crate::model;
use lanes_engine::park::{Deadline, Refusal, Request, Turns, Wait, Waiter};
use lanes_engine::sync::Arc;
use loom::thread;

/// The lane gives 1 and returns the answer.
fn stop(turns: &Turns<u32, u32>, waiter: &Arc<Waiter>) -> Result<u32, Refusal> {
    let wait = Wait {
        waiter,
        deadline: Deadline::Never,
        interrupted: None,
        sleeps: None,
    };
    turns.stop(&wait, 1, || {})
}

/// Waits until the lane has stopped or ended, and answers. Returns whether the answer counts.
fn answer(turns: &Turns<u32, u32>, value: u32) -> bool {
    let turn = turns.current();
    turn.stopped
        .wait(&Wait {
            waiter: &Waiter::new(),
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: None,
        })
        .unwrap();
    turn.given().is_some() && turns.answer(&turn, value).is_ok()
}

#[test]
fn one_of_two_answers_counts() {
    model(3, || {
        let turns = Arc::new(Turns::new());
        let answers: Vec<_> = [5, 6]
            .into_iter()
            .map(|value| {
                let turns = Arc::clone(&turns);
                thread::spawn(move || answer(&turns, value).then_some(value))
            })
            .collect();
        let answered = stop(&turns, &Waiter::new()).unwrap();
        turns.end();
        let counted: Vec<_> = answers
            .into_iter()
            .filter_map(|answer| answer.join().unwrap())
            .collect();
        assert_eq!(counted, [answered]);
    });
}

#[test]
fn an_answer_against_a_request() {
    for request in [Request::Soft, Request::Hard] {
        model(3, move || {
            let turns = Arc::new(Turns::new());
            let waiter = Waiter::new();
            let answering = {
                let turns = Arc::clone(&turns);
                thread::spawn(move || answer(&turns, 5))
            };
            let asking = {
                let waiter = Arc::clone(&waiter);
                thread::spawn(move || waiter.cancel(request, true))
            };
            let outcome = stop(&turns, &waiter);
            turns.end();
            asking.join().unwrap();
            assert_eq!(answering.join().unwrap(), outcome == Ok(5));
            assert!(outcome == Ok(5) || outcome == Err(Refusal::Request(request)));
        });
    }
}
