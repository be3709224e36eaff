//! The rules of ARCHITECTURE.md, enforced: layers, circles, sizes, names, the map.
//!
//! It needs the standard library only, so that it runs before anything else is built:
//!
//! ```text
//! CARGO_MANIFEST_DIR=$PWD rustc --edition 2024 --test tests/core/architecture.rs -o /tmp/a && /tmp/a
//! ```
//!
//! `ARCHITECTURE_PRINT=1 … no_file --nocapture` prints each circle with all its edges.
#![expect(clippy::unwrap_used, reason = "a test binary")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

#[path = "architecture/divide.rs"]
mod divide;
#[path = "architecture/graph.rs"]
mod graph;
#[path = "architecture/lexer.rs"]
mod lexer;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use self::graph::Graph;
use self::rules::{Files, Rules, Tree};
use self::source::Source;

/// Modules by layer, lowest first. A module imports only from lower layers, or itself.
const LAYERS: &[&[&str]] = &[
    &["cpu_prefetch", "digest", "dns", "lang"],
    &["category", "diagnostic"],
    &["pattern"],
    &["rule"],
    &["blocklist"],
    &["pack"],
    &["matcher", "release"],
    &["cache"],
    &["policy"],
    &["resolve"],
    &["overblock", "rehearse"],
    &["config", "metrics"],
    &["sys"],
    &["paper", "web"],
    &["upstream"],
    &["fetch", "overrides"],
    &["evidence", "reviews"],
    &["load"],
    &["publish"],
    &["update"],
    &["clients", "status"],
    &["fleet", "report", "selftest"],
    &["devices", "doctor", "staff"],
    &["admin"],
    &["portal", "upgrade"],
    &["serve"],
    &["life"],
    &["cli"],
    &["main", "lib"],
];

/// Everything in a layer below this module's is the core.
const ABOVE_CORE: &str = "config";

/// The rooms that may block, fail or tick.
const SHELL: &[&str] = &[
    "src/sys",
    "src/upstream",
    "src/fetch",
    "src/overrides",
    "src/evidence",
    "src/doctor",
    "src/fleet",
    "src/report",
    "src/reviews",
    "src/selftest",
    "src/load",
    "src/publish",
    "src/update",
    "src/web",
    "src/status",
    "src/devices",
    "src/staff",
    "src/admin",
    "src/portal",
    "src/upgrade",
    "src/clients",
    "src/serve",
    "src/life",
    "src/cli",
];

/// Paths that only the given modules may name. `tokio` is any path with that word, `std::fs`
/// with those two in a row, `::now` with a word before it.
const CONFINED: &[(&str, &[&str])] = &[
    ("hickory_proto", &["src/dns/message", "src/upstream"]),
    ("hickory_resolver", &["src/upstream"]),
    ("hickory_server", &[]),
    ("prometheus", &["src/metrics"]),
    ("tokio", SHELL),
    ("std::fs", SHELL),
    ("UdpSocket", &["src/serve", "src/life", "src/upstream", "src/selftest"]),
    ("TcpListener", &["src/serve", "src/life", "src/web", "src/admin", "src/portal"]),
    (
        "TcpStream",
        &[
            "src/serve",
            "src/upstream",
            "src/fetch",
            "src/web",
            "src/admin",
            "src/selftest",
            "src/cli",
        ],
    ),
    ("::now", SHELL),
];

/// Paths and keywords that the core must not use: the shell owns threads and waits for others.
const NOT_IN_CORE: &[&str] = &["std::thread", "async", "await"];

/// The longest file, in lines. When one nears it, a noun moves out.
const MAX_LINES: usize = 500;

/// The most files directly in one folder.
const MAX_FILES: usize = 16;

/// The most lines below `src/serve/`: it answers clients, nothing else.
const MAX_SERVE_LINES: usize = 3_500;

/// The longest ARCHITECTURE.md, in lines: a map, not a list of files.
const MAX_MAP_LINES: usize = 250;

/// Public items that only tests and benches name, each with the reason why it is there.
const FOR_TESTS: &[(&str, &str)] = &[
    ("bits", "benches and the model of a table compare a set of categories as one word"),
    ("fit_hashes", "tests and fuzz targets forge packs, and hashes would stop them all"),
    ("heard_message", "a fuzz target says what a server would, without a socket"),
    ("hot_octets", "a test bounds, and a bench reports, the memory of a look-up per name"),
    ("is_at_least", "the law that no layer loosens a lock compares enforcements with it"),
];

const RULES: Rules<'_> =
    Rules { layers: LAYERS, above_core: ABOVE_CORE, confined: CONFINED, not_in_core: NOT_IN_CORE };

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder of the repository.
fn files(folder: &str) -> Files {
    let mut found = Files::new();
    let mut left = vec![root().join(folder)];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // What cargo builds for the fuzz targets is not ours.
            if path.is_dir() && !path.ends_with("target") {
                left.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let shown = path.strip_prefix(root()).unwrap().display().to_string();
                found.insert(shown, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The program, read once.
static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let read = |(path, text): (String, String)| (path, Source::new(&text));
    let sources = files("src").into_iter().map(read).collect();
    let tests = Graph::new(&sources).tests;
    Tree { sources, tests }
});

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn imports_point_down_and_words_stay_at_home() {
    let faults: Vec<String> =
        TREE.sources.iter().flat_map(|(path, source)| RULES.faults(path, source)).collect();
    assert_none(&faults);
}

/// A misspelt home, a layer that is gone or a missing ban would never be seen.
#[test]
fn the_tables_are_about_this_tree() {
    let tops: BTreeSet<String> =
        TREE.sources.keys().map(|path| rules::modules(path).swap_remove(0)).collect();
    let layers: BTreeSet<String> =
        LAYERS.iter().flat_map(|l| l.iter()).map(|module| (*module).to_owned()).collect();
    assert_eq!(tops, layers);
    assert!(layers.contains(ABOVE_CORE), "{ABOVE_CORE} is in no layer");
    for (word, homes) in CONFINED {
        for home in *homes {
            assert!(TREE.sources.keys().any(|path| rules::is_at(path, home)), "{word}: {home}");
        }
    }
    assert_eq!(NOT_IN_CORE, ["std::thread", "async", "await"]);
}

#[test]
fn no_file_is_in_a_circle() {
    let graph = Graph::new(&TREE.sources);
    let circles = graph.circles();
    if std::env::var_os("ARCHITECTURE_PRINT").is_some() {
        for circle in &circles {
            println!("{}", circle.report(true));
        }
    }
    let count: usize = circles.iter().map(|c| c.names().len()).sum();
    let shown: String = circles.iter().map(|c| c.report(false)).collect();
    assert!(circles.is_empty(), "{} circles of {count} files; cut:\n{shown}", circles.len());
}

/// A file that no `mod` reaches would escape the test above.
#[test]
fn every_file_is_in_the_graph() {
    let graph = Graph::new(&TREE.sources);
    let all: BTreeSet<String> = files("src").into_keys().collect();
    let seen: BTreeSet<String> = graph.files.iter().chain(&graph.tests).cloned().collect();
    let lone: Vec<String> = all.difference(&seen).map(|p| format!("{p}: no `mod`")).collect();
    assert_none(&lone);
    assert!(graph.edges.len() > all.len(), "{} edges are too few", graph.edges.len());
}

#[test]
fn files_stay_short() {
    for folder in ["src", "tests", "benches", "fuzz"] {
        assert_none(&rules::long_files(&files(folder), MAX_LINES));
    }
}

#[test]
fn folders_stay_small() {
    assert_none(&rules::full_folders(&files("src"), MAX_FILES));
}

#[test]
fn serve_answers_clients_and_nothing_else() {
    let lines = rules::lines_below(&files("src"), "src/serve/");
    assert!((1..=MAX_SERVE_LINES).contains(&lines), "{lines} lines, at most {MAX_SERVE_LINES}");
}

fn unused() -> &'static rules::Unused {
    static UNUSED: LazyLock<rules::Unused> = LazyLock::new(|| {
        let outside = ["tests", "benches", "fuzz"].iter().flat_map(|folder| files(folder));
        // This test names items in its tables.
        let outside = outside.filter(|(path, _)| !path.contains("architecture"));
        rules::unused(&TREE, &outside.flat_map(|(_, text)| source::words(&text)).collect())
    });
    &UNUSED
}

#[test]
fn no_public_item_is_dead() {
    assert_none(&unused().dead);
}

#[test]
fn what_only_tests_use_has_a_reason() {
    assert_none(&rules::for_tests(unused(), FOR_TESTS));
}

#[test]
fn a_public_type_is_defined_once() {
    let twice = rules::types_twice(&TREE);
    let shown = |(name, places): (&&str, &Vec<String>)| format!("{name}: {}", places.join(" "));
    assert_none(&twice.iter().map(shown).collect::<Vec<_>>());
}

#[test]
fn the_map_is_the_country() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert_eq!(rules::drawn_layers(&text), LAYERS[..LAYERS.len() - 1]);
    assert_none(&rules::map_faults(&text, &files("src")));
}

#[test]
fn the_map_is_short() {
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines <= MAX_MAP_LINES, "{lines} lines, at most {MAX_MAP_LINES}");
}
