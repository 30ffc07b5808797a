//! The plan of the house: the table in docs/architecture.md says on which floor each file is. A file uses files of its own floor and of
//! those below, and no files use each other in a circle.

mod house;
mod source;

use house::{House, Import};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// Where the table is.
const PLAN: &str = "docs/architecture.md";

/// The crates, by the names that other crates call them, and their first files.
const CRATES: [(&str, &str); 2] = [
    ("lanes", "src/lib.rs"),
    ("lanes_engine", "engine/src/lib.rs"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows `| floor | `place`, `place` | ... |` of the table: each place with its floor.
fn plan() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(root().join(PLAN)).expect(PLAN);
    let mut plan = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, floor, places, ..] = cells[..] else {
            continue;
        };
        if let Ok(floor) = floor.parse() {
            // Every second piece stands between backquotes.
            let places = places.split('`').skip(1).step_by(2);
            plan.extend(places.map(|place| (place.to_string(), floor)));
        }
    }
    assert!(plan.len() > 5, "{PLAN} has no table of floors");
    plan
}

/// The floor of a file: that of the longest place that it is in.
fn floor(plan: &BTreeMap<String, u32>, file: &str) -> Option<u32> {
    let places = plan.iter().filter(|(place, _)| {
        if place.ends_with('/') {
            file.starts_with(place.as_str())
        } else {
            file == *place
        }
    });
    places
        .max_by_key(|(place, _)| place.len())
        .map(|(_, &floor)| floor)
}

fn house() -> House {
    House::read(root(), &CRATES)
}

#[test]
fn every_file_has_a_floor_and_every_place_has_a_file() {
    let (plan, house) = (plan(), house());
    let mut wrong: Vec<String> = Vec::new();
    for room in &house.rooms {
        if floor(&plan, &room.file).is_none() {
            wrong.push(format!("{} is in no row of the table in {PLAN}", room.file));
        }
    }
    for place in plan.keys().filter(|place| !place.starts_with("lua/")) {
        if !house
            .rooms
            .iter()
            .any(|room| room.file.starts_with(place.as_str()))
        {
            wrong.push(format!("{PLAN} names {place}, where no file is"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_run_down_or_stay_on_their_floor() {
    let (plan, house) = (plan(), house());
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    for Import {
        from,
        to,
        line,
        text,
    } in house.imports()
    {
        let (from, to) = (&house.rooms[from].file, &house.rooms[to].file);
        let (Some(here), Some(there)) = (floor(&plan, from), floor(&plan, to)) else {
            continue;
        };
        if here < there {
            wrong.insert(format!(
                "{from}:{line}: `{text}` is in {to}, on floor {there}: a file of floor {here} uses no floor above"
            ));
        }
    }
    let list: Vec<_> = wrong.into_iter().collect();
    assert!(
        list.is_empty(),
        "{} imports run up:\n{}",
        list.len(),
        list.join("\n")
    );
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let house = house();
    let mut uses: Vec<HashMap<usize, (usize, String)>> =
        house.rooms.iter().map(|_| HashMap::new()).collect();
    for Import {
        from,
        to,
        line,
        text,
    } in house.imports()
    {
        if from != to {
            uses[from].entry(to).or_insert((line, text));
        }
    }
    let reached: Vec<BTreeSet<usize>> = (0..uses.len()).map(|from| reach(&uses, from)).collect();
    let in_circle = |from: usize, to: usize| reached[to].contains(&from);
    let mut list = Vec::new();
    for from in 0..uses.len() {
        for (&to, (line, text)) in uses[from].iter().filter(|(to, _)| in_circle(from, **to)) {
            // Files of one circle reach each other, so the first of them names the circle.
            let circle = (0..uses.len())
                .find(|&room| in_circle(from, room) && reached[from].contains(&room));
            let (from, to) = (&house.rooms[from].file, &house.rooms[to].file);
            list.push((circle, format!("{from}:{line}: `{text}` is in {to}")));
        }
    }
    list.sort();
    let mut words = String::new();
    let mut last = None;
    for (circle, import) in &list {
        if last.replace(circle) != Some(circle) {
            words.push_str("\nin a circle:\n");
        }
        words.push_str(&format!("  {import}\n"));
    }
    assert!(
        list.is_empty(),
        "files use each other in circles, which no files may, by these imports:\n{words}"
    );
}

/// The files that `from` uses, and those that they use in turn.
fn reach(uses: &[HashMap<usize, (usize, String)>], from: usize) -> BTreeSet<usize> {
    let (mut reached, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(room) = left.pop() {
        left.extend(uses[room].keys().filter(|&&to| reached.insert(to)));
    }
    reached
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let text = "
        mod inner;
        use crate::a::{self, b::{C, D as E}, f::*};
        pub(crate) use super::g;
        #[cfg(test)] mod tests { use crate::hidden::X; }
        #[cfg(not(test))] use crate::seen::Y;
        fn call() { inner::work(crate::h::I::new()); let _ = $crate::j::k!(l::m); }
        struct Own;
    ";
    let source = source::read(text);
    let mut paths: Vec<_> = source
        .mentions
        .iter()
        .map(|mention| mention.path.join("::"))
        .collect();
    paths.sort();
    let expected = [
        "crate::a",
        "crate::a::b::C",
        "crate::a::b::D",
        "crate::a::f",
        "crate::h::I::new",
        "crate::j::k",
        "crate::seen::Y",
        "inner::work",
        "l::m",
        "super::g",
    ];
    assert_eq!(paths, expected);
    assert_eq!(source.bindings["E"].join("::"), "crate::a::b::D");
    assert_eq!(source.modules, [("inner".to_string(), vec![])]);
    assert!(source.items.contains("Own") && source.items.contains("call"));
    assert_eq!(source.mentions[0].line, 3);
}
