//! Selecting: which case happens, and that nothing is left of the others.

use super::*;
use crate::park::Latch;
use crate::queues::{Case, Happened, select};

type NumberCase<'a> = Case<'a, String, i32, Name>;

/// Selects, and returns the index with what was received: -1 where a value was sent, -2 where a
/// latch was open.
fn run(end: &End, cases: &mut [NumberCase]) -> Result<(usize, i32), Refusal> {
    select(&end.wait(), cases).map(|(index, happened)| match happened {
        Happened::Received(_, value) => (index, value),
        Happened::Sent => (index, -1),
        Happened::Opened => (index, -2),
    })
}

fn receive(queues: &Numbers, key: Name) -> NumberCase<'_> {
    Case::Receive(queues, vec![key])
}

fn send(queues: &Numbers, key: Name, value: i32) -> NumberCase<'_> {
    Case::Send(queues, key, Some(Values::One(value)))
}

fn full(value: i32) -> Numbers {
    let queues = Numbers::new();
    queues.set(&A, vec![value]).unwrap();
    queues.limit(&A, Some(1)).unwrap();
    queues
}

#[test]
fn the_first_case_that_can_happens_at_once() {
    let (one, two, latch) = (full(1), full(2), Latch::new());
    let end = now(&one);
    let all = |order: [usize; 3]| {
        let mut cases = [send(&one, A, 9), receive(&two, A), Case::Open(&latch)].map(Some);
        let mut cases = order.map(|index| cases[index].take().unwrap());
        run(&end, &mut cases)
    };
    assert_eq!(all([0, 1, 2]), Ok((1, 2)));
    assert_eq!(all([0, 1, 2]), Err(Refusal::TimedOut));
    latch.open();
    assert_eq!(all([1, 2, 0]), Ok((1, -2)));
    one.set(&A, vec![]).unwrap();
    assert_eq!(all([0, 2, 1]), Ok((0, -1)));
    assert_eq!(contents(&one, A), [9]);
}

#[test]
fn one_parked_case_happens_and_the_others_leave_nothing() {
    let (one, two) = (full(1), Numbers::new());
    let latch = Latch::new();
    type Happen = fn(&Numbers, &Numbers, &Latch);
    let happen: [(Happen, _); 4] = [
        (|one, _, _| _ = one.set(&A, vec![]).unwrap(), (0, -1)),
        (|_, two, _| now(two).send(A, &[5]).unwrap(), (1, 5)),
        (|_, two, _| now(two).send(B, &[6]).unwrap(), (2, 6)),
        (|_, _, latch| latch.open(), (3, -2)),
    ];
    for (happen, expected) in happen {
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let end = End::new(&one, Deadline::Never);
                let mut cases = [
                    send(&one, A, 9),
                    receive(&two, A),
                    receive(&two, B),
                    Case::Open(&latch),
                ];
                let outcome = run(&end, &mut cases);
                let Case::Send(_, _, values) = &cases[0] else {
                    unreachable!()
                };
                assert_eq!(values.is_none(), outcome == Ok((0, -1)));
                outcome
            });
            while two.parked() < 2 {
                thread::yield_now();
            }
            happen(&one, &two, &latch);
            assert_eq!(thread.join().unwrap(), Ok(expected));
        });
        for queues in [&one, &two] {
            assert_eq!(queues.parked(), 0);
            assert_tidy(queues);
        }
    }
    assert_eq!(contents(&one, A), [9]);
}

#[test]
fn an_operation_that_has_lost_is_passed_over() {
    let queues = Numbers::new();
    thread::scope(|scope| {
        let chosen = scope.spawn(|| {
            let end = End::new(&queues, Deadline::Never);
            run(&end, &mut [receive(&queues, A), receive(&queues, A)])
        });
        while queues.parked() < 2 {
            thread::yield_now();
        }
        let (_, behind) = park(scope, &queues, |end| end.receive(&[A]));
        now(&queues).send(A, &[1, 2]).unwrap();
        assert_eq!(chosen.join().unwrap(), Ok((0, 1)));
        assert_eq!(behind.join().unwrap(), Ok((0, 2)));
    });
    assert_tidy(&queues);
}

#[test]
fn a_deadline_a_request_and_a_cancelled_linda_end_it() {
    let (one, two) = (full(1), Numbers::new());
    let refused = |end: End, change: fn(&Numbers, &Waiter)| {
        let waiter = Arc::clone(&end.waiter);
        thread::scope(|scope| {
            let (one, two) = (&one, &two);
            let timed = end.deadline != Deadline::Never;
            let thread = scope.spawn(move || {
                let mut cases = [send(one, A, 9), receive(two, A)];
                let outcome = run(&end, &mut cases);
                assert!(matches!(&cases[0], Case::Send(_, _, Some(_))));
                outcome
            });
            while !timed && two.parked() == 0 {
                thread::yield_now();
            }
            change(two, &waiter);
            let outcome = thread.join().unwrap();
            assert_tidy(one);
            assert_tidy(two);
            outcome.unwrap_err()
        })
    };
    let soon = Deadline::At(Instant::now() + Duration::from_millis(1));
    let timed = End::new(&one, soon);
    assert_eq!(refused(timed, |_, _| ()), Refusal::TimedOut);
    let asked = refused(End::new(&one, Deadline::Never), |_, waiter| {
        waiter.cancel(Request::Hard, true);
    });
    assert_eq!(asked, Refusal::Request(Request::Hard));
    let asked = refused(End::new(&one, Deadline::Never), |two, waiter| {
        waiter.cancel(Request::Soft, false);
        two.refuse_asked(Who::Read);
    });
    assert_eq!(asked, Refusal::Request(Request::Soft));
    let cancelled = refused(End::new(&one, Deadline::Never), |two, _| {
        two.cancel(Who::Both);
    });
    assert_eq!(cancelled, Refusal::LindaCancelled);
    assert_eq!(contents(&one, A), [1]);
}
