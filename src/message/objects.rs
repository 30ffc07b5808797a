//! Objects as an encoder meets them: tables, functions and userdata, each new, or known by name, or one that appeared
//! before.

use super::encode::Destination;
use super::encoder::{Encoder, Frame, Stop, TableFrame};
use super::failure::{CLOSURE, Failure};
use super::local::{KEYS, Local};
use super::{format, names, naming};
use crate::lua::{Kind, Raising, State, Text};
use std::os::raw::c_int;

impl Encoder {
    /// Begins the contents of an object on the top of the stack, or puts them off.
    pub(super) fn begin(
        &mut self,
        raising: Raising,
        local: &Local,
        tag: u8,
        flags: usize,
        number: u32,
    ) -> Result<(), Stop> {
        if self.frames.len() >= format::DEPTH {
            self.scattered = true;
            if let Some(place) = self.out.get_mut(flags) {
                *place |= format::LATER | format::SHARED;
            }
            raising.room(&mut self.later, 1);
            self.later.push((tag, flags, number));
            if raising.is_none_or_nil(self.later_index) {
                raising.new_table(16, 0);
                raising.replace(self.later_index);
            }
            raising.raw_set_index(self.later_index, self.later.len() as i64);
            return Ok(());
        }
        self.body(raising, local, tag, flags, number)
    }

    /// Begins the contents of an object on the top of the stack.
    pub(super) fn body(
        &mut self,
        raising: Raising,
        local: &Local,
        tag: u8,
        flags: usize,
        number: u32,
    ) -> Result<(), Stop> {
        let index = raising.top();
        match tag {
            format::TABLE => {
                let counts = self.out.len();
                self.out.extend_from_slice(&[0; 8]);
                raising.push_nil();
                self.open(
                    raising,
                    Frame::Table(TableFrame {
                        index,
                        number,
                        counts,
                        flags,
                        array: 0,
                        hash: 0,
                        run: 0,
                        run_at: 0,
                        run_count: 0,
                        metatable: false,
                    }),
                );
            }
            format::FUNCTION => {
                let mut count = 0;
                while raising.push_upvalue(index, count + 1).is_some() {
                    raising.pop(1);
                    count += 1;
                }
                self.tag(count as u8);
                self.open(
                    raising,
                    Frame::Function {
                        index,
                        next: 1,
                        count,
                        number,
                    },
                );
            }
            _ => {
                let count = super::userdata::user_values(raising, local, index);
                self.tag(count as u8);
                self.open(
                    raising,
                    Frame::Userdata {
                        index,
                        next: 1,
                        count,
                        number,
                    },
                );
            }
        }
        Ok(())
    }

    /// Writes the value at `index`, of type `kind`, if it is no object; false if it is one, or cannot travel.
    #[inline]
    pub(super) fn scalar(&mut self, raising: Raising, index: c_int, kind: Kind) -> bool {
        match kind {
            Kind::Nil | Kind::None => self.tag(format::NIL),
            Kind::Boolean => self.tag(if raising.truth(index) {
                format::TRUE
            } else {
                format::FALSE
            }),
            Kind::Number => {
                if raising.is_integer(index) {
                    self.word(format::INTEGER, raising.integer(index) as u64);
                } else {
                    self.word(format::FLOAT, raising.number(index).to_bits());
                }
            }
            Kind::String => self.string(raising.string(index)),
            Kind::Light => self.word(format::LIGHT, raising.userdata(index) as u64),
            _ => return false,
        }
        true
    }

    /// Writes the value on the top of the stack and takes it off, now or when its contents are written.
    pub(super) fn value(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
    ) -> Result<(), Stop> {
        let kind = raising.kind(-1);
        if self.scalar(raising, -1, kind) {
            raising.pop(1);
            return Ok(());
        }
        self.complex(raising, local, to, kind)
    }

    /// Writes the value on the top of the stack, which is no scalar, as `value` does.
    pub(super) fn complex(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
        kind: Kind,
    ) -> Result<(), Stop> {
        match kind {
            Kind::Table => self.table(raising, local, to),
            Kind::Function => self.function(raising, local, to),
            Kind::Userdata => self.userdata(raising, local),
            _ => self.fail_type(raising),
        }
    }

    /// Writes the table on the top by its contents, or as one that appeared before.
    pub(super) fn table_contents(&mut self, raising: Raising, local: &Local) -> Result<(), Stop> {
        let address = raising.pointer(-1) as usize;
        if let Some(seen) = self.seen.get(&address).copied() {
            self.reference(format::REF, seen.number, seen.flags);
            raising.pop(1);
            return Ok(());
        }
        let (flags, number) = self.object(raising, format::TABLE, address);
        self.begin(raising, local, format::TABLE, flags, number)
    }

    pub(super) fn table(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
    ) -> Result<(), Stop> {
        if self.seen.get(&(raising.pointer(-1) as usize)).is_some() {
            return self.table_contents(raising, local);
        }
        let module = names::known_table(local, raising);
        if module {
            // The name is on the top now.
            if naming::write_table(self, raising, local, to)? {
                raising.pop(2);
                return Ok(());
            }
            raising.pop(1);
        }
        if raising.push_metatable(-1) {
            if ignored(raising) {
                raising.pop(2);
                self.tag(format::NIL);
                return Ok(());
            }
            raising.pop(1);
        }
        if module || self.keeps_classes(to) && names::is_class(raising) {
            let identity = super::metatables::identify(raising);
            self.word(format::CLASS, identity);
            self.scattered = true;
        }
        self.table_contents(raising, local)
    }

    /// Whether a class that is met now travels by identity: in what a lane is launched with, and as the upvalue of a
    /// function anywhere, so that objects which are made there have its original as their metatable here.
    pub(super) fn keeps_classes(&self, to: Destination) -> bool {
        matches!(to, Destination::State(..))
            || self
                .frames
                .iter()
                .any(|frame| matches!(frame, Frame::Function { .. }))
    }

    pub(super) fn function(
        &mut self,
        raising: Raising,
        local: &Local,
        to: Destination,
    ) -> Result<(), Stop> {
        let address = raising.pointer(-1) as usize;
        if raising.is_c_function(-1) {
            if !naming::write_name(self, local, raising, format::NAMED_FUNCTION, to)? {
                let state = Text::from(&local.name.borrow()[..]);
                let closure = raising.push_upvalue(-1, 1).is_some();
                if closure {
                    raising.pop(1);
                }
                let failure = Failure::Unnamed {
                    what: if closure { CLOSURE } else { "function" },
                    path: self.path(raising),
                    state,
                };
                return self.fail(failure);
            }
            raising.pop(1);
            return Ok(());
        }
        if let Some(seen) = self.seen.get(&address).copied() {
            self.reference(format::REF, seen.number, seen.flags);
            raising.pop(1);
            return Ok(());
        }
        let (flags, number) = self.object(raising, format::FUNCTION, address);
        raising.room(&mut self.function_flags, 1);
        self.function_flags.insert(number, flags);
        let length = self.out.len();
        self.u32(0);
        if !raising.dump(&raw mut self.out) {
            let failure = Failure::Code {
                path: self.path(raising),
            };
            return self.fail(failure);
        }
        let size = self.out.len().wrapping_sub(length + 4) as u32;
        self.patch(length, size);
        self.begin(raising, local, format::FUNCTION, flags, number)
    }

    pub(super) fn userdata(&mut self, raising: Raising, local: &Local) -> Result<(), Stop> {
        if let Some(seen) = self.seen.get(&super::userdata::address(raising)).copied() {
            self.reference(format::REF, seen.number, seen.flags);
            raising.pop(1);
            return Ok(());
        }
        if raising.push_metatable(-1) {
            let ignore = ignored(raising);
            raising.pop(1);
            if ignore {
                raising.pop(1);
                self.tag(format::NIL);
                return Ok(());
            }
        }
        match super::userdata::write(self, raising, local) {
            super::userdata::Written::Whole => {
                raising.pop(1);
                Ok(())
            }
            super::userdata::Written::Header { tag, flags, number } => {
                self.begin(raising, local, tag, flags, number)
            }
            super::userdata::Written::Refused
                if (self.describes() || !self.copied.is_empty()) && is_timer_lane(raising) =>
            {
                raising.pop(1);
                self.tag(format::NIL);
                Ok(())
            }
            super::userdata::Written::Refused => {
                let failure = Failure::Userdata {
                    path: self.path(raising),
                };
                self.fail(failure)
            }
            super::userdata::Written::Stop => Err(Stop),
        }
    }
}

/// Whether the userdata on the top of the stack is the handle of the service of timers, which only the main state's Lanes has.
fn is_timer_lane(raising: Raising) -> bool {
    raising.raw_get_index(State::REGISTRY, KEYS.timer_lane);
    let equal = raising.raw_equal(-1, -2);
    raising.pop(1);
    equal
}

/// Whether the metatable on the top of the stack says that its objects do not travel.
fn ignored(raising: Raising) -> bool {
    raising.get_field(-1, c"__lanesignore");
    let ignore = raising.kind(-1) == Kind::Boolean && raising.truth(-1);
    raising.pop(1);
    ignore
}
