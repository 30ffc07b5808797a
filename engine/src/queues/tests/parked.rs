//! Operations that wait and are completed by others.

use super::*;

#[test]
fn a_parked_receiver_is_served_by_send_set_and_put_back() {
    let serve: [fn(&Numbers); 3] = [
        |queues| now(queues).send(B, &[7, 8]).unwrap(),
        |queues| _ = queues.set(&B, vec![7, 8]).unwrap(),
        |queues| queues.put_back(&B, vec![7, 8]),
    ];
    for serve in serve {
        let queues = Numbers::new();
        thread::scope(|scope| {
            let (waiter, receiver) = park(scope, &queues, |end| end.receive(&[A, B, C, B]));
            assert!(waiter.is_waiting());
            assert_eq!(queues.counts(), []);
            serve(&queues);
            let (position, value) = receiver.join().unwrap().unwrap();
            assert!(position == 1 || position == 3);
            assert_eq!(value, 7);
            assert!(!waiter.is_waiting());
        });
        assert_eq!(queues.dump().unwrap().len(), 1);
        assert_eq!(contents(&queues, B), [8]);
        assert_tidy(&queues);
    }
}

#[test]
fn parked_receivers_are_served_first_come_first_served() {
    let queues = Numbers::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..5)
            .map(|_| park(scope, &queues, |end| end.receive(&[A])).1)
            .collect();
        now(&queues).send(A, &[0, 1]).unwrap();
        for value in 2..5 {
            now(&queues).send(A, &[value]).unwrap();
        }
        for (thread, expected) in threads.into_iter().zip(0..) {
            assert_eq!(thread.join().unwrap(), Ok((0, expected)));
        }
    });
    assert_tidy(&queues);
}

#[test]
fn a_parked_batch_lets_others_go_first_until_it_has_enough() {
    let queues = Numbers::new();
    thread::scope(|scope| {
        let (_, batch) = park(scope, &queues, |end| end.batch(A, 3, 4));
        let (_, single) = park(scope, &queues, |end| end.receive(&[A]));
        now(&queues).send(A, &[1, 2]).unwrap();
        assert_eq!(single.join().unwrap(), Ok((0, 1)));
        assert_eq!(queues.count(&A), Some(1));
        now(&queues).send(A, &[3, 4, 5, 6]).unwrap();
        assert_eq!(batch.join().unwrap(), Ok(vec![2, 3, 4, 5]));
        assert_eq!(contents(&queues, A), [6]);
    });
    assert_tidy(&queues);
}

#[test]
fn a_parked_sender_goes_on_as_soon_as_there_is_room() {
    let make_room: [fn(&Numbers); 6] = [
        |queues| _ = now(queues).receive(&[A]).unwrap(),
        |queues| _ = now(queues).batch(A, 1, 1).unwrap(),
        |queues| assert!(queues.set(&A, vec![2]).unwrap().made_room),
        |queues| assert!(queues.limit(&A, Some(3)).unwrap().made_room),
        |queues| assert!(queues.limit(&A, None).unwrap().made_room),
        |queues| assert!(queues.set(&A, vec![]).unwrap().made_room),
    ];
    for make_room in make_room {
        let queues = Numbers::new();
        queues.set(&A, vec![1, 2]).unwrap();
        queues.limit(&A, Some(2)).unwrap();
        thread::scope(|scope| {
            let (waiter, sender) = park(scope, &queues, |end| end.send(A, &[3]));
            assert!(waiter.is_waiting());
            make_room(&queues);
            assert_eq!(sender.join().unwrap(), Ok(()));
        });
        assert_eq!(contents(&queues, A).last(), Some(&3));
        assert_tidy(&queues);
    }
}

#[test]
fn the_oldest_parked_sender_that_fits_goes_first() {
    let queues = Numbers::new();
    queues.set(&A, vec![0, 0, 0]).unwrap();
    queues.limit(&A, Some(3)).unwrap();
    thread::scope(|scope| {
        let mut threads = vec![park(scope, &queues, |end| end.send(A, &[1, 1])).1];
        threads.push(park(scope, &queues, |end| end.send(A, &[2])).1);
        threads.push(park(scope, &queues, |end| end.send(A, &[3])).1);
        let receive = |count| now(&queues).batch(A, count, count).unwrap();
        receive(1);
        assert_eq!(contents(&queues, A), [0, 0, 2]);
        receive(3);
        assert_eq!(contents(&queues, A), [1, 1, 3]);
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    });
    assert_tidy(&queues);
}

#[test]
fn a_batch_larger_than_the_limit_is_never_sent_but_holds_up_nobody() {
    let queues = Numbers::new();
    queues.limit(&A, Some(1)).unwrap();
    thread::scope(|scope| {
        let (waiter, large) = park(scope, &queues, |end| end.send(A, &[1, 2]));
        let end = now(&queues);
        for value in 3..9 {
            end.send(A, &[value]).unwrap();
            assert_eq!(end.receive(&[A]), Ok((0, value)));
        }
        waiter.cancel(Request::Soft, true);
        assert_eq!(large.join().unwrap(), Err(Refusal::Request(Request::Soft)));
    });
    assert_tidy(&queues);
}

#[test]
fn a_chain_of_operations_completes_at_once() {
    // Room for the first sender completes the batch, which makes room for the second sender.
    let queues = Numbers::new();
    queues.set(&A, vec![1, 2]).unwrap();
    queues.limit(&A, Some(2)).unwrap();
    thread::scope(|scope| {
        let (_, first) = park(scope, &queues, |end| end.send(A, &[3]));
        let (_, second) = park(scope, &queues, |end| end.send(A, &[4, 5]));
        let (_, batch) = park(scope, &queues, |end| end.batch(A, 3, 9));
        queues.limit(&A, Some(3)).unwrap();
        assert_eq!(first.join().unwrap(), Ok(()));
        assert_eq!(batch.join().unwrap(), Ok(vec![1, 2, 3]));
        assert_eq!(second.join().unwrap(), Ok(()));
        assert_eq!(contents(&queues, A), [4, 5]);
    });
    assert_tidy(&queues);
}

#[test]
fn an_unlimited_slot_that_is_cleared_keeps_its_parked_receivers() {
    let queues = Numbers::new();
    thread::scope(|scope| {
        let (_, batch) = park(scope, &queues, |end| end.batch(A, 2, 2));
        now(&queues).send(A, &[1]).unwrap();
        queues.set(&A, vec![]).unwrap();
        assert_eq!(queues.count(&A), None);
        now(&queues).send(A, &[2]).unwrap();
        now(&queues).send(A, &[3]).unwrap();
        assert_eq!(batch.join().unwrap(), Ok(vec![2, 3]));
    });
    assert_eq!(queues.count(&A), Some(0));
    assert_tidy(&queues);
}
