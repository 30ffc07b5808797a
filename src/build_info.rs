//! What the build script found out about the Lua and the platform that this library was built for.

/// The Lua that this build is for, as people call it: "Lua 5.4", "LuaJIT".
pub const LUA_NAME: &str = env!("LANES_LUA_NAME");

/// Whether it is LuaJIT.
pub const LUAJIT: bool = cfg!(feature = "luajit");

/// One value in the table `lanes_core.build`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildValue {
    Text(&'static str),
    Flag(bool),
}

/// All that is known, by name; what is unknown (a revision outside a checkout, a release without
/// headers) is left out.
///
/// - `version`: version of Lanes
/// - `revision`: git revision of its sources, with `-modified` after it where they differed from it
/// - `lua`: `LUA_NAME`
/// - `lua_release`: release of the headers that were found: "Lua 5.4.4", "LuaJIT 2.1.0-beta3"
/// - `luajit`: `LUAJIT`
/// - `target`: Rust's name of the platform
/// - `linking`: where Lua's symbols come from: "host", "shared lua5.4", "raw-dylib lua54.dll",
///   "import library lua54"
/// - `link_arguments`: what the linker was told for this platform
/// - `allocator`: default protection of the host's allocator: "protected" or "none"
/// - `hooks`: whether this is a test build
pub fn entries() -> impl Iterator<Item = (&'static str, BuildValue)> {
    let entries = [
        ("version", BuildValue::Text(env!("CARGO_PKG_VERSION"))),
        ("revision", BuildValue::Text(env!("LANES_REVISION"))),
        ("lua", BuildValue::Text(LUA_NAME)),
        ("lua_release", BuildValue::Text(env!("LANES_LUA_RELEASE"))),
        ("luajit", BuildValue::Flag(LUAJIT)),
        ("target", BuildValue::Text(env!("LANES_TARGET"))),
        ("linking", BuildValue::Text(env!("LANES_LINKING"))),
        (
            "link_arguments",
            BuildValue::Text(env!("LANES_LINK_ARGUMENTS")),
        ),
        ("allocator", BuildValue::Text(env!("LANES_ALLOCATOR"))),
        ("hooks", BuildValue::Flag(cfg!(feature = "hooks"))),
    ];
    entries
        .into_iter()
        .filter(|(_, value)| *value != BuildValue::Text(""))
}
