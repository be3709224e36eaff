//! What the operator reads of mistakes of meaning: sources of lists.

use insta::assert_snapshot;

use super::{mistakes, right};

#[test]
fn sources_need_a_category_and_a_path() {
    assert_snapshot!(mistakes(r#"[[lists.source]]
format = "domains"
"#), @r#"
    gateway.toml:1:1: this `[[lists.source]]` has no `category`
      |
    1 | [[lists.source]]
      | ^^^^^^^^^^^^^^^^
    hint: add `category = "…"`
    gateway.toml:1:1: this `[[lists.source]]` has no `path`
      |
    1 | [[lists.source]]
      | ^^^^^^^^^^^^^^^^
    hint: add `path = "…"`, or `url = "https://…"`
    "#);
}

#[test]
fn words_of_a_source() {
    assert_snapshot!(mistakes(r#"[[lists.source]]
category = "gamblng"
path = ""
format = "hostz"
scope = "sub-tree"
"#), @r#"
    gateway.toml:2:12: unknown category `gamblng`; known are `csam`, `legal_request`, `adult`, `nudify`, `gambling`, `dating`, `violence`, `drugs`, `self_harm`, `extremism`, `fraud`, `malware`, `bypass`, `hacking`, `social`, `games`, `video`, `piracy`, `ai_chat`, `crypto`, `ads_trackers`, `cheating`, `risky_infra`, `fake_news`, `unsafe_search`, `safe`
      |
    2 | category = "gamblng"
      |            ^^^^^^^^^
    hint: did you mean `gambling`?
    gateway.toml:3:8: `path` is not a path
      |
    3 | path = ""
      |        ^^
    gateway.toml:4:10: unknown format `hostz`; known are `auto`, `domains`, `hosts`, `adblock`, `dnsmasq`, `unbound`, `rpz`, `addresses`, `sealed`
      |
    4 | format = "hostz"
      |          ^^^^^^^
    hint: did you mean `hosts`?
    gateway.toml:5:9: unknown scope `sub-tree`; known are `as-format`, `subtree`
      |
    5 | scope = "sub-tree"
      |         ^^^^^^^^^^
    hint: did you mean `subtree`?
    "#);
}

#[test]
fn a_source_stands_once() {
    assert_snapshot!(mistakes(r#"[[lists.source]]
category = "games"
path = "a"
[[lists.source]]
category = "games"
path = "a"
"#), @r#"
    gateway.toml:6:8: `a` is a source of this category already
      |
    6 | path = "a"
      |        ^^^
    hint: remove one of the two `[[lists.source]]`
    "#);
}

#[test]
fn downloads_need_a_plain_web_address_and_bounds_that_hold() {
    assert_snapshot!(mistakes(r#"[[lists.source]]
category = "malware"
url = "ftp://lists.example/a"
[[lists.source]]
category = "malware"
url = "https://me:secret@lists.example/a"
[[lists.source]]
category = "malware"
url = "https://lists.example/a#b"
every = "1m"
timeout = "0s"
max_size = "2GiB"
min_percent = 101
[[lists.source]]
category = "malware"
url = "https://lists.example/a"
path = "a"
[[lists.source]]
category = "malware"
path = "a"
every = "1d"
key = "k"
"#), @r#"
    gateway.toml:3:7: `ftp://lists.example/a` is neither https nor http
      |
    3 | url = "ftp://lists.example/a"
      |       ^^^^^^^^^^^^^^^^^^^^^^^
    hint: write `https://host/path`
    gateway.toml:6:7: the URL has a user name or a password in it, which are not sent
      |
    6 | url = "https://me:secret@lists.example/a"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: let the server know the gateway by its address
    gateway.toml:9:7: `https://lists.example/a#b` has a `#`, which no server sees
      |
    9 | url = "https://lists.example/a#b"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: leave it out
    gateway.toml:10:9: `every` is 1m; it must be 15m to 30d
       |
    10 | every = "1m"
       |         ^^^^
    gateway.toml:11:11: `timeout` is 0s; it must be 1s to 1h
       |
    11 | timeout = "0s"
       |           ^^^^
    gateway.toml:12:12: `max_size` is 2GiB; it must be 1KiB to 1GiB
       |
    12 | max_size = "2GiB"
       |            ^^^^^^
    gateway.toml:13:15: `min_percent` is 101; it must be 0 to 100
       |
    13 | min_percent = 101
       |               ^^^
    gateway.toml:16:7: a source has a `path` or a `url`, not both
       |
    16 | url = "https://lists.example/a"
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: remove one of them, or make two `[[lists.source]]`
    gateway.toml:21:9: `every` is for sources with a `url` only
       |
    21 | every = "1d"
       |         ^^^^
    hint: remove it; a file is read when it changes
    gateway.toml:22:7: `key` is for sealed lists only
       |
    22 | key = "k"
       |       ^^^
    hint: add `format = "sealed"`, or remove it
    "#);
}

#[test]
fn a_sealed_list_is_a_file_with_a_key_for_csam() {
    assert_snapshot!(mistakes(r#"[[lists.source]]
category = "adult"
format = "sealed"
url = "https://lists.example/a"
scope = "subtree"
every = "1d"
[[lists.source]]
category = "csam"
format = "sealed"
path = "a"
key = ""
"#), @r#"
    gateway.toml:1:1: this `[[lists.source]]` has no `key`
      |
    1 | [[lists.source]]
      | ^^^^^^^^^^^^^^^^
    hint: add `key = "…"`
    gateway.toml:1:1: this `[[lists.source]]` has no `path`
      |
    1 | [[lists.source]]
      | ^^^^^^^^^^^^^^^^
    hint: add `path = "…"`
    gateway.toml:2:12: a sealed list is for `csam`, not for `adult`
      |
    2 | category = "adult"
      |            ^^^^^^^
    hint: give the list as names: who is blocked by it may ask why
    gateway.toml:4:7: a sealed list comes as a file, not by `url`
      |
    4 | url = "https://lists.example/a"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: copy it to the gateway, and its key by another way
    gateway.toml:5:9: `scope` means nothing here: a sealed name has all below it
      |
    5 | scope = "subtree"
      |         ^^^^^^^^^
    hint: remove it
    gateway.toml:6:9: `every` is for sources with a `url` only
      |
    6 | every = "1d"
      |         ^^^^
    hint: remove it; a file is read when it changes
    gateway.toml:11:7: `key` is not a path
       |
    11 | key = ""
       |       ^^
    "#);
}

#[test]
fn a_list_by_http_is_never_trusted() {
    assert_snapshot!(mistakes(r#"[[lists.source]]
category = "malware"
url = "http://lists.example/a"
trusted = true
"#), @r"
    gateway.toml:4:11: `trusted` stands beside a url of http, which anybody on the way can rewrite
      |
    4 | trusted = true
      |           ^^^^
    hint: use https, or remove `trusted`
    ");
}

#[test]
fn an_action_is_for_zones() {
    assert_snapshot!(mistakes(r#"[[lists.source]]
category = "malware"
path = "a.txt"
action = "nxdomain"
[[lists.source]]
category = "malware"
path = "b.txt"
format = "rpz"
action = "block"
"#), @r#"
    gateway.toml:4:10: `action` is for response policy zones only
      |
    4 | action = "nxdomain"
      |          ^^^^^^^^^^
    hint: add `format = "rpz"`, or remove it
    gateway.toml:9:10: unknown action `block`; known are `given`, `nxdomain`, `nodata`, `passthru`, `drop`, `tcp-only`, `disabled`
      |
    9 | action = "block"
      |          ^^^^^^^
    "#);
    let config = right(
        "[[lists.source]]\ncategory = \"malware\"\npath = \"a.zone\"\nformat = \"rpz\"\naction = \"tcp-only\"\n",
    );
    assert_eq!(config.lists.sources[0].action, lachan::blocklist::ZoneAction::TcpOnly);
}
