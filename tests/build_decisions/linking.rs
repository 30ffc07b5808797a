//! Each platform gets its way to find Lua's symbols.

use super::*;

fn target(os: &str) -> Target {
    let env = match os {
        "windows" => "msvc",
        "linux" => "gnu",
        _ => "",
    };
    Target {
        os: os.to_string(),
        env: env.to_string(),
        static_c_runtime: false,
        linker: None,
    }
}

fn decide(os: &str, lua: Lua, wish: Option<&str>) -> Result<Linking, String> {
    link::decide(
        &target(os),
        lua,
        wish,
        &Library::default(),
        &Library::default(),
    )
}

fn lua54() -> Library {
    Library {
        names: strings(&["lua5.4"]),
        directories: vec!["/opt/lib".into()],
    }
}

#[test]
fn elf_takes_symbols_from_the_host_and_stays_loaded() {
    for os in [
        "linux",
        "android",
        "netbsd",
        "openbsd",
        "dragonfly",
        "illumos",
    ] {
        for wish in [None, Some(""), Some("host")] {
            let linking = decide(os, Lua::V54, wish).unwrap();
            assert_eq!(linking.mode, "host");
            assert_eq!(
                linking.lines,
                [
                    "cargo::rustc-cdylib-link-arg=-z",
                    "cargo::rustc-cdylib-link-arg=nodelete",
                    "cargo::rustc-cdylib-link-arg=-Wl,-soname,lanes_core.so"
                ]
            );
        }
    }
}

#[test]
fn a_bare_linker_gets_the_name_of_the_library_in_its_own_form() {
    for (linker, form) in [
        ("/opt/bin/ld.lld", "-soname=lanes_core.so"),
        ("ld.lld-19", "-soname=lanes_core.so"),
        ("rust-lld", "-soname=lanes_core.so"),
        ("x86_64-linux-gnu-ld", "-soname=lanes_core.so"),
        ("aarch64-linux-gnu-gcc", "-Wl,-soname,lanes_core.so"),
        ("clang-19", "-Wl,-soname,lanes_core.so"),
    ] {
        let target = Target {
            linker: Some(linker.into()),
            ..target("linux")
        };
        let none = Library::default();
        let linking = link::decide(&target, Lua::V54, None, &none, &none).unwrap();
        let expected = format!("cargo::rustc-cdylib-link-arg={form}");
        assert_eq!(linking.lines.last(), Some(&expected), "{linker}");
    }
}

#[test]
fn freebsd_brings_the_thread_library() {
    let linking = decide("freebsd", Lua::V51, None).unwrap();
    assert_eq!(
        linking.lines,
        [
            "cargo::rustc-cdylib-link-arg=-z",
            "cargo::rustc-cdylib-link-arg=nodelete",
            "cargo::rustc-cdylib-link-arg=-lpthread",
            "cargo::rustc-cdylib-link-arg=-Wl,-soname,lanes_core.so"
        ]
    );
}

#[test]
fn macos_looks_symbols_up_when_loaded() {
    let linking = decide("macos", Lua::Jit, None).unwrap();
    assert_eq!(linking.mode, "host");
    assert_eq!(
        linking.lines,
        [
            "cargo::rustc-cdylib-link-arg=-undefined",
            "cargo::rustc-cdylib-link-arg=dynamic_lookup"
        ]
    );
}

#[test]
fn windows_names_the_dll_itself() {
    for (lua, mode) in [
        (Lua::V51, "raw-dylib lua51.dll"),
        (Lua::V54, "raw-dylib lua54.dll"),
        (Lua::V55, "raw-dylib lua55.dll"),
        (Lua::Jit, "raw-dylib lua51.dll"),
    ] {
        let linking = decide("windows", lua, None).unwrap();
        assert_eq!(linking.mode, mode);
        assert_eq!(linking.lines, ["cargo::rustc-cfg=raw_dylib"]);
    }
}

#[test]
fn windows_takes_a_named_import_library() {
    let linking = link::decide(
        &target("windows"),
        Lua::V54,
        None,
        &lua54(),
        &Library::default(),
    )
    .unwrap();
    assert_eq!(linking.mode, "import library lua5.4");
    assert!(linking.lines.is_empty());
}

#[test]
fn a_shared_library_is_linked_by_its_name() {
    let linking = link::decide(
        &target("linux"),
        Lua::V54,
        Some("shared"),
        &lua54(),
        &Library::default(),
    )
    .unwrap();
    assert_eq!(linking.mode, "shared lua5.4");
    assert_eq!(
        linking.lines,
        [
            "cargo::rustc-link-search=native=/opt/lib",
            "cargo::rustc-link-lib=dylib=lua5.4",
            "cargo::rustc-cdylib-link-arg=-z",
            "cargo::rustc-cdylib-link-arg=nodelete",
            "cargo::rustc-cdylib-link-arg=-Wl,-soname,lanes_core.so"
        ]
    );
}

#[test]
fn a_shared_library_may_be_the_one_that_pkg_config_knows() {
    let linking = link::decide(
        &target("macos"),
        Lua::V54,
        Some("shared"),
        &Library::default(),
        &lua54(),
    )
    .unwrap();
    assert_eq!(linking.mode, "shared lua5.4");
    assert!(
        !linking
            .lines
            .iter()
            .any(|line| line.contains("dynamic_lookup"))
    );
}

#[test]
fn a_shared_library_without_a_name_stops() {
    let sentence = decide("linux", Lua::V53, Some("shared")).unwrap_err();
    assert!(
        sentence.contains("LUA_LIB_NAME (for example lua5.3)") && sentence.contains("LUA_LIB"),
        "{sentence}"
    );
}

#[test]
fn an_unknown_wish_stops() {
    let sentence = decide("linux", Lua::V54, Some("static")).unwrap_err();
    assert!(
        sentence.starts_with("LANES_LINK is `static`, but must be `host`"),
        "{sentence}"
    );
}

#[test]
fn a_static_c_runtime_stops_on_musl_alone() {
    let of = |env: &str, static_c_runtime| {
        let target = Target {
            os: "linux".to_string(),
            env: env.to_string(),
            static_c_runtime,
            linker: None,
        };
        link::decide(
            &target,
            Lua::V54,
            None,
            &Library::default(),
            &Library::default(),
        )
    };
    assert!(of("musl", true).unwrap_err().contains("-crt-static"));
    assert!(of("musl", false).is_ok());
    assert!(of("gnu", true).is_ok());
}

#[test]
fn systems_without_threads_stop() {
    for os in ["none", "unknown", "wasi", "emscripten"] {
        assert!(decide(os, Lua::V54, None).is_err());
    }
}
