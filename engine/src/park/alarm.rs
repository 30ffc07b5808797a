//! An alarm: asks a state and its helpers to stop when one of them has failed. Each scope has one.

use super::waiter::Waiter;
use crate::memory::grow::{OutOfMemory, try_room};
use crate::sync::{Arc, Mutex};

/// Rings at most once. The state that has made it is its owner; helpers are other states.
///
/// No lock is held by a caller of these methods: they lock the alarm, and wake threads meanwhile.
pub struct Alarm {
    owner: Arc<Waiter>,
    inner: Mutex<Inner>,
}

struct Inner {
    rung: bool,
    /// Whether the owner is to be asked, or has been. `leave` ends that.
    attached: bool,
    helpers: Vec<Arc<Waiter>>,
}

impl Alarm {
    /// An alarm without helpers.
    pub fn new(owner: &Arc<Waiter>) -> Alarm {
        Alarm {
            owner: Arc::clone(owner),
            inner: Mutex::new(Inner {
                rung: false,
                attached: true,
                helpers: Vec::new(),
            }),
        }
    }

    /// Adds a helper. If the alarm has rung the helper is asked to stop now.
    ///
    /// Errors: out of memory; the helper is not added.
    pub fn add(&self, helper: &Arc<Waiter>) -> Result<(), OutOfMemory> {
        let mut inner = self.inner.lock();
        try_room(&mut inner.helpers, 1)?;
        inner.helpers.push(Arc::clone(helper));
        if inner.rung {
            helper.ask_softly();
        }
        Ok(())
    }

    /// Removes a helper. If it has been added twice it stays once.
    pub fn remove(&self, helper: &Arc<Waiter>) {
        let mut inner = self.inner.lock();
        let mut helpers = inner.helpers.iter();
        if let Some(index) = helpers.position(|other| Arc::ptr_eq(other, helper)) {
            let removed = inner.helpers.swap_remove(index);
            drop(inner);
            drop(removed);
        }
    }

    /// Asks the owner and all helpers to stop, softly, and wakes them. Returns false if the alarm
    /// has rung before; nothing happens then.
    pub fn ring(&self) -> bool {
        let mut inner = self.inner.lock();
        if inner.rung {
            return false;
        }
        inner.rung = true;
        if inner.attached {
            self.owner.alarm();
        }
        for helper in &inner.helpers {
            helper.ask_softly();
        }
        true
    }

    /// From now on the alarm does not ask the owner, and what it has asked of it is withdrawn.
    pub fn leave(&self) {
        let mut inner = self.inner.lock();
        if inner.attached && inner.rung {
            self.owner.end_alarm();
        }
        inner.attached = false;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::park::Request;

    #[test]
    fn it_rings_once_and_asks_everybody() {
        let [owner, one, two] = [(); 3].map(|()| Waiter::new());
        let alarm = Alarm::new(&owner);
        alarm.add(&one).unwrap();
        alarm.add(&two).unwrap();
        two.cancel(Request::Hard, false);
        assert!(alarm.ring() && !alarm.ring());
        let requests = [&owner, &one, &two].map(|waiter| waiter.request());
        assert_eq!(requests, [Request::Soft, Request::Soft, Request::Hard]);
    }

    #[test]
    fn who_comes_late_is_asked_and_who_has_gone_is_not() {
        let [owner, one, two] = [(); 3].map(|()| Waiter::new());
        let alarm = Alarm::new(&owner);
        alarm.add(&one).unwrap();
        alarm.remove(&one);
        alarm.remove(&one);
        alarm.ring();
        alarm.add(&two).unwrap();
        assert_eq!(one.request(), Request::None);
        assert_eq!(two.request(), Request::Soft);
    }

    #[test]
    fn requests_to_the_owner_and_other_alarms_stay() {
        let owner = Waiter::new();
        let outer = Alarm::new(&owner);
        outer.ring();
        {
            let inner = Alarm::new(&owner);
            inner.ring();
            owner.cancel(Request::Hard, false);
            assert_eq!(owner.request(), Request::Hard);
            owner.cancel(Request::None, false);
        }
        assert_eq!(owner.request(), Request::Soft);
        outer.leave();
        assert_eq!(owner.request(), Request::None);
        outer.leave();
        let late = Alarm::new(&owner);
        late.leave();
        late.ring();
        assert_eq!(owner.request(), Request::None);
    }
}
