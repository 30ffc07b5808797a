//! How the library finds Lua's symbols when it is loaded, and the linker arguments for that.

use std::path::{Path, PathBuf};

use crate::lua::Lua;

/// The target platform, by Cargo's names.
#[derive(Clone, Debug)]
pub struct Target {
    /// `CARGO_CFG_TARGET_OS`.
    pub os: String,
    /// `CARGO_CFG_TARGET_ENV`.
    pub env: String,
    /// Whether `crt-static` is among `CARGO_CFG_TARGET_FEATURE`.
    pub static_c_runtime: bool,
    /// The linker that Cargo is configured to use (`RUSTC_LINKER`); `None` if it uses the default C
    /// compiler.
    pub linker: Option<PathBuf>,
}

/// A Lua library: its name, without prefix and extension, and its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library {
    pub names: Vec<String>,
    pub directories: Vec<PathBuf>,
}

impl Library {
    /// Where Lua's own shared library may be; others may be named with it.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.directories.iter().flat_map(|directory| {
            let file = |name: &String| directory.join(format!("lib{name}.so"));
            self.names
                .iter()
                .filter(|name| name.contains("lua"))
                .map(file)
        })
    }
}

/// The linking mode, as in `lanes_core.build`, and the lines for Cargo that set it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linking {
    pub mode: String,
    pub lines: Vec<String>,
}

impl Linking {
    /// What the linker of the library is told, as one text.
    pub fn arguments(&self) -> String {
        let arguments: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| line.strip_prefix("cargo::rustc-cdylib-link-arg="))
            .collect();
        arguments.join(" ")
    }
}

/// Chooses the linking mode. `wish` is the value of `LANES_LINK`, `named` the library of
/// `LUA_LIB_NAME` and `LUA_LIB`, `found` the one that pkg-config names.
pub fn decide(
    target: &Target,
    lua: Lua,
    wish: Option<&str>,
    named: &Library,
    found: &Library,
) -> Result<Linking, String> {
    let shared = match wish.unwrap_or_default() {
        "" | "host" => false,
        "shared" => true,
        other => {
            return Err(format!(
                "LANES_LINK is `{other}`, but must be `host` (Lua's symbols come from the program that loads the library), \
                 `shared` (from a named liblua) or unset"
            ));
        }
    };
    if target.os == "none"
        || target.os == "unknown"
        || target.os == "wasi"
        || target.os == "emscripten"
    {
        return Err(format!(
            "the target's system is `{}`, which has no threads or no dynamic libraries",
            target.os
        ));
    }
    if target.env == "musl" && target.static_c_runtime {
        return Err(
            "with a static C runtime there are no dynamic libraries: set RUSTFLAGS=\"-C target-feature=-crt-static\""
                .to_string(),
        );
    }
    let mut linking = match (target.os.as_str(), shared) {
        ("windows", _) => windows(lua, named),
        (_, true) => named_library(lua, if named.names.is_empty() { found } else { named })?,
        (_, false) => host(),
    };
    linking.lines.extend(for_system(&target.os, shared));
    linking.lines.extend(own_name(target));
    Ok(linking)
}

/// Sets the SONAME of the library, which programs that are linked with it record: the name of the
/// installed file, and not that of the file that Cargo makes (which some releases of Rust record).
fn own_name(target: &Target) -> Option<String> {
    if ["windows", "macos", "ios"].contains(&target.os.as_str()) {
        return None;
    }
    let linker = target.linker.as_deref().and_then(Path::file_stem);
    let bare = linker.and_then(|name| name.to_str()).is_some_and(|name| {
        name == "ld" || name.starts_with("ld.") || name.ends_with("-ld") || name.contains("lld")
    });
    let argument = if bare {
        "-soname=lanes_core.so"
    } else {
        "-Wl,-soname,lanes_core.so"
    };
    Some(format!("cargo::rustc-cdylib-link-arg={argument}"))
}

/// Lua's symbols come from the program that loads the library; the linker must allow them to be
/// undefined.
fn host() -> Linking {
    Linking {
        mode: "host".to_string(),
        lines: Vec::new(),
    }
}

/// The bindings name the DLL themselves (raw-dylib) unless `LUA_LIB_NAME` names an import library.
fn windows(lua: Lua, named: &Library) -> Linking {
    match named.names.first() {
        Some(name) => Linking {
            mode: format!("import library {name}"),
            lines: Vec::new(),
        },
        None => Linking {
            mode: format!("raw-dylib lua{}.dll", lua.version().replace('.', "")),
            // For the functions that our own bindings add to those of mlua-sys.
            lines: vec!["cargo::rustc-cfg=raw_dylib".to_string()],
        },
    }
}

fn named_library(lua: Lua, library: &Library) -> Result<Linking, String> {
    if library.names.is_empty() {
        return Err(format!(
            "LANES_LINK is `shared`, but nothing names the library: set LUA_LIB_NAME (for example lua{}) \
             and, where the linker needs it, LUA_LIB to its directory",
            lua.version()
        ));
    }
    let directories = library
        .directories
        .iter()
        .map(|directory| format!("cargo::rustc-link-search=native={}", directory.display()));
    let libraries = library
        .names
        .iter()
        .map(|name| format!("cargo::rustc-link-lib=dylib={name}"));
    Ok(Linking {
        mode: format!("shared {}", library.names.join(" ")),
        lines: directories.chain(libraries).collect(),
    })
}

/// Further arguments that the system's linker needs, in a form that both compiler drivers and
/// linkers accept.
fn for_system(os: &str, shared: bool) -> Vec<String> {
    // Threads may outlive the Lua state that loaded the library, so it must not be unloaded.
    const STAY: [&str; 2] = ["-z", "nodelete"];
    let arguments: &[&str] = match os {
        "windows" => &[],
        "macos" | "ios" if shared => &[],
        "macos" | "ios" => &["-undefined", "dynamic_lookup"],
        // Lua is not linked with the threads library, which must be loaded before the first thread
        // starts.
        "freebsd" => &[STAY[0], STAY[1], "-lpthread"],
        _ => &STAY,
    };
    arguments
        .iter()
        .map(|argument| format!("cargo::rustc-cdylib-link-arg={argument}"))
        .collect()
}
