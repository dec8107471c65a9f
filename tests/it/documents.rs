//! What the documents promise is there.

use std::path::Path;

/// Every Rust file below a folder, as one text.
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
fn every_test_that_docs_security_md_names_exists() {
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
