//! Models of the parker.

use crate::model;
use lanes_engine::park::{Deadline, Parker, Woken};
use lanes_engine::sync::Arc;
use lanes_engine::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

/// A token may be left while the owner takes another one: the owner sees what was done before both,
/// or one token is left.
#[test]
fn two_tokens_stand_for_what_both_did_before() {
    model(3, || {
        let parker = Arc::new(Parker::new());
        let flags = [false; 2].map(|flag| Arc::new(AtomicBool::new(flag)));
        let threads = flags.clone().map(|flag| {
            let parker = Arc::clone(&parker);
            thread::spawn(move || {
                flag.store(true, Ordering::Relaxed);
                parker.unpark();
            })
        });
        while !flags.iter().all(|flag| flag.load(Ordering::Relaxed)) {
            assert_eq!(parker.park(Deadline::Never, None), Woken::Notified);
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
