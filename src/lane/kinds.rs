//! The kinds of userdata that a state has.

use super::handle::Handle;
use crate::lua::Userdata;
use crate::message::Proxy;

/// The kinds of userdata that all contexts of one state share. A state that is reused has one
/// context after another.
#[derive(Clone, Copy)]
pub struct Kinds {
    /// The proxies of lindas.
    pub linda: Userdata<Proxy>,
    /// The handles of lanes.
    pub handle: Userdata<Handle>,
}
