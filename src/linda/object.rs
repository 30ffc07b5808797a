//! A linda as an object: its queues and its name.

use super::key::Key;
use super::restrictions::Restrictions;
use crate::lua::Raising;
use crate::message::{Deep, DeepKinds, KindId, Message};
use lanes_engine::memory::grow;
use lanes_engine::queues::{Element, Queues};

/// Identifies lindas among the objects that states share.
pub const KIND: KindId = 1;

/// A linda: its queues and its name.
pub struct Linda {
    /// The queues, by key.
    pub queues: Queues<Key, Message>,
    /// Its name; empty if it has none.
    pub name: Vec<u8>,
    /// Seconds after which a wait on it looks for requests.
    pub wake_period: Option<f64>,
    /// Which operations slots are restricted to.
    pub restrictions: Restrictions,
    /// Whether its proxies have a function for the end of the variables that close them.
    pub has_close_handler: bool,
}

impl Element for Message {
    #[inline]
    fn detached(&self) -> usize {
        Message::detached(self)
    }

    fn attach(self, bytes: &[u8]) -> Message {
        Message::attach(self, bytes)
    }
}

impl Linda {
    /// An empty linda.
    pub fn new(name: &[u8]) -> Linda {
        Linda {
            queues: Queues::new(),
            name: grow::copy(name),
            wake_period: None,
            restrictions: Restrictions::default(),
            has_close_handler: false,
        }
    }

    /// What `tostring` returns: `Linda: ` and the name, or the address if it has no name. Unwinds
    /// if there is no memory for it.
    pub fn display(&self) -> Vec<u8> {
        let address;
        let name = if self.name.is_empty() {
            address = format!("{:p}", std::ptr::from_ref(self));
            address.as_bytes()
        } else {
            &self.name
        };
        let mut text = grow::list(DISPLAY_PREFIX.len() + name.len());
        text.extend_from_slice(DISPLAY_PREFIX);
        text.extend_from_slice(name);
        text
    }
}

/// What the texts of all lindas begin with.
const DISPLAY_PREFIX: &[u8] = b"Linda: ";

impl Deep for Linda {
    fn kind(&self) -> KindId {
        KIND
    }

    fn prepare(&self, _kinds: &DeepKinds, _raising: Raising) -> bool {
        // Every context has the metatable of lindas from the start.
        true
    }

    fn user_values(&self) -> u8 {
        u8::from(self.has_close_handler)
    }

    fn keeps_user_values(&self) -> bool {
        true
    }
}
