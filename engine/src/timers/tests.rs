//! Tests of the service of timers.

use super::*;
use std::sync::mpsc::{self, Receiver, Sender};

type Fire = Box<dyn FnMut() + Send>;
type Fired = Receiver<(u32, Instant)>;

/// A service, a function that makes timers, and the receiver to which each timer sends its name
/// and the time when it fires.
fn service() -> (Service<u32, Fire>, impl Fn(u32) -> Fire, Fired) {
    let (sender, receiver) = mpsc::channel();
    let fire = move |name| -> Fire {
        let sender: Sender<(u32, Instant)> = sender.clone();
        Box::new(move || {
            // The receiver may be gone.
            let _ = sender.send((name, Instant::now()));
        })
    };
    (Service::new(), fire, receiver)
}

const ONE_HOUR: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(2);

#[test]
fn fires_in_order_of_due_time_and_not_early() {
    let (service, fire, fired) = service();
    let now = Instant::now();
    for name in [3, 1, 2] {
        service
            .set(name, now + SHORT * name, None, fire(name))
            .unwrap();
    }
    for expected in 1..=3 {
        let (name, at) = fired.recv().unwrap();
        assert_eq!(name, expected);
        assert!(at >= now + SHORT * name);
    }
    assert_eq!(service.list(), []);
}

#[test]
fn fires_at_once_when_the_time_has_passed() {
    let (service, fire, fired) = service();
    service.set(1, Instant::now(), None, fire(1)).unwrap();
    assert_eq!(fired.recv().unwrap().0, 1);
}

#[test]
fn an_earlier_timer_is_not_kept_waiting_by_a_later_one() {
    let (service, fire, fired) = service();
    let now = Instant::now();
    service.set(1, now + ONE_HOUR, None, fire(1)).unwrap();
    service.set(2, now + SHORT, None, fire(2)).unwrap();
    assert_eq!(fired.recv().unwrap().0, 2);
    assert_eq!(service.list(), [(1, now + ONE_HOUR, None)]);
}

#[test]
fn a_period_keeps_its_phase() {
    let (service, fire, fired) = service();
    let due = Instant::now();
    service.set(1, due, Some(SHORT), fire(1)).unwrap();
    for n in 0..5 {
        let (_, at) = fired.recv().unwrap();
        assert!(at >= due + SHORT * n, "no tick before its time");
    }
    let (_, next, period) = service.list()[0];
    assert_eq!((next - due).as_nanos() % SHORT.as_nanos(), 0);
    assert_eq!(period, Some(SHORT));
}

#[test]
fn missed_periods_are_skipped() {
    let due = Instant::now();
    let period = Duration::from_millis(10);
    let after = |millis| following(due, period, due + Duration::from_millis(millis)).unwrap() - due;
    assert_eq!(after(0).as_millis(), 10);
    assert_eq!(after(9).as_millis(), 10);
    assert_eq!(after(10).as_millis(), 20);
    assert_eq!(after(12345).as_millis(), 12350);
    assert_eq!(following(due, Duration::MAX, due), None);
}

#[test]
fn a_zero_period_is_none() {
    let (service, fire, fired) = service();
    service
        .set(1, Instant::now(), Some(Duration::ZERO), fire(1))
        .unwrap();
    fired.recv().unwrap();
    assert_eq!(service.list(), []);
}

#[test]
fn a_removed_or_replaced_timer_does_not_fire() {
    let (service, fire, fired) = service();
    let due = Instant::now() + SHORT;
    assert!(!service.remove(&1));
    service.set(1, due, None, fire(1)).unwrap();
    service.set(2, due, None, fire(2)).unwrap();
    service.set(2, due, None, fire(22)).unwrap();
    service.set(3, due, None, fire(3)).unwrap();
    assert!(service.remove(&1));
    assert!(!service.remove(&1));
    assert_eq!(fired.recv().unwrap().0, 22);
    assert_eq!(fired.recv().unwrap().0, 3);
    assert!(service.shared.timers.lock().by_time.is_empty());
}

#[test]
fn a_timer_can_remove_itself_while_it_fires() {
    let service: Arc<Service<u32, Fire>> = Arc::new(Service::new());
    let (sender, fired) = mpsc::channel();
    let own = Arc::downgrade(&service);
    let fire = move || {
        let removed = own.upgrade().is_some_and(|service| service.remove(&1));
        sender.send(removed).unwrap();
    };
    service
        .set(
            1,
            Instant::now(),
            Some(Duration::from_micros(1)),
            Box::new(fire),
        )
        .unwrap();
    assert!(fired.recv().unwrap());
    // The closure is dropped, and with it the sender.
    fired.recv().unwrap_err();
    assert_eq!(service.list(), []);
}

#[test]
fn a_panic_ends_only_its_own_timer() {
    let (service, fire, fired) = service();
    let now = Instant::now();
    let panic: Fire = Box::new(|| std::panic::resume_unwind(Box::new("on purpose")));
    service.set(1, now, Some(SHORT), panic).unwrap();
    service.set(2, now + SHORT, None, fire(2)).unwrap();
    assert_eq!(fired.recv().unwrap().0, 2);
    assert_eq!(service.list(), []);
}

#[test]
fn shutdown_drops_all_timers_and_sets_no_more() {
    let (service, fire, fired) = service();
    service
        .set(1, Instant::now() + ONE_HOUR, None, fire(1))
        .unwrap();
    service.shutdown();
    service.set(2, Instant::now(), None, fire(2)).unwrap();
    assert_eq!(service.list(), []);
    drop(fire);
    fired.recv().unwrap_err();
    service.shutdown();
}

#[test]
fn shutdown_may_be_repeated_where_no_timer_was_ever_set() {
    let (service, _fire, _fired) = service();
    service.shutdown();
    service.shutdown();
}

#[test]
fn shutdown_from_a_firing_timer_does_not_wait_for_itself() {
    let service: Arc<Service<u32, Fire>> = Arc::new(Service::new());
    let (sender, fired) = mpsc::channel();
    let own = Arc::clone(&service);
    service
        .set(
            1,
            Instant::now(),
            Some(SHORT),
            Box::new(move || own.shutdown()),
        )
        .unwrap();
    service
        .set(
            2,
            Instant::now() + ONE_HOUR,
            None,
            Box::new(move || sender.send(()).unwrap()),
        )
        .unwrap();
    fired.recv().unwrap_err();
    service.shutdown();
}

#[test]
fn many_timers_all_fire_once() {
    let (service, fire, fired) = service();
    let now = Instant::now();
    for name in 0..20_000 {
        service
            .set(
                name,
                now + Duration::from_micros(u64::from(name * 7919 % 20_000)),
                None,
                fire(name),
            )
            .unwrap();
    }
    let mut names: Vec<u32> = (0..20_000).map(|_| fired.recv().unwrap().0).collect();
    names.sort_unstable();
    assert!(names.into_iter().eq(0..20_000));
}
