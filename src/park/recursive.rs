//! A lock that its thread may take again, or one that acts for it. Waiting for it ends when the waiter is asked to stop, or is interrupted; whoever waits gets it in
//! the order of arrival.

use super::acting::actor;
use super::parker::Woken;
use super::{Refusal, Request, Wait, Waiter};
use crate::sync::thread::ThreadId;
use crate::sync::{Arc, Mutex};
use std::collections::VecDeque;

/// The lock. It protects no data: what is done under it calls Lua, which calls what takes it again.
pub struct RecursiveLock(Mutex<State>);

struct State {
    /// The thread that has the lock, and how often it has taken it.
    holder: Option<(ThreadId, usize)>,
    waiting: VecDeque<(ThreadId, Arc<Waiter>)>,
}

impl RecursiveLock {
    pub fn new() -> RecursiveLock {
        RecursiveLock(Mutex::new(State {
            holder: None,
            waiting: VecDeque::new(),
        }))
    }

    /// Takes the lock for the calling thread; `unlock` must follow. A hard request to the waiter ends the wait, a soft one does not:
    /// there is nothing that a caller could be answered in place of having the lock.
    pub fn lock(&self, wait: &Wait) -> Result<(), Refusal> {
        let me = actor();
        {
            let mut state = self.0.lock();
            match &mut state.holder {
                None => {
                    state.holder = Some((me, 1));
                    return Ok(());
                }
                Some((holder, times)) if *holder == me => {
                    *times += 1;
                    return Ok(());
                }
                Some(_) if wait.waiter.request() == Request::Hard => {
                    return Err(Refusal::Request(Request::Hard));
                }
                Some(_) => state.waiting.push_back((me, Arc::clone(wait.waiter))),
            }
        }
        loop {
            let woken = wait.park();
            let mut state = self.0.lock();
            // What was handed over at the last moment stays ours.
            if state.holder.is_some_and(|(holder, _)| holder == me) {
                return Ok(());
            }
            let refusal = match woken {
                _ if wait.waiter.request() == Request::Hard => Refusal::Request(Request::Hard),
                Woken::Notified => continue,
                Woken::TimedOut => Refusal::TimedOut,
                Woken::Interrupted => Refusal::Interrupted,
            };
            state.waiting.retain(|(waiting, _)| *waiting != me);
            return Err(refusal);
        }
    }

    /// Gives the lock back as often as it was taken: then whoever has waited longest has it.
    pub fn unlock(&self) {
        let next = {
            let mut state = self.0.lock();
            match &mut state.holder {
                Some((_, times)) if *times > 1 => {
                    *times -= 1;
                    return;
                }
                _ => {}
            }
            let next = state.waiting.pop_front();
            state.holder = next.as_ref().map(|(thread, _)| (*thread, 1));
            next
        };
        if let Some((_, waiter)) = next {
            waiter.unpark();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::park::Deadline;
    use crate::park::acting::act_for;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn wait(waiter: &Arc<Waiter>) -> Wait<'_> {
        Wait {
            waiter,
            deadline: Deadline::Never,
            interrupted: None,
        }
    }

    fn until_waiting(lock: &RecursiveLock, count: usize) {
        while lock.0.lock().waiting.len() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn one_thread_at_a_time_as_often_as_it_likes() {
        let (lock, inside) = (RecursiveLock::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let waiter = Waiter::new();
                    for _ in 0..1000 {
                        assert_eq!(lock.lock(&wait(&waiter)), Ok(()));
                        assert_eq!(lock.lock(&wait(&waiter)), Ok(()));
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        lock.unlock();
                        assert_eq!(inside.fetch_sub(1, Ordering::Relaxed), 1);
                        lock.unlock();
                    }
                });
            }
        });
    }

    #[test]
    fn who_acts_for_the_holder_takes_it_again_and_nobody_else() {
        let (lock, here, there) = (RecursiveLock::new(), Waiter::new(), Waiter::new());
        assert_eq!(lock.lock(&wait(&here)), Ok(()));
        let me = actor();
        thread::scope(|scope| {
            scope.spawn(|| {
                act_for(me, || {
                    assert_eq!(actor(), me);
                    assert_eq!(lock.lock(&wait(&there)), Ok(()));
                    lock.unlock();
                });
                assert_eq!(actor(), thread::current().id());
                there.cancel(Request::Hard, true);
                let refused = Err(Refusal::Request(Request::Hard));
                assert_eq!(lock.lock(&wait(&there)), refused);
            });
        });
        lock.unlock();
    }

    #[test]
    fn a_hard_request_ends_the_wait_and_a_soft_one_does_not() {
        let (lock, here, there) = (RecursiveLock::new(), Waiter::new(), Waiter::new());
        assert_eq!(lock.lock(&wait(&here)), Ok(()));
        thread::scope(|scope| {
            let thread = scope.spawn(|| lock.lock(&wait(&there)));
            until_waiting(&lock, 1);
            there.cancel(Request::Soft, true);
            there.cancel(Request::Hard, true);
            assert_eq!(thread.join().unwrap(), Err(Refusal::Request(Request::Hard)));
        });
        assert!(lock.0.lock().waiting.is_empty());
        thread::scope(|scope| {
            there.cancel(Request::Soft, true);
            let thread = scope.spawn(|| lock.lock(&wait(&there)));
            until_waiting(&lock, 1);
            lock.unlock();
            assert_eq!(thread.join().unwrap(), Ok(()));
        });
    }

    #[test]
    fn an_interruption_ends_the_wait() {
        let (lock, here, there) = (RecursiveLock::new(), Waiter::new(), Waiter::new());
        assert_eq!(lock.lock(&wait(&here)), Ok(()));
        let interrupted = || true;
        let refused = thread::scope(|scope| {
            scope
                .spawn(|| {
                    lock.lock(&Wait {
                        waiter: &there,
                        deadline: Deadline::Never,
                        interrupted: Some(&interrupted as &dyn Fn() -> bool),
                    })
                })
                .join()
                .unwrap()
        });
        assert_eq!(refused, Err(Refusal::Interrupted));
        assert!(lock.0.lock().waiting.is_empty());
    }
}
