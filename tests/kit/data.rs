//! Lists from outside the repository, and the report of a test that lacks them.
//!
//! They are below the directory that `LACHAN_SHARED` names, or in `../shared` beside the
//! repository. A test without its data never passes in silence: see [`skipped`].

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Where data may be, best first.
fn roots() -> Vec<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("LACHAN_SHARED").map_or(beside, PathBuf::from);
    vec![root.join("data"), root]
}

/// The directory of lists that has all of `files`; else the test is [`skipped`].
pub(crate) fn lists(test: &str, files: &[&str]) -> Option<PathBuf> {
    let places: Vec<PathBuf> = roots().into_iter().map(|root| root.join("lists")).collect();
    let has_all = |dir: &&PathBuf| files.iter().all(|file| dir.join(file).exists());
    let found = places.iter().find(has_all).cloned();
    if found.is_none() {
        let (places, files) = (&places[0], files.join(", "));
        skipped(&format!("{test}: no {files} in {}; set LACHAN_SHARED", places.display()));
    }
    found
}

/// A file of text, packed by zstd.
pub(crate) fn text(path: &Path) -> String {
    let packed = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap()
}

/// Reports that a test lacks what it needs.
///
/// `LACHAN_CI=1`: the test fails, as nobody reads the output of tests that pass. Elsewhere one line
/// is written to stderr, past the capture of the test harness, and to the file that
/// `LACHAN_SKIPPED` names.
pub(crate) fn skipped(what: &str) {
    if let Some(file) = std::env::var_os("LACHAN_SKIPPED") {
        let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
        file.write_all(format!("{what}\n").as_bytes()).unwrap();
    }
    let is_ci = std::env::var_os("LACHAN_CI").is_some_and(|value| value == "1");
    assert!(!is_ci, "a test lacks its data: {what}");
    // `eprintln!` is captured and thrown away where a test passes.
    std::io::stderr().write_all(format!("\n*** SKIPPED: {what}\n").as_bytes()).unwrap();
}
