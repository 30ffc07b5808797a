//! What a call waits for, as others may want to know while it sleeps.

use crate::lane::{Describe, Entry, Record};
use crate::linda::{KeyRef, Linda};
use crate::lua::{State, Text, text};
use std::os::raw::c_int;
use std::sync::Arc;

/// Slots of a linda: the stack indices of their keys are `first` and those that follow.
pub struct Slots<'a> {
    /// The linda.
    pub linda: &'a Linda,
    /// The stack index of the first key.
    pub first: c_int,
    /// How many keys there are.
    pub count: c_int,
}

/// What a call waits for. The texts are the names of the operations.
pub enum What<'a> {
    /// For nothing but its deadline.
    Nothing(&'static str),
    /// For slots of a linda.
    Slots(&'static str, Slots<'a>),
    /// For the ends of lanes, and slots.
    Ends(&'static str, &'a [Arc<Record>], &'a [Slots<'a>]),
    /// For the end of a lane.
    End(&'a Record),
    /// For a module that is being loaded.
    Module(&'a [u8]),
}

impl Slots<'_> {
    fn describe(&self, state: State, entry: &mut Entry) {
        // Read by another thread, which must not hold a reference to an object.
        let keys = (self.first..self.first + self.count)
            .filter_map(|index| Some(KeyRef::at(&state, index)?.without_object().to_key()));
        let address = std::ptr::from_ref(self.linda) as usize;
        entry.add_slots(address, name_of_linda(self.linda), keys);
    }
}

/// The name of a linda, or its address.
fn name_of_linda(linda: &Linda) -> Text {
    if linda.name.is_empty() {
        text![format_args!("{:p}", std::ptr::from_ref(linda))]
    } else {
        Text::from(&linda.name[..])
    }
}

/// The name of a lane as deadlocks are reported.
pub fn name_of_lane(record: &Record) -> Text {
    match record.name() {
        name if name == b"<unnamed>" => {
            text![format_args!("lane {:p}", std::ptr::from_ref(record))]
        }
        name => text!["lane \"", &name[..], "\""],
    }
}

impl Describe for What<'_> {
    fn describe(&self, state: State, entry: &mut Entry) {
        match self {
            What::Nothing(op) => entry.op = op,
            What::Slots(op, slots) => {
                entry.op = op;
                slots.describe(state, entry);
            }
            What::Ends(op, lanes, slots) => {
                entry.op = op;
                for slots in *slots {
                    slots.describe(state, entry);
                }
                for lane in *lanes {
                    entry.add_other(name_of_lane(lane));
                }
            }
            What::End(lane) => {
                entry.op = "join";
                entry.add_other(name_of_lane(lane));
            }
            What::Module(name) => {
                entry.op = "require";
                entry.add_other(text!["module '", *name, "'"]);
            }
        }
    }
}
