//! The department's guide, run as it stands.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::gateway::{LACHAN, run};

/// The shell blocks of a page, each with the line that it begins at.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let (mut blocks, mut open) = (Vec::new(), None);
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (None, "```sh") => open = Some((number + 2, String::new())),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, text)), line) => text.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    blocks
}

/// Runs the blocks one after another in a directory; what each wrote.
fn run_page(page: &Path, dir: &Path) -> Vec<String> {
    let bin = dir.join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(LACHAN, bin.join("lachan")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let work = dir.join("work");
    fs::create_dir(&work).unwrap();
    let text = fs::read_to_string(page).unwrap();
    let run_block = |(line, block): (usize, String)| {
        let mut shell = Command::new("bash");
        shell.args(["-euc", &block]).current_dir(&work).env("PATH", &path);
        shell.env_remove("STATE_DIRECTORY");
        let (status, said) = run(shell);
        assert!(status.success(), "{}:{line}: {status}\n{block}\n{said}", page.display());
        said
    };
    blocks(&text).into_iter().map(run_block).collect()
}

#[test]
fn the_guide_of_the_department_works_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/department.md");
    let said = run_page(&page, dir.path());
    assert!(said.len() >= 12, "{} blocks", said.len());
    let all = said.join("\n");
    for wanted in ["root ", "release 1 is signed", "back: every school", "root 2", "rejected:disk"]
    {
        assert!(all.contains(wanted), "`{wanted}`: {all}");
    }
    let state =
        fs::read_to_string(dir.path().join("work/school/state/releases/mark.json")).unwrap();
    assert!(state.contains("\"release\": 3") || state.contains("\"release\":3"), "{state}");
}
