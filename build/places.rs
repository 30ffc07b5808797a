//! Where the headers of the chosen Lua are searched, and which of those found are used.

use std::path::{Path, PathBuf};

use crate::headers::Headers;
use crate::judge;
use crate::link::Library;
use crate::lua::Lua;

/// The environment variables that name a place; empty counts as unset.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// `LUA_INCDIR` (or `LUA_INC`): the directory that contains lua.h.
    pub include: Option<PathBuf>,
    /// `LUA_DIR`: the prefix under which Lua is installed, or its source directory.
    pub prefix: Option<PathBuf>,
}

/// What pkg-config says about a package.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Include directories; empty if the compiler's own suffice.
    pub includes: Vec<PathBuf>,
    /// The directory and the name of its library.
    pub library: Library,
}

/// The machine that is searched.
pub trait Machine {
    /// Whether the directory has a lua.h.
    fn has_lua_h(&self, directory: &Path) -> bool;
    /// What pkg-config says about a package, by its name.
    fn package(&self, name: &str) -> Option<Package>;
    /// Reads the headers, with these include directories.
    fn read(&self, directories: &[PathBuf]) -> Result<Headers, String>;
}

/// The result of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Headers of the chosen Lua.
    Headers {
        headers: Headers,
        /// What named the place: "LUA_INCDIR", "pkg-config lua5.4".
        named_by: String,
        directories: Vec<PathBuf>,
        library: Library,
    },
    /// No headers; the sentence says where they were searched.
    Nothing(String),
}

/// pkg-config's names for this Lua: Debian and Ubuntu (`lua5.4`), Fedora and FreeBSD (`lua-5.4`),
/// Arch (`lua54`), Alpine (`lua5.4`), Homebrew (`lua5.4`, `lua-5.4`, `lua`), and everywhere the
/// newest one (`lua`).
pub fn package_names(lua: Lua) -> &'static [&'static str] {
    match lua {
        Lua::V51 => &["lua5.1", "lua-5.1", "lua51", "lua"],
        Lua::V52 => &["lua5.2", "lua-5.2", "lua52", "lua"],
        Lua::V53 => &["lua5.3", "lua-5.3", "lua53", "lua"],
        Lua::V54 => &["lua5.4", "lua-5.4", "lua54", "lua"],
        Lua::V55 => &["lua5.5", "lua-5.5", "lua55", "lua"],
        Lua::Jit => &["luajit"],
    }
}

/// The directories that may hold lua.h under a prefix, or in a source directory.
pub fn under_prefix(prefix: &Path, lua: Lua) -> Vec<PathBuf> {
    let version = lua.version();
    let names = match lua {
        Lua::Jit => vec!["luajit-2.1".to_string(), "luajit-2.0".to_string()],
        _ => vec![
            format!("lua{version}"),
            format!("lua-{version}"),
            format!("lua{}", version.replace('.', "")),
        ],
    };
    let include = prefix.join("include");
    let mut places: Vec<_> = names.iter().map(|name| include.join(name)).collect();
    places.extend([include, prefix.join("src"), prefix.to_path_buf()]);
    places
}

/// Searches the places that the variables name, then asks pkg-config. Returns an error, one
/// sentence, if a named place contradicts `lua`.
pub fn search(
    lua: Lua,
    pointer_bytes: u32,
    os: &str,
    named: &Named,
    machine: &dyn Machine,
) -> Result<Found, String> {
    if let Some((variable, directory)) = named_place(lua, named, machine)? {
        let directories = vec![directory];
        let headers = match machine.read(&directories) {
            Ok(headers) => headers,
            Err(why) => return Ok(Found::Nothing(unreadable(&directories, &why))),
        };
        judge::judge(lua, &headers, &directories, pointer_bytes, os)?;
        return Ok(Found::Headers {
            headers,
            named_by: variable.to_string(),
            directories,
            library: Library::default(),
        });
    }
    let mut others = Vec::new();
    for name in package_names(lua) {
        let Some(package) = machine.package(name) else {
            continue;
        };
        let headers = match machine.read(&package.includes) {
            Ok(headers) => headers,
            Err(why) => {
                others.push(unreadable(&package.includes, &why));
                continue;
            }
        };
        // The package `lua` may be any version, so a different one is not an error.
        if *name == "lua" && !judge::is_version(lua, &headers) {
            others.push(format!("pkg-config's `lua` is {}", headers.release));
            continue;
        }
        judge::judge(lua, &headers, &package.includes, pointer_bytes, os)?;
        return Ok(Found::Headers {
            headers,
            named_by: format!("pkg-config {name}"),
            directories: package.includes,
            library: package.library,
        });
    }
    let asked = package_names(lua).join(", ");
    let mut sentence = format!(
        "no headers of {} were found (neither LUA_INCDIR nor LUA_DIR is set, and pkg-config was asked for {asked})",
        lua.name()
    );
    // Several names may lead to the same headers.
    others.dedup();
    for other in others {
        sentence = format!("{sentence}; {other}");
    }
    Ok(Found::Nothing(sentence))
}

/// The place that a variable names, and that variable. A named place without lua.h is an error.
fn named_place(
    lua: Lua,
    named: &Named,
    machine: &dyn Machine,
) -> Result<Option<(&'static str, PathBuf)>, String> {
    if let Some(directory) = &named.include {
        if !machine.has_lua_h(directory) {
            return Err(format!(
                "LUA_INCDIR is {}, but there is no lua.h in it: set it to the directory with the headers of {}, or unset it",
                directory.display(),
                lua.name()
            ));
        }
        return Ok(Some(("LUA_INCDIR", directory.clone())));
    }
    if let Some(prefix) = &named.prefix {
        let places = under_prefix(prefix, lua);
        return match places.into_iter().find(|place| machine.has_lua_h(place)) {
            Some(directory) => Ok(Some(("LUA_DIR", directory))),
            None => Err(format!(
                "LUA_DIR is {}, but there is no lua.h under it: set it to the prefix where {} is installed, \
                 set LUA_INCDIR to the directory with its headers, or unset both",
                prefix.display(),
                lua.name()
            )),
        };
    }
    Ok(None)
}

fn unreadable(directories: &[PathBuf], why: &str) -> String {
    format!(
        "the headers in {} could not be read ({why})",
        judge::listed(directories)
    )
}
