//! `Text`: the text of a message, made of bytes, because Lua strings are bytes in no particular
//! encoding.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Lua's own error when memory runs out.
pub const NOT_ENOUGH_MEMORY: &str = "not enough memory";

/// A text for a message: any bytes, of any length. If there is no memory for a part that is added,
/// the whole becomes Lua's "not enough memory" and stays so. Making a text therefore neither fails
/// nor unwinds, and is possible inside `protect`.
#[derive(Debug, PartialEq, Eq)]
pub struct Text(Cow<'static, [u8]>);

impl Text {
    /// An empty text.
    pub const fn new() -> Text {
        Text(Cow::Borrowed(b""))
    }

    /// Lua's own text when memory runs out.
    pub const fn out_of_memory() -> Text {
        Text(Cow::Borrowed(NOT_ENOUGH_MEMORY.as_bytes()))
    }

    /// Whether there was no memory for it. A text with the same words that came from elsewhere does
    /// not count.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self.0, Cow::Borrowed(text) if text == NOT_ENOUGH_MEMORY.as_bytes())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Adds a part at the end.
    pub fn add(&mut self, part: impl Part) {
        part.add_to(self);
    }

    /// As [`Text::add`]; returns the text.
    pub fn and(mut self, part: impl Part) -> Text {
        self.add(part);
        self
    }

    #[cold]
    #[inline(never)]
    fn add_bytes(&mut self, bytes: &[u8]) {
        if self.is_out_of_memory() {
            return;
        }
        let (mut text, begin) = match std::mem::take(&mut self.0) {
            Cow::Owned(text) => (text, &b""[..]),
            Cow::Borrowed(begin) => (Vec::new(), begin),
        };
        if text.try_reserve(begin.len() + bytes.len()).is_ok() {
            text.extend_from_slice(begin);
            text.extend_from_slice(bytes);
            self.0 = Cow::Owned(text);
        } else {
            *self = Text::out_of_memory();
        }
    }
}

impl Default for Text {
    fn default() -> Text {
        Text::new()
    }
}

impl Clone for Text {
    fn clone(&self) -> Text {
        match &self.0 {
            Cow::Borrowed(text) => Text(Cow::Borrowed(text)),
            Cow::Owned(text) => Text::from(&text[..]),
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add_bytes(text.as_bytes());
        Ok(())
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Text {
        Text(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(Cow::Owned(text.into_bytes()))
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Text {
        Text::new().and(bytes)
    }
}

/// What can be a part of a [`Text`]: bytes, a text, or formatted values.
pub trait Part {
    /// Adds this part at the end of `text`.
    fn add_to(self, text: &mut Text);
}

impl Part for &[u8] {
    fn add_to(self, text: &mut Text) {
        text.add_bytes(self);
    }
}

impl Part for &str {
    fn add_to(self, text: &mut Text) {
        text.add_bytes(self.as_bytes());
    }
}

impl Part for fmt::Arguments<'_> {
    fn add_to(self, text: &mut Text) {
        // Only a value that formats itself can fail, and then its text says so.
        let _ = text.write_fmt(self);
    }
}

impl Part for &Text {
    fn add_to(self, text: &mut Text) {
        if self.is_out_of_memory() {
            *text = Text::out_of_memory();
        } else {
            text.add_bytes(self.bytes());
        }
    }
}

impl Part for Text {
    fn add_to(self, text: &mut Text) {
        text.add(&self);
    }
}

/// Joins parts (see [`Part`]) into a [`Text`].
macro_rules! text {
    ($($part:expr),+ $(,)?) => {
        $crate::lua::Text::new()$(.and($part))+
    };
}
pub(crate) use text;
