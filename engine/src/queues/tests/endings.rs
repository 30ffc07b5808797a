//! Operations that end without doing their work: by requests, cancelled lindas, deadlines,
//! interruptions.

use super::*;

#[test]
fn the_waiters_own_request_comes_first_even_when_nothing_need_be_waited_for() {
    let queues = Numbers::new();
    let end = now(&queues);
    end.send(A, &[1]).unwrap();
    for request in [Request::Soft, Request::Hard] {
        for who in [Who::None, Who::Both] {
            queues.cancel(who);
            end.waiter.cancel(request, true);
            assert_eq!(end.receive(&[A]), Err(Refusal::Request(request)));
            assert_eq!(end.batch(A, 1, 1), Err(Refusal::Request(request)));
            assert_eq!(end.send(A, &[1]), Err(Refusal::Request(request)));
        }
    }
    queues.cancel(Who::None);
    end.waiter.cancel(Request::None, false);
    assert_eq!(end.receive(&[A]), Ok((0, 1)));
}

#[test]
fn a_cancelled_linda_refuses_everybody_until_the_mark_is_removed() {
    for who in [Who::Read, Who::Write, Who::Both] {
        let queues = Numbers::new();
        let end = now(&queues);
        end.send(A, &[1]).unwrap();
        assert!(!queues.is_cancelled());
        queues.cancel(who);
        assert!(queues.is_cancelled());
        assert_eq!(end.receive(&[A]), Err(Refusal::LindaCancelled));
        assert_eq!(end.batch(A, 1, 1), Err(Refusal::LindaCancelled));
        assert_eq!(end.send(A, &[2]), Err(Refusal::LindaCancelled));
        assert_eq!(queues.set(&A, vec![3]), Err(LindaCancelled));
        assert_eq!(queues.get(&A, 1), Err(LindaCancelled));
        assert_eq!(queues.limit(&A, Some(0)), Err(LindaCancelled));
        assert_eq!(queues.count(&A), Some(1));
        assert_eq!(queues.counts(), [("a".to_owned(), 1)]);
        assert_eq!(queues.dump().unwrap().len(), 1);
        queues.cancel(Who::None);
        assert!(!queues.is_cancelled());
        assert_eq!(end.receive(&[A]), Ok((0, 1)));
    }
}

#[test]
fn a_deadline_ends_the_wait_and_leaves_nothing_behind() {
    let queues = Numbers::new();
    queues.limit(&B, Some(0)).unwrap();
    let end = |millis| {
        End::new(
            &queues,
            Deadline::At(Instant::now() + Duration::from_millis(millis)),
        )
    };
    for millis in [0, 1, 5] {
        let start = Instant::now();
        assert_eq!(end(millis).receive(&[A, B, C]), Err(Refusal::TimedOut));
        assert!(start.elapsed() >= Duration::from_millis(millis));
        assert_eq!(end(millis).batch(A, 2, 3), Err(Refusal::TimedOut));
        let sender = end(millis);
        let refused = queues.send(&sender.wait(), &B, Values::Many(vec![1, 2]), &[]);
        assert_eq!(refused, Err((Refusal::TimedOut, Values::Many(vec![1, 2]))));
    }
    assert_eq!(queues.counts(), [("b".to_owned(), 0)]);
    assert_tidy(&queues);
}

#[test]
fn an_interruption_ends_the_wait() {
    let queues = Numbers::new();
    let waiter = Waiter::new();
    let asked = AtomicUsize::new(0);
    let interrupted = || asked.fetch_add(1, Ordering::Relaxed) == 1;
    let wait = Wait {
        waiter: &waiter,
        deadline: Deadline::Never,
        interrupted: Some(&interrupted),
        sleeps: None,
    };
    assert_eq!(queues.receive(&wait, &[A]), Err(Refusal::Interrupted));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert!(!waiter.is_waiting());
    assert_tidy(&queues);
}

#[test]
fn a_request_with_wake_ends_the_wait_and_one_without_waits_for_the_next_wake() {
    let queues = Numbers::new();
    thread::scope(|scope| {
        let (waiter, receiver) = park(scope, &queues, |end| end.receive(&[A, B]));
        waiter.cancel(Request::Hard, true);
        assert_eq!(
            receiver.join().unwrap(),
            Err(Refusal::Request(Request::Hard))
        );

        // Without wake the element still arrives: what was completed first wins.
        let (waiter, receiver) = park(scope, &queues, |end| end.receive(&[A, B]));
        waiter.cancel(Request::Soft, false);
        now(&queues).send(B, &[1]).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok((1, 1)));
    });
    assert_tidy(&queues);
}

#[test]
fn a_request_without_wake_ends_the_wait_when_those_who_were_asked_are_looked_for() {
    let queues = Numbers::new();
    queues.limit(&B, Some(0)).unwrap();
    thread::scope(|scope| {
        let (asked, receiver) = park(scope, &queues, |end| end.receive(&[A]));
        let (sending, sender) = park(scope, &queues, |end| end.send(B, &[2]));
        let (_, other) = park(scope, &queues, |end| end.receive(&[A, C]));
        asked.cancel(Request::Soft, false);
        sending.cancel(Request::Soft, false);
        queues.refuse_asked(Who::None);
        assert_eq!(queues.parked(), 3);
        queues.refuse_asked(Who::Read);
        assert_eq!(
            receiver.join().unwrap(),
            Err(Refusal::Request(Request::Soft))
        );
        assert_eq!(queues.parked(), 2);
        queues.refuse_asked(Who::Write);
        assert_eq!(sender.join().unwrap(), Err(Refusal::Request(Request::Soft)));
        now(&queues).send(A, &[1]).unwrap();
        assert_eq!(other.join().unwrap(), Ok((0, 1)));
    });
}

#[test]
fn a_request_without_wake_shows_at_the_deadline() {
    let queues = Numbers::new();
    let end = End::new(&queues, Deadline::At(Instant::now()));
    for cancelled in [false, true] {
        assert_eq!(
            end.wait_parked(|_| {
                end.waiter.cancel(Request::Soft, false);
                queues.cancelled.store(cancelled, Ordering::Release);
            }),
            Refusal::Request(Request::Soft)
        );
    }
}

#[test]
fn a_wake_without_request_does_not_end_the_wait() {
    let queues = Numbers::new();
    thread::scope(|scope| {
        let (waiter, receiver) = park(scope, &queues, |end| end.receive(&[A]));
        waiter.cancel(Request::None, true);
        now(&queues).send(A, &[1]).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok((0, 1)));
    });
}

#[test]
fn cancelling_a_linda_ends_the_parked_operations_of_that_kind() {
    for (who, reads, writes) in [
        (Who::Read, true, false),
        (Who::Write, false, true),
        (Who::Both, true, true),
    ] {
        let queues = Numbers::new();
        queues.limit(&B, Some(0)).unwrap();
        thread::scope(|scope| {
            let (reader, receiver) = park(scope, &queues, |end| end.receive(&[A]));
            let (_, batch) = park(scope, &queues, |end| end.batch(C, 2, 2).map(|_| (0, 0)));
            let (writer, sender) = park(scope, &queues, |end| end.send(B, &[1]));
            queues.cancel(who);
            assert_eq!(
                queues.parked(),
                usize::from(!reads) * 2 + usize::from(!writes)
            );
            if reads {
                assert_eq!(receiver.join().unwrap(), Err(Refusal::LindaCancelled));
                assert_eq!(batch.join().unwrap(), Err(Refusal::LindaCancelled));
            } else {
                queues.cancel(Who::None);
                now(&queues).send(C, &[1, 2]).unwrap();
                assert_eq!(batch.join().unwrap(), Ok((0, 0)));
                reader.cancel(Request::Hard, true);
                assert_eq!(
                    receiver.join().unwrap(),
                    Err(Refusal::Request(Request::Hard))
                );
            }
            if writes {
                assert_eq!(sender.join().unwrap(), Err(Refusal::LindaCancelled));
            } else {
                writer.cancel(Request::Soft, true);
                assert_eq!(sender.join().unwrap(), Err(Refusal::Request(Request::Soft)));
            }
        });
        assert_tidy(&queues);
    }
}

#[test]
fn the_own_request_has_precedence_over_a_cancelled_linda() {
    let queues = Numbers::new();
    thread::scope(|scope| {
        let (waiter, receiver) = park(scope, &queues, |end| end.receive(&[A]));
        waiter.cancel(Request::Hard, false);
        queues.cancel(Who::Both);
        assert_eq!(
            receiver.join().unwrap(),
            Err(Refusal::Request(Request::Hard))
        );
    });
}

#[test]
fn an_operation_that_was_not_woken_learns_of_the_cancelled_linda_at_its_deadline() {
    let queues = Numbers::new();
    let end = End::new(&queues, Deadline::At(Instant::now()));
    assert_eq!(
        end.wait_parked(|_| queues.cancelled.store(true, Ordering::Release)),
        Refusal::LindaCancelled
    );
    assert_eq!(
        end.wait_parked(|_| queues.cancelled.store(false, Ordering::Release)),
        Refusal::TimedOut
    );
}

#[test]
fn clear_forgets_everything_and_ends_the_waits() {
    let queues = Numbers::new();
    queues.set(&A, vec![1, 2]).unwrap();
    queues.limit(&B, Some(0)).unwrap();
    thread::scope(|scope| {
        let (_, receiver) = park(scope, &queues, |end| end.receive(&[C]));
        let (_, sender) = park(scope, &queues, |end| end.send(B, &[1]));
        queues.clear();
        assert_eq!(receiver.join().unwrap(), Err(Refusal::LindaCancelled));
        assert_eq!(sender.join().unwrap(), Err(Refusal::LindaCancelled));
    });
    assert_eq!(queues.counts(), []);
    assert!(!queues.is_cancelled());
    now(&queues).send(B, &[1]).unwrap();
    assert_tidy(&queues);
}
