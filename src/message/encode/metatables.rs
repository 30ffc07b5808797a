//! Descriptions of metatables and of modules' tables: their contents go along with their identity,
//! as a message of their own, which is made again only if the table has changed.

use super::encoder::Encoder;
use super::names::can_be_copied;
use crate::lua::{KEYS, Kind, Raising, State};
use crate::message::cache::{SentMetatable, Transfer, TransferCache};
use crate::message::failure::{Failure, Label, Stop};
use crate::message::format;
use crate::message::identity::identify;
use crate::message::value::Metatable;
use lanes_engine::memory::grow::has_room;
use std::sync::Arc;

/// From this number of descriptions on, those of metatables that are gone are removed.
const PURGED_ENTRIES: usize = 64;

/// More than what small allocations of one description take, in bytes.
const DESCRIPTION_BYTES: usize = 4096;

impl Encoder {
    /// Writes a reference to the metatable or module's table at the stack top (left there), and
    /// returns its number. If the table is `named`, its name is below it.
    pub(super) fn write_metatable(&mut self, transfer: Transfer, named: bool) -> Result<u32, Stop> {
        let identity = identify(*transfer);
        if let Some(number) = self.metatable_reference(identity) {
            return Ok(number);
        }
        self.room_for_reference(*transfer);
        let fingerprint = fingerprint(*transfer);
        let sent = transfer
            .cache
            .metatables
            .borrow()
            .get(&identity)
            .filter(|sent| sent.fingerprint == fingerprint && sent.metatable.named == named)
            .map(|sent| Arc::clone(&sent.metatable));
        if let Some(metatable) = sent {
            return Ok(self.add_metatable(metatable));
        }
        let metatable = self.describe(transfer, identity, fingerprint, named)?;
        Ok(self.add_metatable(metatable))
    }

    /// Makes the description of the table at the stack top (left there) and keeps it in the cache.
    fn describe(
        &mut self,
        transfer: Transfer,
        identity: u64,
        fingerprint: u64,
        named: bool,
    ) -> Result<Arc<Metatable>, Stop> {
        transfer.reserve(format::RESERVED_SLOTS);
        transfer.demand(DESCRIPTION_BYTES);
        // The inner encoder is owned by a frame outside of `protect` before anything can raise.
        let inner = &mut **self.inner.get_or_insert_default();
        inner.reset();
        inner.label = Some(Label::Metatable);
        inner.inline_metatables = true;
        inner.uncopied = None;
        inner.addresses.clear();
        let written = if named {
            inner.describe_named(transfer)
        } else {
            inner.describe_contents(transfer)
        };
        if written.is_err() {
            self.failure = Some(inner.failure.take().unwrap_or(Failure::Malformed));
            return Err(Stop);
        }
        let cache = transfer.cache;
        purge(transfer);
        // The map is not borrowed any more when this raises.
        let room = has_room(&mut *cache.metatables.borrow_mut(), 1);
        if !room {
            transfer.out_of_memory();
        }
        transfer.room(&mut inner.addresses, inner.seen.len());
        transfer.demand(inner.out.len() + 1024);
        // From here on nothing raises.
        self.has_table_of_functions |= inner.has_table_of_functions;
        inner.addresses.extend(inner.seen.keys().copied());
        let metatable = Arc::new(Metatable {
            identity,
            contents: inner.take_full(1),
            named,
            reason: inner.uncopied.take(),
        });
        let sent = SentMetatable {
            metatable: Arc::clone(&metatable),
            fingerprint,
            objects: std::mem::take(&mut inner.addresses),
        };
        inner.reset();
        cache.metatables.borrow_mut().insert(identity, sent);
        Ok(metatable)
    }

    /// Writes the name of the table at the stack top, which is below it, and the contents if they
    /// can be copied; otherwise sets `uncopied` to the reason.
    fn describe_named(&mut self, transfer: Transfer) -> Result<(), Stop> {
        let table = transfer.top();
        self.label = Some(Label::Module);
        transfer.push_copy(table - 1);
        self.write_table_name(*transfer);
        let copies = can_be_copied(transfer, table);
        transfer.pop(1);
        if !copies || self.describe_contents(transfer).is_ok() {
            return Ok(());
        }
        transfer.set_top(table);
        let failure = self.failure.take().unwrap_or(Failure::Malformed);
        self.uncopied = Some(failure.reason());
        self.reset();
        transfer.push_copy(table - 1);
        self.write_table_name(*transfer);
        transfer.pop(1);
        Ok(())
    }

    /// Whether an object that was written as a value is also in the description of a metatable that
    /// was written as a reference. (If the address of an object in a description has been used
    /// again since, the result is true without need, which does no harm.)
    pub(super) fn shares_objects_with_metatables(&self, cache: &TransferCache) -> bool {
        let sent = cache.metatables.borrow();
        self.metatable_identities().any(|identity| {
            sent.get(&identity).is_some_and(|sent| {
                if sent.metatable.named {
                    return false; // it is a module's, and the same in all messages
                }
                // There may be many metatables with a few objects each, so the smaller collection
                // is looked up in the larger one.
                if sent.objects.len() < self.seen.len() {
                    let mut objects = sent.objects.iter();
                    objects.any(|address| self.seen.get(address).is_some())
                } else {
                    let mut seen = self.seen.keys();
                    seen.any(|address| sent.objects.contains(address))
                }
            })
        })
    }
}

/// A number that changes when a field of the metatable at the stack top, or of its `__index` table,
/// is replaced.
fn fingerprint(raising: Raising) -> u64 {
    let mut sum = 0u64;
    let mut mix =
        |value: u64| sum = (sum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = |index| match raising.kind(index) {
        Kind::Number => raising.number(index).to_bits(),
        Kind::Boolean => u64::from(raising.truth(index)) + 1,
        Kind::String => raising
            .bytes(index)
            .map_or(0, |bytes| bytes.as_ptr() as u64),
        Kind::Light => raising.userdata(index) as u64,
        _ => raising.pointer(index) as u64,
    };
    let mut fields = |table: i32| {
        raising.push_nil();
        while raising.next(table) {
            mix(value(-2));
            mix(value(-1));
            raising.pop(1);
        }
    };
    let top = raising.top();
    fields(top);
    raising.raw_get_name(top, b"__index");
    if raising.kind(-1) == Kind::Table && !raising.raw_equal(-1, top) {
        fields(top + 1);
    }
    raising.pop(1);
    sum
}

/// Removes the descriptions of metatables that are gone, each time their number has doubled.
fn purge(transfer: Transfer) {
    let metatables = &transfer.cache.metatables;
    let count = metatables.borrow().len();
    if count < PURGED_ENTRIES || !count.is_power_of_two() {
        return;
    }
    transfer.raw_get_index(State::REGISTRY, KEYS.metatables);
    let table = transfer.top();
    metatables.borrow_mut().retain(|identity, _| {
        transfer.raw_get_index(table, *identity as i64);
        let alive = !transfer.is_none_or_nil(-1);
        transfer.pop(1);
        alive
    });
    transfer.pop(1);
}
