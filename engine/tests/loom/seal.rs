//! A model of seals: a monitor is added while its lane ends.

use crate::model;
use lanes_engine::sync::{Arc, Mutex, Seal};
use loom::thread;

/// The monitors of a lane.
struct List {
    seal: Seal,
    monitors: Mutex<Vec<u32>>,
}

impl List {
    fn add(&self, monitor: u32) -> bool {
        let mut monitors = self.monitors.lock();
        let admitted = self.seal.admit();
        if admitted {
            monitors.push(monitor);
        }
        admitted
    }

    /// What the end of the lane tells.
    fn end(&self) -> Vec<u32> {
        if self.seal.seal() {
            std::mem::take(&mut *self.monitors.lock())
        } else {
            Vec::new()
        }
    }
}

#[test]
fn a_monitor_is_told_or_refused() {
    model(4, || {
        let list = Arc::new(List {
            seal: Seal::new(),
            monitors: Mutex::new(Vec::new()),
        });
        let adders = [1, 2].map(|monitor| {
            let list = Arc::clone(&list);
            thread::spawn(move || list.add(monitor).then_some(monitor))
        });
        let mut told = list.end();
        let mut added = Vec::new();
        for adder in adders {
            added.extend(adder.join().unwrap());
        }
        told.sort_unstable();
        assert_eq!(told, added);
        assert!(!list.add(3));
        assert_eq!(list.end(), []);
    });
}
