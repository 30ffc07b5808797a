//! Conversions of the 4.x interface: what travels in place of a table or a userdata
//! (docs/manual/v4.md#transfer).

use super::encoder::Encoder;
use crate::lua::sentinels::NULL;
use crate::lua::{KEYS, Kind, Raising, State, text};
use crate::message::cache::{Conversion, Destination, Fallback, Transfer};
use crate::message::failure::{Failure, Label, Stop};
use crate::message::names::push_table_name;
use std::os::raw::{c_int, c_void};

/// What an object converts to.
#[derive(Clone, Copy)]
enum Converter {
    /// Nothing: it travels as it is.
    None,
    /// nil
    Null,
    /// A light userdata of its address.
    Decay,
    /// What the function at the stack top returns.
    Function,
}

impl Encoder {
    /// Replaces the table or userdata at the stack top by what travels in its place. Returns false
    /// if it travels as it is. An object is converted once in a transfer.
    #[cold]
    #[inline(never)]
    pub(super) fn convert(
        &mut self,
        transfer: Transfer,
        to: Destination,
        conversion: Conversion,
    ) -> Result<bool, Stop> {
        transfer.reserve(12);
        let object = transfer.top();
        if !transfer.is_none_or_nil(self.converted_index) {
            transfer.push_copy(object);
            transfer.raw_get(self.converted_index);
            if !transfer.is_none_or_nil(-1) {
                // Results are kept in lists of one, because they may be nil.
                transfer.raw_get_index(-1, 1);
                transfer.replace(object);
                transfer.set_top(object);
                return Ok(true);
            }
            transfer.set_top(object);
        }
        let mut attempts = 0;
        // Stack from here: object, what it has become.
        transfer.push_copy(object);
        loop {
            let converter = match transfer.kind(-1) {
                Kind::Table | Kind::Userdata => self.converter(transfer, conversion)?,
                _ => Converter::None,
            };
            match converter {
                Converter::None => break,
                _ if attempts == conversion.attempts => {
                    let path = self.path(*transfer);
                    let most = conversion.attempts;
                    return self.fail(Failure::Conversion {
                        path,
                        reason: text![format_args!("more than {most} conversion attempts")],
                    });
                }
                Converter::Null => transfer.push_nil(),
                Converter::Decay => {
                    let address = transfer.pointer(-1);
                    transfer.push_light(address.cast_mut());
                }
                Converter::Function => {
                    transfer.push_copy(object + 1);
                    transfer.push_bytes(self.context_of(to));
                    transfer.call(2, Some(1));
                }
            }
            attempts += 1;
            transfer.replace(object + 1);
            transfer.set_top(object + 1);
        }
        if attempts == 0 {
            transfer.set_top(object);
            return Ok(false);
        }
        if is_null(*transfer, -1) {
            transfer.push_nil();
            transfer.replace(object + 1);
        }
        if transfer.is_none_or_nil(self.converted_index) {
            transfer.new_table(0, 4);
            transfer.replace(self.converted_index);
        }
        transfer.push_copy(object);
        transfer.new_table(1, 0);
        transfer.push_copy(object + 1);
        transfer.raw_set_index(-2, 1);
        transfer.raw_set(self.converted_index);
        transfer.replace(object);
        Ok(true)
    }

    /// What a converter is told about where its result goes.
    fn context_of(&self, to: Destination) -> &'static [u8] {
        match (to, self.label) {
            (Destination::Anywhere, Some(Label::Argument(_) | Label::Case(_))) => b"keeper",
            _ => b"regular",
        }
    }

    /// What the object at the stack top converts to; pushes the function, if it is one.
    fn converter(&mut self, transfer: Transfer, conversion: Conversion) -> Result<Converter, Stop> {
        if !transfer.push_metatable(-1) {
            return Ok(self.fallback(transfer, conversion.fallback));
        }
        transfer.get_field(-1, c"__lanesconvert");
        transfer.remove(-2);
        let converter = match transfer.kind(-1) {
            Kind::Nil => Converter::None,
            Kind::Function => return Ok(Converter::Function),
            Kind::Light if transfer.userdata(-1) as usize == NULL => Converter::Null,
            Kind::String if transfer.string(-1) == b"decay" => Converter::Decay,
            kind => {
                let reason = if kind == Kind::String {
                    text!["Invalid __lanesconvert mode '", transfer.string(-1), "'"]
                } else {
                    text![format_args!(
                        "Invalid __lanesconvert type {}",
                        transfer.type_name(-1)
                    )]
                };
                let path = self.path(*transfer);
                return self.fail(Failure::Conversion { path, reason });
            }
        };
        transfer.pop(1);
        Ok(converter)
    }

    /// What an object without metatable, at the stack top, converts to. Tables that travel by name
    /// stay, and so does what the program has not passed itself: settings, traces, contents of
    /// metatables and modules, and what [`keep_unconverted`] was called for.
    fn fallback(&self, transfer: Transfer, fallback: Fallback) -> Converter {
        let own = match self.label {
            Some(Label::StateCreate | Label::Package | Label::Metatable | Label::Module) => true,
            Some(Label::Error) => self.value > 0,
            _ => !self.copied.is_empty(),
        };
        let converter = match fallback {
            Fallback::None => return Converter::None,
            _ if own => return Converter::None,
            Fallback::Null => Converter::Null,
            Fallback::Decay => Converter::Decay,
        };
        if transfer.kind(-1) == Kind::Table {
            if is_unconverted(*transfer) {
                return Converter::None;
            }
            if push_table_name(transfer) {
                transfer.pop(1);
                return Converter::None;
            }
        }
        converter
    }
}

/// Marks the table at the stack top, one of this library without metatable, so that the fallback
/// does not convert it; what the program has put into it is converted. Inside `protect`.
pub fn keep_unconverted(raising: Raising) {
    raising.raw_get_index(State::REGISTRY, KEYS.unconverted);
    if raising.is_none_or_nil(-1) {
        raising.pop(1);
        raising.new_weak_table(b"k");
        raising.push_copy(-1);
        raising.raw_set_index(State::REGISTRY, KEYS.unconverted);
    }
    raising.push_copy(-2);
    raising.push_boolean(true);
    raising.raw_set(-3);
    raising.pop(1);
}

/// Whether the table at the stack top is marked (see [`keep_unconverted`]).
fn is_unconverted(raising: Raising) -> bool {
    let table = raising.top();
    raising.raw_get_index(State::REGISTRY, KEYS.unconverted);
    if !raising.is_none_or_nil(-1) {
        raising.push_copy(table);
        raising.raw_get(-2);
    }
    let marked = raising.truth(-1);
    raising.set_top(table);
    marked
}

/// Whether the value at `index` is `lanes.null`.
pub(super) fn is_null(raising: Raising, index: c_int) -> bool {
    raising.kind(index) == Kind::Light && raising.userdata(index) == NULL as *mut c_void
}
