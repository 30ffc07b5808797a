//! The values of whole messages: of a packet, of one message, of several that may share objects.

use super::decoder::Decoder;
use super::reader::Reader;
use crate::message::cache::Transfer;
use crate::message::failure::Stop;
use crate::message::format;
use crate::message::value::{Body, Full, Message, Ref, ValueGroup};
use std::os::raw::c_int;
use std::sync::Arc;

impl Decoder {
    /// Reads all values of a buffer and pushes them.
    pub(super) fn packet(&mut self, transfer: Transfer, full: &Full) -> Result<(), Stop> {
        transfer.reserve(format::RESERVED_SLOTS.saturating_add(full.values as c_int));
        let base = transfer.top();
        transfer.push_nil();
        self.shared = base + 1;
        self.objects = 0;
        let mut reader = Reader::new(&full.bytes, &full.refs);
        for n in 0..full.values as usize {
            self.value = n;
            let (objects, adopted) = (self.objects, self.adopted.len());
            self.whole_value(transfer, &mut reader)?;
            if self.lenient {
                self.replace_refused(*transfer, objects, adopted);
            }
        }
        transfer.remove(self.shared);
        Ok(())
    }

    /// Reads a message that is one value by itself and pushes the value.
    pub(super) fn single(
        &mut self,
        transfer: Transfer,
        bytes: &[u8],
        refs: &[Ref],
    ) -> Result<(), Stop> {
        transfer.push_nil();
        self.shared = transfer.top();
        self.objects = 0;
        self.whole_value(transfer, &mut Reader::new(bytes, refs))?;
        transfer.remove(self.shared);
        Ok(())
    }

    /// Reads messages, none of which is detached, and pushes their values. Objects that several of
    /// them share are built once.
    pub(super) fn messages(
        &mut self,
        transfer: Transfer,
        messages: &[Message],
    ) -> Result<(), Stop> {
        transfer.reserve(format::RESERVED_SLOTS.saturating_add(messages.len() as c_int));
        let mut group: Option<*const ValueGroup> = None;
        // The values of the group, or if they are separable the objects that they share.
        transfer.push_nil();
        let of_group = transfer.top();
        for (n, message) in messages.iter().enumerate() {
            self.value = n;
            match &message.0 {
                Body::Inline { len, bytes } => {
                    let bytes = bytes.get(..usize::from(*len)).ok_or(Stop)?;
                    self.single(transfer, bytes, &[])?;
                }
                Body::Text(text) => transfer.push_bytes(text),
                Body::Plain(bytes) => self.single(transfer, bytes, &[])?,
                Body::Full(full) => {
                    self.moves = Arc::strong_count(full) == 1;
                    self.single(transfer, &full.bytes, &full.refs)?;
                }
                Body::TextDetached(_) | Body::PlainDetached(_) => return Err(Stop),
                Body::Grouped(it, number) => {
                    let separable = !it.starts.is_empty();
                    if group != Some(Arc::as_ptr(it)) {
                        group = Some(Arc::as_ptr(it));
                        if separable {
                            transfer.push_nil();
                        } else {
                            self.moves = are_last(messages, n, it);
                            self.table_of_values(transfer, &it.full)?;
                        }
                        transfer.replace(of_group);
                    }
                    if separable {
                        self.value_of_group(transfer, it, *number, of_group)?;
                    } else {
                        transfer.raw_get_index(of_group, i64::from(*number) + 1);
                    }
                }
            }
        }
        transfer.remove(of_group);
        Ok(())
    }

    /// Reads all values of a buffer into a new table, which it pushes.
    fn table_of_values(&mut self, transfer: Transfer, full: &Full) -> Result<(), Stop> {
        let first = transfer.top() + 1;
        self.packet(transfer, full)?;
        transfer.new_table(full.values as usize, 0);
        transfer.insert(first);
        for n in (1..=i64::from(full.values)).rev() {
            transfer.raw_set_index(first, n);
        }
        Ok(())
    }
}

/// Whether the messages from number `n` on that are next to each other in `group` hold all
/// references to it.
fn are_last(messages: &[Message], n: usize, group: &Arc<ValueGroup>) -> bool {
    let is_in_group = |message: &&Message| match &message.0 {
        Body::Grouped(other, _) => Arc::ptr_eq(other, group),
        _ => false,
    };
    let rest = messages.get(n..).unwrap_or_default();
    Arc::strong_count(group) == rest.iter().take_while(is_in_group).count()
}
