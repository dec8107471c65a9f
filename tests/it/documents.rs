//! Checks that documents and sample files agree with the code.

use std::path::{Path, PathBuf};

use number_verification::outcome::Outcome;
use serde_json::Value;

/// All Rust files below a folder, with their texts.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The name by which the document calls a file: its folder's for `mod.rs`.
fn module(path: &Path) -> Option<&str> {
    let path = if path.ends_with("mod.rs") { path.parent()? } else { path };
    path.file_stem()?.to_str()
}

#[test]
fn every_test_named_in_security_md_is_in_its_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = [sources(&root.join("src")), sources(&root.join("tests/it"))].concat();
    let document = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let named: Vec<_> = document
        .split('`')
        .filter_map(|code| code.split_once("::"))
        .filter(|(file, test)| is_name(file) && is_name(test) && (*file, *test) != ("file", "test"))
        .collect();
    assert!(named.len() > 60, "{named:?}");
    for (file, test) in named {
        let is_in = |text: &str| {
            let before = text.find(&format!("fn {test}(")).and_then(|place| text.get(..place)).unwrap_or_default();
            let attribute = before.trim_end_matches("async ").trim_end().lines().next_back();
            attribute.is_some_and(|attribute| attribute.trim_start().starts_with("#[") && attribute.contains("test"))
        };
        let found = sources.iter().any(|(path, text)| module(path) == Some(file) && is_in(text));
        assert!(found, "{file}.rs has no test {test}");
    }
}

/// A row without a test is a promise that nobody keeps.
#[test]
fn every_attack_in_security_md_names_a_test() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/security.md")).unwrap();
    let attacks = document.split("\n## ").find(|section| section.starts_with("Attacks\n")).unwrap();
    let rows: Vec<_> = attacks.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 30, "{rows:?}");
    for row in rows {
        let shown_by = row.split(" | ").nth(2).unwrap_or_default();
        assert!(shown_by.contains("::"), "{row}");
    }
}

#[test]
fn readme_lists_every_outcome_with_its_status() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        Some((name, cells.next()?.parse().ok()?))
    });
    let outcomes = Outcome::ALL.map(|outcome| (outcome.name(), outcome.status()));
    assert_eq!(rows.collect::<Vec<_>>(), outcomes);
}

/// The template sets every variable that the program reads; `installed_tools/template.rs` checks that.
#[test]
fn readme_explains_every_variable_of_the_template() {
    let file = |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let (template, readme) = (file("template.yaml"), file("README.md"));
    let variables = template.lines().filter_map(|line| line.strip_prefix("          ")?.split_once(": "));
    let variables = variables.map(|(name, _)| name).filter(|name| !name.starts_with("AWS_"));
    let variables: Vec<_> =
        variables.filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')).collect();
    assert!(variables.len() > 20, "{variables:?}");
    for name in variables {
        let row = readme.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
        assert!(row.is_some(), "{name} is not in the README's table");
    }
}

/// `sam local invoke --env-vars` ignores a variable that the template does not name.
#[test]
fn sam_local_sets_only_variables_of_the_template() {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).unwrap();
    let variables = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/events/env.json")).unwrap();
    let variables: Value = serde_json::from_slice(&variables).unwrap();
    for name in variables["NumberVerificationFunction"].as_object().unwrap().keys() {
        assert!(
            template.contains(&format!("          {name}:")),
            "sam local passes no variable the template lacks: {name}"
        );
    }
}
