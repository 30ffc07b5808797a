//! Deadlocks, and what each state waits for: the setting `on_deadlock`, and `lanes.waiting`
//! (docs/manual/deadlocks.md).

use super::what::name_of_lane;
use crate::context::Context;
use crate::deadlocks::{Found, OnDeadlock};
use crate::lane::{Describe, Entry, Pause};
use crate::linda::{Key, KeyRef, Linda};
use crate::lua::{
    Arguments, KEYS, Kind, Raise, State, Text, lua_function, protect, protect_with, text,
};
use crate::universe::Universe;
use lanes_engine::memory::grow;
use lanes_engine::park::{Deadline, Sleeps, Wait};
use lanes_engine::queues::BorrowedKey;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::os::raw::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A wait of one state: what it waits for is known while it sleeps, and it is noticed if it is the
/// last one to sleep.
pub struct Sleeping<'a> {
    context: &'a Context,
    state: State,
    what: &'a dyn Describe,
    counted: Cell<bool>,
    /// The text of the error with which the wait is to end.
    verdict: RefCell<Option<Text>>,
}

impl<'a> Sleeping<'a> {
    /// A wait that begins.
    pub fn new(context: &'a Context, state: State, what: &'a dyn Describe) -> Sleeping<'a> {
        Sleeping {
            context,
            state,
            what,
            counted: Cell::new(false),
            verdict: RefCell::default(),
        }
    }

    /// The text of the error with which the wait is to end.
    pub fn verdict(&self) -> Option<Text> {
        self.verdict.take()
    }

    fn pause(&self) -> Option<&Pause> {
        match &self.context.record {
            Some(record) => Some(&record.pause),
            None if self.context.master.get() => Some(&self.context.universe_if_any()?.main_pause),
            None => None,
        }
    }

    /// Whether this state is one of those that are looked at.
    fn is_member(&self) -> bool {
        match &self.context.record {
            Some(record) => record.position.load(Ordering::Relaxed) != usize::MAX,
            None => self.context.master.get(),
        }
    }

    /// All may be asleep. Returns whether this state is to sleep.
    #[cold]
    fn look(&self, universe: &Universe) -> bool {
        let Some(found) = find(universe) else {
            return true;
        };
        match universe.deadlocks.mode {
            OnDeadlock::Error => {
                *self.verdict.borrow_mut() = Some(found.text);
                false
            }
            _ => {
                deal(universe, found);
                !is_pending(self.context)
            }
        }
    }
}

impl Sleeps for Sleeping<'_> {
    #[allow(unsafe_code, reason = "lends the state to others until `end`")]
    fn begin(&self, wait: &Wait) -> bool {
        let Some(pause) = self.pause() else {
            return true;
        };
        // SAFETY: `end` follows on this thread, before the wait returns to whoever has lent `what`
        // and uses the state.
        unsafe { pause.begin(self.state, self.what, wait.deadline) };
        let Some(universe) = self.context.universe_if_any() else {
            return true;
        };
        let counts = wait.deadline == Deadline::Never
            && universe.deadlocks.are_looked_for()
            && self.is_member()
            && Arc::ptr_eq(wait.waiter, &self.context.waiter);
        if !counts {
            return true;
        }
        if is_pending(self.context) {
            return false;
        }
        self.counted.set(true);
        !universe.deadlocks.crowd().falls_asleep(wait.waiter) || self.look(universe)
    }

    fn end(&self) {
        if self.counted.take()
            && let Some(universe) = self.context.universe_if_any()
        {
            universe.deadlocks.crowd().wakes(&self.context.waiter);
        }
        if let Some(pause) = self.pause() {
            pause.end();
        }
    }
}

/// A lane has left the universe, and all others may be asleep.
#[cold]
pub fn look_after_end(universe: &Universe) {
    if let Some(found) = find(universe) {
        deal(universe, found);
    }
}

/// Whether nothing will happen any more, and what each state waits for. None if something will, or
/// if there is no memory to tell.
fn find(universe: &Universe) -> Option<Found> {
    let nobody_else = || {
        !universe.is_closing()
            && universe.timers().armed() == 0
            && universe.deadlocks.notifiers.load(Ordering::SeqCst) == 0
            && universe.are_all_asleep()
    };
    if !universe.deadlocks.crowd().is_still(nobody_else) {
        return None;
    }
    let told = catch_unwind(AssertUnwindSafe(|| {
        let entries = entries(universe);
        let text = report(&entries);
        Found { text, entries }
    }));
    told.ok()
}

/// Deals with a deadlock in another state than the one that found it, or nowhere.
fn deal(universe: &Universe, found: Found) {
    match universe.deadlocks.mode {
        OnDeadlock::Nothing => {}
        OnDeadlock::Report => {
            if universe.deadlocks.begin_report() {
                let line = text![&found.text, "\n"];
                let _ = std::io::stderr().write_all(line.bytes());
            }
        }
        OnDeadlock::Function => {
            if universe.deadlocks.begin_report() {
                universe.deadlocks.keep(found);
                universe.wake_main();
            }
        }
        OnDeadlock::Error => {
            universe.deadlocks.keep(found);
            universe.wake_main();
        }
    }
}

/// Whether the master is to deal with a deadlock.
#[inline]
pub fn is_pending(context: &Context) -> bool {
    context.master.get()
        && context
            .universe_if_any()
            .is_some_and(|universe| universe.deadlocks.is_pending())
}

/// Deals with a deadlock in the master state: raises its text, or calls the function.
///
/// Errors: the text; those of the function.
#[inline]
pub fn drain(context: &Context, state: State) -> Result<(), Raise> {
    if is_pending(context) {
        return deal_here(context, state);
    }
    Ok(())
}

#[cold]
fn deal_here(context: &Context, state: State) -> Result<(), Raise> {
    let Some(universe) = context.universe_if_any() else {
        return Ok(());
    };
    let Some(found) = universe.deadlocks.take() else {
        return Ok(());
    };
    if universe.deadlocks.mode == OnDeadlock::Error {
        return Err(Raise::message(found.text));
    }
    let top = state.top();
    if !state.try_reserve(8) {
        return Err(Raise::out_of_memory());
    }
    state.raw_get_index(State::REGISTRY, KEYS.on_deadlock);
    let text = found.text.bytes();
    protect(state, 0, |raising| raising.push_bytes(text))?;
    push_entries(context, state, &found.entries)?;
    state
        .call_protected(2, Some(0), 0)
        .map_err(|_| Raise::Value)?;
    state.set_top(top);
    Ok(())
}

/// What each state that sleeps waits for.
fn entries(universe: &Universe) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |entry: Option<Entry>| {
        if let Some(mut entry) = entry {
            if entry.op == "lock"
                && let (Some(linda), Some((_, keys))) =
                    (entry.addresses.first(), entry.slots.first())
                && let Some(key) = keys.first()
            {
                entry.holders = universe.deadlocks.holders(*linda, key);
            }
            grow::room(&mut entries, 1);
            entries.push(entry);
        }
    };
    add(universe.main_pause.entry(Text::from("main")));
    for lane in universe.running() {
        add(lane.pause.entry(name_of_lane(&lane)));
    }
    entries
}

/// A key as it is written in Lua.
fn written(key: &Key) -> Text {
    match key {
        Key::Boolean(value) => text![format_args!("{value}")],
        Key::Integer(value) => text![format_args!("{value}")],
        Key::Float(bits) => text![format_args!("{}", f64::from_bits(*bits))],
        Key::Text(text) => text!["\"", &text[..], "\""],
        Key::Light(value) => text![format_args!("userdata {value:#x}")],
        Key::Object(object) => text![format_args!("{object:?}")],
    }
}

/// What an entry waits for, in words.
fn subject(entry: &Entry) -> Text {
    let mut words = Text::new();
    let mut add = |word: Text| {
        if !words.is_empty() {
            words.add(", ");
        }
        words.add(word);
    };
    for (linda, keys) in &entry.slots {
        let mut word = Text::from(linda.bytes());
        for (index, key) in keys.iter().enumerate() {
            word.add(if index == 0 { ":" } else { "," });
            word.add(written(key));
        }
        add(word);
    }
    for other in &entry.others {
        add(Text::from(other.bytes()));
    }
    for (index, holder) in entry.holders.iter().enumerate() {
        words.add(if index == 0 { " held by " } else { ", " });
        words.add(Text::from(holder.bytes()));
    }
    words
}

/// Adds a cell of this width to a line.
fn add_cell(line: &mut Text, cell: &[u8], width: usize) {
    line.add(cell);
    for _ in cell.len()..width {
        line.add(" ");
    }
    line.add("  ");
}

/// The text about a deadlock.
fn report(entries: &[Entry]) -> Text {
    let lanes = entries
        .iter()
        .filter(|entry| entry.name.bytes() != b"main")
        .count();
    let has_main = lanes < entries.len();
    let who = match (has_main, lanes) {
        (true, 0) => text!["main waits"],
        (true, 1) => text!["main and 1 lane wait"],
        (true, _) => text![format_args!("main and {lanes} lanes wait")],
        (false, 1) => text!["1 lane waits"],
        (false, _) => text![format_args!("{lanes} lanes wait")],
    };
    let mut report = text![
        "deadlock: ",
        who,
        ", and nothing can wake ",
        if entries.len() == 1 { "it" } else { "them" }
    ];
    let width = |cell: fn(&Entry) -> usize| entries.iter().map(cell).max().unwrap_or(0);
    let (names, ops) = (
        width(|entry| entry.name.bytes().len()),
        width(|entry| entry.op.len()),
    );
    let subjects = grow::collect(entries.iter().map(subject));
    let longest = subjects.iter().map(|subject| subject.bytes().len()).max();
    for (entry, subject) in entries.iter().zip(&subjects) {
        report.add("\n  ");
        add_cell(&mut report, entry.name.bytes(), names);
        add_cell(&mut report, entry.op.as_bytes(), ops);
        if entry.place.is_empty() {
            report.add(subject.bytes());
        } else {
            add_cell(&mut report, subject.bytes(), longest.unwrap_or(0));
            report.add(entry.place.bytes());
        }
    }
    report
}

/// Pushes the list of entries, as `lanes.waiting` returns it.
fn push_entries(context: &Context, state: State, entries: &[Entry]) -> Result<(), Raise> {
    let kinds = &context.coders.cache.kinds;
    let mut entries = entries;
    protect_with(state, 0, &mut entries, |raising, entries| {
        raising.new_table(entries.len(), 0);
        for (index, entry) in entries.iter().enumerate() {
            raising.new_table(0, 8);
            for (name, value) in [("name", entry.name.bytes()), ("op", entry.op.as_bytes())] {
                raising.push_bytes(value);
                raising.raw_set_name(-2, name.as_bytes());
            }
            if !entry.place.is_empty() {
                raising.push_bytes(entry.place.bytes());
                raising.raw_set_name(-2, b"where");
            }
            raising.push_number(entry.since);
            raising.raw_set_name(-2, b"since");
            if let Some(timeout) = entry.timeout {
                raising.push_number(timeout);
                raising.raw_set_name(-2, b"timeout");
            }
            if let Some((linda, _)) = entry.slots.first() {
                raising.push_bytes(linda.bytes());
                raising.raw_set_name(-2, b"linda");
                raising.new_table(1, 0);
                let keys = entry.slots.iter().flat_map(|(_, keys)| keys);
                for (index, key) in keys.enumerate() {
                    key.push(raising, kinds);
                    raising.raw_set_index(-2, index as i64 + 1);
                }
                raising.raw_set_name(-2, b"keys");
            }
            for (name, list) in [("lanes", &entry.others), ("holders", &entry.holders)] {
                if !list.is_empty() {
                    raising.new_table(list.len(), 0);
                    for (index, other) in list.iter().enumerate() {
                        raising.push_bytes(other.bytes());
                        raising.raw_set_index(-2, index as i64 + 1);
                    }
                    raising.raw_set_name(-2, name.as_bytes());
                }
            }
            raising.raw_set_index(-2, index as i64 + 1);
        }
    })
}

/// A name as Graphviz takes it.
fn quoted(name: &[u8]) -> Text {
    let mut out = Text::from("\"");
    for byte in name {
        if matches!(byte, b'"' | b'\\') {
            out.add("\\");
        }
        out.add(std::slice::from_ref(byte));
    }
    out.and("\"")
}

/// The wait graph for Graphviz: states, what they wait for, and who holds it.
fn dot(entries: &[Entry]) -> Text {
    let mut out = Text::from("digraph waiting {\n  node [shape=box];\n");
    for entry in entries {
        let name = quoted(entry.name.bytes());
        let label = quoted(text![entry.op, " ", &entry.place].bytes());
        let mut edge = |from: &Text, to: Text, label: &Text| {
            out.add(text!["  ", from, " -> ", to, " [label=", label, "];\n"]);
        };
        for (linda, keys) in &entry.slots {
            for key in keys {
                let slot = quoted(text![linda, ":", written(key)].bytes());
                for holder in &entry.holders {
                    edge(&slot, quoted(holder.bytes()), &quoted(b"held by"));
                }
                edge(&name, slot, &label);
            }
            if keys.is_empty() {
                edge(&name, quoted(linda.bytes()), &label);
            }
        }
        for other in &entry.others {
            edge(&name, quoted(other.bytes()), &label);
        }
        if entry.slots.is_empty() && entry.others.is_empty() {
            edge(&name, quoted(entry.op.as_bytes()), &label);
        }
    }
    out.and("}\n")
}

lua_function! {
    /// `lanes.waiting(["dot"])`: returns a list of the states that sleep in calls of Lanes; with
    /// "dot" a text for Graphviz.
    pub fn waiting = waiting_body
}

fn waiting_body(state: State) -> Result<c_int, Raise> {
    let context = Context::of(&state)?;
    let universe = context.universe()?;
    let arguments = Arguments::new(state, "waiting");
    arguments.at_most(1)?;
    let entries = entries(universe);
    match state.kind(1) {
        Kind::None | Kind::Nil => push_entries(context, state, &entries)?,
        _ if state.bytes(1) == Some(b"dot") => {
            let text = dot(&entries);
            let text = text.bytes();
            protect(state, 0, |raising| raising.push_bytes(text))?;
        }
        _ => {
            let given = match state.bytes(1) {
                Some(name) => text!["'", name, "'"],
                None => text![state.type_name(1)],
            };
            return Err(arguments.error(1, text!["\"dot\" or nothing expected, got ", given]));
        }
    }
    Ok(1)
}

/// Somebody has taken units of a lock, or given them back (`units` is negative).
pub fn note_units(context: &Context, linda: &Linda, key: &KeyRef, units: isize) {
    let Some(universe) = context.universe_if_any() else {
        return;
    };
    if !universe.deadlocks.are_looked_for() {
        return;
    }
    // Without memory for it, the text about a deadlock is shorter.
    let Ok(key) = key.clone().without_object().make_key() else {
        return;
    };
    let address = std::ptr::from_ref(linda) as usize;
    let lane = context.record.as_ref();
    if units > 0 {
        let name = lane.map_or(Text::from("main"), |record| name_of_lane(record));
        let units = units.unsigned_abs();
        universe.deadlocks.taken(address, key, lane, name, units);
    } else {
        let units = units.unsigned_abs();
        universe.deadlocks.given_back(address, &key, lane, units);
    }
}

/// A lock is made: all its units are free.
pub fn note_lock(context: &Context, linda: &Linda, key: &KeyRef) {
    if let Some(universe) = context.universe_if_any()
        && universe.deadlocks.are_looked_for()
        && let Ok(key) = key.clone().without_object().make_key()
    {
        let address = std::ptr::from_ref(linda) as usize;
        universe.deadlocks.forget(address, &key);
    }
}
