//! The rules of the house that the compiler does not keep, each shown to catch a planted violation.

use std::fs;
use std::path::Path;

/// The modules of the crate from the ground up: each names only those before it.
const FLOORS: &[&str] = &[
    "clock", "limits", "threads", "hash_key", "record", "store", "engine", "window", "query",
    "capacity", "service", "replay", "server", "python",
];
/// What no file holds; written in two halves, so that this file does not either.
const UNWANTED: &[&str] = &[
    concat!("use crate", "::{"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("#[ig", "nore"),
    concat!("#[should", "_panic"),
];

/// A file's path within the project, and what is in it.
type Source = (String, String);

/// Finds the files below a folder that end like this; none where there is no such folder.
fn files(folder: &Path, ending: &str) -> Vec<Source> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        let name = path.to_str().expect("paths are text").replace('\\', "/");
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            let text = fs::read_to_string(&path).expect("sources are text");
            found.push((name, text));
        }
    }
    found
}

/// Tests run in the project's folder.
fn rust() -> Vec<Source> {
    let folders = ["src", "tests", "benches", "fuzz/src", "fuzz/fuzz_targets"];
    let found: Vec<Source> =
        folders.iter().flat_map(|folder| files(Path::new(folder), ".rs")).collect();
    for known in ["src/lib.rs", "src/engine/stream.rs", "tests/tidy.rs"] {
        assert!(found.iter().any(|(path, _)| path == known), "{known}");
    }
    found
}

fn python() -> Vec<Source> {
    let folders = ["examples", "python", "tests/clients", "tests/python"];
    folders.iter().flat_map(|folder| files(Path::new(folder), ".py")).collect()
}

fn assert_tidy(sources: Vec<Source>, fault: fn(&str, &str) -> Option<String>) {
    let fault = |(path, text): &Source| fault(path, text).map(|fault| format!("{path} {fault}"));
    let faults: Vec<String> = sources.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Tells whether code names a module of the crate.
fn names(text: &str, module: &str) -> bool {
    let path = format!("crate::{module}");
    text.match_indices(&path).any(|(at, _)| {
        let next = text[at + path.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn floor_fault(path: &str, text: &str) -> Option<String> {
    let inside = path.strip_prefix("src/").filter(|file| *file != "lib.rs")?;
    let module = inside.split(['/', '.']).next()?;
    let Some(own) = FLOORS.iter().position(|floor| *floor == module) else {
        return Some("stands on no floor".to_owned());
    };
    let above = FLOORS[own + 1..].iter().find(|above| names(text, above))?;
    Some(format!("reaches up to `{above}`"))
}

fn order_fault(lib: &str, there: fn(&str) -> bool) -> Option<String> {
    let module = |line: &'_ str| -> Option<String> {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    let declared: Vec<String> = lib.lines().filter_map(module).collect();
    let floors: Vec<&str> = FLOORS.iter().copied().filter(|floor| there(floor)).collect();
    (declared != floors).then(|| format!("declares {declared:?}, not {floors:?}"))
}

fn opening_fault(_: &str, text: &str) -> Option<String> {
    let opening: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let sentence = opening.join(" ");
    let good = sentence.contains(' ') && sentence.ends_with('.');
    (!good).then(|| "does not open with a sentence that says what it is for".to_owned())
}

fn unwanted_fault(_: &str, text: &str) -> Option<String> {
    let found = UNWANTED.iter().find(|unwanted| text.contains(**unwanted))?;
    Some(format!("holds `{found}`"))
}

fn ascii_fault(_: &str, text: &str) -> Option<String> {
    let line = text.lines().position(|line| !line.is_ascii())?;
    Some(format!("is not ASCII in line {}", line + 1))
}

fn frozen_fault(path: &str, text: &str) -> Option<String> {
    if !path.starts_with("src/python") {
        return None;
    }
    let mut classes = text.split("#[pyclass").skip(1);
    let thawed = classes.find(|rest| {
        let attribute = rest.split(']').next().unwrap_or("");
        !attribute.contains("frozen")
    })?;
    let named = thawed.lines().nth(1).unwrap_or("");
    Some(format!("has a class that is not frozen: {named}"))
}

#[test]
fn every_module_names_only_the_floors_below_it() {
    assert_tidy(rust(), floor_fault);
    assert!(floor_fault("src/clock.rs", "use crate::engine::Engine;").is_some());
    assert!(floor_fault("src/record/key.rs", "crate::engine").is_some());
    assert!(floor_fault("src/record/key.rs", "use crate::hash_key::HashKey;").is_none());
    assert!(floor_fault("src/limits.rs", "use crate::records::All;").is_none());
    assert!(floor_fault("src/attic.rs", "").is_some());
    assert!(floor_fault("tests/tidy.rs", "crate::python").is_none());
}

#[test]
fn crate_declares_its_floors_from_the_ground_up() {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    let there = |floor: &str| Path::new(&format!("src/{floor}.rs")).exists();
    assert_eq!(order_fault(&lib, there), None);
    let three = |floor: &str| ["clock", "record", "python"].contains(&floor);
    let gated = "pub mod clock;\npub mod record;\n#[cfg(feature = \"python\")]\nmod python;\n";
    assert_eq!(order_fault(gated, three), None);
    assert!(order_fault("pub mod record;\npub mod clock;\nmod python;", three).is_some());
    assert!(order_fault("pub mod clock;\npub mod record;", three).is_some());
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    assert_tidy(rust(), opening_fault);
    assert!(
        opening_fault("", "//! Keys and columns of them,\n//! without nulls.\n\nuse a;").is_none()
    );
    assert!(opening_fault("", "//! temporary\nuse a;").is_some());
    assert!(opening_fault("", "use a;\n//! Comes too late.").is_some());
    assert!(opening_fault("", "").is_some());
}

#[test]
fn nothing_unfinished_unrun_or_hidden_is_kept() {
    assert_tidy(rust(), unwanted_fault);
    for planted in UNWANTED {
        assert!(unwanted_fault("", &format!("fn main() {{}}\n{planted}")).is_some());
    }
    assert!(unwanted_fault("", "use crate::clock::Clock;").is_none());
}

#[test]
fn sources_are_ascii() {
    assert_tidy(rust(), ascii_fault);
    assert_tidy(python(), ascii_fault);
    let planted = ascii_fault("", "fine\ncaf\u{e9}").unwrap();
    assert!(planted.contains("line 2"), "{planted}");
}

#[test]
fn every_python_class_is_frozen() {
    assert_tidy(rust(), frozen_fault);
    let frozen = "#[pyclass(name = \"Shard\", frozen)]\nstruct Shard;\n";
    let path = "src/python/stream.rs";
    assert_eq!(frozen_fault(path, frozen), None);
    for thawed in ["#[pyclass]\nstruct A;", "#[pyclass(name = \"A\")]\nstruct A;"] {
        assert!(frozen_fault(path, &format!("{frozen}{thawed}")).is_some());
        assert!(frozen_fault("src/python.rs", thawed).is_some());
    }
}

/// The names of tests that a document promises: words in backquotes that look like one.
fn promised(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let quoted = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let is_name = |word: &&str| {
        let words = word.split('_').filter(|part| !part.is_empty()).count();
        3 < words && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    quoted.filter(is_name).collect()
}

fn untested<'a>(document: &'a str, sources: &[Source]) -> Vec<&'a str> {
    let is_there = |name: &str| {
        let (rust, python) = (format!("fn {name}("), format!("def {name}("));
        sources.iter().any(|(_, text)| text.contains(&rust) || text.contains(&python))
    };
    promised(document).into_iter().filter(|name| !is_there(name)).collect()
}

#[test]
fn every_test_that_the_document_of_fidelity_names_exists() {
    let document = fs::read_to_string("docs/fidelity.md").expect("the document is there");
    assert!(40 < promised(&document).len());
    assert_eq!(untested(&document, &[rust(), python()].concat()), [""; 0]);
    let planted = "| a thing | same | `a_test_that_nobody_has_written` |";
    assert_eq!(untested(planted, &[]), ["a_test_that_nobody_has_written"]);
}
