//! What the operator reads of mistakes of meaning: groups and profiles.

use insta::assert_snapshot;

use super::{group_of, mistakes, right};

#[test]
fn a_group_needs_a_name() {
    assert_snapshot!(mistakes(r#"[[group]]
clients = ["10.0.0.0/8"]
"#), @r#"
    gateway.toml:1:1: this `[[group]]` has no `name`
      |
    1 | [[group]]
      | ^^^^^^^^^
    hint: add `name = "…"`
    "#);
}

#[test]
fn group_names() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "Học sinh"
clients = ["10.0.0.0/8"]
[profile."6 A"]
"#), @r#"
    gateway.toml:2:8: "Học sinh" cannot name a group; a name is 1 to 32 of `a` to `z`, digits, `_` and `-`
      |
    2 | name = "Học sinh"
      |        ^^^^^^^^^^
    gateway.toml:4:10: "6 A" cannot name a profile; a name is 1 to 32 of `a` to `z`, digits, `_` and `-`
      |
    4 | [profile."6 A"]
      |          ^^^^^
    "#);
}

#[test]
fn a_group_that_is_not_the_default_needs_clients() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "pupils"
[[group]]
name = "staff"
clients = []
"#), @r#"
    gateway.toml:1:1: no client can be in group `pupils`
      |
    1 | [[group]]
      | ^^^^^^^^^
    hint: add `clients = ["10.20.0.0/16"]`, or make it the `default_group`
    gateway.toml:5:11: no client can be in group `staff`
      |
    5 | clients = []
      |           ^^
    hint: add `clients = ["10.20.0.0/16"]`, or make it the `default_group`
    "#);
}

#[test]
fn two_groups_have_two_names() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "a"
clients = ["10.1.0.0/16"]
[[group]]
name = "a"
clients = ["10.2.0.0/16"]
"#), @r#"
    gateway.toml:5:8: there is a group `a` already
      |
    5 | name = "a"
      |        ^^^
    hint: give each group its own name
    "#);
}

#[test]
fn a_prefix_is_in_one_group() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "pupils"
clients = ["10.1.0.0/16", "10.1.0.0/16"]
[[group]]
name = "staff"
clients = ["10.1.0.0/16"]
"#), @r#"
    gateway.toml:3:27: `10.1.0.0/16` stands twice in `clients` of group `pupils`
      |
    3 | clients = ["10.1.0.0/16", "10.1.0.0/16"]
      |                           ^^^^^^^^^^^^^
    hint: remove one of the two
    gateway.toml:6:12: `10.1.0.0/16` is in group `staff` and in group `pupils`
      |
    6 | clients = ["10.1.0.0/16"]
      |            ^^^^^^^^^^^^^
    hint: leave it in one; a longer prefix goes before a shorter one
    "#);
}

#[test]
fn there_are_sixteen_groups_with_the_default() {
    let group = |n| format!("[[group]]\nname = \"g{n}\"\nclients = [\"10.{n}.0.0/16\"]\n");
    let sixteen: String = (0..16).map(group).collect();
    right(&format!("default_group = \"g0\"\n{sixteen}"));
    assert_snapshot!(mistakes(&sixteen), @"
    gateway.toml:46:1: there are 17 groups with the default group; there may be 16
       |
    46 | [[group]]
       | ^^^^^^^^^
    hint: one group can have many prefixes in `clients`
    ");
}

#[test]
fn words_of_a_group() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "pupils"
clients = ["10.1.0.0/16"]
level = "primery"
profile = "pupls"
answer = "nxdomian"
[profile.pupils]
answer = "block"
"#), @r#"
    gateway.toml:4:9: unknown level `primery`; known are `preschool`, `primary`, `lower-secondary`, `upper-secondary`, `boarding`, `continuing`, `staff`
      |
    4 | level = "primery"
      |         ^^^^^^^^^
    hint: did you mean `primary`?
    gateway.toml:5:11: unknown profile `pupls`; known are `pupils`
      |
    5 | profile = "pupls"
      |           ^^^^^^^
    hint: did you mean `pupils`?
    gateway.toml:6:10: unknown answer `nxdomian`; known are `nxdomain`, `nodata`, `zero`, `portal`, `refused`
      |
    6 | answer = "nxdomian"
      |          ^^^^^^^^^^
    hint: did you mean `nxdomain`?
    gateway.toml:8:10: unknown answer `block`; known are `nxdomain`, `nodata`, `zero`, `portal`, `refused`
      |
    8 | answer = "block"
      |          ^^^^^^^
    "#);
}

#[test]
fn a_profile_where_there_is_none() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "default"
profile = "pupils"
"#), @r#"
    gateway.toml:3:11: unknown profile `pupils`; this file defines none
      |
    3 | profile = "pupils"
      |           ^^^^^^^^
    "#);
}

#[test]
fn the_default_group_must_be_there() {
    assert_snapshot!(mistakes(r#"default_group = "puplis"
[[group]]
name = "pupils"
"#), @r#"
    gateway.toml:1:17: unknown group `puplis`; known are `pupils`, `default`
      |
    1 | default_group = "puplis"
      |                 ^^^^^^^^
    hint: did you mean `pupils`?
    "#);
}

#[test]
fn level_and_profile_must_agree() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "pupils"
clients = ["10.1.0.0/16"]
level = "primary"
profile = "office"
[profile.office]
level = "staff"
"#), @r#"
    gateway.toml:4:9: `pupils` is of level `primary`, but its profile of `staff`
      |
    4 | level = "primary"
      |         ^^^^^^^^^
    hint: remove one of the two
    "#);
}

#[test]
fn a_category_is_blocked_or_observed() {
    assert_snapshot!(mistakes(r#"[profile.x]
block = ["games", "social"]
observe = ["games"]
"#), @r#"
    gateway.toml:3:12: `games` is in `block` and in `observe`
      |
    3 | observe = ["games"]
      |            ^^^^^^^
    hint: leave it in one: `block` refuses its names, `observe` only counts them
    "#);
}

#[test]
fn a_locked_category_cannot_be_observed() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "pupils"
clients = ["10.1.0.0/16"]
profile = "x"
[[group]]
name = "more"
clients = ["10.2.0.0/16"]
profile = "x"
[profile.x]
observe = ["adult", "malware", "games"]
"#), @r#"
    gateway.toml:10:12: `adult` cannot be let through: the taxonomy locks it for pupils, and this profile is used at level `primary`
       |
    10 | observe = ["adult", "malware", "games"]
       |            ^^^^^^^
    hint: remove it from `observe`, or give the profile `level = "staff"` if no pupil is bound by it
    gateway.toml:10:21: `malware` cannot be let through: the taxonomy locks it for everyone
       |
    10 | observe = ["adult", "malware", "games"]
       |                     ^^^^^^^^^
    hint: remove it from `observe`; nobody at a school can loosen it
    "#);
}

#[test]
fn a_lock_on_everyone_holds_staff_too() {
    assert_snapshot!(mistakes(r#"[profile.x]
level = "staff"
observe = ["adult", "csam"]
"#), @r#"
    gateway.toml:3:21: `csam` cannot be let through: the taxonomy locks it for everyone
      |
    3 | observe = ["adult", "csam"]
      |                     ^^^^^^
    hint: remove it from `observe`; nobody at a school can loosen it
    "#);
}

#[test]
fn good_names_cannot_be_blocked() {
    assert_snapshot!(mistakes(r#"[profile.x]
block = ["safe"]
"#), @r#"
    gateway.toml:2:10: `safe` is a list of good names and never blocks
      |
    2 | block = ["safe"]
      |          ^^^^^^
    hint: remove it from `block`; to refuse single names, use `deny`
    "#);
}

#[test]
fn names_of_a_profile() {
    assert_snapshot!(mistakes(r#"[profile.x]
allow = ["https://lib.example/books", "*.lib.example", "a..example", ""]
deny = ["game portal.example", "||x.example^"]
"#), @r#"
    gateway.toml:2:10: `https://lib.example/books` in `allow` is no name: `:` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    2 | allow = ["https://lib.example/books", "*.lib.example", "a..example", ""]
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: write `lib.example`: it stands for the name and all below it
    gateway.toml:2:39: `*.lib.example` in `allow` is no name: `*` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    2 | allow = ["https://lib.example/books", "*.lib.example", "a..example", ""]
      |                                       ^^^^^^^^^^^^^^^
    hint: write `lib.example`: it stands for the name and all below it
    gateway.toml:2:56: `a..example` in `allow` is no name: a label is empty; write single dots between labels
      |
    2 | allow = ["https://lib.example/books", "*.lib.example", "a..example", ""]
      |                                                        ^^^^^^^^^^^^
    gateway.toml:2:70: `` in `allow` is no name: the name is empty
      |
    2 | allow = ["https://lib.example/books", "*.lib.example", "a..example", ""]
      |                                                                      ^^
    gateway.toml:3:9: `game portal.example` in `deny` is no name: ` ` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    3 | deny = ["game portal.example", "||x.example^"]
      |         ^^^^^^^^^^^^^^^^^^^^^
    gateway.toml:3:32: `||x.example^` in `deny` is no name: `|` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    3 | deny = ["game portal.example", "||x.example^"]
      |                                ^^^^^^^^^^^^^^
    hint: write `x.example`: it stands for the name and all below it
    "#);
}

#[test]
fn words_of_safe_search_and_canaries() {
    assert_snapshot!(mistakes(r#"[profile.p]
safesearch = ["gogle", "youtube"]
youtube = "strickt"
canaries = ["firefix"]
[profile.q]
safesearch = "on"
canaries = "none"
[profile.r]
safesearch = 3
"#), @"
    gateway.toml:9:14: wrong type: found integer `3`, expected a text in quotes or an array of them
      |
    9 | safesearch = 3
      |              ^
    ");
    assert_snapshot!(mistakes(r#"[profile.p]
safesearch = ["gogle", "youtube"]
youtube = "strickt"
canaries = ["firefix"]
[profile.q]
safesearch = "on"
canaries = "none"
"#), @r#"
    gateway.toml:2:15: unknown search engine `gogle`; known are `google`, `bing`, `duckduckgo`, `yandex`, `pixabay`, `ecosia`, `brave`, `qwant`, `startpage`
      |
    2 | safesearch = ["gogle", "youtube"]
      |               ^^^^^^^
    hint: did you mean `google`?
    gateway.toml:2:24: `youtube` has modes, and so a key of its own
      |
    2 | safesearch = ["gogle", "youtube"]
      |                        ^^^^^^^^^
    hint: write `youtube = "moderate"`
    gateway.toml:3:11: unknown mode of `youtube` `strickt`; known are `moderate`, `strict`, `off`
      |
    3 | youtube = "strickt"
      |           ^^^^^^^^^
    hint: did you mean `strict`?
    gateway.toml:4:13: unknown canary `firefix`; known are `firefox`, `icloud`, `chrome`
      |
    4 | canaries = ["firefix"]
      |             ^^^^^^^^^
    hint: did you mean `firefox`?
    gateway.toml:6:14: unknown word for `safesearch` `on`; known are `all`, `off`
      |
    6 | safesearch = "on"
      |              ^^^^
    gateway.toml:7:12: unknown word for `canaries` `none`; known are `all`, `off`
      |
    7 | canaries = "none"
      |            ^^^^^^
    "#);
}

#[test]
fn safe_search_follows_the_level_unless_the_profile_speaks() {
    let text = r#"
[[group]]
name = "a"
clients = ["10.1.0.0/16"]
level = "primary"
[[group]]
name = "b"
clients = ["10.2.0.0/16"]
level = "staff"
[[group]]
name = "c"
clients = ["10.3.0.0/16"]
profile = "c"
[profile.c]
level = "upper-secondary"
safesearch = ["bing"]
canaries = []
"#;
    let config = right(text);
    let words = |name| -> Vec<String> {
        let modes = &group_of(&config, name).enforcement.safe;
        config.safesearch.engines.words(modes).map(|word| word.to_string()).collect()
    };
    assert_eq!(
        words("a"),
        [
            "google",
            "bing",
            "duckduckgo",
            "youtube=strict",
            "yandex",
            "pixabay",
            "ecosia",
            "brave",
            "qwant",
            "startpage"
        ]
    );
    assert!(words("b").is_empty());
    assert_eq!(words("c"), ["bing", "youtube=moderate"]);
    assert!(group_of(&config, "c").enforcement.canaries.is_empty());
}

#[test]
fn what_groups_name_of_their_devices() {
    let config = right(
        r#"[[group]]
name = "a"
server_names = ["A.dns.school.example."]
[[group]]
name = "b"
macs = ["A0-36-9F-00-00-01"]
tokens_from = ["10.2.0.0/16"]
"#,
    );
    let [a, b] = ["a", "b"].map(|name| &group_of(&config, name).claims);
    assert_eq!(a.server_names, ["a.dns.school.example"]);
    assert_eq!(b.macs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a0:36:9f:00:00:01"]);
    assert_eq!(b.tokens_from, ["10.2.0.0/16".parse().unwrap()]);
}

#[test]
fn what_groups_cannot_name_of_their_devices() {
    assert_snapshot!(mistakes(r#"[[group]]
name = "a"
server_names = ["a.dns.example", "A.DNS.example.", "dns", "10.0.0.1", "*.dns.example"]
macs = ["a0:36:9f:00:00:01", "a0369f000002", "01:00:5e:00:00:01"]
tokens_from = []
[[group]]
name = "b"
server_names = ["a.dns.example"]
macs = ["A0-36-9F-00-00-01"]
tokens_from = ["10.0.0.0/8", "10.0.0.0/8"]
"#), @r#"
    gateway.toml:3:34: `a.dns.example` stands twice in `server_names` of group `a`
      |
    3 | server_names = ["a.dns.example", "A.DNS.example.", "dns", "10.0.0.1", "*.dns.example"]
      |                                  ^^^^^^^^^^^^^^^^
    hint: remove one of the two
    gateway.toml:3:52: `dns` is no host name by which a device could call this gateway
      |
    3 | server_names = ["a.dns.example", "A.DNS.example.", "dns", "10.0.0.1", "*.dns.example"]
      |                                                    ^^^^^
    hint: write `pupils.dns.school.example`
    gateway.toml:3:59: `10.0.0.1` is no host name by which a device could call this gateway
      |
    3 | server_names = ["a.dns.example", "A.DNS.example.", "dns", "10.0.0.1", "*.dns.example"]
      |                                                           ^^^^^^^^^^
    hint: write `pupils.dns.school.example`
    gateway.toml:3:71: `*.dns.example` is no host name by which a device could call this gateway
      |
    3 | server_names = ["a.dns.example", "A.DNS.example.", "dns", "10.0.0.1", "*.dns.example"]
      |                                                                       ^^^^^^^^^^^^^^^
    hint: write `pupils.dns.school.example`
    gateway.toml:4:30: `a0369f000002` is no hardware address (MAC)
      |
    4 | macs = ["a0:36:9f:00:00:01", "a0369f000002", "01:00:5e:00:00:01"]
      |                              ^^^^^^^^^^^^^^
    hint: write `a0:36:9f:00:00:01`
    gateway.toml:4:46: `01:00:5e:00:00:01` is the hardware address of no single device
      |
    4 | macs = ["a0:36:9f:00:00:01", "a0369f000002", "01:00:5e:00:00:01"]
      |                                              ^^^^^^^^^^^^^^^^^^^
    hint: write the address that the device's settings or its label show
    gateway.toml:5:15: `tokens_from` of group `a` names no network
      |
    5 | tokens_from = []
      |               ^^
    hint: name the networks where its tokens act, or leave it out: then they are those of `clients`
    gateway.toml:8:17: `a.dns.example` is in group `b` and in group `a`
      |
    8 | server_names = ["a.dns.example"]
      |                 ^^^^^^^^^^^^^^^
    hint: leave it in one
    gateway.toml:9:9: `a0:36:9f:00:00:01` is in group `b` and in group `a`
      |
    9 | macs = ["A0-36-9F-00-00-01"]
      |         ^^^^^^^^^^^^^^^^^^^
    hint: leave it in one
    gateway.toml:10:30: `10.0.0.0/8` stands twice in `tokens_from`
       |
    10 | tokens_from = ["10.0.0.0/8", "10.0.0.0/8"]
       |                              ^^^^^^^^^^^^
    hint: remove one of the two
    "#);
}
