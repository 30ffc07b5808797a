//! Lanes: native threads for Lua.
