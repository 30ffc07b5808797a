//! The table in docs/packaging.md says what the build decides: each row is asked of the decisions,
//! for every Lua.

use super::*;

/// A row's cells: system, environment, what is set, linking, arguments, warning.
fn rows() -> Vec<Vec<String>> {
    let page = include_str!("../../docs/packaging.md");
    let table = page
        .split("<!-- decisions -->")
        .nth(1)
        .and_then(|rest| rest.split("<!-- end -->").next())
        .expect("the table");
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    lines
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells
                .map(|cell| cell.trim().replace('`', ""))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn target(system: &str, environment: &str, set: &str) -> Target {
    Target {
        os: system.to_string(),
        env: environment.to_string(),
        static_c_runtime: set == "static C runtime",
        linker: (set == "linker ld.lld").then(|| "/usr/bin/ld.lld".into()),
    }
}

#[test]
fn each_row_of_the_table_is_what_is_decided() {
    let rows = rows();
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in &rows {
        let [systems, environment, set, linking, arguments] = &row[..] else {
            panic!("a row with other cells: {row:?}");
        };
        for system in systems.split(", ") {
            for lua in Lua::ALL {
                let digits = lua.version().replace('.', "");
                let named = Library {
                    names: match set.strip_prefix("LUA_LIB_NAME=") {
                        Some(name) => vec![name.to_string()],
                        None => Vec::new(),
                    },
                    directories: Vec::new(),
                };
                let found = match set.as_str() {
                    "LANES_LINK=shared, pkg-config" => Library {
                        names: vec!["lua5.4".to_string()],
                        directories: Vec::new(),
                    },
                    _ => Library::default(),
                };
                let wish = set.starts_with("LANES_LINK=shared").then_some("shared");
                let target = target(system, environment, set);
                let decided = link::decide(&target, lua, wish, &named, &found);
                let case = format!("{system}, {environment}, {set}, {}", lua.name());
                match decided {
                    Ok(decided) => {
                        assert_eq!(decided.mode, linking.replace("NN", &digits), "{case}");
                        assert_eq!(&decided.arguments(), arguments, "{case}");
                    }
                    Err(sentence) => {
                        assert_eq!(linking, "stops", "{case}: {sentence}");
                        assert!(sentence.contains(arguments), "{case}: {sentence}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_system_that_lanes_is_for_has_a_row() {
    let rows = rows();
    for (system, environment) in [
        ("linux", "gnu"),
        ("linux", "musl"),
        ("windows", "gnu"),
        ("windows", "msvc"),
        ("macos", ""),
        ("freebsd", ""),
    ] {
        let plain = rows
            .iter()
            .any(|row| row[0].split(", ").any(|name| name == system) && row[1] == environment);
        assert!(plain, "{system} {environment}");
    }
}

#[test]
fn the_allocator_of_luajit_is_protected_everywhere() {
    for lua in Lua::ALL {
        let expected = if lua.is_jit() { "protected" } else { "none" };
        assert_eq!(judge::default_allocator(lua), expected);
    }
}

#[test]
fn the_loader_is_warned_of_on_macos_with_51_and_dyld_alone() {
    for lua in Lua::ALL {
        for os in ["linux", "windows", "macos", "freebsd"] {
            for dyld in [false, true] {
                let headers = Headers { dyld, ..stock(lua) };
                let warned = judge::loader_warning(lua, &headers, os).is_some();
                assert_eq!(warned, dyld && os == "macos" && lua == Lua::V51);
            }
        }
    }
}
