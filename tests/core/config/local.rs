//! What the operator reads of mistakes: local records, forward zones, essential names, fail modes.

use insta::assert_snapshot;

use super::{ids, mistakes, right};

#[test]
fn records_of_the_config() {
    assert_snapshot!(mistakes(r#"[local]
records = [
    "printer.lan",
    "*.lan A 10.0.0.1",
    "a.lan A 10.0.0",
    "a.lan NS ns.lan",
    "b.lan CNAME c.lan",
    "c.lan CNAME b.lan",
    "d.lan A 10.0.0.1",
    "d.lan CNAME a.lan",
    "printer.localhost A 10.0.0.1",
]
ttl = "0s"
"#), @r#"
    gateway.toml:3:5: "printer.lan": a record is a name, a type and its data
      |
    3 |     "printer.lan",
      |     ^^^^^^^^^^^^^
    hint: write it as `printer.school.lan A 10.20.0.9`
    gateway.toml:4:5: "*.lan A 10.0.0.1": a name with `*` is not answered here; write each name, or use a forward zone
      |
    4 |     "*.lan A 10.0.0.1",
      |     ^^^^^^^^^^^^^^^^^^
    hint: write it as `printer.school.lan A 10.20.0.9`
    gateway.toml:5:5: "a.lan A 10.0.0": `10.0.0` is no data of type A
      |
    5 |     "a.lan A 10.0.0",
      |     ^^^^^^^^^^^^^^^^
    hint: write it as `printer.school.lan A 10.20.0.9`
    gateway.toml:6:5: "a.lan NS ns.lan": `NS` is no type that can be written here; known are `A`, `AAAA`, `CNAME`, `HTTPS`, `MX`, `PTR`, `SRV`, `SVCB`, `TXT`
      |
    6 |     "a.lan NS ns.lan",
      |     ^^^^^^^^^^^^^^^^^
    hint: write it as `printer.school.lan A 10.20.0.9`
    gateway.toml:7:5: the aliases of `b.lan.` lead in a circle
      |
    7 |     "b.lan CNAME c.lan",
      |     ^^^^^^^^^^^^^^^^^^^
    hint: let one of them lead to a name with an address
    gateway.toml:8:5: the aliases of `c.lan.` lead in a circle
      |
    8 |     "c.lan CNAME b.lan",
      |     ^^^^^^^^^^^^^^^^^^^
    hint: let one of them lead to a name with an address
    gateway.toml:10:5: `d.lan.` has a CNAME, and so can have no other record
       |
    10 |     "d.lan CNAME a.lan",
       |     ^^^^^^^^^^^^^^^^^^^
    hint: remove one of the two
    gateway.toml:11:5: `printer.localhost.` is a special-use name that is always answered here
       |
    11 |     "printer.localhost A 10.0.0.1",
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: choose another name
    gateway.toml:13:7: `ttl` is 0s; it must be 1s to 1d
       |
    13 | ttl = "0s"
       |       ^^^^
    "#);
}

#[test]
fn forward_zones_of_the_config() {
    assert_snapshot!(mistakes(r#"[[forward]]
zone = "."
servers = ["udp://192.0.2.1"]
[[forward]]
zone = "com"
servers = ["udp://192.0.2.1"]
[[forward]]
zone = "edu.vn"
servers = []
[[forward]]
zone = "onion"
servers = ["udp://192.0.2.1", "192.0.2.1"]
[[forward]]
servers = ["127.0.0.1:5300"]
[[forward]]
zone = "school.local"
[[forward]]
zone = "School.Local."
servers = ["udp://192.0.2.1"]
"#), @r#"
    gateway.toml:2:8: the root cannot be a forward zone: that is everything
      |
    2 | zone = "."
      |        ^^^
    hint: write the servers for everything into `[upstream]`
    gateway.toml:5:8: `com` is a public suffix: all the world registers names below it
      |
    5 | zone = "com"
      |        ^^^^^
    hint: name the zone itself, such as `school.com`
    gateway.toml:8:8: `edu.vn` is a public suffix: all the world registers names below it
      |
    8 | zone = "edu.vn"
      |        ^^^^^^^^
    hint: name the zone itself, such as `school.edu.vn`
    gateway.toml:9:11: a forward zone needs `servers`
      |
    9 | servers = []
      |           ^^
    hint: write `servers = ["udp://10.20.0.10"]`
    gateway.toml:11:8: `onion.` is a special-use name that is always answered here
       |
    11 | zone = "onion"
       |        ^^^^^^^
    hint: choose another name
    gateway.toml:11:8: `onion` is a public suffix: all the world registers names below it
       |
    11 | zone = "onion"
       |        ^^^^^^^
    hint: name the zone itself, such as `school.onion`
    gateway.toml:12:31: `192.0.2.1` stands twice in `servers`
       |
    12 | servers = ["udp://192.0.2.1", "192.0.2.1"]
       |                               ^^^^^^^^^^^
    hint: remove one of the two
    gateway.toml:13:1: this `[[forward]]` has no `zone`
       |
    13 | [[forward]]
       | ^^^^^^^^^^^
    hint: add `zone = "…"`
    gateway.toml:14:12: `127.0.0.1:5300` is this gateway itself, which listens on `127.0.0.1:5300`
       |
    14 | servers = ["127.0.0.1:5300"]
       |            ^^^^^^^^^^^^^^^^
    hint: name another server: a query must not come back to its sender
    gateway.toml:15:1: a forward zone needs `servers`
       |
    15 | [[forward]]
       | ^^^^^^^^^^^
    hint: write `servers = ["udp://10.20.0.10"]`
    gateway.toml:17:1: `school.local.` is a forward zone already
       |
    17 | [[forward]]
       | ^^^^^^^^^^^
    hint: name all its servers in one `[[forward]]`
    "#);
}

#[test]
fn zones_of_ones_own_are_no_public_suffixes() {
    let zones = ["lan", "internal", "school.local", "home.arpa", "10.in-addr.arpa", "thpt.edu.vn"];
    for zone in zones {
        right(&format!("[[forward]]\nzone = \"{zone}\"\nservers = [\"192.0.2.1\"]\n"));
    }
}

#[test]
fn essential_names_and_fail_modes_of_the_config() {
    assert_snapshot!(mistakes(r#"[essential]
names = ["google.com", "=d1.cloudfront.net", "=time.school.example", "a b", "zalo.me"]
[fail_mode]
adlt = "closed"
games = "shut"
csam = "open"
safe = "closed"
"#), @r#"
    gateway.toml:2:10: `google.com.` cannot be essential: `www.google.com.` is a search name
      |
    2 | names = ["google.com", "=d1.cloudfront.net", "=time.school.example", "a b", "zalo.me"]
      |          ^^^^^^^^^^^^
    hint: an essential name resolves in every mode; name only what does that one job
    gateway.toml:2:24: `d1.cloudfront.net.` cannot be essential: `cloudfront.net.` is a cdn name
      |
    2 | names = ["google.com", "=d1.cloudfront.net", "=time.school.example", "a b", "zalo.me"]
      |                        ^^^^^^^^^^^^^^^^^^^^
    hint: an essential name resolves in every mode; name only what does that one job
    gateway.toml:2:70: `a b` in `names` is no name: ` ` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    2 | names = ["google.com", "=d1.cloudfront.net", "=time.school.example", "a b", "zalo.me"]
      |                                                                      ^^^^^
    gateway.toml:2:77: `zalo.me.` cannot be essential: `zalo.me.` is a chat name
      |
    2 | names = ["google.com", "=d1.cloudfront.net", "=time.school.example", "a b", "zalo.me"]
      |                                                                             ^^^^^^^^^
    hint: an essential name resolves in every mode; name only what does that one job
    gateway.toml:4:1: unknown category `adlt`; known are `csam`, `legal_request`, `adult`, `nudify`, `gambling`, `dating`, `violence`, `drugs`, `self_harm`, `extremism`, `fraud`, `malware`, `bypass`, `hacking`, `social`, `games`, `video`, `piracy`, `ai_chat`, `crypto`, `ads_trackers`, `cheating`, `risky_infra`, `fake_news`, `unsafe_search`, `safe`
      |
    4 | adlt = "closed"
      | ^^^^
    hint: did you mean `adult`?
    gateway.toml:5:9: unknown mode `shut`; known are `closed`, `open`
      |
    5 | games = "shut"
      |         ^^^^^^
    gateway.toml:6:1: `csam` cannot be open without its list: it is locked
      |
    6 | csam = "open"
      | ^^^^
    hint: remove the line; nobody at a school can loosen it
    gateway.toml:7:1: `safe` never blocks, and cannot fail
      |
    7 | safe = "closed"
      | ^^^^
    "#);
    let config = right("[fail_mode]\nadult = \"open\"\ngames = \"closed\"\n");
    assert_eq!(ids(&config, config.fail_closed), ["csam", "legal_request", "games"]);
    let config = right("");
    assert_eq!(ids(&config, config.fail_closed), ["csam", "legal_request", "adult"]);
}
