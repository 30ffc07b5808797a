//! Keys whose destructor does something: no key is dropped under the lock of the linda, unless
//! another reference to the same thing is left.

use super::*;
use std::hash::{Hash, Hasher};
use std::sync::{OnceLock, Weak};

type Watched = Queues<Key, i32>;

/// What a key refers to.
struct Object {
    queues: OnceLock<Weak<Watched>>,
    number: u32,
    drops: Arc<AtomicUsize>,
}

impl Drop for Object {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
        if let Some(queues) = self.queues.get().and_then(Weak::upgrade) {
            assert!(!queues.slots.is_locked(), "dropped under the lock");
        }
    }
}

#[derive(Clone)]
struct Key(Arc<Object>);

/// A key as a caller has it: the slot that is made for it has the only reference to its object.
#[derive(Clone, Copy)]
struct Number<'a>(&'a Keys, u32);

impl Hash for Number<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.1.hash(state);
    }
}

impl Equivalent<Key> for Number<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.1 == key.0.number
    }
}

impl BorrowedKey<Key> for Number<'_> {
    fn make_key(&self) -> Result<Key, OutOfMemory> {
        let queues = OnceLock::new();
        let _ = queues.set(Arc::downgrade(&self.0.queues));
        Ok(Key(Arc::new(Object {
            queues,
            number: self.1,
            drops: Arc::clone(&self.0.drops),
        })))
    }
}

/// The queues, and keys that can be made; they count their drops.
struct Keys {
    queues: Arc<Watched>,
    drops: Arc<AtomicUsize>,
}

impl Keys {
    fn new() -> Keys {
        Keys {
            queues: Arc::new(Watched::new()),
            drops: Arc::default(),
        }
    }

    fn drops(&self) -> usize {
        self.drops.load(Ordering::SeqCst)
    }
}

fn at_once(waiter: &Arc<Waiter>) -> Wait<'_> {
    Wait {
        waiter,
        deadline: Deadline::Now,
        interrupted: None,
        sleeps: None,
    }
}

#[test]
fn a_slot_that_is_emptied_drops_its_key_after_the_lock() {
    let keys = Keys::new();
    let key = Number(&keys, 1);
    assert!(keys.queues.set(&key, vec![1]).is_ok());
    assert_eq!(keys.drops(), 0);
    assert!(keys.queues.set(&key, Vec::new()).is_ok());
    assert_eq!(keys.drops(), 1);
}

#[test]
fn clear_drops_all_keys_after_the_lock() {
    let keys = Keys::new();
    for number in 0..100 {
        assert!(keys.queues.set(&Number(&keys, number), vec![1]).is_ok());
    }
    keys.queues.clear();
    assert_eq!(keys.drops(), 100);
}

#[test]
fn looking_at_slots_drops_copies_of_keys_only() {
    let keys = Keys::new();
    assert!(keys.queues.set(&Number(&keys, 1), vec![1]).is_ok());
    drop(keys.queues.counts());
    drop(keys.queues.dump());
    assert_eq!(keys.drops(), 0);
}

#[test]
fn waits_that_end_drop_the_keys_of_the_slots_that_they_have_made() {
    let keys = Keys::new();
    let waiter = Waiter::new();
    let deadline = Deadline::At(Instant::now() + Duration::from_millis(1));
    let wait = Wait {
        deadline,
        ..at_once(&waiter)
    };
    let both = [Number(&keys, 1), Number(&keys, 2)];
    assert!(matches!(
        keys.queues.receive(&wait, &both),
        Err(Refusal::TimedOut)
    ));
    assert_eq!(keys.drops(), 2);
    assert!(keys.queues.receive_batched(&wait, &both[0], 1, 1).is_err());
    assert_eq!(keys.drops(), 3);
    let mut cases = vec![Case::Receive(&*keys.queues, both.to_vec())];
    assert!(matches!(select(&wait, &mut cases), Err(Refusal::TimedOut)));
    assert_eq!(keys.drops(), 5);
}

#[test]
fn a_waiter_that_is_served_leaves_no_key_behind() {
    let keys = Keys::new();
    let shared = Number(&keys, 1);
    thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let waiter = Waiter::new();
            let wait = Wait {
                deadline: Deadline::Never,
                ..at_once(&waiter)
            };
            keys.queues
                .receive(&wait, std::slice::from_ref(&shared))
                .map(|received| received.1)
                .ok()
        });
        let waiter = Waiter::new();
        let sent = keys
            .queues
            .send(&at_once(&waiter), &shared, Values::One(7), &[]);
        assert!(sent.is_ok());
        assert_eq!(receiver.join().unwrap(), Some(7));
    });
    let drops = keys.drops();
    keys.queues.clear();
    // The slot is gone if the receiver was parked, and else stays, empty, until it is cleared.
    assert_eq!((drops.max(1), keys.drops()), (1, 1));
}
