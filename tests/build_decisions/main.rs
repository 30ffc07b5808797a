//! What the build script decides, for every Lua and platform, whatever machine this runs on.
//! Only running the readers needs a machine; ci/checks/headers does that.

#[path = "../../build/expression.rs"]
mod expression;
#[path = "../../build/headers.rs"]
mod headers;
#[path = "../../build/judge.rs"]
mod judge;
#[path = "../../build/link.rs"]
mod link;
#[path = "../../build/lua.rs"]
mod lua;
#[path = "../../build/places.rs"]
mod places;

mod answers;
mod choosing;
mod constants;
mod decisions;
mod judging;
mod linking;
mod searching;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use headers::Headers;
use link::{Library, Linking, Target};
use lua::Lua;
use places::{Found, Machine, Named, Package};

/// The headers of a stock Lua on a 64-bit Unix.
fn stock(lua: Lua) -> Headers {
    let (release, integer, registry_index) = match lua {
        Lua::V51 => ("Lua 5.1.5", "ptrdiff_t", -10_000),
        Lua::V52 => ("Lua 5.2.4", "ptrdiff_t", -1_001_000),
        Lua::V53 => ("Lua 5.3.6", "long long", -1_001_000),
        Lua::V54 => ("Lua 5.4.7", "long long", -1_001_000),
        Lua::V55 => ("Lua 5.5.0", "long long", -1_073_742_823),
        Lua::Jit => ("LuaJIT 2.1.1700008891", "ptrdiff_t", -10_000),
    };
    Headers {
        release: release.to_string(),
        version_num: lua.version_num(),
        jit: lua.is_jit(),
        number: "double".to_string(),
        integer: integer.to_string(),
        registry_index,
        id_size: 60,
        dyld: false,
    }
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| item.to_string()).collect()
}
