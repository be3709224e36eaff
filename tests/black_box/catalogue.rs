//! The catalogue of public lists, and taking one of it into a config.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::kit::folder::Folder;
use crate::support::gateway::{LACHAN, run};

const CONFIG: &str = "# our gateway\n[state]\ndir = \"state\" # on the disk\n";

/// Adds in `dir`: the exit code, and what was said.
fn add(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.args(["lists", "add"]).args(arguments).current_dir(dir);
    let (status, said) = run(command);
    (status.code().unwrap(), said)
}

#[test]
fn the_catalogue_is_shown() {
    let show = |arguments: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.args(["lists", "catalogue"]).args(arguments);
        let (status, said) = run(command);
        (status.code().unwrap(), said)
    };
    let (code, all) = show(&[]);
    assert_eq!(code, 0);
    for name in ["ut1-adult", "hostsvn-gambling-vn", "stevenblack", "oisd-big", "hagezi-tif"] {
        assert!(all.contains(name), "{name}");
    }
    assert!(all.contains("never: ut1-jobsearch") && all.contains("(unverified)"), "{all}");
    let (_, some) = show(&["gambling", "--json"]);
    let some: Value = serde_json::from_str(&some).unwrap();
    let lists = some["lists"].as_array().unwrap();
    assert!(lists.len() >= 4 && lists.iter().all(|one| one["category"] == "gambling"), "{some}");
    assert_eq!(show(&["no such thing"]).0, 1);
}

#[test]
fn a_list_is_added_behind_what_is_there() {
    let folder = Folder::new(CONFIG, &[]);
    let path = folder.config();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said) = add(folder.dir(), &["hostsvn-gambling", "ut1-games"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("take care with ut1-games: 57 names"), "{said}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(CONFIG), "{text}");
    for line in [
        "# licence: MIT (https://github.com/bigdargon/hostsVN)",
        "category = \"gambling\"",
        "format = \"hosts\"",
        "scope = \"subtree\"",
        "url = \"https://dsi.ut-capitole.fr/blacklists/download/games.tar.gz\"",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let mut command = Command::new(LACHAN);
    command.arg("check").arg(&path);
    let (status, said) = run(command);
    assert!(status.success() && said.contains("not downloaded yet"), "{said}");

    // Once more: it is there.
    let (code, said) = add(folder.dir(), &["hostsvn-gambling"]);
    assert!(code == 2 && said.contains("already"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let files = fs::read_dir(folder.dir()).unwrap().count();
    assert_eq!(files, 1, "nothing is left beside");
}

#[test]
fn what_cannot_be_added_changes_nothing() {
    let folder = Folder::new(CONFIG, &[]);
    let path = folder.config();
    for (arguments, code, why) in [
        (["ut1-jobsearch", "oisd-big"], 2, "no list to block by"),
        (["hagesi-tif", "oisd-big"], 2, "did you mean `hagezi-tif`?"),
        (["oisd-big", "oisd-big"], 3, "already"),
        (["oisd-big", "--dry-run"], 0, "[[lists.source]]"),
        (["oisd-big", "--config=nowhere.toml"], 1, "cannot be read"),
    ] {
        let (found, said) = add(folder.dir(), &arguments);
        assert!(found == code && said.contains(why), "{arguments:?}: {found} {said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), CONFIG, "{arguments:?}");
    }
    // A config with a mistake is left to its owner, and a table that cannot be added to.
    for broken in ["[listen]\ndns = \"x\"\n", "lists = { starter = true }\n"] {
        fs::write(&path, broken).unwrap();
        let (code, said) = add(folder.dir(), &["oisd-big"]);
        assert!(code == 3 && said.contains("nothing was added"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
}

#[test]
fn a_linked_config_stays_a_link_and_a_last_line_is_ended() {
    let folder = Folder::new("", &[]);
    fs::remove_file(folder.config()).unwrap();
    fs::create_dir(folder.path("real")).unwrap();
    fs::write(folder.path("real/school.toml"), "[state]\ndir = \"s\"").unwrap();
    symlink("real/school.toml", folder.config()).unwrap();
    let (code, said) = add(folder.dir(), &["oisd-nsfw"]);
    assert_eq!(code, 0, "{said}");
    assert!(fs::symlink_metadata(folder.config()).unwrap().is_symlink());
    let text = fs::read_to_string(folder.path("real/school.toml")).unwrap();
    assert!(text.starts_with("[state]\ndir = \"s\"\n\n# oisd-nsfw"), "{text}");
}
