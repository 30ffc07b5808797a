//! Keys of slots: booleans, numbers, strings and light userdata, with Lua's notion of equal
//! numbers. In the 4.x interface shared objects, too, but not `lanes.null` and
//! `lanes.cancel_error`.

use crate::lua::sentinels::{CANCEL_ERROR, NULL};
use crate::lua::{Arguments, KEYS, Kind, Raise, Raising, State, Text, Userdata, compat, text};
use crate::message::{Deep, DeepKinds, Proxy, push_proxy_raising};
use hashbrown::Equivalent;
use lanes_engine::memory::grow::{OutOfMemory, out_of_memory, try_copy};
use lanes_engine::queues::BorrowedKey;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::os::raw::{c_int, c_void};
use std::sync::Arc;

/// A reference to a shared object, which is equal to itself only. It must not be dropped while a
/// lock is held, unless another one is left: what frees the object may be foreign.
#[derive(Clone)]
pub struct Object(Arc<dyn Deep>);

impl Object {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Object {}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "object {:#x}", self.address())
    }
}

/// A key as a linda keeps it.
#[derive(PartialEq, Eq, Debug)]
pub enum Key {
    /// boolean
    Boolean(bool),
    /// a number with an integral value, whichever its subtype
    Integer(i64),
    /// the bits of any other number
    Float(u64),
    /// string
    Text(Box<[u8]>),
    /// light userdata
    Light(usize),
    /// shared object
    Object(Object),
}

/// A key on the stack of a state. An object is held, because a program may call the finalizer of
/// its proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyRef<'a> {
    /// boolean
    Boolean(bool),
    /// a number with an integral value
    Integer(i64),
    /// the bits of any other number
    Float(u64),
    /// string
    Text(&'a [u8]),
    /// light userdata
    Light(usize),
    /// shared object
    Object(Object),
}

impl Clone for Key {
    /// Unwinds if there is no memory for it.
    fn clone(&self) -> Key {
        self.borrowed().to_key()
    }
}

impl Key {
    /// The key, borrowed.
    pub fn borrowed(&self) -> KeyRef<'_> {
        match self {
            Key::Boolean(value) => KeyRef::Boolean(*value),
            Key::Integer(value) => KeyRef::Integer(*value),
            Key::Float(value) => KeyRef::Float(*value),
            Key::Text(value) => KeyRef::Text(value),
            Key::Light(value) => KeyRef::Light(*value),
            Key::Object(object) => KeyRef::Object(object.clone()),
        }
    }

    /// Pushes the key. `kinds` are those of the state. Raises an error if the state cannot have the
    /// object that is the key.
    pub fn push(&self, raising: Raising, kinds: &DeepKinds) {
        match self {
            Key::Boolean(value) => raising.push_boolean(*value),
            Key::Integer(value) => raising.push_integer(*value),
            Key::Float(value) => raising.push_number(f64::from_bits(*value)),
            Key::Text(value) => raising.push_bytes(value),
            Key::Light(value) => raising.push_light(*value as *mut c_void),
            Key::Object(object) => {
                if !push_proxy_raising(kinds, raising, &object.0) {
                    raising.raise()
                }
            }
        }
    }
}

impl Hash for KeyRef<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Keys of different types with the same bits may share a hash: they are seldom in one
        // linda.
        match self {
            KeyRef::Boolean(value) => state.write_u64(u64::from(*value)),
            KeyRef::Integer(value) => state.write_u64(*value as u64),
            KeyRef::Float(value) => state.write_u64(*value),
            KeyRef::Text(value) => state.write(value),
            KeyRef::Light(value) => state.write_u64(*value as u64),
            KeyRef::Object(object) => state.write_u64(object.address() as u64),
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    #[inline]
    fn equivalent(&self, key: &Key) -> bool {
        match (self, key) {
            (KeyRef::Boolean(left), Key::Boolean(right)) => left == right,
            (KeyRef::Integer(left), Key::Integer(right)) => left == right,
            (KeyRef::Float(left), Key::Float(right)) => left == right,
            (KeyRef::Text(left), Key::Text(right)) => **left == **right,
            (KeyRef::Light(left), Key::Light(right)) => left == right,
            (KeyRef::Object(left), Key::Object(right)) => left == right,
            _ => false,
        }
    }
}

impl BorrowedKey<Key> for KeyRef<'_> {
    #[inline]
    fn make_key(&self) -> Result<Key, OutOfMemory> {
        Ok(match self {
            KeyRef::Boolean(value) => Key::Boolean(*value),
            KeyRef::Integer(value) => Key::Integer(*value),
            KeyRef::Float(value) => Key::Float(*value),
            KeyRef::Text(value) => Key::Text(try_copy(value)?.into()),
            KeyRef::Light(value) => Key::Light(*value),
            KeyRef::Object(object) => Key::Object(object.clone()),
        })
    }

    #[inline]
    fn hint(&self) -> usize {
        match self {
            KeyRef::Boolean(value) => usize::from(*value),
            KeyRef::Integer(value) => *value as usize,
            KeyRef::Float(value) => (*value >> 40) as usize,
            KeyRef::Text(value) => text_hint(value),
            KeyRef::Light(value) => *value >> 4,
            KeyRef::Object(object) => object.address() >> 4,
        }
    }
}

/// Tells names apart by their length and their last few bytes.
#[inline]
fn text_hint(text: &[u8]) -> usize {
    let end = text.iter().rev().take(4);
    end.fold(text.len(), |hint, &byte| hint * 5 + usize::from(byte))
}

impl<'a> KeyRef<'a> {
    /// The owned key. Unwinds if out of memory.
    pub fn to_key(&self) -> Key {
        self.make_key()
            .unwrap_or_else(|OutOfMemory| out_of_memory())
    }

    /// What names the key without keeping an object alive: in place of an object its address.
    pub fn without_object(self) -> KeyRef<'a> {
        match self {
            KeyRef::Object(object) => KeyRef::Light(object.address()),
            key => key,
        }
    }

    /// The key at `index`, whose type is known, if the value there can be one. Strings are borrowed
    /// from the stack.
    #[inline(always)]
    pub fn of_kind(state: &'a State, kind: Kind, index: c_int) -> Option<KeyRef<'a>> {
        Some(match kind {
            Kind::String => KeyRef::Text(state.string(index)),
            Kind::Number if state.is_integer(index) => KeyRef::Integer(state.integer(index)),
            Kind::Number => {
                let number = state.number(index);
                if number.is_nan() {
                    return None;
                }
                match integral(number) {
                    Some(integer) => KeyRef::Integer(integer),
                    None => KeyRef::Float(number.to_bits()),
                }
            }
            Kind::Boolean => KeyRef::Boolean(state.truth(index)),
            Kind::Light => match state.userdata(index) as usize {
                NULL | CANCEL_ERROR if allows_object_keys(state) => return None,
                value => KeyRef::Light(value),
            },
            Kind::Userdata if allows_object_keys(state) => {
                let proxy = Userdata::<Proxy>::get(state, index)?;
                KeyRef::Object(Object(Arc::clone(&proxy.object)))
            }
            _ => return None,
        })
    }

    /// The key at `index`, if the value there can be one. Strings are borrowed from the stack.
    pub fn at(state: &'a State, index: c_int) -> Option<KeyRef<'a>> {
        KeyRef::of_kind(state, state.kind(index), index)
    }

    /// Why the value at `index` cannot be a key.
    pub fn unsuitable(state: State, index: c_int) -> Text {
        let kind = state.kind(index);
        if kind == Kind::Light {
            return if state.userdata(index) as usize == NULL {
                "can't use lanes.null as a slot: linda:send(slot, nil) sends a nil".into()
            } else {
                "can't use lanes.cancel_error as a slot".into()
            };
        }
        let wrong = if allows_object_keys(&state) {
            if kind == Kind::Userdata {
                return "can't use non-deep userdata as a slot".into();
            }
            "invalid slot type (not a boolean, string, number or light userdata), got "
        } else {
            "invalid key type (not a boolean, string, number or light userdata), got "
        };
        let given = if kind == Kind::Number {
            "NaN, which is not equal to itself"
        } else {
            state.type_name(index)
        };
        text![wrong, given]
    }

    /// The key that is argument `index`.
    ///
    /// Errors: a value that cannot be a key; NaN.
    #[inline(always)]
    pub fn argument(arguments: &'a Arguments, index: c_int) -> Result<KeyRef<'a>, Raise> {
        KeyRef::argument_of_kind(arguments, arguments.state.kind(index), index)
    }

    /// As `argument`, of one whose type is known.
    #[inline(always)]
    pub fn argument_of_kind(
        arguments: &'a Arguments,
        kind: Kind,
        index: c_int,
    ) -> Result<KeyRef<'a>, Raise> {
        KeyRef::of_kind(&arguments.state, kind, index).ok_or_else(|| no_key(arguments, index))
    }
}

/// Makes shared objects keys in this state, and the two sentinels none: for the 4.x interface.
pub fn allow_object_keys(raising: Raising) {
    raising.push_boolean(true);
    raising.raw_set_index(State::REGISTRY, KEYS.object_keys);
}

/// Whether shared objects are keys in this state.
#[cold]
fn allows_object_keys(state: &State) -> bool {
    state.raw_get_index(State::REGISTRY, KEYS.object_keys);
    let takes = state.truth(-1);
    state.pop(1);
    takes
}

/// The error about argument `index`, which cannot be a key.
#[cold]
fn no_key(arguments: &Arguments, index: c_int) -> Raise {
    arguments.error(index, KeyRef::unsuitable(arguments.state, index))
}

/// The integer equal to a float, if there is one that a float represents exactly.
#[inline]
fn integral(number: f64) -> Option<i64> {
    let limit = if compat::HAS_INTEGERS {
        9_223_372_036_854_775_808.0
    } else {
        9_007_199_254_740_992.0
    };
    (number.fract() == 0.0 && number >= -limit && number < limit).then_some(number as i64)
}
