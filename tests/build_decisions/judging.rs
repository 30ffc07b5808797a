//! Headers of another Lua, or of one with another ABI, stop the build; the rest is decided by them.

use super::*;

fn judge(lua: Lua, headers: &Headers) -> Result<(), String> {
    judge::judge(lua, headers, &[PathBuf::from("/opt/include")], 8, "linux")
}

#[test]
fn every_stock_lua_is_accepted_for_its_feature_alone() {
    for lua in Lua::ALL {
        assert_eq!(judge(lua, &stock(lua)), Ok(()));
        for other in Lua::ALL.into_iter().filter(|other| *other != lua) {
            assert!(judge(lua, &stock(other)).is_err());
        }
    }
}

#[test]
fn another_version_is_named_with_both_remedies() {
    assert_eq!(
        judge(Lua::V51, &stock(Lua::V54)).unwrap_err(),
        "the feature lua51 was given, but the headers in /opt/include are those of Lua 5.4.7: \
         build with --features lua54, or set LUA_INCDIR to the directory with the headers of Lua 5.1"
    );
}

#[test]
fn luajit_and_lua_5_1_are_kept_apart() {
    assert_eq!(
        judge(Lua::V51, &stock(Lua::Jit)).unwrap_err(),
        "the feature lua51 was given, but the headers in /opt/include are those of LuaJIT 2.1.1700008891: \
         build with --features luajit, or set LUA_INCDIR to the directory with the headers of Lua 5.1"
    );
    let sentence = judge(Lua::Jit, &stock(Lua::V51)).unwrap_err();
    assert!(sentence.contains("--features lua51"), "{sentence}");
}

#[test]
fn an_unknown_lua_has_no_feature_to_offer() {
    let headers = Headers {
        release: "Lua 5.0.3".to_string(),
        version_num: 500,
        ..stock(Lua::V51)
    };
    let sentence = judge(Lua::V51, &headers).unwrap_err();
    assert!(
        sentence.contains("are those of Lua 5.0.3: this Lua is not supported;"),
        "{sentence}"
    );
}

#[test]
fn float_numbers_are_refused() {
    for lua in Lua::ALL {
        let headers = Headers {
            number: "float".to_string(),
            ..stock(lua)
        };
        let sentence = judge(lua, &headers).unwrap_err();
        assert_eq!(
            sentence,
            format!(
                "the {} in /opt/include has lua_Number float, but Lanes needs double: \
                 build against a {} with the default lua_Number",
                headers.release,
                lua.name()
            )
        );
    }
}

#[test]
fn other_integers_are_refused() {
    let with = |lua, integer: &str| Headers {
        integer: integer.to_string(),
        ..stock(lua)
    };
    let sentence = judge(Lua::V54, &with(Lua::V54, "int")).unwrap_err();
    assert!(
        sentence.contains("has lua_Integer int, but Lanes needs 64 bits"),
        "{sentence}"
    );
    assert!(judge(Lua::V51, &with(Lua::V51, "int")).is_err());
    assert!(judge(Lua::V53, &with(Lua::V53, "my_integer")).is_err());
    assert_eq!(judge(Lua::V53, &with(Lua::V53, "long")), Ok(()));
}

#[test]
fn integers_depend_on_the_platform() {
    let place = [PathBuf::from("/opt/include")];
    let with = |lua, integer: &str| Headers {
        integer: integer.to_string(),
        ..stock(lua)
    };
    // 64-bit Windows has a `long` of 32 bits.
    assert!(judge::judge(Lua::V54, &with(Lua::V54, "long"), &place, 8, "windows").is_err());
    // 32-bit systems: `ptrdiff_t` is what the bindings assume until 5.2, and too short after it.
    assert_eq!(
        judge::judge(Lua::V51, &stock(Lua::V51), &place, 4, "linux"),
        Ok(())
    );
    assert_eq!(
        judge::judge(Lua::V51, &with(Lua::V51, "int"), &place, 4, "linux"),
        Ok(())
    );
    assert!(judge::judge(Lua::V53, &with(Lua::V53, "long"), &place, 4, "linux").is_err());
}

#[test]
fn another_stack_limit_is_refused() {
    let headers = Headers {
        registry_index: -16_000,
        ..stock(Lua::V53)
    };
    let sentence = judge(Lua::V53, &headers).unwrap_err();
    assert!(
        sentence.contains("LUAI_MAXSTACK")
            && sentence.contains("-16000")
            && sentence.contains("-1001000"),
        "{sentence}"
    );
}

#[test]
fn another_lua_debug_is_refused() {
    let headers = Headers {
        id_size: 512,
        ..stock(Lua::V51)
    };
    let sentence = judge(Lua::V51, &headers).unwrap_err();
    assert!(
        sentence.contains("has LUA_IDSIZE 512, but Lanes needs 60"),
        "{sentence}"
    );
}

#[test]
fn only_luajit_protects_its_allocator_by_default() {
    for lua in Lua::ALL {
        let expected = if lua == Lua::Jit { "protected" } else { "none" };
        assert_eq!(judge::default_allocator(lua), expected);
    }
}

#[test]
fn only_a_lua_5_1_for_macos_with_its_old_loader_is_warned_about() {
    for lua in Lua::ALL {
        for os in ["linux", "macos", "freebsd", "windows"] {
            for dyld in [false, true] {
                let headers = Headers { dyld, ..stock(lua) };
                let warning = judge::loader_warning(lua, &headers, os);
                let expected = lua == Lua::V51 && os == "macos" && dyld;
                assert_eq!(warning.is_some(), expected, "{lua:?} {os} {dyld}");
                if let Some(text) = warning {
                    assert!(text.contains("LUA_USE_DLOPEN"), "{text}");
                }
            }
        }
    }
}

#[test]
fn only_a_lua_for_freebsd_without_threads_is_warned_about() {
    let path = Path::new("/usr/local/lib/liblua-5.4.so");
    for os in ["linux", "macos", "freebsd", "windows"] {
        for needs in [false, true] {
            let warning = judge::threads_warning(os, Some((path, needs)));
            assert_eq!(warning.is_some(), os == "freebsd" && !needs, "{os} {needs}");
            if let Some(text) = warning {
                assert!(text.starts_with("/usr/local/lib/liblua-5.4.so was built without"));
                assert!(text.contains("LD_PRELOAD=/lib/libthr.so.3"), "{text}");
            }
        }
        assert_eq!(judge::threads_warning(os, None), None);
    }
}

#[test]
fn a_library_names_the_threads_that_it_needs() {
    assert!(judge::needs_threads(
        b"\x7fELF..\0libm.so.5\0libthr.so.3\0libc.so.7\0"
    ));
    assert!(judge::needs_threads(b"\0libpthread.so.2\0"));
    assert!(!judge::needs_threads(b"\x7fELF..\0libm.so.5\0libc.so.7\0"));
    assert!(!judge::needs_threads(b"\0mylibthr.so.3\0"));
    assert!(!judge::needs_threads(b""));
}

#[test]
fn a_library_is_a_file_of_each_of_its_directories() {
    let library = Library {
        names: vec!["lua-5.4".to_string(), "m".to_string()],
        directories: vec![PathBuf::from("/usr/local/lib"), PathBuf::from("/opt/lib")],
    };
    let files: Vec<_> = library.files().collect();
    let expected = ["/usr/local/lib/liblua-5.4.so", "/opt/lib/liblua-5.4.so"];
    assert_eq!(files, expected.map(PathBuf::from));
}
