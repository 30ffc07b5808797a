//! The build script: examines the machine, calls the decision functions in `build/`, and passes
//! their results to Cargo.

#[path = "build/expression.rs"]
mod expression;
#[path = "build/headers.rs"]
mod headers;
#[path = "build/judge.rs"]
mod judge;
#[path = "build/link.rs"]
mod link;
#[path = "build/lua.rs"]
mod lua;
#[path = "build/places.rs"]
mod places;
#[path = "build/read.rs"]
mod read;
#[path = "build/revision.rs"]
mod revision;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use headers::Headers;
use link::{Library, Target};
use lua::Lua;
use places::{Found, Machine, Named, Package};
use read::Reader;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            println!("cargo::error={sentence}");
            ExitCode::SUCCESS
        }
    }
}

fn build() -> Result<(), String> {
    for path in [
        "build.rs",
        "build",
        "src",
        "engine/src",
        "engine/Cargo.toml",
        "Cargo.toml",
        "Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    let given: Vec<_> = Lua::ALL
        .into_iter()
        .filter(|lua| {
            let feature = lua.feature().to_uppercase();
            env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
        })
        .collect();
    let lua = lua::chosen(&given)?;

    let os = cargo("CARGO_CFG_TARGET_OS");
    let pointer_bytes = cargo("CARGO_CFG_TARGET_POINTER_WIDTH")
        .parse::<u32>()
        .map_or(8, |bits| bits / 8);
    let places = Named {
        include: setting("LUA_INCDIR")
            .or(setting("LUA_INC"))
            .map(PathBuf::from),
        prefix: setting("LUA_DIR").map(PathBuf::from),
    };
    let machine = ThisMachine {
        readers: read::readers(setting("LANES_HEADER_READER").as_deref())?,
        scratch: PathBuf::from(cargo("OUT_DIR")),
    };
    let found = places::search(lua, pointer_bytes, &os, &places, &machine)?;
    let (headers, library) = match found {
        Found::Headers {
            headers,
            directories,
            library,
            ..
        } => {
            for directory in &directories {
                for file in ["lua.h", "luaconf.h", "luajit.h"] {
                    let path = directory.join(file);
                    if path.is_file() {
                        println!("cargo::rerun-if-changed={}", path.display());
                    }
                }
            }
            (Some(headers), library)
        }
        Found::Nothing(why) => {
            println!(
                "cargo::warning={why}; going by the feature {} alone",
                lua.feature()
            );
            (None, Library::default())
        }
    };
    if let Some(warning) = headers
        .as_ref()
        .and_then(|headers| judge::loader_warning(lua, headers, &os))
    {
        println!("cargo::warning={warning}");
    }
    let named = Library {
        names: setting("LUA_LIB_NAME").into_iter().collect(),
        directories: setting("LUA_LIB").map(PathBuf::from).into_iter().collect(),
    };
    let needs_threads = |file: PathBuf| {
        let contents = std::fs::read(&file).ok()?;
        Some((file, judge::needs_threads(&contents)))
    };
    let found = named.files().chain(library.files()).find_map(needs_threads);
    let found = found.as_ref().map(|(file, needs)| (file.as_path(), *needs));
    if let Some(warning) = judge::threads_warning(&os, found) {
        println!("cargo::warning={warning}");
    }

    let linking = link::decide(
        &Target {
            os,
            env: cargo("CARGO_CFG_TARGET_ENV"),
            static_c_runtime: cargo("CARGO_CFG_TARGET_FEATURE")
                .split(',')
                .any(|feature| feature == "crt-static"),
            linker: env::var_os("RUSTC_LINKER").map(PathBuf::from),
        },
        lua,
        setting("LANES_LINK").as_deref(),
        &named,
        &library,
    )?;
    for line in &linking.lines {
        println!("{line}");
    }

    let release = headers.map_or(String::new(), |headers| headers.release);
    let revision = revision::revision(Path::new(&cargo("CARGO_MANIFEST_DIR"))).unwrap_or_default();
    for (fact, value) in [
        ("LUA_NAME", lua.name()),
        ("LUA_RELEASE", &release),
        ("TARGET", &cargo("TARGET")),
        ("LINKING", &linking.mode),
        ("LINK_ARGUMENTS", &linking.arguments()),
        ("ALLOCATOR", judge::default_allocator(lua)),
        ("REVISION", &revision),
    ] {
        println!("cargo::rustc-env=LANES_{fact}={value}");
    }
    Ok(())
}

/// A variable that Cargo sets for build scripts; empty if it does not apply.
fn cargo(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// A variable that the user may set; empty counts as unset.
fn setting(name: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}

struct ThisMachine {
    readers: &'static [Reader],
    scratch: PathBuf,
}

impl Machine for ThisMachine {
    fn has_lua_h(&self, directory: &Path) -> bool {
        directory.join("lua.h").is_file()
    }

    fn package(&self, name: &str) -> Option<Package> {
        let package = pkg_config::Config::new()
            .cargo_metadata(false)
            .env_metadata(true)
            .probe(name)
            .ok()?;
        Some(Package {
            includes: package.include_paths,
            library: Library {
                names: package.libs,
                directories: package.link_paths,
            },
        })
    }

    fn read(&self, directories: &[PathBuf]) -> Result<Headers, String> {
        read::read(directories, &self.scratch, self.readers)
    }
}
