//! Models of `select`: the claim of its choice against senders of two lindas, against its deadline,
//! and against another `select`.

use crate::{A, B, End, Numbers, Slot, contents, model};
use lanes_engine::park::{Deadline, Latch, Refusal};
use lanes_engine::queues::{Case, Happened, Values, select};
use lanes_engine::sync::Arc;
use loom::thread;

type NumberCase<'a> = Case<'a, u32, u32, Slot>;

/// Selects; returns the index, and the element that was received, if any.
fn run(end: &End, cases: &mut [NumberCase]) -> Result<(usize, Option<u32>), Refusal> {
    select(&end.wait(), cases).map(|(index, happened)| match happened {
        Happened::Received(_, value) => (index, Some(value)),
        Happened::Sent | Happened::Opened => (index, None),
    })
}

#[test]
fn two_senders_to_two_lindas() {
    model(3, || {
        let (one, two) = (Arc::new(Numbers::new()), Arc::new(Numbers::new()));
        let senders = [(&one, 1), (&two, 2)].map(|(queues, value)| {
            let end = End::new(queues);
            thread::spawn(move || end.send(A, &[value]).unwrap())
        });
        let end = End::new(&one);
        let mut cases = [Case::Receive(&one, vec![A]), Case::Receive(&two, vec![A])];
        let (index, value) = run(&end, &mut cases).unwrap();
        for sender in senders {
            sender.join().unwrap();
        }
        assert_eq!(value, Some(index as u32 + 1));
        let left = [contents(&one, A), contents(&two, A)].concat();
        assert_eq!(left, [2 - index as u32]);
    });
}

#[test]
fn a_sender_and_the_deadline() {
    model(3, || {
        let (one, two) = (Arc::new(Numbers::new()), Arc::new(Numbers::new()));
        let end = End::timed(&one);
        let waiter = Arc::clone(&end.waiter);
        let sender = End::new(&two);
        let sender = thread::spawn(move || sender.send(A, &[2]).unwrap());
        let clock = thread::spawn(move || waiter.expire());
        let mut cases = [Case::Receive(&one, vec![A]), Case::Receive(&two, vec![A])];
        let outcome = run(&end, &mut cases);
        sender.join().unwrap();
        clock.join().unwrap();
        match outcome {
            Ok(received) => assert_eq!((received, contents(&two, A)), ((1, Some(2)), vec![])),
            Err(refusal) => {
                assert_eq!((refusal, contents(&two, A)), (Refusal::TimedOut, vec![2]));
            }
        }
    });
}

#[test]
fn two_selects_that_could_serve_each_other() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let (one, two) = (End::new(&queues), End::new(&queues));
        let other = thread::spawn(move || {
            let mut cases = [
                Case::Receive(&one.queues, vec![A]),
                Case::Receive(&one.queues, vec![B]),
            ];
            run(&one, &mut cases).unwrap()
        });
        let mut cases = [Case::Send(&two.queues, B, Some(Values::One(7)))];
        assert_eq!(run(&two, &mut cases), Ok((0, None)));
        assert_eq!(other.join().unwrap(), (1, Some(7)));
    });
}

#[test]
fn a_latch_and_a_sender() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let latch = Arc::new(Latch::new());
        let opener = Arc::clone(&latch);
        let opener = thread::spawn(move || opener.open());
        let sender = End::new(&queues);
        let sender = thread::spawn(move || sender.send(A, &[1]).unwrap());
        let end = End {
            deadline: Deadline::Never,
            ..End::new(&queues)
        };
        let mut cases = [Case::Open(&latch), Case::Receive(&queues, vec![A])];
        let outcome = run(&end, &mut cases).unwrap();
        opener.join().unwrap();
        sender.join().unwrap();
        match outcome {
            (0, None) => assert_eq!(contents(&queues, A), [1]),
            outcome => assert_eq!((outcome, contents(&queues, A)), ((1, Some(1)), vec![])),
        }
    });
}
