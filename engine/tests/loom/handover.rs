//! Models of receivers that do without the lock of the linda (engine/src/queues/README.md).

use crate::{A, End, Numbers, model, sorted};
use lanes_engine::sync::Arc;
use loom::thread;

#[test]
fn receivers_without_the_lock_share_with_each_other_and_a_sender() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let (first, second) = (End::new(&queues), End::new(&queues));
        first.send(A, &[1, 2, 3]).unwrap();
        let mut known = None;
        assert_eq!(first.receive_one(&mut known), Ok(1));
        let mut also_known = known.clone();
        let thread = thread::spawn(move || {
            [
                second.receive_one(&mut also_known).unwrap(),
                second.receive_one(&mut also_known).unwrap(),
            ]
        });
        End::new(&queues).send_one(4);
        let mine = first.receive_one(&mut known).unwrap();
        let theirs = thread.join().unwrap();
        assert!(theirs[0] < theirs[1]);
        assert_eq!(sorted(vec![mine, theirs[0], theirs[1]]), [2, 3, 4]);
        assert_eq!(queues.count(&A), Some(0));
    });
}

#[test]
fn a_batch_is_not_too_small_because_others_receive_meanwhile() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let (one, many) = (End::new(&queues), End::new(&queues));
        one.send(A, &[1, 2]).unwrap();
        let mut known = None;
        assert_eq!(one.receive_one(&mut known), Ok(1));
        one.send(A, &[3]).unwrap();
        let thread = thread::spawn(move || one.receive_one(&mut known).unwrap());
        let last = End::new(&queues);
        let sender = thread::spawn(move || last.send(A, &[4]).unwrap());
        let batch = many.batch(A, 2, 2).unwrap();
        sender.join().unwrap();
        let mut all = batch.clone();
        all.push(thread.join().unwrap());
        assert_eq!(batch.len(), 2);
        assert_eq!(sorted(all), [2, 3, 4]);
    });
}

/// A receiver that knows how to go on while it waits for the next element, against two senders and
/// `change`.
fn against_a_receiver_that_watches(change: impl Fn(&Numbers) + Sync + Send + 'static) {
    model(3, move || {
        let queues = Arc::new(Numbers::new());
        let receiver = End::new(&queues);
        let mut known = None;
        receiver.send(A, &[1, 2]).unwrap();
        for value in 1..=2 {
            assert_eq!(receiver.receive_one(&mut known), Ok(value));
        }
        let sender = End::new(&queues);
        let thread = thread::spawn(move || {
            sender.send_one(3);
            sender.send_one(4);
        });
        let waiting = thread::spawn(move || {
            [
                receiver.receive_one(&mut known).unwrap(),
                receiver.receive_one(&mut known).unwrap(),
            ]
        });
        change(&queues);
        thread.join().unwrap();
        assert_eq!(waiting.join().unwrap(), [3, 4]);
        assert_eq!(queues.count(&A), Some(0));
    });
}

#[test]
fn a_receiver_that_watches_against_its_senders() {
    against_a_receiver_that_watches(|_| {});
}

#[test]
fn a_receiver_that_watches_against_a_limit() {
    against_a_receiver_that_watches(|queues| {
        queues.limit(&A, Some(1)).unwrap();
    });
}

#[test]
fn a_receiver_that_watches_against_a_look_at_all() {
    against_a_receiver_that_watches(|queues| {
        let dump = queues.dump().unwrap().remove(0).1;
        assert_eq!(dump.values.len(), dump.count);
        assert!(dump.values.windows(2).all(|two| two[0] < two[1]));
    });
}

#[test]
fn what_replaces_a_slot_is_found_by_one_who_knows_the_old_one() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let receiver = End::new(&queues);
        receiver.send(A, &[1, 2]).unwrap();
        let mut known = None;
        for value in 1..=2 {
            assert_eq!(receiver.receive_one(&mut known), Ok(value));
        }
        let thread = thread::spawn(move || receiver.receive_one(&mut known));
        queues.set(&A, vec![]).unwrap();
        End::new(&queues).send_one(3);
        assert_eq!(thread.join().unwrap(), Ok(3));
    });
}
