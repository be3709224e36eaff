//! The layer table of ARCHITECTURE.md, enforced: who may import whom, and file length.
//!
//! It reads text, not syntax: a `crate::` in a string would fool it. That is a fair price
//! for a test that can be read in two minutes.
#![expect(clippy::unwrap_used, reason = "a test binary")]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by layer, lowest first. A module imports only from lower layers, or itself.
const LAYERS: &[&[&str]] = &[
    &["hint", "lang", "rtype"],
    &["name", "category", "diagnostic"],
    &["rule"],
    &["blocklist"],
    &["pack"],
    &["matcher"],
    &["policy"],
    &["message"],
    &["cache"],
    &["resolve"],
    &["config", "metrics"],
    &["serve"],
    &["cli"],
    &["main", "lib"],
];

/// Words that only files whose path starts with one of the given homes may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("hickory_proto", &["src/message", "src/serve/upstream"]),
    ("hickory_resolver", &["src/serve/upstream"]),
    ("hickory_server", &[]),
    ("prometheus::", &["src/metrics"]),
    ("tokio::", &["src/serve", "src/cli"]),
    ("std::fs", &["src/serve", "src/cli"]),
    ("UdpSocket", &["src/serve"]),
    ("TcpListener", &["src/serve"]),
    ("TcpStream", &["src/serve"]),
    ("::now()", &["src/serve", "src/cli"]),
];

/// The longest file. When one nears it, a noun moves out.
const MAX_LINES: usize = 500;

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&module))
}

/// The faults of one file.
fn faults(shown: &str, text: &str) -> Vec<String> {
    let module = shown["src/".len()..].split(['/', '.']).next().unwrap();
    let Some(own) = layer(module) else {
        return vec![format!("{shown}: `{module}` is in no layer")];
    };
    let mut faults = Vec::new();
    let length = text.lines().count();
    if length > MAX_LINES {
        faults.push(format!("{shown}: {length} lines, more than {MAX_LINES}"));
    }
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    for (number, line) in lines {
        let place = format!("{shown}:{}", number + 1);
        for (word, homes) in CONFINED {
            if line.contains(word) && !homes.iter().any(|home| shown.starts_with(home)) {
                let homes = if homes.is_empty() { "tests" } else { &homes.join(", ") };
                faults.push(format!("{place}: `{word}` belongs in {homes}"));
            }
        }
        for import in line.split("crate::").skip(1) {
            let target = import.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            if target != module && layer(target).is_none_or(|theirs| theirs >= own) {
                faults.push(format!("{place}: {module} may not import {target}"));
            }
        }
    }
    faults
}

#[test]
fn imports_point_down_and_files_stay_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found: Vec<String> = sources(&root.join("src"))
        .iter()
        .flat_map(|path| {
            let shown = path.strip_prefix(root).unwrap().display().to_string();
            faults(&shown, &fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn wrong_imports_are_seen() {
    for (file, line) in [
        ("src/policy.rs", "use crate::cache::Cache;"),
        ("src/policy/client.rs", "use crate::{cache, name};"),
        ("src/name.rs", "use crate::category::CategoryId;"),
        ("src/cache.rs", "let now = Instant::now();"),
        ("src/config/check.rs", "use std::fs;"),
        ("src/serve/stream.rs", "use hickory_proto::op::Message;"),
        ("src/serve.rs", "use hickory_server::Server;"),
        ("src/util.rs", ""),
    ] {
        assert_eq!(faults(file, line).len(), 1, "{file}: {line}");
    }
    let fine = "use crate::dns::name::Name;\n// crate::serve\n#[cfg(test)]\nuse std::fs;\n";
    assert_eq!(faults("src/policy/client.rs", fine), Vec::<String>::new());
}

/// What is between the fences behind a heading of ARCHITECTURE.md.
fn drawing<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let section = text.split(heading).nth(1).unwrap();
    section.lines().skip_while(|l| *l != "```").skip(1).take_while(|l| *l != "```").collect()
}

#[test]
fn the_map_is_the_country() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let drawn: Vec<Vec<&str>> = drawing(&text, "## Layers\n")
        .iter()
        .map(|line| line.split("   ").next().unwrap().split_whitespace().collect())
        .collect();
    assert_eq!(drawn, LAYERS[..LAYERS.len() - 1]);

    let map = text.split("## Code map").nth(1).unwrap().split("\n## ").next().unwrap();
    let off_the_map: Vec<String> = sources(&root.join("src"))
        .iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .filter(|path| {
            // Files of one directory may share a row, which names it once.
            let dir = path.parent().unwrap().strip_prefix(root.join("src")).unwrap();
            let file = path.file_name().unwrap().to_str().unwrap();
            !map.lines().any(|row| {
                row.contains(&format!("`{}`", dir.join(file).display()))
                    || row.contains(&format!("`{}/", dir.display()))
                        && row.contains(&format!("`{file}`"))
            })
        })
        .map(|path| path.display().to_string())
        .collect();
    assert!(off_the_map.is_empty(), "add to the code map of ARCHITECTURE.md: {off_the_map:#?}");
}
