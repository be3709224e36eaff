//! `[update]`.

use insta::assert_snapshot;

use super::{mistakes, right};

#[test]
fn a_repository_is_named_by_its_root() {
    let config = right(
        "[state]\ndir = \"state\"\n[update]\nroot = \"1.root.json\"\ndirectory = \"stick\"\n\
         urls = [\"https://a.example/r/\", \"http://10.0.0.5/r/\"]\nevery = \"30m\"\n\
         nudge = \"_lachan.a.example\"\n",
    );
    assert_eq!((config.update.urls.len(), config.update.every.as_secs()), (2, 1800));
    assert_eq!(config.update.root.as_deref(), Some("/etc/lachan/1.root.json".as_ref()));
    assert!(right("").update.root.is_none());
}

#[test]
fn what_is_wrong_with_it() {
    assert_snapshot!(mistakes(
        "[lists]\npacks = \"packs\"\n[update]\nroot = \"r\"\nevery = \"1s\"\n\
         urls = [\"http://a.example/\", \"https://b.example/\", \"https://c.example/\"]\n"
    ), @"");
    assert_snapshot!(mistakes("[update]\ndirectory = \"stick\"\nnudge = \"n.example\"\n"), @"");
}
