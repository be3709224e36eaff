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
"#), @"");
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
    let group = "[[group]]\nname = \"pupils\"\nlevel = \"primary\"\nanswer = \"portal\"\n";
    assert_snapshot!(mistakes(group), @"");
    right(&format!(
        "[portal]\nlisten = [\"10.20.0.1:80\"]\n\n{group}default_group"
            .replace("default_group", "")
            .as_str()
    ));
    assert_snapshot!(mistakes("[portal]\nname = \"a.internal\"\n"), @"");
}
