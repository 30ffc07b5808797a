//! What the build script found out about the Lua and the platform that this library was built for.

/// The Lua that was chosen, as people call it: "Lua 5.4", "LuaJIT".
pub const LUA_NAME: &str = env!("LANES_LUA_NAME");

/// Whether it is LuaJIT.
pub const LUAJIT: bool = cfg!(feature = "luajit");

/// One entry of the table `lanes_core.build`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    Text(&'static str),
    Flag(bool),
}

/// All that is known, by name; what is unknown (a revision outside a checkout, a release without headers) is left out.
///
/// - `version`: version of Lanes
/// - `revision`: git revision of its sources, with `-modified` after it where they differed from it
/// - `lua`: `LUA_NAME`
/// - `lua_release`: release of the headers that were found: "Lua 5.4.4", "LuaJIT 2.1.0-beta3"
/// - `luajit`: `LUAJIT`
/// - `target`: Rust's name of the platform
/// - `linking`: where Lua's symbols come from: "host", "shared lua5.4", "raw-dylib lua54.dll", "import library lua54"
/// - `allocator`: default protection of the host's allocator: "protected" or "none"
/// - `hooks`: whether this is a test build
pub fn facts() -> impl Iterator<Item = (&'static str, Fact)> {
    let facts = [
        ("version", Fact::Text(env!("CARGO_PKG_VERSION"))),
        ("revision", Fact::Text(env!("LANES_REVISION"))),
        ("lua", Fact::Text(LUA_NAME)),
        ("lua_release", Fact::Text(env!("LANES_LUA_RELEASE"))),
        ("luajit", Fact::Flag(LUAJIT)),
        ("target", Fact::Text(env!("LANES_TARGET"))),
        ("linking", Fact::Text(env!("LANES_LINKING"))),
        ("allocator", Fact::Text(env!("LANES_ALLOCATOR"))),
        ("hooks", Fact::Flag(cfg!(feature = "hooks"))),
    ];
    facts
        .into_iter()
        .filter(|(_, fact)| *fact != Fact::Text(""))
}
