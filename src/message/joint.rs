//! Values that were sent together and share objects: one buffer, in which each value can be read without the others.
//!
//! An object that values share is where the first of them has it. Who reads another makes the object when a reference to it is met, and reads
//! what it contains at the end of the value, as the bodies that were put off.

use super::decoder::Decoder;
use super::encoder::Encoder;
use super::local::Local;
use super::reader::{Outcome, Reader, Stop};
use super::{Full, Ref, format};
use crate::lua::Raising;
use lanes_engine::memory::grow::collect;
use std::os::raw::c_int;

/// Several values in one buffer.
pub(super) struct Joint {
    pub(super) full: Full,
    /// Where each value begins, and the number of its first object; none where the values can be read only all together.
    pub(super) starts: Vec<(usize, u32)>,
    /// The objects that are referred to, in the order of their numbers.
    pub(super) spans: Vec<Span>,
}

/// Where an object is in a buffer.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    /// Its number.
    pub(super) number: u32,
    /// The number of the first object that comes after those that it contains.
    pub(super) next: u32,
    /// Where its tag is.
    pub(super) at: usize,
    /// Where its contents end.
    pub(super) end: usize,
}

impl Encoder {
    /// Remembers where the object is that comes next, if that is asked for.
    pub(super) fn open_span(&mut self, raising: Raising) {
        if self.spanning {
            raising.room(&mut self.spans, 1);
            self.spans.push(Span {
                number: self.objects,
                at: self.out.len(),
                ..Span::default()
            });
        }
    }

    /// All contents of an object are written.
    pub(super) fn close_span(&mut self, number: u32) {
        let (end, next) = (self.out.len(), self.objects);
        if let Some(span) = self.spans.get_mut(number as usize) {
            (span.end, span.next) = (end, next);
        }
    }

    /// Takes the values out that were written as one.
    pub(super) fn take_joint(&mut self, values: u32) -> Joint {
        // The block of a clone belongs to all of the message until all of it is read.
        let blocks = || self.refs.iter().any(|it| matches!(it, Ref::Block(..)));
        let apart = !self.inline && !self.scattered && !blocks();
        let is_shared = |span: &&Span| {
            let flags = self.out.get(span.at + 1).copied().unwrap_or(0);
            flags & format::SHARED != 0
        };
        let (starts, spans) = if apart {
            (
                collect(self.starts.iter().map(|start| (start.at, start.object))),
                collect(self.spans.iter().filter(is_shared).copied()),
            )
        } else {
            (Vec::new(), Vec::new())
        };
        Joint {
            full: self.take_full(values),
            starts,
            spans,
        }
    }
}

impl<'a> Reader<'a> {
    /// The span of an object that is referred to; none where values are read in the order in which they were written.
    #[inline]
    fn span(&self, number: u32) -> Option<&'a Span> {
        let n = self.spans.binary_search_by_key(&number, |it| it.number);
        self.spans.get(n.ok()?)
    }
}

impl Decoder {
    /// Reads value `n` (from 0) of several onto the top. What it shares with others that were read is in the table at `shared`, or nil is.
    pub(super) fn part(
        &mut self,
        raising: Raising,
        local: &Local,
        joint: &Joint,
        n: u32,
        shared: c_int,
    ) -> Outcome {
        let &(at, first) = joint.starts.get(n as usize).ok_or(Stop)?;
        self.shared = shared;
        self.objects = first;
        let mut reader = Reader::new(&joint.full.bytes, &joint.full.refs);
        reader.at = at;
        reader.spans = &joint.spans;
        self.root(raising, local, &mut reader)
    }

    /// Pushes the object that comes next and passes over it, if it was made before. Answers whether it was.
    pub(super) fn passed(&mut self, raising: Raising, reader: &mut Reader) -> Outcome<bool> {
        let Some(span) = reader.span(self.objects) else {
            return Ok(false);
        };
        if span.at != reader.at || !self.made(raising, span.number) {
            return Ok(false);
        }
        if span.end <= reader.at {
            return Err(Stop);
        }
        reader.at = span.end;
        self.objects = span.next;
        Ok(true)
    }

    /// Pushes the object with this number.
    #[inline]
    pub(super) fn known(&mut self, raising: Raising, number: u32) -> Outcome {
        if raising.is_none_or_nil(self.shared) {
            return Err(Stop);
        }
        raising.raw_get_index(self.shared, i64::from(number) + 1);
        // One that was refused is nil.
        if raising.is_none_or_nil(-1) && !self.lenient {
            return Err(Stop);
        }
        Ok(())
    }

    /// Pushes the object with this number. Where it is in a value that is not read it is made now, without its contents.
    #[inline]
    pub(super) fn referred(
        &mut self,
        raising: Raising,
        local: &Local,
        reader: &Reader,
        number: u32,
    ) -> Outcome {
        if reader.spans.is_empty() {
            return self.known(raising, number);
        }
        self.make(raising, local, reader, number)
    }

    fn make(&mut self, raising: Raising, local: &Local, reader: &Reader, number: u32) -> Outcome {
        if self.made(raising, number) {
            return Ok(());
        }
        let mut there = *reader;
        there.at = reader.span(number).ok_or(Stop)?.at;
        there.flags = format::LATER | format::SHARED;
        // An object, so that what is read now is its header and nothing else.
        if !matches!(
            there.peek()?,
            format::TABLE | format::FUNCTION | format::DEEP
        ) {
            return Err(Stop);
        }
        let objects = std::mem::replace(&mut self.objects, number);
        self.value(raising, local, &mut there)?;
        self.objects = objects;
        self.later.last_mut().ok_or(Stop)?.body = Some(there.at);
        Ok(())
    }

    /// Pushes the object with this number, if there is one already.
    fn made(&self, raising: Raising, number: u32) -> bool {
        if raising.is_none_or_nil(self.shared) {
            return false;
        }
        raising.raw_get_index(self.shared, i64::from(number) + 1);
        let made = !raising.is_none_or_nil(-1);
        if !made {
            raising.pop(1);
        }
        made
    }
}
