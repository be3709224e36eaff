//! Other keys at the department: gateways follow, and what was taken away counts no more.

use std::process::Command;

use super::published::{enrolled, pack, publish, update};
use crate::kit::repository::TestRepository;
use crate::support::Upstream;
use crate::support::gateway::{LACHAN, run};

/// Runs `lachan publish …`: the exit code, and all that was written.
pub(super) fn tried(arguments: &[&str]) -> (i32, String) {
    let mut program = Command::new(LACHAN);
    let (status, text) = run({
        program.arg("publish").args(arguments);
        program
    });
    (status.code().unwrap(), text)
}

/// `publish rotate` with these arguments, in which a word that begins with `@` is a key.
pub(super) fn rotate(repository: &TestRepository, arguments: &str) -> (i32, String) {
    let path = repository.text("repository");
    let words = arguments.split_whitespace().map(|word| match word.strip_prefix('@') {
        Some(key) => repository.text(key),
        None => word.to_owned(),
    });
    let words: Vec<String> = words.collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    tried(&[&["rotate", &path][..], &words].concat())
}

#[test]
fn every_role_is_rotated_and_gateways_follow() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    let away = enrolled(&repository, "", &upstream);
    publish(&repository, 1, &["one.example"]);
    assert_eq!(update(&gateway, &repository.path())["release"], 1);
    for name in ["d", "e", "f", "third", "host"] {
        repository.publish(&["key", &repository.text(name)]);
    }
    // An officer's stick is lost: two root sticks and the other officer.
    let lost = "--new-officer @second.pub --new-officer @third.pub --sign @a --sign @c --officer @second \
                --online @online";
    let before = std::fs::read_dir(repository.path()).unwrap().count();
    let (code, text) = rotate(&repository, &format!("{lost} --rehearse"));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("root 2") && text.contains("nothing was changed"), "{text}");
    assert_eq!(std::fs::read_dir(repository.path()).unwrap().count(), before);
    let (code, text) = rotate(&repository, lost);
    assert_eq!(code, 0, "{text}");
    let path = repository.text("repository");
    let new = pack(&repository, 2, &["one.example", "two.example"]).display().to_string();
    let sign =
        |key: &str| tried(&["release", &path, "--officer", &repository.text(key), "--new", &new]);
    assert_eq!(sign("officer").0, 3, "the lost stick counts no more");
    let (code, text) = sign("second");
    assert_eq!(code, 0, "{text}");
    // The publishing host was broken into.
    let broken = "--new-online @host.pub --sign @a --sign @b --officer @third --online @host";
    let (code, text) = rotate(&repository, broken);
    assert_eq!(code, 0, "{text}");
    assert_eq!(tried(&["refresh", &path, "--online", &repository.text("online")]).0, 3);
    let host = repository.text("host");
    repository.publish(&["refresh", &path, "--online", &host]);
    let ring = ["--release", "2", "--ring", "all=now:100%"];
    repository.publish(&[&["rollout", &path, "--online", &host][..], &ring].concat());
    assert_eq!(update(&gateway, &repository.path())["release"], 2);
    // The department is merged into another one: all keys are the other's, by two people of each.
    let heir =
        "--new-root @d.pub --new-root @e.pub --new-root @f.pub --out @staged --sign @a --sign @b";
    let (code, text) = rotate(&repository, heir);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("2 of 2; of the new ones: 0 of 2"), "{text}");
    let (code, text) = rotate(&repository, "--staged @staged --sign @d");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("of the new ones: 1 of 2"), "{text}");
    let (code, text) =
        rotate(&repository, "--staged @staged --sign @f --officer @second --online @host");
    assert_eq!(code, 0, "{text}");
    assert_eq!(rotate(&repository, "--sign @a --sign @b --officer @second --online @host").0, 3);
    assert_eq!(update(&gateway, &repository.path())["release"], 2);
    // Enrolled with the first root, and asleep until now.
    assert_eq!(update(&away, &repository.path())["release"], 2);
}

#[test]
fn a_root_without_its_signatures_is_never_written() {
    let repository = TestRepository::new();
    let before = std::fs::read_dir(repository.path()).unwrap().count();
    let (code, text) = rotate(&repository, "--sign @a");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("1 of 2") && text.contains("--out"), "{text}");
    assert_eq!(rotate(&repository, "--sign @officer").0, 3, "no root key");
    let shared =
        "--new-officer @a.pub --new-officer @second.pub --sign @a --sign @b --officer @second";
    assert_eq!(rotate(&repository, &format!("{shared} --online @online")).0, 3, "one key twice");
    assert_eq!(std::fs::read_dir(repository.path()).unwrap().count(), before);
    // The same keys for another two years.
    let (code, text) =
        rotate(&repository, "--sign @a --sign @b --officer @officer --online @online");
    assert_eq!(code, 0, "{text}");
}
