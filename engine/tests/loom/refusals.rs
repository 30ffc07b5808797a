//! Models of waits on lindas that end without what they waited for, by a cancellation or a
//! deadline, against their completion.

use crate::{A, B, End, Numbers, contents, model, sorted};
use lanes_engine::park::{Deadline, Refusal, Request};
use lanes_engine::queues::Who;
use lanes_engine::sync::Arc;
use loom::thread;

#[test]
fn a_cancellation_alone_ends_the_wait() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let end = End::new(&queues);
        let waiter = Arc::clone(&end.waiter);
        let receiver = thread::spawn(move || end.receive(&[A]));
        waiter.cancel(Request::Soft, true);
        assert_eq!(
            receiver.join().unwrap(),
            Err(Refusal::Request(Request::Soft))
        );
        assert_eq!(queues.counts(), []);
    });
}

#[test]
fn completion_against_cancellation_of_the_waiter() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let end = End::new(&queues);
        let waiter = Arc::clone(&end.waiter);
        let receiver = thread::spawn(move || end.receive(&[A, B]));
        let canceller = thread::spawn(move || waiter.cancel(Request::Hard, true));
        End::new(&queues).send(A, &[1]).unwrap();
        canceller.join().unwrap();
        match receiver.join().unwrap() {
            Ok(value) => {
                assert_eq!(value, 1);
                assert_eq!(contents(&queues, A), []);
            }
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Request(Request::Hard));
                assert_eq!(contents(&queues, A), [1]);
            }
        }
    });
}

#[test]
fn room_against_cancellation_of_the_sender() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        queues.set(&A, vec![1]).unwrap();
        queues.limit(&A, Some(1)).unwrap();
        let end = End::new(&queues);
        let waiter = Arc::clone(&end.waiter);
        let sender = thread::spawn(move || end.send(A, &[2]));
        let canceller = thread::spawn(move || waiter.cancel(Request::Soft, true));
        assert_eq!(End::new(&queues).receive(&[A]), Ok(1));
        canceller.join().unwrap();
        match sender.join().unwrap() {
            Ok(()) => assert_eq!(contents(&queues, A), [2]),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Request(Request::Soft));
                assert_eq!(contents(&queues, A), []);
            }
        }
    });
}

#[test]
fn completion_against_cancellation_of_the_linda() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let (one, two) = (End::new(&queues), End::new(&queues));
        let receiver = thread::spawn(move || one.receive(&[A]));
        let sender = thread::spawn(move || two.send(A, &[1]));
        queues.cancel(Who::Read);
        let (received, sent) = (receiver.join().unwrap(), sender.join().unwrap());
        queues.cancel(Who::None);
        let left = contents(&queues, A);
        match (received, sent) {
            (Ok(1), Ok(())) => assert_eq!(left, []),
            (Err(Refusal::LindaCancelled), Ok(())) => assert_eq!(left, [1]),
            (Err(Refusal::LindaCancelled), Err(Refusal::LindaCancelled)) => assert_eq!(left, []),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn completion_against_the_deadline() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let end = End::timed(&queues);
        let waiter = Arc::clone(&end.waiter);
        let receiver = thread::spawn(move || end.receive(&[A]));
        let clock = thread::spawn(move || waiter.expire());
        End::new(&queues).send(A, &[1]).unwrap();
        clock.join().unwrap();
        match receiver.join().unwrap() {
            Ok(value) => {
                assert_eq!(value, 1);
                assert_eq!(contents(&queues, A), []);
            }
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TimedOut);
                assert_eq!(contents(&queues, A), [1]);
            }
        }
    });
}

#[test]
fn room_against_the_deadline_with_another_sender_behind() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        queues.set(&A, vec![1]).unwrap();
        queues.limit(&A, Some(1)).unwrap();
        let (timed, patient) = (End::timed(&queues), End::new(&queues));
        let waiter = Arc::clone(&timed.waiter);
        let timed = thread::spawn(move || timed.send(A, &[2]));
        let patient = thread::spawn(move || patient.send(A, &[3]).unwrap());
        waiter.expire();
        let end = End::new(&queues);
        let mut received = vec![end.receive(&[A]).unwrap(), end.receive(&[A]).unwrap()];
        let sent = timed.join().unwrap();
        if sent.is_ok() {
            received.push(end.receive(&[A]).unwrap());
        }
        patient.join().unwrap();
        assert_eq!(received[0], 1);
        assert_eq!(
            sorted(received),
            if sent.is_ok() {
                vec![1, 2, 3]
            } else {
                vec![1, 3]
            }
        );
        assert_eq!(queues.count(&A), Some(0));
    });
}

#[test]
fn a_wake_that_comes_late_does_not_disturb_the_next_wait() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let end = End::timed(&queues);
        let waiter = Arc::clone(&end.waiter);
        let receiver = thread::spawn(move || {
            let first = end.receive(&[A]);
            let patient = End {
                deadline: Deadline::Never,
                ..end
            };
            (first, patient.receive(&[B]).unwrap())
        });
        let clock = thread::spawn(move || waiter.expire());
        let end = End::new(&queues);
        end.send(A, &[1]).unwrap();
        end.send(B, &[2]).unwrap();
        clock.join().unwrap();
        let (first, second) = receiver.join().unwrap();
        assert!(matches!(first, Ok(1) | Err(Refusal::TimedOut)));
        assert_eq!(second, 2);
    });
}
