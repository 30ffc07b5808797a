//! Groups of values that share objects: where each value and each shared object is in the buffer.

use super::encoder::Encoder;
use crate::lua::Raising;
use crate::message::format;
use crate::message::value::{Ref, Span, ValueGroup};
use lanes_engine::memory::grow::collect;

impl Encoder {
    /// Remembers the position of the object that is written next, if positions are recorded.
    pub(super) fn open_span(&mut self, raising: Raising) {
        if self.records_spans {
            raising.room(&mut self.spans, 1);
            self.spans.push(Span {
                number: self.objects,
                at: self.out.len(),
                ..Span::default()
            });
        }
    }

    /// Called when all contents of object `number` have been written.
    pub(super) fn close_span(&mut self, number: u32) {
        let (end, next) = (self.out.len(), self.objects);
        if let Some(span) = self.spans.get_mut(number as usize) {
            (span.end, span.next) = (end, next);
        }
    }

    /// Takes the values out as a group. Unwinds if memory runs out.
    pub(super) fn take_group(&mut self, values: u32) -> ValueGroup {
        // The block of a clone belongs to the whole message until all of the message is read.
        let has_blocks = || self.refs.iter().any(|it| matches!(it, Ref::Block(_)));
        let separable = !self.inline_metatables && !self.scattered && !has_blocks();
        let is_shared = |span: &&Span| {
            let flags = self.out.get(span.at + 1).copied().unwrap_or(0);
            flags & format::SHARED != 0
        };
        let (starts, spans) = if separable {
            (
                collect(self.starts.iter().map(|start| (start.at, start.object))),
                collect(self.spans.iter().filter(is_shared).copied()),
            )
        } else {
            (Vec::new(), Vec::new())
        };
        ValueGroup {
            full: self.take_full(values),
            starts,
            spans,
        }
    }
}
