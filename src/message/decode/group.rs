//! Reading one value of a group without the others.
//!
//! An object that values share is where the first of them has it. If another value is read, the
//! object is made when a reference to it is met, and its contents are read at the end of the value,
//! as a deferred body.

use super::decoder::Decoder;
use super::reader::Reader;
use crate::lua::Raising;
use crate::message::cache::Transfer;
use crate::message::failure::Stop;
use crate::message::format;
use crate::message::value::ValueGroup;
use std::os::raw::c_int;

impl Decoder {
    /// Reads value `n` (from 0) of a group whose values are separable, and pushes it. The objects
    /// that it shares with values that have been read are in the table at `shared` (nil: none).
    pub(super) fn value_of_group(
        &mut self,
        transfer: Transfer,
        group: &ValueGroup,
        n: u32,
        shared: c_int,
    ) -> Result<(), Stop> {
        let &(at, first_object) = group.starts.get(n as usize).ok_or(Stop)?;
        self.shared = shared;
        self.objects = first_object;
        let mut reader = Reader::new(&group.full.bytes, &group.full.refs);
        reader.at = at;
        reader.spans = &group.spans;
        self.whole_value(transfer, &mut reader)
    }

    /// If the object that comes next exists already, pushes it and moves the reader behind it;
    /// otherwise returns false.
    pub(super) fn skip_existing(
        &mut self,
        raising: Raising,
        reader: &mut Reader,
    ) -> Result<bool, Stop> {
        let Some(span) = reader.span(self.objects) else {
            return Ok(false);
        };
        if span.at != reader.at || !self.push_if_made(raising, span.number) {
            return Ok(false);
        }
        if span.end <= reader.at {
            return Err(Stop);
        }
        reader.at = span.end;
        self.objects = span.next;
        Ok(true)
    }

    /// Pushes shared object `number`, which has been made (nil if it was refused).
    #[inline]
    pub(super) fn push_shared(&mut self, raising: Raising, number: u32) -> Result<(), Stop> {
        if raising.is_none_or_nil(self.shared) {
            return Err(Stop);
        }
        raising.raw_get_index(self.shared, i64::from(number) + 1);
        if raising.is_none_or_nil(-1) && !self.lenient {
            return Err(Stop);
        }
        Ok(())
    }

    /// Pushes shared object `number`. If it is in a value that is not read, it is made now, without
    /// its contents.
    #[inline]
    pub(super) fn push_referenced(
        &mut self,
        transfer: Transfer,
        reader: &Reader,
        number: u32,
    ) -> Result<(), Stop> {
        if reader.spans.is_empty() {
            return self.push_shared(*transfer, number);
        }
        self.make_referenced(transfer, reader, number)
    }

    fn make_referenced(
        &mut self,
        transfer: Transfer,
        reader: &Reader,
        number: u32,
    ) -> Result<(), Stop> {
        if self.push_if_made(*transfer, number) {
            return Ok(());
        }
        let mut reader = *reader;
        reader.at = reader.span(number).ok_or(Stop)?.at;
        reader.flags = format::DEFERRED | format::SHARED;
        // Only the header of an object may be read here.
        if !matches!(
            reader.peek()?,
            format::TABLE | format::FUNCTION | format::DEEP
        ) {
            return Err(Stop);
        }
        let objects = std::mem::replace(&mut self.objects, number);
        self.value(transfer, &mut reader)?;
        self.objects = objects;
        self.deferred.last_mut().ok_or(Stop)?.body = Some(reader.at);
        Ok(())
    }

    /// Pushes shared object `number` if it has been made; otherwise returns false.
    fn push_if_made(&self, raising: Raising, number: u32) -> bool {
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
