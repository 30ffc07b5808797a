//! Operations that need not wait.

use super::*;

/// What `set` or `limit` has said about room.
fn made_room(changed: Result<Changed, LindaCancelled>) -> bool {
    changed.unwrap().made_room
}

#[test]
fn elements_leave_in_the_order_in_which_they_came() {
    let queues = Numbers::new();
    let end = now(&queues);
    end.send(A, &[1]).unwrap();
    end.send(A, &[2, 3]).unwrap();
    end.send(B, &[4]).unwrap();
    for expected in 1..=3 {
        assert_eq!(end.receive(&[A]), Ok((0, expected)));
    }
    assert_eq!(end.receive(&[A]), Err(Refusal::TimedOut));
    assert_eq!(end.receive(&[B]), Ok((0, 4)));
}

#[test]
fn receive_takes_from_the_first_key_that_has_an_element() {
    let queues = Numbers::new();
    let end = now(&queues);
    end.send(B, &[1, 2]).unwrap();
    end.send(C, &[3]).unwrap();
    assert_eq!(end.receive(&[A, B, C]), Ok((1, 1)));
    assert_eq!(end.receive(&[C, B]), Ok((0, 3)));
    assert_eq!(end.receive(&[C, C, B, B]), Ok((2, 2)));
    assert_eq!(end.receive(&[A, B, C]), Err(Refusal::TimedOut));
}

#[test]
fn a_batch_is_between_min_and_max() {
    let queues = Numbers::new();
    let end = now(&queues);
    assert_eq!(end.batch(A, 1, 5), Err(Refusal::TimedOut));
    end.send(A, &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(end.batch(A, 1, 2), Ok(vec![1, 2]));
    assert_eq!(end.batch(A, 4, 4), Ok(vec![3, 4, 5, 6]));
    end.send(A, &[7, 8]).unwrap();
    assert_eq!(end.batch(A, 3, 9), Err(Refusal::TimedOut));
    assert_eq!(end.batch(A, 2, 9), Ok(vec![7, 8]));
    assert_tidy(&queues);
}

#[test]
fn send_adds_all_or_nothing_within_the_limit() {
    let queues = Numbers::new();
    let end = now(&queues);
    assert!(!made_room(queues.limit(&A, Some(3))));
    end.send(A, &[1, 2]).unwrap();
    assert_eq!(end.send(A, &[3, 4]), Err(Refusal::TimedOut));
    end.send(A, &[5]).unwrap();
    let wait = end.wait();
    assert_eq!(
        queues.send(&wait, &A, Values::One(6), &[]),
        Err((Refusal::TimedOut, Values::One(6)))
    );
    assert_eq!(contents(&queues, A), [1, 2, 5]);
    queues.limit(&B, Some(0)).unwrap();
    assert_eq!(end.send(B, &[1]), Err(Refusal::TimedOut));
    assert_tidy(&queues);
}

#[test]
fn limit_says_whether_it_made_room() {
    let queues = Numbers::new();
    let end = now(&queues);
    assert!(!made_room(queues.limit(&A, Some(2))));
    assert_eq!(queues.count(&A), Some(0));
    end.send(A, &[1, 2]).unwrap();
    assert!(!made_room(queues.limit(&A, Some(1))));
    assert!(!made_room(queues.limit(&A, Some(2))));
    assert_eq!(contents(&queues, A), [1, 2]);
    assert!(made_room(queues.limit(&A, Some(3))));
    assert!(!made_room(queues.limit(&A, Some(4))));
    assert!(!made_room(queues.limit(&A, Some(0))));
    assert!(made_room(queues.limit(&A, None)));
    assert!(!made_room(queues.limit(&A, None)));
}

#[test]
fn set_replaces_and_says_whether_it_made_room() {
    let queues = Numbers::new();
    let end = now(&queues);
    assert!(!made_room(queues.set(&A, vec![])));
    assert_eq!(queues.count(&A), None);
    assert!(!made_room(queues.set(&A, vec![1, 2, 3])));
    assert_eq!(contents(&queues, A), [1, 2, 3]);
    queues.limit(&A, Some(2)).unwrap();
    assert!(!made_room(queues.set(&A, vec![4, 5, 6])));
    assert!(made_room(queues.set(&A, vec![7])));
    assert!(!made_room(queues.set(&A, vec![8, 9])));
    assert!(made_room(queues.set(&A, vec![])));
    assert!(!made_room(queues.set(&A, vec![])));
    assert_eq!(queues.count(&A), Some(0));
    assert_eq!(end.send(A, &[1, 2, 3]), Err(Refusal::TimedOut));
    queues.set(&B, vec![1]).unwrap();
    assert!(!made_room(queues.set(&B, vec![])));
    assert_eq!(queues.count(&B), None);
    assert_tidy(&queues);
}

#[test]
fn get_leaves_the_elements() {
    let queues = Numbers::new();
    assert_eq!(queues.get(&A, 1), Ok(vec![]));
    queues.set(&A, vec![1, 2, 3]).unwrap();
    assert_eq!(queues.get(&A, 2), Ok(vec![1, 2]));
    assert_eq!(queues.get(&A, 9), Ok(vec![1, 2, 3]));
    assert_eq!(queues.count(&A), Some(3));
}

#[test]
fn put_back_goes_to_the_front_above_any_limit() {
    let queues = Numbers::new();
    let end = now(&queues);
    queues.limit(&A, Some(2)).unwrap();
    end.send(A, &[1, 2]).unwrap();
    let taken = end.batch(A, 2, 2).unwrap();
    end.send(A, &[3, 4]).unwrap();
    queues.put_back(&A, taken);
    assert_eq!(contents(&queues, A), [1, 2, 3, 4]);
    queues.put_back(&A, vec![]);
    queues.put_back(&B, vec![5]);
    assert_eq!(contents(&queues, B), [5]);
    queues.cancel(Who::Both);
    queues.put_back(&B, vec![6]);
    assert_eq!(queues.count(&B), Some(2));
}

#[test]
fn a_slot_stays_known_until_it_is_cleared() {
    let queues = Numbers::new();
    let end = now(&queues);
    assert_eq!(queues.counts(), []);
    assert_eq!(end.receive(&[A, B]), Err(Refusal::TimedOut));
    assert_eq!(queues.count(&A), None);
    end.send(A, &[1]).unwrap();
    end.receive(&[A]).unwrap();
    assert_eq!(queues.count(&A), Some(0));
    queues.limit(&B, Some(1)).unwrap();
    let mut counts = queues.counts();
    counts.sort();
    assert_eq!(counts, [("a".to_owned(), 0), ("b".to_owned(), 0)]);
    queues.set(&A, vec![]).unwrap();
    queues.limit(&B, None).unwrap();
    queues.set(&B, vec![]).unwrap();
    assert_eq!(queues.counts(), []);
    assert_tidy(&queues);
}

#[test]
fn dump_is_nothing_until_some_operation_touches_the_linda() {
    let touch: [fn(&Numbers); 8] = [
        |queues| _ = now(queues).send(A, &[1]),
        |queues| _ = now(queues).receive(&[A]),
        |queues| _ = now(queues).batch(A, 1, 1),
        |queues| _ = queues.set(&A, vec![]),
        |queues| _ = queues.get(&A, 1),
        |queues| _ = queues.limit(&A, None),
        |queues| _ = queues.count(&A),
        |queues| _ = queues.counts(),
    ];
    for touch in touch {
        let queues = Numbers::new();
        assert_eq!(queues.dump(), None);
        assert_eq!(queues.dump(), None);
        touch(&queues);
        assert!(queues.dump().is_some());
    }
}

#[test]
fn dump_shows_first_count_limit_and_values() {
    let queues = Numbers::new();
    let end = now(&queues);
    let dump = || {
        queues
            .dump()
            .unwrap()
            .into_iter()
            .next()
            .map(|(_, dump)| dump)
    };
    end.send(A, &[1, 2, 3]).unwrap();
    assert_eq!(
        dump(),
        Some(Dump {
            first: 1,
            count: 3,
            limit: None,
            values: vec![1, 2, 3]
        })
    );
    queues.limit(&A, Some(5)).unwrap();
    end.receive(&[A]).unwrap();
    assert_eq!(
        dump(),
        Some(Dump {
            first: 2,
            count: 2,
            limit: Some(5),
            values: vec![2, 3]
        })
    );
    end.batch(A, 2, 2).unwrap();
    assert_eq!(
        dump(),
        Some(Dump {
            first: 1,
            count: 0,
            limit: Some(5),
            values: vec![]
        })
    );
    end.send(A, &[4, 5]).unwrap();
    end.receive(&[A]).unwrap();
    queues.set(&A, vec![6]).unwrap();
    assert_eq!(
        dump(),
        Some(Dump {
            first: 1,
            count: 1,
            limit: Some(5),
            values: vec![6]
        })
    );
    queues.limit(&A, None).unwrap();
    queues.set(&A, vec![]).unwrap();
    assert_eq!(dump(), None);
}

#[test]
fn many_slots_and_many_elements() {
    #[derive(Hash)]
    struct Number(u32);
    impl Equivalent<u32> for Number {
        fn equivalent(&self, key: &u32) -> bool {
            self.0 == *key
        }
    }
    impl BorrowedKey<u32> for Number {
        fn make_key(&self) -> Result<u32, OutOfMemory> {
            Ok(self.0)
        }
    }
    let queues = Queues::<u32, u32>::new();
    let waiter = Waiter::new();
    let wait = Wait {
        waiter: &waiter,
        deadline: Deadline::Now,
        interrupted: None,
        sleeps: None,
    };
    for number in 0..100_000 {
        queues
            .send(&wait, &Number(number), Values::One(number), &[])
            .unwrap();
    }
    queues.set(&Number(7), (0..1_000_000).collect()).unwrap();
    assert_eq!(queues.counts().len(), 100_000);
    for number in 0..1_000_000 {
        assert_eq!(queues.receive(&wait, &[Number(7)]), Ok((0, number)));
    }
    for number in (0..100_000).filter(|number| *number != 7) {
        assert_eq!(queues.receive(&wait, &[Number(number)]), Ok((0, number)));
    }
    queues.clear();
    assert_eq!(queues.counts(), []);
}

#[test]
fn set_and_limit_say_how_full_the_slot_is() {
    let queues = Numbers::new();
    let of = |changed: Result<Changed, LindaCancelled>| changed.unwrap().fill;
    assert_eq!(of(queues.set(&A, vec![])), Fill::Under);
    assert_eq!(queues.limit_of(&A), Ok((None, Fill::Under)));
    assert_eq!(queues.count(&A), None);
    assert_eq!(of(queues.set(&A, vec![1, 2])), Fill::Under);
    assert_eq!(of(queues.limit(&A, Some(2))), Fill::Exact);
    assert_eq!(of(queues.limit(&A, Some(1))), Fill::Over);
    assert_eq!(queues.limit_of(&A), Ok((Some(1), Fill::Over)));
    assert_eq!(of(queues.set(&A, vec![1])), Fill::Exact);
    assert_eq!(of(queues.set(&A, vec![])), Fill::Under);
    assert_eq!(of(queues.limit(&A, Some(0))), Fill::Exact);
}

#[test]
fn a_slot_is_known_without_elements_and_limit() {
    let queues = Numbers::new();
    queues.make_known(&A).unwrap();
    assert_eq!(queues.count(&A), Some(0));
    queues.set(&A, vec![1]).unwrap();
    queues.make_known(&A).unwrap();
    assert_eq!(queues.count(&A), Some(1));
    assert_eq!(queues.limit_of(&A), Ok((None, Fill::Under)));
    queues.cancel(Who::Both);
    assert!(queues.make_known(&A).is_err() && queues.limit_of(&A).is_err());
}
