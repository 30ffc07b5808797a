//! Objects as an encoder meets them: tables, functions and userdata, each new, known by name, or
//! written before.

use super::encoder::{Deferred, Encoder, Frame, NumberedFrame, Seen, TableFrame};
use super::userdata::{Written, address, user_values};
use crate::lua::{KEYS, Kind, Raising, State, Text};
use crate::message::cache::{Destination, Transfer};
use crate::message::failure::{C_CLOSURE, Failure, Owner, Stop};
use crate::message::format;
use crate::message::identity::identify;
use crate::message::names::{is_class, push_table_name};
use std::os::raw::c_int;

impl Encoder {
    /// Begins the contents of a new object, which is at the stack top, or defers them.
    fn begin(&mut self, transfer: Transfer, tag: u8, seen: Seen) {
        if self.frames.len() < format::NESTING_LIMIT {
            return self.begin_body(transfer, tag, seen);
        }
        self.scattered = true;
        let Seen { number, flags } = seen;
        if let Some(place) = self.out.get_mut(flags) {
            *place |= format::DEFERRED | format::SHARED;
        }
        transfer.room(&mut self.deferred, 1);
        self.deferred.push(Deferred { tag, flags, number });
        if transfer.is_none_or_nil(self.deferred_index) {
            transfer.new_table(16, 0);
            transfer.replace(self.deferred_index);
        }
        transfer.raw_set_index(self.deferred_index, self.deferred.len() as i64);
    }

    /// Begins the contents of the object at the stack top.
    pub(super) fn begin_body(&mut self, transfer: Transfer, tag: u8, seen: Seen) {
        let index = transfer.top();
        let Seen { number, flags } = seen;
        if tag == format::TABLE {
            let counts = self.out.len();
            self.out.extend(&[0; 8]);
            transfer.push_nil();
            let table = TableFrame {
                index,
                number,
                counts,
                flags,
                array: 0,
                hash: 0,
                run: 0,
                run_at: 0,
                run_count: 0,
                key: false,
                metatable: false,
            };
            return self.open(*transfer, Frame::Table(table));
        }
        let (owner, count) = if tag == format::FUNCTION {
            (Owner::Function, upvalues(*transfer, index))
        } else {
            (Owner::Userdata, user_values(*transfer, index))
        };
        self.out.tag(count as u8);
        let numbered = NumberedFrame {
            owner,
            index,
            next: 1,
            count,
            number,
        };
        self.open(*transfer, Frame::Numbered(numbered));
    }

    /// Writes the value at the stack top and takes it off, at once or when its contents have been
    /// written.
    pub(super) fn value(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        let kind = transfer.kind(-1);
        if kind == Kind::Light && self.is_null_here(transfer) {
            self.write_nil(*transfer);
            return Ok(());
        }
        if self.out.scalar(**transfer, -1, kind) {
            transfer.pop(1);
            return Ok(());
        }
        self.object(transfer, to, kind)
    }

    /// As `value`, for what an object has been converted to: it is not converted again.
    pub(super) fn converted(
        &mut self,
        transfer: Transfer,
        to: Destination,
        kind: Kind,
    ) -> Result<(), Stop> {
        if self.out.scalar(**transfer, -1, kind) {
            transfer.pop(1);
            return Ok(());
        }
        match kind {
            Kind::Table if self.written_before(*transfer, transfer.pointer(-1) as usize) => Ok(()),
            Kind::Table => self.new_table(transfer, to),
            Kind::Function => self.function(transfer, to),
            Kind::Userdata if self.written_before(*transfer, address(*transfer)) => Ok(()),
            Kind::Userdata => self.new_userdata(transfer, to, false),
            _ => self.fail_type(*transfer),
        }
    }

    /// Whether the table or userdata at the stack top has been written before.
    pub(super) fn written(&self, raising: Raising) -> bool {
        let address = if raising.kind(-1) == Kind::Userdata {
            address(raising)
        } else {
            raising.pointer(-1) as usize
        };
        self.seen.get(&address).is_some()
    }

    /// As `value`, for a value that is no scalar.
    pub(super) fn object(
        &mut self,
        transfer: Transfer,
        to: Destination,
        kind: Kind,
    ) -> Result<(), Stop> {
        match kind {
            Kind::Table => self.table(transfer, to),
            Kind::Function => self.function(transfer, to),
            Kind::Userdata => self.userdata(transfer, to),
            _ => self.fail_type(*transfer),
        }
    }

    /// If the object with this address has been written before, writes a reference to it and takes
    /// it off the stack; otherwise returns false.
    fn written_before(&mut self, raising: Raising, address: usize) -> bool {
        let Some(seen) = self.seen.get(&address).copied() else {
            return false;
        };
        self.refer(format::REF, seen.number, seen.flags);
        raising.pop(1);
        true
    }

    /// Writes nil in place of the object at the stack top and takes it off.
    fn write_nil(&mut self, raising: Raising) {
        raising.pop(1);
        self.out.tag(format::NIL);
    }

    /// Writes the table at the stack top by its contents, or as a reference.
    pub(super) fn table_contents(&mut self, transfer: Transfer) {
        let address = transfer.pointer(-1) as usize;
        if !self.written_before(*transfer, address) {
            let seen = self.new_object(*transfer, format::TABLE, address);
            self.begin(transfer, format::TABLE, seen);
        }
    }

    fn table(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        let address = transfer.pointer(-1) as usize;
        if self.written_before(*transfer, address) {
            return Ok(());
        }
        if let Some(conversion) = transfer.cache.conversion.get()
            && self.convert(transfer, to, conversion)?
        {
            return self.converted(transfer, to, transfer.kind(-1));
        }
        self.new_table(transfer, to)
    }

    /// Writes the table at the stack top, which has not been written, and is not converted.
    fn new_table(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        let address = transfer.pointer(-1) as usize;
        let module = push_table_name(transfer);
        if module {
            if self.write_module(transfer, to)? {
                transfer.pop(2);
                return Ok(());
            }
            transfer.pop(1);
        }
        if is_ignored(transfer) {
            self.write_nil(*transfer);
            return Ok(());
        }
        if module || self.keeps_classes(to) && is_class(*transfer) {
            let identity = identify(*transfer);
            self.out.word(format::CLASS, identity);
            self.scattered = true;
        }
        let seen = self.new_object(*transfer, format::TABLE, address);
        self.begin(transfer, format::TABLE, seen);
        Ok(())
    }

    /// Whether a class that is met now travels by identity: it does in what a lane is launched
    /// with, and anywhere in an upvalue of a function. Objects that are made there then have the
    /// original as their metatable here.
    fn keeps_classes(&self, to: Destination) -> bool {
        let is_function = |frame: &Frame| {
            matches!(
                frame,
                Frame::Numbered(NumberedFrame {
                    owner: Owner::Function,
                    ..
                })
            )
        };
        matches!(to, Destination::State(..)) || self.frames.iter().any(is_function)
    }

    fn function(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        self.has_table_of_functions |= matches!(self.frames.last(), Some(Frame::Table(_)));
        if transfer.is_c_function(-1) {
            if self.write_name(transfer, format::NAMED_FUNCTION, to)? {
                transfer.pop(1);
                return Ok(());
            }
            return self.fail_unnamed(transfer);
        }
        let address = transfer.pointer(-1) as usize;
        if self.written_before(*transfer, address) {
            return Ok(());
        }
        let seen = self.new_object(*transfer, format::FUNCTION, address);
        transfer.room(&mut self.function_flags, 1);
        self.function_flags.insert(seen.number, seen.flags);
        let length = self.out.len();
        self.out.u32(0);
        if !transfer.dump(&raw mut self.out, transfer.cache.strip.get()) {
            let failure = Failure::Code {
                path: self.path(*transfer),
            };
            return self.fail(failure);
        }
        let size = self.out.len().wrapping_sub(length + 4) as u32;
        self.out.patch(length, size);
        self.begin(transfer, format::FUNCTION, seen);
        Ok(())
    }

    /// Stops the encoding because no module exports the C function at the stack top.
    fn fail_unnamed(&mut self, transfer: Transfer) -> Result<(), Stop> {
        let is_closure = transfer.push_upvalue(-1, 1).is_some();
        if is_closure {
            transfer.pop(1);
        }
        let failure = Failure::Unnamed {
            what: if is_closure { C_CLOSURE } else { "function" },
            path: self.path(*transfer),
            state: Text::from(&transfer.cache.name.borrow()[..]),
        };
        self.fail(failure)
    }

    fn userdata(&mut self, transfer: Transfer, to: Destination) -> Result<(), Stop> {
        if self.written_before(*transfer, address(*transfer)) {
            return Ok(());
        }
        self.new_userdata(transfer, to, true)
    }

    /// Writes the userdata at the stack top, which has not been written; `converts` if it may be
    /// converted.
    fn new_userdata(
        &mut self,
        transfer: Transfer,
        to: Destination,
        converts: bool,
    ) -> Result<(), Stop> {
        if is_ignored(transfer) {
            self.write_nil(*transfer);
            return Ok(());
        }
        match self.write_userdata(transfer)? {
            Written::Whole => transfer.pop(1),
            Written::Header(tag, seen) => self.begin(transfer, tag, seen),
            Written::Refused
                if (self.is_description() || !self.copied.is_empty())
                    && is_timer_lane(*transfer) =>
            {
                self.write_nil(*transfer);
            }
            Written::Refused => {
                if let Some(conversion) = transfer.cache.conversion.get()
                    && converts
                    && self.convert(transfer, to, conversion)?
                {
                    return self.converted(transfer, to, transfer.kind(-1));
                }
                if transfer.cache.conversion.get().is_some()
                    && self.write_name(transfer, format::NAMED_USERDATA, to)?
                {
                    transfer.pop(1);
                    return Ok(());
                }
                // First, because it may raise.
                let name = name(*transfer);
                let failure = Failure::Userdata {
                    path: self.path(*transfer),
                    name,
                };
                return self.fail(failure);
            }
        }
        Ok(())
    }
}

/// How many upvalues the function at `index` has.
fn upvalues(raising: Raising, index: c_int) -> c_int {
    let mut count = 0;
    while raising.push_upvalue(index, count + 1).is_some() {
        raising.pop(1);
        count += 1;
    }
    count
}

/// Whether the userdata at the stack top is the handle of the service of timers, which only the
/// main state's Lanes has.
fn is_timer_lane(raising: Raising) -> bool {
    raising.raw_get_index(State::REGISTRY, KEYS.timer_lane);
    let equal = raising.raw_equal(-1, -2);
    raising.pop(1);
    equal
}

/// The name of the kind of the userdata at the stack top, if its metatable has one.
fn name(raising: Raising) -> Option<Text> {
    if !raising.push_metatable(-1) {
        return None;
    }
    raising.raw_get_name(-1, b"__name");
    let name = raising.text(-1);
    raising.pop(2);
    name
}

/// Whether the metatable of the object at the stack top has `__lanesignore = true`: nil travels in
/// place of the object. The 4.x interface has conversions instead.
fn is_ignored(raising: Transfer) -> bool {
    if raising.cache.conversion.get().is_some() || !raising.push_metatable(-1) {
        return false;
    }
    raising.get_field(-1, c"__lanesignore");
    let ignored = raising.kind(-1) == Kind::Boolean && raising.truth(-1);
    raising.pop(2);
    ignored
}
