//! A thread that is taken out of the cache before there is a job for it: it makes calls, one at a
//! time, while its owner waits, and then runs the job.

use super::pool::{Ending, Job, Reuse};
use crate::park::{Deadline, Latch, Parker, Wait};
use crate::sync::{Arc, Mutex};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Call = Box<dyn FnOnce() + Send>;

/// What the thread is to do.
enum Order {
    Call(Call),
    Job(Job),
}

/// Where the thread finds its orders.
struct Desk {
    order: Mutex<Option<Order>>,
    parker: Parker,
}

/// The result of a call, and a latch that opens at its end.
struct Outcome<R> {
    result: Mutex<Option<std::thread::Result<R>>>,
    end: Latch,
}

/// The thread, for its owner. If it is dropped without a job the thread returns to the cache.
pub struct Reserved {
    desk: Arc<Desk>,
    /// Called on the thread if there is no job: whether it may run another one.
    idle: fn() -> Reuse,
    finished: bool,
}

impl Desk {
    fn put(&self, order: Order) {
        *self.order.lock() = Some(order);
        self.parker.unpark();
    }

    /// What the thread does: calls, and then its job.
    fn serve(&self, ending: &Ending) -> Reuse {
        loop {
            let order = self.order.lock().take();
            match order {
                Some(Order::Call(call)) => call(),
                Some(Order::Job(job)) => return job(ending),
                None => {
                    self.parker.park(Deadline::Never, None);
                }
            }
        }
    }
}

impl Reserved {
    /// Takes a thread. `launch` runs the job that it is given on a thread. `idle` is called on that
    /// thread if no job follows, and returns whether it may run another one.
    ///
    /// Errors: those of `launch`.
    pub fn take<E>(
        launch: impl FnOnce(Job) -> Result<(), E>,
        idle: fn() -> Reuse,
    ) -> Result<Reserved, E> {
        let desk = Arc::new(Desk {
            order: Mutex::new(None),
            parker: Parker::new(),
        });
        let served = Arc::clone(&desk);
        launch(Box::new(move |ending| served.serve(ending)))?;
        Ok(Reserved {
            desk,
            idle,
            finished: false,
        })
    }

    /// Runs `body` on the thread and returns its result, or the payload of its panic. Whenever
    /// `wait` is interrupted `asked` is called, and the wait goes on; after it has returned true,
    /// the wait is not interrupted again.
    pub fn call<R: Send + 'static>(
        &self,
        wait: &Wait,
        mut asked: impl FnMut() -> bool,
        body: impl FnOnce() -> R + Send + 'static,
    ) -> std::thread::Result<R> {
        let outcome = Arc::new(Outcome {
            result: Mutex::new(None),
            end: Latch::new(),
        });
        let there = Arc::clone(&outcome);
        self.desk.put(Order::Call(Box::new(move || {
            let result = catch_unwind(AssertUnwindSafe(body));
            *there.result.lock() = Some(result);
            there.end.open();
        })));
        let mut wait = *wait;
        while outcome.end.wait(&wait).is_err() {
            if asked() {
                wait.interrupted = None;
            }
        }
        let result = outcome.result.lock().take();
        result.unwrap_or_else(|| Err(Box::new("the call has no result")))
    }

    /// Runs `job` on the thread, which returns to the cache then.
    pub fn finish(mut self, job: Job) {
        self.finished = true;
        self.desk.put(Order::Job(job));
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.finished {
            let idle = self.idle;
            self.desk.put(Order::Job(Box::new(move |_| idle())));
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::park::Waiter;
    use crate::threads::pool::Pool;
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    const STACK: usize = 1 << 20;

    fn take(pool: &Pool, idle: fn() -> Reuse) -> Reserved {
        Reserved::take(|job| pool.launch(job, STACK), idle).unwrap()
    }

    fn call<R: Send + 'static>(
        reserved: &Reserved,
        body: impl FnOnce() -> R + Send + 'static,
    ) -> std::thread::Result<R> {
        let wait = Wait {
            waiter: &Waiter::new(),
            deadline: Deadline::Never,
            interrupted: None,
            sleeps: None,
        };
        reserved.call(&wait, || false, body)
    }

    fn here() -> ThreadId {
        thread::current().id()
    }

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn calls_and_the_job_are_of_one_thread() {
        let pool = Pool::new(Duration::from_secs(10));
        let reserved = take(&pool, || Reuse::Keep);
        let first = call(&reserved, here).unwrap();
        assert_ne!(first, here());
        assert_eq!(call(&reserved, here).unwrap(), first);
        let (sender, receiver) = mpsc::channel();
        reserved.finish(Box::new(move |_| {
            sender.send(here()).unwrap();
            Reuse::Keep
        }));
        assert_eq!(receiver.recv().unwrap(), first);
        until(|| pool.idle() == 1);
        assert_eq!(call(&take(&pool, || Reuse::Keep), here).unwrap(), first);
    }

    #[test]
    fn a_panic_comes_to_the_caller_and_the_thread_goes_on() {
        let pool = Pool::new(Duration::from_secs(10));
        let reserved = take(&pool, || Reuse::Keep);
        let first = call(&reserved, here).unwrap();
        let panics = || -> () { std::panic::resume_unwind(Box::new("on purpose")) };
        let payload = call(&reserved, panics).unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
        assert_eq!(call(&reserved, here).unwrap(), first);
    }

    #[test]
    fn a_thread_that_gets_no_job_goes_back_as_it_is_told() {
        let pool = Pool::new(Duration::from_secs(10));
        drop(take(&pool, || Reuse::Keep));
        until(|| pool.idle() == 1);
        let reserved = take(&pool, || Reuse::LetGo);
        let first = call(&reserved, here).unwrap();
        drop(reserved);
        let other = take(&pool, || Reuse::Keep);
        assert_ne!(call(&other, here).unwrap(), first);
    }

    #[test]
    fn whoever_waits_is_told_of_interruptions_and_goes_on_waiting() {
        let pool = Pool::new(Duration::from_secs(10));
        let reserved = take(&pool, || Reuse::Keep);
        let (sender, receiver) = mpsc::channel();
        let wait = Wait {
            waiter: &Waiter::new(),
            deadline: Deadline::Never,
            interrupted: Some(&|| true),
            sleeps: None,
        };
        let mut told = 0;
        let asked = || {
            told += 1;
            sender.send(told).unwrap();
            told == 3
        };
        let there = move || [(); 3].map(|()| receiver.recv().unwrap());
        assert_eq!(reserved.call(&wait, asked, there).unwrap(), [1, 2, 3]);
        assert_eq!(told, 3);
    }

    #[test]
    fn no_thread_is_the_error_of_whoever_wanted_one() {
        let refused = Reserved::take(|_| Err("none"), || Reuse::Keep);
        assert_eq!(refused.err(), Some("none"));
    }
}
