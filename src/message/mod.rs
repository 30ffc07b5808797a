//! Messages: Lua values captured outside of any state, as one flat buffer and a list of counted
//! references.
//!
//! [`encode`] captures values of a state, [`decode`] builds them in another. Within one message
//! every table, function and userdata keeps its identity. A message owns no Lua object, so it can
//! wait in a queue and be dropped on any thread.

mod cache;
mod decode;
mod deep;
mod encode;
mod failure;
mod format;
mod identity;
mod lookup;
#[cfg(feature = "hooks")]
mod mutate;
mod names;
mod pools;
mod value;

pub use cache::{Conversion, Destination, Fallback, TransferCache};
pub use decode::{decode, decode_one, decode_packet, decode_packet_kept, decode_possible};
pub use deep::{Arrival, Deep, DeepKinds, KindId, Proxy, push_proxy, push_proxy_raising};
pub use encode::{encode_detached, encode_each, encode_one, encode_packet, keep_unconverted};
pub use failure::Label;
#[cfg(feature = "hooks")]
pub use mutate::decode_mutated;
pub use names::{name_as, register};
pub use pools::Coders;
pub use value::{Message, Packet};
