//! What a state that sleeps waits for, so that others can tell (docs/manual/deadlocks.md).

#![allow(
    unsafe_code,
    reason = "a sleeping thread lends others its Lua state and what is on its own stack, until it takes a lock"
)]

use crate::linda::Key;
use crate::lua::{State, Text, text};
use lanes_engine::memory::grow;
use lanes_engine::park::Deadline;
use lanes_engine::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The files of the library, whose lines are not where a program waits. Those beside `lanes.lua`
/// are in the directory `lanes`.
const FACE: &[u8] = b"lanes.lua";
const BESIDE: [&[u8]; 14] = [
    b"async.lua",
    b"chunks.lua",
    b"future.lua",
    b"helpers.lua",
    b"imap.lua",
    b"map.lua",
    b"notifier.lua",
    b"pool.lua",
    b"scope.lua",
    b"supervise.lua",
    b"supervisor.lua",
    b"wait.lua",
    b"worker.lua",
    b"workers.lua",
];

/// What one state waits for.
pub struct Entry {
    /// The name of the state: `main`, or that of a lane.
    pub name: Text,
    /// The name of the operation.
    pub op: &'static str,
    /// The names of the lindas, and their keys.
    pub slots: Vec<(Text, Vec<Key>)>,
    /// The addresses of the lindas, in the same order.
    pub addresses: Vec<usize>,
    /// The names of the lanes, or of a module.
    pub others: Vec<Text>,
    /// Where the program waits: file and line; empty if unknown.
    pub place: Text,
    /// When it began to sleep, in seconds since the epoch.
    pub since: f64,
    /// How many seconds it may sleep; none if for ever.
    pub timeout: Option<f64>,
    /// Who holds the units of the lock that it waits for.
    pub holders: Vec<Text>,
}

/// What a wait can tell about itself, read by other threads while it sleeps.
pub trait Describe: Sync {
    /// Fills in operation, slots and others. `state` is the one that waits.
    fn describe(&self, state: State, entry: &mut Entry);
}

/// The place where a state says what it waits for, while it sleeps.
#[derive(Default)]
pub struct Pause(Mutex<Option<Note>>);

struct Note {
    state: State,
    what: *const dyn Describe,
    deadline: Deadline,
    since: f64,
}

// SAFETY: the state and the description are used under the lock of the `Pause` only, and the thread
// to which they belong sleeps until it has taken that lock in `end`.
unsafe impl Send for Note {}

impl Pause {
    /// The calling thread, which runs `state`, is about to sleep.
    ///
    /// # Safety
    /// `end` is called before `what` ends, and before the thread uses the state again.
    pub unsafe fn begin(&self, state: State, what: &dyn Describe, deadline: Deadline) {
        // SAFETY: only the lifetime changes, and `end` comes before the end of it.
        let what: &'static dyn Describe = unsafe { std::mem::transmute(what) };
        *self.0.lock() = Some(Note {
            state,
            what: std::ptr::from_ref(what),
            deadline,
            since: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |time| time.as_secs_f64()),
        });
    }

    /// The thread does not sleep any more.
    pub fn end(&self) {
        *self.0.lock() = None;
    }

    /// What the state waits for; none if it does not sleep. Unwinds if out of memory.
    pub fn entry(&self, name: Text) -> Option<Entry> {
        let note = self.0.lock();
        let note = note.as_ref()?;
        let mut entry = Entry {
            name,
            op: "",
            slots: Vec::new(),
            addresses: Vec::new(),
            others: Vec::new(),
            place: place(note.state),
            since: note.since,
            timeout: match note.deadline {
                Deadline::Never => None,
                Deadline::Now => Some(0.0),
                Deadline::At(at) => {
                    Some(at.saturating_duration_since(Instant::now()).as_secs_f64())
                }
            },
            holders: Vec::new(),
        };
        // SAFETY: the note is there, so the thread sleeps, and cannot go on without this lock.
        unsafe { &*note.what }.describe(note.state, &mut entry);
        Some(entry)
    }
}

/// The line of the program that waits: the innermost that is not in a file of the library.
fn place(state: State) -> Text {
    let mut first = Text::new();
    for level in 0..50 {
        let Some(frame) = state.frame_info(level) else {
            break;
        };
        if frame.line() <= 0 {
            continue;
        }
        let source = frame.short_source();
        let here = text![source, format_args!(":{}", frame.line())];
        if !is_ours(source) {
            return here;
        }
        if first.bytes().is_empty() {
            first = here;
        }
    }
    first
}

/// Whether a file is one of the library, by its path. On Windows both `/` and `\` separate names.
fn is_ours(path: &[u8]) -> bool {
    let mut names = path.rsplit(|&byte| matches!(byte, b'/' | b'\\'));
    let file = names.next().unwrap_or_default();
    file == FACE || BESIDE.contains(&file) && names.next() == Some(b"lanes")
}

impl Entry {
    /// Adds slots of a linda.
    pub fn add_slots(&mut self, linda: usize, name: Text, keys: impl Iterator<Item = Key>) {
        let keys = grow::collect(keys);
        grow::room(&mut self.slots, 1);
        grow::room(&mut self.addresses, 1);
        self.slots.push((name, keys));
        self.addresses.push(linda);
    }

    /// Adds a lane, or a module.
    pub fn add_other(&mut self, name: Text) {
        grow::room(&mut self.others, 1);
        self.others.push(name);
    }
}
