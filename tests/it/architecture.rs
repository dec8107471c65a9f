//! The structure of `src/`: which ring may import which, how long a file may be, and that the map in `lib.rs` is
//! complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Every top-level module, with the other modules it may import. These must be in rows above its own, so the imports
/// have no cycle.
const MAY_IMPORT: [(&str, &[&str]); 20] = [
    ("outcome", &[]),
    ("correlator", &[]),
    ("language", &[]),
    ("seal", &[]),
    ("jwt", &[]),
    ("phone_number", &[]),
    ("call_log", &[]),
    ("failure", &["outcome"]),
    ("transport", &[]),
    ("aws", &["transport"]),
    ("telemetry", &["call_log", "correlator", "failure", "outcome"]),
    ("operator", &["call_log", "correlator", "failure", "jwt", "outcome", "phone_number", "transport"]),
    ("provider", &["failure", "jwt", "language", "outcome", "phone_number", "seal", "transport"]),
    ("secret", &["failure", "jwt", "operator", "outcome", "provider", "seal", "transport"]),
    (
        "flow",
        &[
            "call_log",
            "correlator",
            "failure",
            "jwt",
            "language",
            "operator",
            "outcome",
            "phone_number",
            "provider",
            "seal",
            "secret",
            "transport",
        ],
    ),
    (
        "web",
        &["call_log", "correlator", "failure", "flow", "language", "outcome", "phone_number", "telemetry", "transport"],
    ),
    ("number_verification", &["call_log", "failure", "operator", "phone_number", "transport"]),
    ("config", &["aws", "flow", "operator", "secret", "telemetry", "web"]),
    ("setup", &["aws", "config", "flow", "operator", "provider", "secret", "telemetry", "transport", "web"]),
    ("lib", &["failure", "number_verification", "operator", "phone_number"]),
];

/// In lines, including tests.
const LONGEST_FILE: usize = 350;
const MOST_FLAT_FILES: usize = 10;

/// Every Rust file below a folder, by its relative path.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), text);
            }
        }
    }
    files
}

fn sources() -> BTreeMap<PathBuf, String> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// The top-level module that a file belongs to.
fn module(file: &Path) -> String {
    file.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The top-level modules that a text names in paths from the crate's root.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        let names = path.strip_prefix('{').map_or_else(
            || vec![path],
            |group| group.split('}').next().unwrap_or_default().split(',').map(str::trim).collect(),
        );
        let name = |path: &str| path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned);
        found.extend(
            names.into_iter().filter_map(name).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())),
        );
    }
    found
}

#[test]
fn each_ring_imports_only_what_it_may() {
    let may_import: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    for (file, text) in sources() {
        let module = module(&file);
        if module == "main" {
            continue;
        }
        let allowed = may_import.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no row in MAY_IMPORT"));
        for import in imports(&text).into_iter().filter(|import| *import != module) {
            assert!(allowed.contains(&import.as_str()), "{} imports {import}", file.display());
        }
    }
}

#[test]
fn rows_only_import_rows_above_them() {
    for (row, (module, imports)) in MAY_IMPORT.iter().enumerate() {
        for import in *imports {
            let above = MAY_IMPORT.iter().take(row).any(|(above, _)| above == import);
            assert!(above, "{module} may import {import}, which is not above it");
        }
    }
}

#[test]
fn files_are_short_and_few_are_at_the_top_level() {
    let sources = sources();
    for (file, text) in &sources {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
    }
    let flat = sources.keys().filter(|file| file.components().count() == 1).count();
    assert!(flat <= MOST_FLAT_FILES, "{flat} files are at the top level of src");
}

/// The map in `lib.rs` names every module, two levels deep.
#[test]
fn map_in_lib_rs_is_complete() {
    let sources = sources();
    let map = &sources[Path::new("lib.rs")];
    let described: String = map.lines().filter(|line| line.starts_with("//!")).collect();
    for file in sources.keys() {
        let names: Vec<_> = file.iter().take(2).map(|part| part.to_str().unwrap().trim_end_matches(".rs")).collect();
        let name = names.last().copied().filter(|name| *name != "mod").unwrap_or(names[0]);
        let in_map = described.contains(&format!("`{name}`")) || described.contains(&format!("[`{name}`]"));
        assert!(in_map || ["lib", "main", "fuzzing", "tests"].contains(&name), "{} is not in the map", file.display());
    }
}
