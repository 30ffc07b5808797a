//! What a decoder keeps while it builds values, and the calls that record it.

use crate::lua::{Raising, State, Text};
use crate::message::failure::{Failure, Label, Owner, Step, Stop, path};
use crate::message::format;
use crate::message::identity::{adopt, disown};
use std::ops::Range;
use std::os::raw::c_int;

/// An object whose contents are being read.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    /// A table.
    Table(TableFrame),
    /// A function or a userdata.
    Numbered(NumberedFrame),
}

/// Which part of a hash entry is being built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// None of any.
    None,
    /// Its key, an object.
    Key,
    /// None: its key is complete, at the stack top.
    HasKey,
    /// Its value, an object; the key is below it.
    Value,
}

/// A table whose contents are being read.
#[derive(Clone, Copy)]
pub(super) struct TableFrame {
    /// Its stack index.
    pub(super) index: c_int,
    /// The position of the next value of the array part, from 1.
    pub(super) next: u32,
    /// How many values the array part has.
    pub(super) array: u32,
    /// How many entries of the hash part have not been read yet.
    pub(super) hash: u32,
    /// The flags of its header, and [`DISCARD_FLAG`].
    pub(super) flags: u8,
    /// Which part of a hash entry is being built.
    pub(super) part: Part,
    /// The metatable with this identity is on the stack, or its contents are being read.
    pub(super) metatable: Option<u64>,
}

/// A function whose upvalues, or a userdata whose user values, are being read.
#[derive(Clone, Copy)]
pub(super) struct NumberedFrame {
    /// What it is.
    pub(super) owner: Owner,
    /// Its stack index.
    pub(super) index: c_int,
    /// The number of the next value, from 1.
    pub(super) next: c_int,
    /// How many values there are.
    pub(super) count: c_int,
}

/// An object whose body is deferred.
#[derive(Clone, Copy)]
pub(super) struct Deferred {
    /// Its number.
    pub(super) number: u32,
    /// Its tag.
    pub(super) tag: u8,
    /// The flags of its header, and [`DISCARD_FLAG`].
    pub(super) flags: u8,
    /// The position of the body, if it is not the next one.
    pub(super) body: Option<usize>,
}

/// Buffers and bookkeeping of one decoding.
#[derive(Default)]
pub struct Decoder {
    /// The objects whose contents are being read, the innermost last.
    pub(super) frames: Vec<Frame>,
    /// How many frames there may be: the Lua stack has room for them.
    pub(super) frame_limit: usize,
    /// How many objects have been read.
    pub(super) objects: u32,
    /// The objects whose bodies are deferred.
    pub(super) deferred: Vec<Deferred>,
    /// A deferred body is being read.
    pub(super) in_deferred: bool,
    /// Stack index of the table of shared objects by number (nil until there is one).
    pub(super) shared: c_int,
    /// The value (from 0) that is being read.
    pub(super) value: usize,
    /// What the values are.
    pub(super) label: Option<Label>,
    /// Why the decoding has stopped, or the current value is refused.
    pub(super) failure: Option<Failure>,
    /// Stack index of the table of clones that have moved, each with its metatable behind it (nil
    /// until there is one); 0 if none have moved.
    pub(super) moved: c_int,
    /// The blocks of clones move out of the message, because nobody else will read it.
    pub(super) moves: bool,
    /// The next table is thrown away: the one to use is below it on the stack.
    pub(super) discards_next: bool,
    /// Identities of the metatables that this state did not have before.
    pub(super) adopted: Vec<u64>,
    /// An object that this state cannot have does not stop the decoding: its value is refused.
    pub(super) lenient: bool,
    /// The numbers (from 0) of refused values, each with the reason.
    pub(super) refused: Vec<(usize, Text)>,
    /// The numbers of the objects in each refused value.
    pub(super) refused_objects: Vec<Range<u32>>,
    /// A description is being read, whose objects have numbers of their own.
    pub(super) in_description: bool,
}

/// How many stack slots it takes to give moved clones their metatables.
const MOVE_SLOTS: c_int = 2;

/// A flag of tables that only decoders use: the table is thrown away when it has been read.
pub(super) const DISCARD_FLAG: u8 = 0x80;

impl Decoder {
    /// Makes the decoder as a new one, except for the memory of its buffers.
    pub fn reset(&mut self) {
        self.frames.clear();
        self.objects = 0;
        self.deferred.clear();
        self.in_deferred = false;
        self.value = 0;
        self.label = None;
        self.failure = None;
        self.discards_next = false;
        self.adopted.clear();
        self.moves = false;
        self.lenient = false;
        self.refused.clear();
        self.refused_objects.clear();
        self.in_description = false;
    }

    /// This state cannot have an object: stops the decoding, or, if it is lenient, pushes nil in
    /// place of the object, and the current value is refused at its end.
    pub(super) fn refuse(&mut self, raising: Raising, failure: Failure) -> Result<(), Stop> {
        let lenient = self.lenient;
        self.failure.get_or_insert(failure);
        if !lenient {
            return Err(Stop);
        }
        raising.push_nil();
        Ok(())
    }

    /// Refuses the current value if object `number`, which it refers to, belongs to a refused one.
    #[inline]
    pub(super) fn check_not_refused(&mut self, raising: Raising, number: u32) {
        if self.refused_objects.is_empty() || self.in_description {
            return;
        }
        let mut refused = self.refused_objects.iter();
        if let Some(n) = refused.position(|objects| objects.contains(&number)) {
            let reason = self
                .refused
                .get(n)
                .map_or_else(Text::new, |refused| refused.1.clone());
            let path = self.path(raising);
            self.failure.get_or_insert(Failure::Deep { path, reason });
        }
    }

    /// Replaces the current value, at the stack top, by nil if it is refused. `objects` is the
    /// number of its first object, `adopted` that of the first metatable that came with it.
    pub(super) fn replace_refused(&mut self, raising: Raising, objects: u32, adopted: usize) {
        raising.room(&mut self.refused, 1);
        raising.room(&mut self.refused_objects, 1);
        let Some(failure) = self.failure.take() else {
            return;
        };
        self.refused.push((self.value, failure.text()));
        drop(failure); // nothing may be owned here when something raises
        self.refused_objects.push(objects..self.objects);
        raising.pop(1);
        disown(raising, self.adopted.get(adopted..).unwrap_or_default());
        self.adopted.truncate(adopted);
        raising.push_nil();
    }

    /// The path of the value that is being read.
    pub(super) fn path(&self, raising: Raising) -> Text {
        let deferred = self.in_deferred.then_some(Step::Unknown);
        let steps = self.frames.iter().map(|frame| match frame {
            Frame::Table(table) if table.metatable.is_some() => Step::Metatable,
            Frame::Table(table) if matches!(table.part, Part::Value | Part::HasKey) => {
                Step::Key(table.index + 1)
            }
            Frame::Table(table) if table.hash == 0 && table.next > table.array => Step::Metatable,
            Frame::Table(table) => Step::Position(i64::from(table.next)),
            Frame::Numbered(it) => Step::Numbered(it.owner, it.index, it.next),
        });
        path(
            *raising,
            self.label.unwrap_or(Label::Element),
            self.value,
            deferred.into_iter().chain(steps),
        )
    }

    /// Pushes a frame, and reserves the stack slots that its object takes.
    #[inline]
    pub(super) fn open(&mut self, raising: Raising, frame: Frame) -> Result<(), Stop> {
        if self.frames.len() >= self.frame_limit {
            return Err(Stop);
        }
        if self.frames.len().is_multiple_of(format::RESERVE_INTERVAL) {
            raising.reserve(format::RESERVED_SLOTS);
        }
        raising.room(&mut self.frames, 1);
        self.frames.push(frame);
        Ok(())
    }

    /// Keeps the object at the stack top (left there) under its number.
    pub(super) fn share(&mut self, raising: Raising, number: u32) {
        if raising.is_none_or_nil(self.shared) {
            raising.new_table(8, 0);
            raising.replace(self.shared);
        }
        raising.push_copy(-1);
        raising.raw_set_index(self.shared, i64::from(number) + 1);
    }

    /// Gives the new object at the stack top (left there) its number, and keeps it if it is
    /// referred to again. Returns whether its body follows; otherwise the body is deferred.
    pub(super) fn new_object(&mut self, raising: Raising, flags: u8, tag: u8) -> bool {
        let number = self.objects;
        self.objects += 1;
        if flags & format::SHARED != 0 {
            self.share(raising, number);
        }
        if flags & format::DEFERRED == 0 {
            return true;
        }
        raising.room(&mut self.deferred, 1);
        self.deferred.push(Deferred {
            number,
            tag,
            flags,
            body: None,
        });
        false
    }

    /// Makes the table at the stack top (left there) this state's metatable with a number, unless
    /// the decoding fails.
    pub(super) fn adopt(&mut self, raising: Raising, identity: u64) {
        raising.room(&mut self.adopted, 1);
        adopt(raising, identity);
        self.adopted.push(identity);
    }

    /// Begins a decoding: pushes the slot `moved`.
    pub(super) fn begin(&mut self, raising: Raising) {
        raising.push_nil();
        self.moved = raising.top();
    }

    /// Ends a decoding that has succeeded. If blocks have moved, their table stays on the stack,
    /// with as many slots above the values as `finish_clones` needs.
    pub(super) fn end(&mut self, raising: Raising) {
        if raising.is_none_or_nil(self.moved) {
            raising.remove(self.moved);
            self.moved = 0;
        } else {
            raising.reserve(MOVE_SLOTS);
            raising.set_top(raising.top() + MOVE_SLOTS);
        }
    }

    /// Gives the clones whose blocks have moved, in the table at `first`, their metatables, and so
    /// their finalizers. Called after `protect` has succeeded: until then the blocks belong to the
    /// message, which may be put back. (At the end of `protect` it would be too early: Lua 5.1
    /// collects garbage when a protected function returns, and an error of a finalizer then fails
    /// the call.)
    pub(super) fn finish_clones(&self, state: State, first: c_int) {
        if self.moved == 0 {
            return;
        }
        state.pop(MOVE_SLOTS);
        for n in (1..=state.raw_len(first) as i64).step_by(2) {
            state.raw_get_index(first, n);
            state.raw_get_index(first, n + 1);
            state.set_metatable(-2);
            state.pop(1);
        }
        state.remove(first);
    }
}
