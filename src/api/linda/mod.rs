//! What Lua calls of lindas: their methods, locks and atomic numbers.

pub mod arguments;
pub mod inspect;
pub mod locks;
pub mod methods;
pub mod receive;
pub mod results;
pub mod send;
