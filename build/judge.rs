//! Whether headers belong to the chosen Lua and have the ABI that the bindings assume; if not, the
//! error that stops the build.

use std::path::{Path, PathBuf};

use crate::headers::Headers;
use crate::lua::Lua;

/// Whether the headers are of this Lua, whatever its configuration.
pub fn is_version(lua: Lua, headers: &Headers) -> bool {
    headers.version_num == lua.version_num() && headers.jit == lua.is_jit()
}

/// Returns an error, one sentence, if the headers contradict the chosen Lua or the ABI of
/// mlua-sys's bindings. `pointer_bytes` and `os` are the target's.
pub fn judge(
    lua: Lua,
    headers: &Headers,
    directories: &[PathBuf],
    pointer_bytes: u32,
    os: &str,
) -> Result<(), String> {
    let place = listed(directories);
    if !is_version(lua, headers) {
        let other = Lua::ALL.into_iter().find(|lua| is_version(*lua, headers));
        let remedy = match other {
            Some(other) => format!("build with --features {}, or", other.feature()),
            None => "this Lua is not supported;".to_string(),
        };
        return Err(format!(
            "the feature {} was given, but the headers in {place} are those of {}: \
             {remedy} set LUA_INCDIR to the directory with the headers of {}",
            lua.feature(),
            headers.release,
            lua.name()
        ));
    }
    let stop = |what: &str, assumed: &str, found: &str| {
        Err(format!(
            "the {} in {place} has {what} {found}, but Lanes needs {assumed}: build against a {} with the default {what}",
            headers.release,
            lua.name()
        ))
    };
    if headers.number != "double" {
        return stop("lua_Number", "double", &headers.number);
    }
    let expected = integer_bytes(lua, pointer_bytes);
    if bytes_of(&headers.integer, pointer_bytes, os) != Some(expected) {
        let assumed = format!("{} bits", expected * 8);
        return stop("lua_Integer", &assumed, &headers.integer);
    }
    if headers.registry_index != registry_index(lua) {
        return stop(
            "LUA_REGISTRYINDEX (by its LUAI_MAXSTACK)",
            &registry_index(lua).to_string(),
            &headers.registry_index.to_string(),
        );
    }
    if headers.id_size != 60 {
        return stop("LUA_IDSIZE", "60", &headers.id_size.to_string());
    }
    Ok(())
}

/// The `LUA_REGISTRYINDEX` that mlua-sys's bindings assume.
fn registry_index(lua: Lua) -> i64 {
    match lua {
        Lua::V51 | Lua::Jit => -10_000,
        Lua::V52 | Lua::V53 | Lua::V54 => -1_001_000,
        Lua::V55 => -(i64::from(i32::MAX) / 2 + 1000),
    }
}

/// The size of `lua_Integer` that mlua-sys's bindings assume: up to 5.2, that of `ptrdiff_t`.
fn integer_bytes(lua: Lua, pointer_bytes: u32) -> u32 {
    match lua {
        Lua::V51 | Lua::V52 | Lua::Jit => pointer_bytes,
        Lua::V53 | Lua::V54 | Lua::V55 => 8,
    }
}

fn bytes_of(integer: &str, pointer_bytes: u32, os: &str) -> Option<u32> {
    match integer {
        "long long" | "long long int" | "int64_t" => Some(8),
        "ptrdiff_t" | "intptr_t" | "ssize_t" => Some(pointer_bytes),
        "long" | "long int" if os == "windows" => Some(4),
        "long" | "long int" => Some(pointer_bytes),
        "int" | "int32_t" => Some(4),
        _ => None,
    }
}

/// Directories as text, for messages.
pub fn listed(directories: &[PathBuf]) -> String {
    if directories.is_empty() {
        return "the compiler's own include directories".to_string();
    }
    let names: Vec<_> = directories
        .iter()
        .map(|directory| directory.display().to_string())
        .collect();
    names.join(", ")
}

/// The default protection of the host's allocator. LuaJIT's allocator is tied to its state, so
/// sharing it needs a lock; with PUC-Rio's Lua, lanes have their own allocators.
pub fn default_allocator(lua: Lua) -> &'static str {
    if lua.is_jit() { "protected" } else { "none" }
}

/// The warning about a Lua 5.1 for macOS whose loader allows one state only to load a C module. If
/// the headers do not select a loader, the flags of Lua's own build did, which the headers do not
/// show; those of its makefile select `dlopen`.
pub fn loader_warning(lua: Lua, headers: &Headers, os: &str) -> Option<String> {
    (os == "macos" && lua == Lua::V51 && headers.dyld).then(|| {
        "this Lua 5.1 was configured with LUA_DL_DYLD: its loader cannot load a C module into several states, \
         so lanes will fail to `require` C modules; use a Lua built with -DLUA_USE_DLOPEN and without LUA_USE_MACOSX"
            .to_string()
    })
}

/// Whether a library, by its contents, needs one of threads, as Lua's own does on FreeBSD if it was
/// built for it: the list of libraries that it needs is a text in it.
pub fn needs_threads(contents: &[u8]) -> bool {
    let mentions = |name: &[u8]| contents.windows(name.len()).any(|part| part == name);
    mentions(b"\0libthr.so.") || mentions(b"\0libpthread.so.")
}

/// The warning about a Lua for FreeBSD that was built without the library of threads. `library` is
/// Lua's own, if it was found, and whether it needs that.
pub fn threads_warning(os: &str, library: Option<(&Path, bool)>) -> Option<String> {
    let (path, _) = library.filter(|(_, threads)| os == "freebsd" && !threads)?;
    Some(format!(
        "{} was built without the library of threads: if the interpreter says `in malloc(): error: recursive call`, \
         set LD_PRELOAD=/lib/libthr.so.3 for it, or build Lua with MYLIBS=-lpthread",
        path.display()
    ))
}
