//! What the documents promise: their configs load, and their links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use lachan::config::load_text;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document of ours: in the root, `docs/`, `blocklists/` and below `deploy/`.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![(root().to_owned(), false)];
    dirs.extend(["docs", "blocklists", "deploy"].map(|dir| (root().join(dir), true)));
    while let Some((dir, is_deep)) = dirs.pop() {
        for path in fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && is_deep {
                dirs.push((path, true));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The code blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_config_in_the_readme_loads() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let configs = blocks(&readme, "toml");
    assert!(!configs.is_empty(), "the README shows a config");
    for config in configs {
        if let Err(mistakes) = load_text(config, "README.md", root()) {
            panic!("\n{mistakes}");
        }
    }
}

#[test]
fn links_to_files_lead_somewhere() {
    let mut dead = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap();
            let is_file = !target.is_empty() && !target.contains("://");
            if is_file && !document.parent().unwrap().join(target).exists() {
                dead.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links: {dead:#?}");
}
