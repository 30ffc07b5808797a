//! The Luas that the library can be built for, and the choice of exactly one of them.

/// A Lua with a distinct ABI; each has a Cargo feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lua {
    V51,
    V52,
    V53,
    V54,
    V55,
    Jit,
}

impl Lua {
    /// Every Lua, in the order in which messages list them.
    pub const ALL: [Lua; 6] = [Lua::V51, Lua::V52, Lua::V53, Lua::V54, Lua::V55, Lua::Jit];

    /// The Cargo feature that selects this Lua.
    pub fn feature(self) -> &'static str {
        match self {
            Lua::V51 => "lua51",
            Lua::V52 => "lua52",
            Lua::V53 => "lua53",
            Lua::V54 => "lua54",
            Lua::V55 => "lua55",
            Lua::Jit => "luajit",
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Lua::V51 => "Lua 5.1",
            Lua::V52 => "Lua 5.2",
            Lua::V53 => "Lua 5.3",
            Lua::V54 => "Lua 5.4",
            Lua::V55 => "Lua 5.5",
            Lua::Jit => "LuaJIT",
        }
    }

    /// The version of the language, as in `_VERSION` and directory names; 5.1 for LuaJIT.
    pub fn version(self) -> &'static str {
        match self {
            Lua::V51 | Lua::Jit => "5.1",
            Lua::V52 => "5.2",
            Lua::V53 => "5.3",
            Lua::V54 => "5.4",
            Lua::V55 => "5.5",
        }
    }

    /// The value of `LUA_VERSION_NUM`.
    pub fn version_num(self) -> i64 {
        match self {
            Lua::V51 | Lua::Jit => 501,
            Lua::V52 => 502,
            Lua::V53 => 503,
            Lua::V54 => 504,
            Lua::V55 => 505,
        }
    }

    /// Whether this is LuaJIT.
    pub fn is_jit(self) -> bool {
        self == Lua::Jit
    }
}

/// The one Lua whose feature was given, or the error, one sentence, that stops the build.
pub fn chosen(given: &[Lua]) -> Result<Lua, String> {
    const REMEDY: &str = "build with exactly one of the features lua51, lua52, lua53, lua54, lua55 or luajit, \
                          for example `cargo build --release --features lua54`";
    match given {
        [lua] => Ok(*lua),
        [] => Err(format!("no Lua was chosen: {REMEDY}")),
        several => {
            let names: Vec<_> = several.iter().map(|lua| lua.feature()).collect();
            Err(format!(
                "{} Luas were chosen ({}): {REMEDY}",
                names.len(),
                names.join(", ")
            ))
        }
    }
}
