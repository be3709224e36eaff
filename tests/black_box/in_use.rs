//! What a change of the config does while the gateway serves: local records, forward zones,
//! keyword rules.

use crate::support::{Answer, Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// A name that a built-in keyword rule blocks, and no list has.
const BUILT_IN: &str = "nhacaiuytin-x.example";
/// What only the rules of the tests block, or count.
const OWN_RULES: &str = "block gambling *zorkword*\nobserve gambling *blipword*\n";

fn ask(gateway: &Gateway, name: &str) -> Answer {
    Ask::new(name, "A").from(PUPIL).edns(1232).expect(gateway.dns)
}

fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    ask(gateway, name).rcode() == "NXDOMAIN"
}

/// Two groups whose pupils' gambling is blocked, with this in `[lists]` and behind it.
fn config(lists: &str, rest: &str) -> String {
    let groups = TWO_GROUPS.replace("[lists]\n", &format!("[lists]\n{lists}\n"));
    let profiles = TWO_PROFILES.replace("\"games\"", "\"games\", \"gambling\"");
    format!("{groups}{profiles}{rest}")
}

/// Puts another config in force, as an editor does.
fn rewrite(gateway: &Gateway, from: &str, to: &str) {
    let path = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_local_record_and_a_forward_zone_change_without_a_restart() {
    let (outside, first, second) = (Upstream::start(), Upstream::start(), Upstream::start());
    let rest = format!(
        "\n[local]\nrecords = [\"printer.school.lan A 10.20.0.9\"]\n\
         [[forward]]\nzone = \"school.internal\"\nservers = [\"udp://{}\"]\n",
        first.address()
    );
    let gateway = Gateway::plan(&config("", &rest)).upstream(&outside).start();
    assert_eq!(ask(&gateway, "printer.school.lan").answers(), ["A 10.20.0.9"]);
    assert_eq!(ask(&gateway, "a.school.internal").answers(), ["A 192.0.2.1"]);
    assert_eq!((first.count("a.school.internal", Some(1)), outside.asked().len()), (1, 0));

    rewrite(&gateway, "A 10.20.0.9", "A 10.20.0.10");
    eventually("the new record", || {
        (ask(&gateway, "printer.school.lan").answers() == ["A 10.20.0.10"]).then_some(())
    });
    let address = |upstream: &Upstream| upstream.address().to_string();
    rewrite(&gateway, &address(&first), &address(&second));
    let mut number = 0;
    eventually("the new server", || {
        number += 1;
        ask(&gateway, &format!("b{number}.school.internal"));
        (!second.asked().is_empty()).then_some(())
    });
    // What the old server said is not what the new one would: it is asked again.
    ask(&gateway, "a.school.internal");
    assert_eq!(second.count("a.school.internal", Some(1)), 1);

    rewrite(&gateway, "printer.school.lan A 10.20.0.10", "scanner.school.lan A 10.20.0.11");
    eventually("the record is gone", || {
        ask(&gateway, "printer.school.lan").answers().is_empty().then_some(())
    });
    assert_eq!(ask(&gateway, "scanner.school.lan").answers(), ["A 10.20.0.11"]);
    assert_eq!(outside.asked().len(), 0, "what is inside is not asked outside");
}

#[test]
fn keywords_of_a_file_block_or_only_count_and_one_switch_turns_them_off() {
    let upstream = Upstream::start();
    let gateway = Gateway::plan(&config("keywords = \"words.txt\"", ""))
        .upstream(&upstream)
        .file("words.txt", OWN_RULES)
        .start();
    assert!(is_blocked(&gateway, "zorkword.example"));
    assert!(!is_blocked(&gateway, "blipword.example"));
    // The file stands in the place of the built-in rules.
    assert!(!is_blocked(&gateway, BUILT_IN));
    let labels = [("group", "pupils"), ("category", "gambling")];
    gateway.expect_metric("lachan_observed_total", &labels, 1.0);
    let by_keyword = [("group", "pupils"), ("category", "gambling"), ("source", "keyword")];
    gateway.expect_metric("lachan_blocked_total", &by_keyword, 1.0);

    rewrite(&gateway, "keywords = \"words.txt\"", "use_keywords = false");
    eventually("no keywords", || (!is_blocked(&gateway, "zorkword.example")).then_some(()));
    assert!(!is_blocked(&gateway, BUILT_IN));
}

#[test]
fn without_the_keyword_file_the_built_in_rules_are_used_until_it_is_there() {
    for wrong in [None, Some("blokc gambling *zorkword*\n")] {
        let upstream = Upstream::start();
        let mut plan = Gateway::plan(&config("keywords = \"words.txt\"", "")).upstream(&upstream);
        if let Some(text) = wrong {
            plan = plan.file("words.txt", text);
        }
        let gateway = plan.start();
        gateway.expect_log("going on without");
        assert!(is_blocked(&gateway, BUILT_IN));
        assert!(!is_blocked(&gateway, "zorkword.example"));
        gateway.expect_metric("lachan_list_sources_left_out", &[], 1.0);

        std::fs::write(gateway.dir().join("words.txt"), OWN_RULES).unwrap();
        eventually("the file", || is_blocked(&gateway, "zorkword.example").then_some(()));
        assert!(!is_blocked(&gateway, BUILT_IN));
    }
}
