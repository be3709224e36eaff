//! `[update]`.

use insta::assert_snapshot;

use super::{mistakes, right};

#[test]
fn a_repository_is_named_by_its_root() {
    let config = right(
        "[state]\ndir = \"state\"\n[update]\nroot = \"1.root.json\"\ndirectory = \"stick\"\n\
         urls = [\"https://a.example/r/\", \"http://10.0.0.5/r/\"]\nevery = \"30m\"\n\
         silence = \"5s\"\nnudge = \"_lachan.a.example\"\nnudge_every = \"20s\"\n",
    );
    assert_eq!((config.update.urls.len(), config.update.every.as_secs()), (2, 1800));
    let waits = [config.update.silence, config.update.nudge_every].map(|wait| wait.as_secs());
    assert_eq!(waits, [5, 20]);
    assert_eq!(config.update.root.as_deref(), Some("/etc/lachan/1.root.json".as_ref()));
    assert!(right("").update.root.is_none());
}

#[test]
fn what_is_wrong_with_it() {
    assert_snapshot!(mistakes(
        "[update]\nroot = \"r\"\nevery = \"500ms\"\n\
         urls = [\"http://a.example/\", \"https://b.example/\", \"https://c.example/\"]\n"
    ), @r#"
    gateway.toml:3:9: `every` is 500ms; it must be 1s to 7d
      |
    3 | every = "500ms"
      |         ^^^^^^^
    gateway.toml:4:9: `http://a.example/` is not https; http is for this machine and the school's network
      |
    4 | urls = ["http://a.example/", "https://b.example/", "https://c.example/"]
      |         ^^^^^^^^^^^^^^^^^^^
    hint: write `https://host/path`
    gateway.toml:4:52: `urls` has at most two URLs
      |
    4 | urls = ["http://a.example/", "https://b.example/", "https://c.example/"]
      |                                                    ^^^^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(mistakes("[update]\ndirectory = \"stick\"\nnudge = \"n.example\"\n"), @r#"
    gateway.toml:2:13: `[update]` needs `root`
      |
    2 | directory = "stick"
      |             ^^^^^^^
    hint: add `root = "1.root.json"`
    gateway.toml:3:9: `nudge` needs `urls`
      |
    3 | nudge = "n.example"
      |         ^^^^^^^^^^^
    "#);
}
