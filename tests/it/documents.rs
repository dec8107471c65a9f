//! Checks that documents and sample files agree with the code.

use std::path::Path;

use serde_json::Value;

/// The text of all Rust files below a folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn every_test_named_in_security_md_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(&root.join("src")) + &sources(&root.join("tests"));
    let document = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let named: Vec<_> = document
        .split('`')
        .filter(|code| code.contains("::") && !code.contains(' ') && *code != "file::test")
        .filter_map(|code| code.rsplit("::").next())
        .collect();
    assert!(named.len() > 25, "{named:?}");
    for name in named {
        assert!(sources.contains(&format!("fn {name}(")), "no test {name}");
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
