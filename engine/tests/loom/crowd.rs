//! Models of crowds: the last to park against a send, and all of them asleep.

use crate::{A, B, Numbers, model};
use lanes_engine::park::{Crowd, Deadline, Refusal, Sleeps, Wait, Waiter};
use lanes_engine::queues::Values;
use lanes_engine::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

struct World {
    queues: Numbers,
    crowd: Crowd,
    members: [Arc<Waiter>; 2],
    /// How often all were found asleep.
    found: AtomicUsize,
}

impl World {
    fn new() -> Arc<World> {
        let crowd = Crowd::new();
        crowd.enter();
        Arc::new(World {
            queues: Numbers::new(),
            crowd,
            members: [Waiter::new(), Waiter::new()],
            found: AtomicUsize::new(0),
        })
    }

    fn look(&self) -> bool {
        let all_asleep = || self.members.iter().all(|member| member.is_asleep());
        let found = self.crowd.is_still(all_asleep);
        if found {
            self.found.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    fn receive(&self, member: usize, slot: crate::Slot) -> Result<u32, Refusal> {
        let wait = Wait {
            waiter: &self.members[member],
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: Some(&Bed(self, member)),
        };
        self.queues.receive(&wait, &[slot]).map(|(_, value)| value)
    }

    fn send(&self, member: usize, slot: crate::Slot) {
        let wait = Wait {
            waiter: &self.members[member],
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: None,
        };
        self.queues.send(&wait, &slot, Values::One(1), &[]).unwrap();
    }
}

struct Bed<'a>(&'a World, usize);

impl Sleeps for Bed<'_> {
    fn begin(&self, wait: &Wait) -> bool {
        !(self.0.crowd.falls_asleep(wait.waiter) && self.0.look())
    }

    fn end(&self) {
        self.0.crowd.wakes(&self.0.members[self.1]);
    }
}

#[test]
fn last_to_park_against_a_send() {
    model(4, || {
        let world = World::new();
        let other = Arc::clone(&world);
        let other = thread::spawn(move || {
            other.receive(0, A).unwrap();
            other.send(0, B);
            assert!(!other.crowd.leave() || !other.members[1].is_asleep());
        });
        world.send(1, A);
        world.receive(1, B).unwrap();
        other.join().unwrap();
        assert_eq!(world.found.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn all_asleep_is_found_by_the_last() {
    model(4, || {
        let world = World::new();
        let other = Arc::clone(&world);
        let receive = |world: &World, member, slot, wakes| {
            if world.receive(member, slot) == Err(Refusal::Interrupted) {
                world.send(member, wakes);
            }
        };
        let other = thread::spawn(move || receive(&other, 0, A, B));
        receive(&world, 1, B, A);
        other.join().unwrap();
        assert_eq!(world.found.load(Ordering::Relaxed), 1);
    });
}

/// A member that leaves is not looked at any more, so of the one that leaves and the one that falls
/// asleep the later one finds that nobody is awake.
#[test]
fn a_member_that_leaves_against_one_that_falls_asleep() {
    model(4, || {
        let world = World::new();
        let other = Arc::clone(&world);
        // As if the first member had not been there: only the second one is looked at.
        let gone = Arc::new(AtomicUsize::new(0));
        let has_gone = Arc::clone(&gone);
        let other = thread::spawn(move || {
            has_gone.store(1, Ordering::SeqCst);
            if other.crowd.leave() && other.crowd.is_still(|| other.members[1].is_asleep()) {
                other.found.fetch_add(1, Ordering::Relaxed);
                other.send(0, B);
            }
        });
        let bed = Alone(&world, gone);
        let wait = Wait {
            waiter: &world.members[1],
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: Some(&bed),
        };
        let outcome = world.queues.receive(&wait, &[B]);
        assert!(matches!(outcome, Ok(_) | Err(Refusal::Interrupted)));
        other.join().unwrap();
        assert_eq!(world.found.load(Ordering::Relaxed), 1);
    });
}

struct Alone<'a>(&'a World, Arc<AtomicUsize>);

impl Sleeps for Alone<'_> {
    fn begin(&self, wait: &Wait) -> bool {
        let Alone(world, gone) = self;
        let all_asleep = || gone.load(Ordering::SeqCst) == 1 && wait.waiter.is_asleep();
        let found = world.crowd.falls_asleep(wait.waiter) && world.crowd.is_still(all_asleep);
        world.found.fetch_add(usize::from(found), Ordering::Relaxed);
        !found
    }

    fn end(&self) {
        self.0.crowd.wakes(&self.0.members[1]);
    }
}
