//! The engine without Lua: its modules are built here once more, so that their unit tests run where Lua's symbols are not needed.
#![allow(dead_code)]

#[path = "../src/grow.rs"]
mod grow;
#[path = "../src/park/mod.rs"]
mod park;
#[path = "../src/sync/mod.rs"]
mod sync;

#[path = "../src/linda"]
mod linda {
    pub mod queues;
}

#[path = "../src/threads"]
mod threads {
    pub mod fork;
    pub mod pool;
    pub mod reserved;
    pub mod stack;
}

#[path = "../src/timer"]
mod timer {
    pub mod service;
}

#[path = "engine/stress.rs"]
mod stress;
