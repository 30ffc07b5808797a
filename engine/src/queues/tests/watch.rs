//! Watchers of slots: what they are told, and that nothing is left of them.

use super::*;
use crate::park::{SharedWatcher, Watcher};
use crate::queues::WatchFor;

#[derive(Default)]
struct Told(AtomicUsize);

impl Watcher for Told {
    fn tell(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Told {
    /// How often it has been told since the last call.
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn watcher() -> (Arc<Told>, SharedWatcher) {
    let told = Arc::new(Told::default());
    (Arc::clone(&told), told)
}

#[test]
fn elements_are_told_of_whoever_adds_them() {
    let queues = Numbers::new();
    let (told, watcher) = watcher();
    queues.watch(&A, WatchFor::Elements, &watcher).unwrap();
    assert_eq!(told.take(), 0);
    assert_eq!(queues.counts(), []);
    now(&queues).send(A, &[1]).unwrap();
    assert_eq!(told.take(), 1);
    now(&queues).send(A, &[2, 3]).unwrap();
    queues.put_back(&A, vec![0]);
    queues.set(&A, vec![4, 5]).unwrap();
    assert_eq!(told.take(), 3);
    assert_eq!(now(&queues).receive(&[A]), Ok((0, 4)));
    // One is left.
    assert_eq!(told.take(), 1);
    assert_eq!(now(&queues).receive(&[A]), Ok((0, 5)));
    now(&queues).send(B, &[1]).unwrap();
    assert_eq!(told.take(), 0);
    queues.unwatch(&A, WatchFor::Elements, &watcher);
    now(&queues).send(A, &[1]).unwrap();
    assert_eq!(told.take(), 0);
}

#[test]
fn elements_that_a_receiver_could_take_by_a_shortcut_are_gathered() {
    let queues = Numbers::new();
    let end = now(&queues);
    end.send(A, &[1, 2, 3]).unwrap();
    let mut bytes = Vec::new();
    let mut received = Received::new(&mut bytes);
    let shortcut = queues
        .receive_one(&end.wait(), &A, None, &mut received)
        .unwrap();
    assert_eq!(received.element.take(), Some(1));
    let (told, watcher) = watcher();
    queues.watch(&A, WatchFor::Elements, &watcher).unwrap();
    assert_eq!(told.take(), 1);
    let found = shortcut.unwrap().take(&mut received);
    assert!(matches!(found, Found::Unknown));
    queues.unwatch(&A, WatchFor::Elements, &watcher);
}

#[test]
fn room_is_told_of_whoever_makes_it() {
    let queues = Numbers::new();
    queues.set(&A, vec![1, 2]).unwrap();
    queues.limit(&A, Some(1)).unwrap();
    let (told, watcher) = watcher();
    queues.watch(&A, WatchFor::Room, &watcher).unwrap();
    assert_eq!(now(&queues).receive(&[A]), Ok((0, 1)));
    assert_eq!(told.take(), 0);
    assert_eq!(now(&queues).receive(&[A]), Ok((0, 2)));
    assert_eq!(told.take(), 1);
    now(&queues).send(A, &[3]).unwrap();
    assert_eq!(told.take(), 0);
    queues.limit(&A, Some(2)).unwrap();
    assert_eq!(told.take(), 1);
    queues.unwatch(&A, WatchFor::Room, &watcher);
}

#[test]
fn a_parked_receiver_comes_before_watchers() {
    let queues = Numbers::new();
    let (told, watcher) = watcher();
    queues.watch(&A, WatchFor::Elements, &watcher).unwrap();
    thread::scope(|scope| {
        let (_, receiver) = park(scope, &queues, |end| end.receive(&[A]));
        now(&queues).send(A, &[1]).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok((0, 1)));
        assert_eq!(told.take(), 0);
    });
    queues.unwatch(&A, WatchFor::Elements, &watcher);
}

#[test]
fn a_cancellation_and_the_end_of_the_slots_are_told() {
    let queues = Numbers::new();
    let (told, watcher) = watcher();
    for what in [WatchFor::Elements, WatchFor::Room] {
        queues.set(&A, vec![1]).unwrap();
        queues.limit(&A, Some(1)).unwrap();
        queues.watch(&B, what, &watcher).unwrap();
        told.take();
        queues.cancel(Who::Read);
        assert_eq!(told.take(), 1);
        queues.watch(&A, what, &watcher).unwrap();
        assert_eq!(told.take(), 1);
        queues.cancel(Who::None);
        assert_eq!(told.take(), 0);
        queues.clear();
        assert_eq!(told.take(), 2);
        queues.unwatch(&A, what, &watcher);
    }
    assert_eq!(Arc::strong_count(&told), 2);
}

#[test]
fn a_slot_that_only_a_watcher_needed_goes_with_it() {
    let queues = Numbers::new();
    let (_, watcher) = watcher();
    for key in [A, A, B] {
        queues.watch(&key, WatchFor::Elements, &watcher).unwrap();
    }
    for key in [A, B, A, C] {
        queues.unwatch(&key, WatchFor::Elements, &watcher);
        queues.unwatch(&key, WatchFor::Room, &watcher);
    }
    assert_tidy(&queues);
    assert_eq!(queues.slots.lock().iter().count(), 0);
}
