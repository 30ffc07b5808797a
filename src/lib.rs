//! Lanes: native threads for Lua.
//!
//! The crate is a house of floors; a floor uses those below it, and all of them the engine
//! (`lanes_engine`), which knows no Lua:
//! 1. [`lua`] (the language border), [`build_info`]
//! 2. [`message`] (captured values), [`state`] (Lua states for lanes)
//! 3. [`linda`] and [`lane`] as objects
//! 4. [`timer`], [`universe`] (what lanes have in common), [`scope`], [`context`] (what our
//!    functions know in one state), [`loading`]
//! 5. [`api`] (what Lua calls), `capi` (the C interface)

#![deny(unsafe_code)]

mod api;
mod build_info;
mod capi;
mod context;
mod deadlocks;
mod lane;
mod linda;
mod loading;
mod lua;
mod message;
mod notifier;
mod scope;
mod state;
mod timer;
mod universe;
