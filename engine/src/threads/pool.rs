//! Cached OS threads: a thread whose job has ended waits a while for the next job, which then
//! starts without the cost of a new thread.
//!
//! The cache is never torn down: at exit its idle threads sleep until the process is gone, and use
//! nothing that a destructor of the process might free.

use crate::park::{Deadline, Parker, Woken};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, thread};
#[cfg(not(loom))]
use crate::threads::fork::PerProcess;
use crossbeam_utils::CachePadded;
use std::cell::Cell;
use std::io;
#[cfg(not(loom))]
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long an idle thread waits for a job before it ends.
#[cfg(not(loom))]
const IDLE_TIME: Duration = Duration::from_secs(10);

/// Size of the stack of a thread that does not run Lua, in bytes.
pub const SMALL_STACK: usize = 2 << 20;

/// How many bytes must be free besides the stack when a thread is started. What a new thread
/// allocates at first (its local data, for example) cannot be refused, and would end the process. A
/// block of this size comes from the system with every allocator, not from memory that the process
/// has already.
#[cfg(not(loom))]
const SPARE_MEMORY: usize = 33 << 20;

/// After how many bytes of stacks the memory is checked again: a check takes a good part of the
/// time that a start takes.
#[cfg(not(loom))]
const CHECKED_STACKS: usize = 32 << 20;

/// Whether the thread of a job may run another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    Keep,
    /// The job has changed the thread (priority, affinity, name).
    LetGo,
}

/// What a thread runs.
pub type Job = Box<dyn FnOnce(&Ending) -> Reuse + Send>;

/// How long a launch waits for a thread whose job is about to end: less than it takes to wake or
/// start another thread.
#[cfg(not(loom))]
const WAIT_FOR_ENDING: Duration = Duration::from_micros(3);

/// Runs a job on an idle thread whose stack has `stack` bytes, the one of these that became idle
/// last, or on a new one if there is none.
///
/// Errors: why no thread can be started. The job is dropped.
#[cfg(not(loom))]
pub fn launch(job: Job, stack: usize) -> io::Result<()> {
    pool().launch(job, stack)
}

/// Models: runs a job on a thread of its own, which ends then.
#[cfg(loom)]
pub fn launch(job: Job, _stack: usize) -> io::Result<()> {
    let pool = Pool::new(Duration::ZERO);
    thread::spawn(move || job(&pool.ending()));
    Ok(())
}

/// The cache of this process. A process that was forked has none of the threads, and begins with an
/// empty cache.
#[cfg(not(loom))]
fn pool() -> &'static Pool {
    static POOL: OnceLock<PerProcess<Pool>> = OnceLock::new();
    let new = || Pool::new(IDLE_TIME);
    POOL.get_or_init(|| PerProcess::new(new())).here(new)
}

/// A cache of threads, shared by its copies.
#[derive(Clone)]
pub struct Pool(Arc<Cache>);

struct Cache {
    /// Threads that wait for a job. Whoever removes one gives it a job.
    idle: Mutex<Vec<Arc<Worker>>>,
    /// The address of the thread that began to wait last, while it spins; otherwise 0.
    spinning: AtomicUsize,
    /// How many jobs are about to end.
    ending: AtomicUsize,
    /// How long idle threads wait.
    patience: Duration,
    /// How many bytes of stacks may be taken before the memory is checked again.
    #[cfg(not(loom))]
    checked: AtomicUsize,
    /// Models only: idle threads wait no longer.
    #[cfg(loom)]
    expired: std::sync::atomic::AtomicBool,
}

struct Worker {
    /// Size of its stack, in bytes.
    stack: usize,
    job: Mutex<Option<Job>>,
    parker: CachePadded<Parker>,
}

/// How a job announces that it is about to end.
pub struct Ending {
    cache: Arc<Cache>,
    begun: Cell<bool>,
}

impl Ending {
    /// To be called in the job when it is about to end: a launch may then wait a moment for its
    /// thread.
    pub fn begin(&self) {
        if !self.begun.replace(true) {
            self.cache.ending.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// To be called when the thread waits for the next job, or ends.
    fn end(&self) {
        if self.begun.replace(false) {
            self.cache.ending.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.end();
    }
}

impl Pool {
    /// A cache without threads. Idle threads wait `patience` for a job.
    pub fn new(patience: Duration) -> Pool {
        Pool(Arc::new(Cache {
            idle: Mutex::new(Vec::new()),
            spinning: AtomicUsize::new(0),
            ending: AtomicUsize::new(0),
            patience,
            #[cfg(not(loom))]
            checked: AtomicUsize::new(0),
            #[cfg(loom)]
            expired: Default::default(),
        }))
    }

    /// As the function `launch`, with the threads of this cache.
    pub fn launch(&self, job: Job, stack: usize) -> io::Result<()> {
        #[cfg(not(loom))]
        self.await_ending();
        let idle = {
            let mut idle = self.0.idle.lock();
            let position = idle.iter().rposition(|worker| worker.stack == stack);
            // If another thread is taken the newest goes on spinning.
            if position.is_some_and(|position| position + 1 == idle.len()) {
                self.0.spinning.store(0, Ordering::Relaxed);
            }
            position.map(|position| idle.remove(position))
        };
        if let Some(worker) = idle {
            *worker.job.lock() = Some(job);
            worker.parker.unpark();
            return Ok(());
        }
        #[cfg(not(loom))]
        self.check_memory(stack)?;
        let pool = self.clone();
        let builder = thread::Builder::new().stack_size(stack);
        builder.spawn(move || pool.work(job, stack)).map(drop)
    }

    /// If no idle thread is awake, waits a moment for one whose job is about to end.
    #[cfg(not(loom))]
    fn await_ending(&self) {
        let ending = &self.0.ending;
        if ending.load(Ordering::Relaxed) == 0 {
            return;
        }
        let awake = || self.0.spinning.load(Ordering::Relaxed) != 0;
        let end = Instant::now() + WAIT_FOR_ENDING;
        while !awake() && ending.load(Ordering::Relaxed) > 0 && Instant::now() < end {
            for _ in 0..8 {
                std::hint::spin_loop();
            }
        }
    }

    /// Checks that there is memory for one more thread with a stack of `stack` bytes.
    ///
    /// Errors: out of memory.
    #[cfg(not(loom))]
    fn check_memory(&self, stack: usize) -> io::Result<()> {
        let checked = &self.0.checked;
        let enough = checked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(stack)
        });
        if enough.is_ok() {
            return Ok(());
        }
        let stacks = stack.max(CHECKED_STACKS);
        let mut reserve: Vec<u8> = Vec::new();
        reserve
            .try_reserve_exact(stacks.saturating_add(SPARE_MEMORY))
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        // Otherwise the compiler leaves the allocation out.
        std::hint::black_box(reserve.as_ptr());
        checked.store(stacks - stack, Ordering::Relaxed);
        Ok(())
    }

    /// What a thread does, whose stack has `stack` bytes.
    fn work(&self, mut job: Job, stack: usize) {
        let worker = Arc::new(Worker {
            stack,
            job: Mutex::new(None),
            parker: CachePadded::new(Parker::new()),
        });
        let ending = self.ending();
        while job(&ending) == Reuse::Keep {
            match self.next_job(&worker, &ending) {
                Some(next) => job = next,
                None => break,
            }
        }
    }

    fn ending(&self) -> Ending {
        Ending {
            cache: Arc::clone(&self.0),
            begun: Cell::new(false),
        }
    }

    /// Waits for a job; `None` if the thread must end.
    fn next_job(&self, worker: &Arc<Worker>, ending: &Ending) -> Option<Job> {
        let me = Arc::as_ptr(worker) as usize;
        let mut deadline = Deadline::At(Instant::now() + self.0.patience);
        {
            let mut idle = self.0.idle.lock();
            idle.push(Arc::clone(worker));
            self.0.spinning.store(me, Ordering::Relaxed);
            #[cfg(loom)]
            if self.0.expired.load(std::sync::atomic::Ordering::Relaxed) {
                worker.parker.expire();
            }
        }
        ending.end();
        loop {
            let spinning = &self.0.spinning;
            let newest = || spinning.load(Ordering::Relaxed) == me;
            let woken = if worker.parker.spin_for_token(deadline, newest) {
                Woken::Notified
            } else {
                let _ = spinning.compare_exchange(me, 0, Ordering::Relaxed, Ordering::Relaxed);
                worker.parker.sleep(deadline, None, || ())
            };
            if let Some(job) = worker.job.lock().take() {
                return Some(job);
            }
            if woken == Woken::TimedOut {
                let mut idle = self.0.idle.lock();
                match idle.iter().position(|other| Arc::ptr_eq(other, worker)) {
                    Some(index) => {
                        idle.remove(index);
                        return None;
                    }
                    // It was removed just now: a job will come.
                    None => deadline = Deadline::Never,
                }
            }
        }
    }

    /// How many threads wait for a job.
    #[cfg(any(test, loom))]
    pub fn idle(&self) -> usize {
        self.0.idle.lock().len()
    }

    /// Models only: ends the wait of all threads that are idle, or become idle.
    #[cfg(loom)]
    pub fn expire(&self) {
        let idle = self.0.idle.lock();
        self.0
            .expired
            .store(true, std::sync::atomic::Ordering::Relaxed);
        idle.iter().for_each(|worker| worker.parker.expire());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};

    const STACK: usize = SMALL_STACK;

    fn run(pool: &Pool, reuse: Reuse) -> ThreadId {
        run_on(pool, reuse, STACK)
    }

    fn run_on(pool: &Pool, reuse: Reuse, stack: usize) -> ThreadId {
        let (sender, receiver) = mpsc::channel();
        let job = move |_: &Ending| {
            sender.send(thread::current().id()).unwrap();
            reuse
        };
        pool.launch(Box::new(job), stack).unwrap();
        receiver.recv().unwrap()
    }

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn a_kept_thread_runs_the_next_job() {
        let pool = Pool::new(IDLE_TIME);
        let first = run(&pool, Reuse::Keep);
        until(|| pool.idle() == 1);
        assert_eq!(run(&pool, Reuse::Keep), first);
    }

    #[test]
    fn a_thread_that_is_let_go_runs_no_other_job() {
        let pool = Pool::new(IDLE_TIME);
        let first = run(&pool, Reuse::LetGo);
        assert_ne!(run(&pool, Reuse::Keep), first);
        until(|| pool.idle() == 1);
    }

    #[test]
    fn a_thread_with_another_stack_is_not_used() {
        let pool = Pool::new(IDLE_TIME);
        let first = run(&pool, Reuse::Keep);
        until(|| pool.idle() == 1);
        let other = run_on(&pool, Reuse::Keep, 2 * STACK);
        assert_ne!(other, first);
        until(|| pool.idle() == 2);
        // Whichever of the two became idle last.
        for _ in 0..2 {
            assert_eq!(run(&pool, Reuse::Keep), first);
            until(|| pool.idle() == 2);
            assert_eq!(run_on(&pool, Reuse::Keep, 2 * STACK), other);
            until(|| pool.idle() == 2);
        }
    }

    #[test]
    fn a_thread_has_the_stack_that_was_asked_for() {
        #[inline(never)]
        fn touch(depth: usize) -> u64 {
            let block = std::hint::black_box([depth as u64; 512]);
            if depth == 0 {
                block[0]
            } else {
                touch(depth - 1) + std::hint::black_box(block)[511]
            }
        }
        let pool = Pool::new(IDLE_TIME);
        let (sender, receiver) = mpsc::channel();
        let job = move |_: &Ending| {
            // At least 8 MiB; several times that without optimisation.
            sender.send(touch(2 << 10)).unwrap();
            Reuse::Keep
        };
        pool.launch(Box::new(job), 64 << 20).unwrap();
        assert!(receiver.recv().unwrap() > 0);
    }

    #[test]
    fn the_thread_that_became_idle_last_is_taken_first() {
        let pool = Pool::new(IDLE_TIME);
        let mut gates = Vec::new();
        for _ in 0..2 {
            let (gate, closed) = mpsc::channel::<()>();
            let (started, name) = mpsc::channel();
            let job = move |_: &Ending| {
                started.send(thread::current().id()).unwrap();
                closed.recv().unwrap_err();
                Reuse::Keep
            };
            pool.launch(Box::new(job), STACK).unwrap();
            gates.push((gate, name.recv().unwrap()));
        }
        let (second, first) = (gates.pop().unwrap(), gates.pop().unwrap());
        drop(second.0);
        until(|| pool.idle() == 1);
        drop(first.0);
        until(|| pool.idle() == 2);
        assert_eq!(run(&pool, Reuse::Keep), first.1);
    }

    #[test]
    fn a_panicking_job_takes_only_its_thread_along() {
        let pool = Pool::new(IDLE_TIME);
        let (sender, receiver) = mpsc::channel::<()>();
        let job = move |_: &Ending| {
            let _sender = sender;
            std::panic::resume_unwind(Box::new("on purpose"));
        };
        pool.launch(Box::new(job), STACK).unwrap();
        receiver.recv().unwrap_err();
        run(&pool, Reuse::Keep);
        until(|| pool.idle() == 1);
    }

    #[test]
    fn a_burst_runs_every_job_once() {
        let pool = Pool::new(IDLE_TIME);
        let (sender, receiver) = mpsc::channel();
        for number in 0..200 {
            let sender = sender.clone();
            let job = move |_: &Ending| {
                sender.send(number).unwrap();
                Reuse::Keep
            };
            pool.launch(Box::new(job), STACK).unwrap();
        }
        drop(sender);
        let mut numbers: Vec<i32> = receiver.iter().collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..200));
    }

    #[test]
    fn an_idle_thread_leaves_in_time() {
        let pool = Pool::new(Duration::from_millis(5));
        run(&pool, Reuse::Keep);
        run(&pool, Reuse::Keep);
        until(|| pool.idle() > 0);
        until(|| pool.idle() == 0);
        run(&pool, Reuse::Keep);
    }

    #[test]
    fn jobs_meet_threads_that_are_about_to_leave() {
        let pool = Pool::new(Duration::from_micros(20));
        for _ in 0..2000 {
            run(&pool, Reuse::Keep);
        }
        until(|| pool.idle() == 0);
    }

    #[test]
    fn a_thread_that_cannot_be_started_is_an_error_and_drops_the_job() {
        let pool = Pool::new(IDLE_TIME);
        let (sender, receiver) = mpsc::channel::<()>();
        let job = move |_: &Ending| {
            let _sender = sender;
            Reuse::Keep
        };
        // Where addresses have 32 bits there may be room for a quarter of them.
        let too_much = if cfg!(target_pointer_width = "64") {
            usize::MAX / 4
        } else {
            usize::MAX / 4 * 3
        };
        pool.launch(Box::new(job), too_much).unwrap_err();
        receiver.recv().unwrap_err();
    }
}
