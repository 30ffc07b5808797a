//! Reading the bytes of a message. What does not make sense is an error, never a panic.

use super::joint::Span;
use super::{Ref, format, metatables};
use crate::lua::Raising;

/// The transfer cannot go on; why is in the decoder.
#[derive(Clone, Copy)]
pub(super) struct Stop;

pub(super) type Outcome<T = ()> = Result<T, Stop>;

/// Where a message is being read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) refs: &'a [Ref],
    pub(super) at: usize,
    /// Where the objects are that are referred to, if values are read apart from those before them.
    pub(super) spans: &'a [Span],
    /// Flags that every object has beside its own.
    pub(super) flags: u8,
    /// How many keys and values of tables there can still be: each takes a byte at least. What tables announce is taken off,
    /// so that wrong numbers in all of them together ask for no more memory than the message is worth.
    room: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], refs: &'a [Ref]) -> Reader<'a> {
        Reader {
            bytes,
            refs,
            at: 0,
            spans: &[],
            flags: 0,
            room: bytes.len(),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Outcome<&'a [u8]> {
        let end = self.at.checked_add(len).ok_or(Stop)?;
        let bytes = self.bytes.get(self.at..end).ok_or(Stop)?;
        self.at = end;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Outcome<u8> {
        let byte = *self.bytes.get(self.at).ok_or(Stop)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Outcome<u32> {
        Ok(u32::from_le_bytes(
            self.take(4)?.try_into().map_err(|_| Stop)?,
        ))
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Outcome<u64> {
        Ok(u64::from_le_bytes(
            self.take(8)?.try_into().map_err(|_| Stop)?,
        ))
    }

    /// A name: module and path.
    pub(super) fn name(&mut self) -> Outcome<(&'a [u8], &'a [u8])> {
        let (module, path) = (self.u32()? as usize, self.u32()? as usize);
        Ok((self.take(module)?, self.take(path)?))
    }

    /// Whether everything is read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The flags of an object.
    #[inline]
    pub(super) fn flags(&mut self) -> Outcome<u8> {
        let flags = self.u8()?;
        if flags & !format::FLAGS != 0 {
            return Err(Stop);
        }
        Ok(flags | self.flags)
    }

    /// How many entries a table has in its array part and in its hash part.
    #[inline]
    pub(super) fn counts(&mut self) -> Outcome<(u32, u32)> {
        let (array, hash) = (self.u32()?, self.u32()?);
        let all = (hash as usize)
            .checked_mul(2)
            .and_then(|hash| hash.checked_add(array as usize));
        self.room = all.and_then(|all| self.room.checked_sub(all)).ok_or(Stop)?;
        Ok((array, hash))
    }

    /// The next byte, which stays the next.
    #[inline]
    pub(super) fn peek(&self) -> Outcome<u8> {
        self.bytes.get(self.at).copied().ok_or(Stop)
    }

    /// The number of a metatable.
    pub(super) fn identity(&mut self) -> Outcome<u64> {
        let identity = self.u64()?;
        if !metatables::is_identity(identity) {
            return Err(Stop);
        }
        Ok(identity)
    }

    /// Reads the value that begins with `tag`, the next byte, and pushes it, if it is no object; reads nothing and answers false if it is.
    #[inline]
    pub(super) fn scalar(&mut self, raising: Raising, tag: u8) -> Outcome<bool> {
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
            _ => raising.push_light(self.u64()? as usize as *mut std::os::raw::c_void),
        }
        Ok(true)
    }

    pub(super) fn reference(&mut self) -> Outcome<&'a Ref> {
        let number = self.u32()? as usize;
        self.refs.get(number).ok_or(Stop)
    }
}
