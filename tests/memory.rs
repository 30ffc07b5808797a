//! The library's own memory without the library: its allocator is that of this test.
#![allow(dead_code)]

#[cfg(feature = "hooks")]
#[path = "../src/hooks"]
mod hooks {
    pub mod plan;
}

#[path = "../src/memory.rs"]
mod memory;
