//! Reading the bytes of a message. Malformed bytes are an error, never a panic.

use crate::lua::Raising;
use crate::message::failure::Stop;
use crate::message::format;
use crate::message::identity::is_identity;
use crate::message::value::{Ref, Span};
use std::os::raw::c_void;

/// The position in a message that is being read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The message.
    pub(super) bytes: &'a [u8],
    /// What the bytes refer to by number.
    pub(super) refs: &'a [Ref],
    /// The position of the next byte.
    pub(super) at: usize,
    /// The positions of shared objects, if the values of a group are read separately.
    pub(super) spans: &'a [Span],
    /// Flags that are added to those of each object.
    pub(super) flags: u8,
    /// How many keys and values of tables there can still be: each takes at least one byte. The
    /// counts of a table are subtracted, so wrong counts cannot ask for more memory than the
    /// message is worth.
    entries_left: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning of a message.
    pub(super) fn new(bytes: &'a [u8], refs: &'a [Ref]) -> Reader<'a> {
        Reader {
            bytes,
            refs,
            at: 0,
            spans: &[],
            flags: 0,
            entries_left: bytes.len(),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.checked_add(len).ok_or(Stop)?;
        let bytes = self.bytes.get(self.at..end).ok_or(Stop)?;
        self.at = end;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, Stop> {
        Ok(u32::from_le_bytes(
            self.take(4)?.try_into().map_err(|_| Stop)?,
        ))
    }

    #[inline]
    fn u64(&mut self) -> Result<u64, Stop> {
        Ok(u64::from_le_bytes(
            self.take(8)?.try_into().map_err(|_| Stop)?,
        ))
    }

    /// Reads a name: module and path.
    pub(super) fn name(&mut self) -> Result<(&'a [u8], &'a [u8]), Stop> {
        let (module, path) = (self.u32()? as usize, self.u32()? as usize);
        Ok((self.take(module)?, self.take(path)?))
    }

    /// Whether all bytes have been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Reads the flags of an object.
    #[inline]
    pub(super) fn flags(&mut self) -> Result<u8, Stop> {
        let flags = self.u8()?;
        if flags & !format::ALL_FLAGS != 0 {
            return Err(Stop);
        }
        Ok(flags | self.flags)
    }

    /// Reads how many entries a table has in its array part and in its hash part.
    #[inline]
    pub(super) fn counts(&mut self) -> Result<(u32, u32), Stop> {
        let (array, hash) = (self.u32()?, self.u32()?);
        let count = (hash as usize)
            .checked_mul(2)
            .and_then(|hash| hash.checked_add(array as usize));
        self.entries_left = count
            .and_then(|count| self.entries_left.checked_sub(count))
            .ok_or(Stop)?;
        Ok((array, hash))
    }

    /// The next byte, without reading it.
    #[inline]
    pub(super) fn peek(&self) -> Result<u8, Stop> {
        self.bytes.get(self.at).copied().ok_or(Stop)
    }

    /// Reads the identity of a metatable.
    pub(super) fn identity(&mut self) -> Result<u64, Stop> {
        let identity = self.u64()?;
        if !is_identity(identity) {
            return Err(Stop);
        }
        Ok(identity)
    }

    /// Reads the value that begins with `tag`, the next byte, and pushes it, if it is a scalar;
    /// otherwise reads nothing and returns false.
    #[inline]
    pub(super) fn scalar(&mut self, raising: Raising, tag: u8) -> Result<bool, Stop> {
        if tag > format::LIGHT {
            return Ok(false);
        }
        self.at += 1;
        match tag {
            format::NIL => raising.push_nil(),
            format::FALSE => raising.push_boolean(false),
            format::TRUE => raising.push_boolean(true),
            format::INTEGER => raising.push_integer(self.u64()? as i64),
            format::FLOAT => raising.push_number(f64::from_bits(self.u64()?)),
            format::SHORT => {
                let len = usize::from(self.u8()?);
                raising.push_bytes(self.take(len)?);
            }
            format::LONG => {
                let len = usize::try_from(self.u64()?).map_err(|_| Stop)?;
                raising.push_bytes(self.take(len)?);
            }
            _ => raising.push_light(self.u64()? as usize as *mut c_void),
        }
        Ok(true)
    }

    /// Reads the number of a reference and returns the reference.
    pub(super) fn reference(&mut self) -> Result<&'a Ref, Stop> {
        let number = self.u32()? as usize;
        self.refs.get(number).ok_or(Stop)
    }

    /// The span of an object; `None` unless the values of a group are read separately.
    #[inline]
    pub(super) fn span(&self, number: u32) -> Option<&'a Span> {
        let n = self.spans.binary_search_by_key(&number, |it| it.number);
        self.spans.get(n.ok()?)
    }
}
