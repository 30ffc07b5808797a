//! Models of alarms: the end of a scope against the failure of one of its lanes.

use crate::{A, End, Numbers, model, wait_for};
use lanes_engine::park::{Alarm, Latch, Refusal, Request, SharedWatcher, Waiter, Watcher};
use lanes_engine::sync::Arc;
use loom::thread;

/// Rings when the latch that it watches is opened, as a lane of a scope that fails.
struct Failure(std::sync::Arc<Alarm>);

impl Watcher for Failure {
    fn tell(&self) {
        self.0.ring();
    }
}

fn alarm(owner: &Arc<Waiter>) -> (std::sync::Arc<Alarm>, SharedWatcher) {
    let alarm = std::sync::Arc::new(Alarm::new(owner));
    let failure = std::sync::Arc::new(Failure(std::sync::Arc::clone(&alarm)));
    (alarm, failure)
}

#[test]
fn a_failure_wakes_the_owner_and_the_helpers() {
    model(3, || {
        let queues = Arc::new(Numbers::new());
        let (owner, helper) = (End::new(&queues), End::new(&queues));
        let (alarm, failure) = alarm(&owner.waiter);
        let latch = Arc::new(Latch::new());
        assert!(latch.watch(&failure).unwrap());
        alarm.add(&helper.waiter).unwrap();
        let helper = thread::spawn(move || helper.receive(&[A]));
        let lane = {
            let latch = Arc::clone(&latch);
            thread::spawn(move || latch.open())
        };
        let soft = Err(Refusal::Request(Request::Soft));
        assert_eq!(owner.receive(&[A]), soft);
        assert_eq!(helper.join().unwrap(), soft);
        lane.join().unwrap();
    });
}

#[test]
fn the_end_of_a_scope_against_failure() {
    model(4, || {
        let owner = Waiter::new();
        let (alarm, failure) = alarm(&owner);
        let latch = Arc::new(Latch::new());
        let lane = {
            let latch = Arc::clone(&latch);
            thread::spawn(move || latch.open())
        };
        if !latch.watch(&failure).unwrap() {
            alarm.ring();
        }
        alarm.leave();
        assert_eq!(owner.request(), Request::None);
        wait_for(&latch);
        lane.join().unwrap();
        // The failure has come before or after the end; nothing is left of it in either case.
        assert_eq!(owner.request(), Request::None);
        assert!(!alarm.ring());
    });
}

#[test]
fn a_helper_is_added_against_failure() {
    model(4, || {
        let owner = Waiter::new();
        let (alarm, _) = alarm(&owner);
        let ringing = std::sync::Arc::clone(&alarm);
        let lane = thread::spawn(move || ringing.ring());
        let helper = Waiter::new();
        alarm.add(&helper).unwrap();
        assert!(lane.join().unwrap());
        assert_eq!(helper.request(), Request::Soft);
    });
}

#[test]
fn a_failure_against_a_request_to_the_owner() {
    model(4, || {
        let owner = Waiter::new();
        let (alarm, _) = alarm(&owner);
        let other = Arc::clone(&owner);
        let request = thread::spawn(move || other.cancel(Request::Hard, true));
        alarm.ring();
        alarm.leave();
        request.join().unwrap();
        assert_eq!(owner.request(), Request::Hard);
        drop(alarm);
        owner.cancel(Request::None, false);
        assert_eq!(owner.request(), Request::None);
    });
}
