//! Headers are found where the builder says, or under the names that distributions use.

use super::*;

/// A machine with these directories of headers, and these pkg-config packages.
#[derive(Default)]
struct Imagined {
    headers: HashMap<PathBuf, Headers>,
    packages: HashMap<&'static str, Package>,
}

impl Imagined {
    fn with_directory(mut self, directory: &str, headers: Headers) -> Self {
        self.headers.insert(directory.into(), headers);
        self
    }

    fn with_package(mut self, name: &'static str, directory: &str, library: &str) -> Self {
        let package = Package {
            includes: vec![directory.into()],
            library: Library {
                names: strings(&[library]),
                directories: vec!["/usr/lib".into()],
            },
        };
        self.packages.insert(name, package);
        self
    }

    fn search(&self, lua: Lua, named: &Named) -> Result<Found, String> {
        places::search(lua, 8, "linux", named, self)
    }
}

impl Machine for Imagined {
    fn has_lua_h(&self, directory: &Path) -> bool {
        self.headers.contains_key(directory)
    }

    fn package(&self, name: &str) -> Option<Package> {
        self.packages.get(name).cloned()
    }

    fn read(&self, directories: &[PathBuf]) -> Result<Headers, String> {
        let found = directories
            .iter()
            .find_map(|directory| self.headers.get(directory));
        found.cloned().ok_or("no compiler".to_string())
    }
}

fn include(directory: &str) -> Named {
    Named {
        include: Some(directory.into()),
        prefix: None,
    }
}

fn prefix(directory: &str) -> Named {
    Named {
        include: None,
        prefix: Some(directory.into()),
    }
}

fn place(found: &Found) -> (String, Vec<PathBuf>) {
    match found {
        Found::Headers {
            named_by,
            directories,
            ..
        } => (named_by.clone(), directories.clone()),
        Found::Nothing(why) => panic!("nothing found: {why}"),
    }
}

#[test]
fn every_distribution_s_name_is_asked() {
    let names = [
        // Debian, Ubuntu, Alpine, Homebrew
        (
            "lua5.",
            vec![Lua::V51, Lua::V52, Lua::V53, Lua::V54, Lua::V55],
        ),
        // Fedora's compat packages, FreeBSD
        (
            "lua-5.",
            vec![Lua::V51, Lua::V52, Lua::V53, Lua::V54, Lua::V55],
        ),
        // Arch
        (
            "lua5",
            vec![Lua::V51, Lua::V52, Lua::V53, Lua::V54, Lua::V55],
        ),
    ];
    for (start, luas) in names {
        for lua in luas {
            let minor = &lua.version()[2..];
            let name = format!("{start}{minor}");
            assert!(
                places::package_names(lua).contains(&name.as_str()),
                "{name}"
            );
        }
    }
    assert_eq!(places::package_names(Lua::Jit), ["luajit"]);
}

#[test]
fn each_name_leads_to_its_headers_and_library() {
    for lua in Lua::ALL {
        for name in places::package_names(lua) {
            let machine = Imagined::default()
                .with_directory("/usr/include/x", stock(lua))
                .with_package(name, "/usr/include/x", "luax");
            let found = machine.search(lua, &Named::default()).unwrap();
            assert_eq!(
                found,
                Found::Headers {
                    headers: stock(lua),
                    named_by: format!("pkg-config {name}"),
                    directories: vec!["/usr/include/x".into()],
                    library: Library {
                        names: strings(&["luax"]),
                        directories: vec!["/usr/lib".into()]
                    },
                }
            );
        }
    }
}

#[test]
fn the_unversioned_name_may_be_another_lua() {
    let machine = Imagined::default()
        .with_directory("/usr/include", stock(Lua::V54))
        .with_package("lua", "/usr/include", "lua");
    let Found::Nothing(why) = machine.search(Lua::V51, &Named::default()).unwrap() else {
        panic!("found Lua 5.4 for Lua 5.1");
    };
    assert!(why.contains("no headers of Lua 5.1 were found"), "{why}");
    assert!(
        why.contains("lua5.1, lua-5.1, lua51, lua") && why.contains("`lua` is Lua 5.4.7"),
        "{why}"
    );
}

#[test]
fn a_versioned_name_may_not() {
    let machine = Imagined::default()
        .with_directory("/usr/include", stock(Lua::Jit))
        .with_package("lua5.1", "/usr/include", "lua");
    let sentence = machine.search(Lua::V51, &Named::default()).unwrap_err();
    assert!(
        sentence.contains("are those of LuaJIT") && sentence.contains("--features luajit"),
        "{sentence}"
    );
}

#[test]
fn lua_incdir_comes_first() {
    let machine = Imagined::default()
        .with_directory("/mine", stock(Lua::V53))
        .with_directory("/usr/include/lua5.3", stock(Lua::V53))
        .with_package("lua5.3", "/usr/include/lua5.3", "lua5.3");
    let both = Named {
        include: Some("/mine".into()),
        prefix: Some("/elsewhere".into()),
    };
    assert_eq!(
        place(&machine.search(Lua::V53, &both).unwrap()),
        ("LUA_INCDIR".to_string(), vec!["/mine".into()])
    );
}

#[test]
fn lua_incdir_of_another_lua_stops() {
    let machine = Imagined::default().with_directory("/mine", stock(Lua::V54));
    let sentence = machine.search(Lua::V51, &include("/mine")).unwrap_err();
    assert!(
        sentence.contains("the feature lua51") && sentence.contains("Lua 5.4.7"),
        "{sentence}"
    );
}

#[test]
fn lua_incdir_without_headers_stops() {
    let sentence = Imagined::default()
        .search(Lua::V54, &include("/nowhere"))
        .unwrap_err();
    assert_eq!(
        sentence,
        "LUA_INCDIR is /nowhere, but there is no lua.h in it: \
         set it to the directory with the headers of Lua 5.4, or unset it"
    );
}

#[test]
fn lua_dir_is_a_prefix_or_a_source_tree() {
    for (lua, directory) in [
        (Lua::V51, "/p/include/lua5.1"),
        (Lua::V52, "/p/include/lua-5.2"),
        (Lua::V53, "/p/include/lua53"),
        (Lua::V54, "/p/include"),
        (Lua::V54, "/p/src"),
        (Lua::V55, "/p"),
        (Lua::Jit, "/p/include/luajit-2.1"),
        (Lua::Jit, "/p/src"),
    ] {
        let machine = Imagined::default().with_directory(directory, stock(lua));
        assert_eq!(
            place(&machine.search(lua, &prefix("/p")).unwrap()),
            ("LUA_DIR".to_string(), vec![directory.into()])
        );
    }
    let sentence = Imagined::default()
        .search(Lua::V54, &prefix("/p"))
        .unwrap_err();
    assert!(sentence.starts_with("LUA_DIR is /p, but "), "{sentence}");
}

#[test]
fn nothing_at_all_is_no_error() {
    for lua in Lua::ALL {
        let found = Imagined::default().search(lua, &Named::default()).unwrap();
        let Found::Nothing(why) = found else {
            panic!("found something: {found:?}");
        };
        assert!(
            why.contains(lua.name()) && why.contains("LUA_INCDIR"),
            "{why}"
        );
    }
}

#[test]
fn headers_that_nothing_can_read_are_no_error() {
    let machine = Imagined::default()
        .with_package("lua5.4", "/usr/include/lua5.4", "lua5.4")
        .with_package("lua-5.4", "/usr/include/lua5.4", "lua5.4");
    let found = machine.search(Lua::V54, &Named::default()).unwrap();
    let Found::Nothing(why) = found else {
        panic!("found something: {found:?}");
    };
    let reason = "/usr/include/lua5.4 could not be read (no compiler)";
    assert_eq!(why.matches(reason).count(), 1, "{why}");
}
