//! What the operator reads of mistakes in `[portal]`.

use insta::assert_snapshot;

use super::{mistakes, right};

#[test]
fn portal() {
    assert_snapshot!(mistakes(r#"
[portal]
listen = ["127.0.0.1:9153", "0.0.0.0:80", "0.0.0.0:80"]
name = "lachan.school"
addresses = []
contact = ""

[[portal.help]]
label = "111"
"#), @r#"
    gateway.toml:3:11: `127.0.0.1:9153` is taken: `[admin] listen` answers there over TCP
      |
    3 | listen = ["127.0.0.1:9153", "0.0.0.0:80", "0.0.0.0:80"]
      |           ^^^^^^^^^^^^^^^^
    hint: give the portal another port
    gateway.toml:3:43: `0.0.0.0:80` is taken: `[portal] listen` answers there over TCP
      |
    3 | listen = ["127.0.0.1:9153", "0.0.0.0:80", "0.0.0.0:80"]
      |                                           ^^^^^^^^^^^^
    hint: give the portal another port
    gateway.toml:4:8: anybody may register `lachan.school`, and away from school browsers would send its owner what they keep for it
      |
    4 | name = "lachan.school"
      |        ^^^^^^^^^^^^^^^
    hint: write a name that nobody can register, such as `name = "lachan.internal"`; of a name that the school has registered, say `owned = true`
    gateway.toml:5:13: the portal listens on every address, so `addresses` must say which ones its name leads to
      |
    5 | addresses = []
      |             ^^
    hint: add `addresses = ["10.20.0.1"]`
    gateway.toml:6:11: `contact` is empty, longer than 120 characters, or has control characters
      |
    6 | contact = ""
      |           ^^
    gateway.toml:8:1: a help line has a `label` and a `number`
      |
    8 | [[portal.help]]
      | ^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_portal_needs_a_name_of_its_own() {
    let of = |name: &str| {
        mistakes(&format!("[portal]\nlisten = [\"127.0.0.1:80\"]\nname = \"{name}\"\n"))
    };
    for name in ["portal", "portal.local", "a.localhost", "a.onion"] {
        assert!(of(name).contains("cannot name the portal"), "{}", of(name));
    }
    for name in ["lachan.school", "portal.thcs.edu.vn", "edu.vn"] {
        assert!(of(name).contains("anybody may register"), "{}", of(name));
    }
    let owned = "[portal]\nlisten = [\"127.0.0.1:80\"]\nowned = true\nname = ";
    assert!(mistakes(&format!("{owned}\"edu.vn\"")).contains("is a public suffix"));
    right(&format!("{owned}\"portal.thcs.edu.vn\""));
    right("[portal]\nlisten = [\"127.0.0.1:80\"]\nname = \"loc.truong.internal\"\n");
    right("[portal]\nlisten = [\"127.0.0.1:80\"]\nname = \"loc.home.arpa\"\n");
    let local = "[local]\nrecords = [\"lachan.internal A 10.0.0.1\"]\n";
    let taken = mistakes(&format!(
        "{local}[portal]\nlisten = [\"127.0.0.1:80\"]\nname = \"lachan.internal\"\n"
    ));
    assert!(taken.contains("is answered by `[local] records` already"), "{taken}");
}

#[test]
fn blocked_names_lead_to_a_portal_that_is_there() {
    let group = "[[group]]\nname = \"pupils\"\nclients = [\"10.20.0.0/16\"]\n\
                 level = \"primary\"\nanswer = \"portal\"\n";
    assert_snapshot!(mistakes(group), @r#"
    gateway.toml:5:10: `answer = "portal"` needs `[portal] listen`: there is no portal without it
      |
    5 | answer = "portal"
      |          ^^^^^^^^
    hint: add `[portal] listen = ["10.20.0.1:80"]`
    "#);
    right(&format!("[portal]\nlisten = [\"10.20.0.1:80\"]\n\n{group}"));
    assert_snapshot!(mistakes("[portal]\nname = \"a.internal\"\n"), @r#"
    gateway.toml:2:8: `[portal]` needs `listen`: there is no portal without it
      |
    2 | name = "a.internal"
      |        ^^^^^^^^^^^^
    hint: add `listen = ["10.20.0.1:80"]`
    "#);
}
