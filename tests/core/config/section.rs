//! What the operator reads of mistakes of meaning: sections.

use std::path::Path;

use insta::assert_snapshot;

use super::{mistakes, right};

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    assert_snapshot!(mistakes(r#"default_group = "pupil"

[school]
level = "primry"

[cache]
size = "1KiB"

[[group]]
name = "pupils"
clients = ["10.20.0.0/33"]
profile = "pupils"

[profile.pupil]
block = ["adlut", "malware"]
"#), @r#"
    gateway.toml:1:17: unknown group `pupil`; known are `pupils`, `default`
      |
    1 | default_group = "pupil"
      |                 ^^^^^^^
    hint: did you mean `pupils`?
    gateway.toml:4:9: unknown level `primry`; known are `preschool`, `primary`, `lower-secondary`, `upper-secondary`, `boarding`, `continuing`, `staff`
      |
    4 | level = "primry"
      |         ^^^^^^^^
    hint: did you mean `primary`?
    gateway.toml:7:8: `size` is 1KiB; it must be 64KiB to 4GiB
      |
    7 | size = "1KiB"
      |        ^^^^^^
    gateway.toml:11:12: `10.20.0.0/33` has no right prefix length; it must be 0 to 32
       |
    11 | clients = ["10.20.0.0/33"]
       |            ^^^^^^^^^^^^^^
    hint: write `10.20.0.0/16`, `2001:db8:20::/48` or a single address
    gateway.toml:12:11: unknown profile `pupils`; known are `pupil`
       |
    12 | profile = "pupils"
       |           ^^^^^^^^
    hint: did you mean `pupil`?
    gateway.toml:15:10: unknown category `adlut`; known are `csam`, `legal_request`, `adult`, `nudify`, `gambling`, `dating`, `violence`, `drugs`, `self_harm`, `extremism`, `fraud`, `malware`, `bypass`, `hacking`, `social`, `games`, `video`, `piracy`, `ai_chat`, `crypto`, `ads_trackers`, `cheating`, `risky_infra`, `fake_news`, `unsafe_search`, `safe`
       |
    15 | block = ["adlut", "malware"]
       |          ^^^^^^^
    hint: did you mean `adult`?
    "#);
}

#[test]
fn school() {
    assert_snapshot!(mistakes(r#"[school]
id = "TH Lê Lợi"
name = """two
lines"""
timezone = "hanoi time"
level = "thcs"
"#), @r#"
    gateway.toml:2:6: "TH Lê Lợi" is not a school id; it must be 1 to 64 of letters, digits, `.`, `_` and `-`
      |
    2 | id = "TH Lê Lợi"
      |      ^^^^^^^^^^^
    gateway.toml:3:8: "two\nlines" is not a name; it must be at most 200 characters on one line
      |
    3 | name = """two
      |        ^^^^^^
    gateway.toml:5:12: "hanoi time" is not an IANA time zone; it must be a name such as `Asia/Ho_Chi_Minh` or `UTC`
      |
    5 | timezone = "hanoi time"
      |            ^^^^^^^^^^^^
    gateway.toml:6:9: unknown level `thcs`; known are `preschool`, `primary`, `lower-secondary`, `upper-secondary`, `boarding`, `continuing`, `staff`
      |
    6 | level = "thcs"
      |         ^^^^^^
    "#);
}

#[test]
fn school_id_is_not_empty() {
    assert_snapshot!(mistakes(r#"[school]
id = ""
"#), @r#"
    gateway.toml:2:6: "" is not a school id; it must be 1 to 64 of letters, digits, `.`, `_` and `-`
      |
    2 | id = ""
      |      ^^
    "#);
}

#[test]
fn listen_needs_an_address() {
    assert_snapshot!(mistakes("[listen]\ndns = []\nallow = []\n"), @r#"
    gateway.toml:2:7: `dns` is empty; it must have at least one address
      |
    2 | dns = []
      |       ^^
    hint: write `dns = ["127.0.0.1:53"]`, or leave the key out
    gateway.toml:3:9: `allow` is empty, so no client would be answered
      |
    3 | allow = []
      |         ^^
    hint: name the networks of the school, or leave the key out
    "#);
}

#[test]
fn listen_addresses() {
    assert_snapshot!(mistakes(r#"[listen]
dns = ["127.0.0.1", "::1", "localhost:53", "127.0.0.1:70000", "[::1]:53", "[::1]:53"]
"#), @r#"
    gateway.toml:2:8: `127.0.0.1` has no port
      |
    2 | dns = ["127.0.0.1", "::1", "localhost:53", "127.0.0.1:70000", "[::1]:53", "[::1]:53"]
      |        ^^^^^^^^^^^
    hint: did you mean `127.0.0.1:53`?
    gateway.toml:2:21: `::1` has no port
      |
    2 | dns = ["127.0.0.1", "::1", "localhost:53", "127.0.0.1:70000", "[::1]:53", "[::1]:53"]
      |                     ^^^^^
    hint: did you mean `[::1]:53`?
    gateway.toml:2:28: `localhost:53` is not an address with a port; names are not looked up here
      |
    2 | dns = ["127.0.0.1", "::1", "localhost:53", "127.0.0.1:70000", "[::1]:53", "[::1]:53"]
      |                            ^^^^^^^^^^^^^^
    hint: write `127.0.0.1:53`, `0.0.0.0:53` or `[::]:53`
    gateway.toml:2:44: `127.0.0.1:70000` is not an address with a port; names are not looked up here
      |
    2 | dns = ["127.0.0.1", "::1", "localhost:53", "127.0.0.1:70000", "[::1]:53", "[::1]:53"]
      |                                            ^^^^^^^^^^^^^^^^^
    hint: write `127.0.0.1:53`, `0.0.0.0:53` or `[::]:53`
    gateway.toml:2:75: `[::1]:53` stands twice in `dns`
      |
    2 | dns = ["127.0.0.1", "::1", "localhost:53", "127.0.0.1:70000", "[::1]:53", "[::1]:53"]
      |                                                                           ^^^^^^^^^^
    hint: remove one of the two
    "#);
}

#[test]
fn listen_networks() {
    assert_snapshot!(mistakes(r#"[listen]
allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
"#), @r#"
    gateway.toml:2:10: `10.0.0.1/8` has bits set behind its prefix of 8
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |          ^^^^^^^^^^^^
    hint: write the network, `10.0.0.0/8`, or the single address, `10.0.0.1`
    gateway.toml:2:24: `10.0.0.0/255.0.0.0` has a mask where the length of a prefix is asked for
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                        ^^^^^^^^^^^^^^^^^^^^
    hint: write `10.0.0.0/8`
    gateway.toml:2:46: `10.0.0.0/33` has no right prefix length; it must be 0 to 32
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                                              ^^^^^^^^^^^^^
    hint: write `10.20.0.0/16`, `2001:db8:20::/48` or a single address
    gateway.toml:2:61: `fc00::/129` has no right prefix length; it must be 0 to 128
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                                                             ^^^^^^^^^^^^
    hint: write `10.20.0.0/16`, `2001:db8:20::/48` or a single address
    gateway.toml:2:75: `lan` is not a network or an address
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                                                                           ^^^^^
    hint: write `10.20.0.0/16`, `2001:db8:20::/48` or a single address
    gateway.toml:2:82: `lan/8` is not a network or an address
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                                                                                  ^^^^^^^
    hint: write `10.20.0.0/16`, `2001:db8:20::/48` or a single address
    gateway.toml:2:91: `::ffff:10.0.0.0/104` is IPv4 written as IPv6, and would match no client
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                                                                                           ^^^^^^^^^^^^^^^^^^^^^
    hint: write `10.0.0.0/8`
    gateway.toml:2:128: `10.0.0.0/8` stands twice in `allow`
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                                                                                                                                ^^^^^^^^^^^^
    hint: remove one of the two
    gateway.toml:2:142: `10.0.0.0/` has no right prefix length; it must be 0 to 32
      |
    2 | allow = ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fc00::/129", "lan", "lan/8", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/"]
      |                                                                                                                                              ^^^^^^^^^^^
    hint: write `10.20.0.0/16`, `2001:db8:20::/48` or a single address
    "#);
}

#[test]
fn listen_numbers() {
    assert_snapshot!(mistakes(r#"[listen]
workers = -1
tcp_connections = 0
tcp_per_client = 70000
tcp_in_flight = 5000
tcp_idle = "2h"
"#), @r#"
    gateway.toml:2:11: `workers` is -1; it must be 0 to 256
      |
    2 | workers = -1
      |           ^^
    gateway.toml:3:19: `tcp_connections` is 0; it must be 1 to 65535
      |
    3 | tcp_connections = 0
      |                   ^
    gateway.toml:4:18: `tcp_per_client` is 70000; it must be 1 to 65535
      |
    4 | tcp_per_client = 70000
      |                  ^^^^^
    gateway.toml:5:17: `tcp_in_flight` is 5000; it must be 1 to 1024
      |
    5 | tcp_in_flight = 5000
      |                 ^^^^
    gateway.toml:6:12: `tcp_idle` is 2h; it must be 1s to 10m
      |
    6 | tcp_idle = "2h"
      |            ^^^^
    "#);
}

#[test]
fn listen_memory() {
    assert_snapshot!(mistakes(r#"[listen]
stream_memory = "64KiB"
stream_memory_client = "4GiB"
stream_memory_connection = "127KiB"
"#), @r#"
    gateway.toml:2:17: `stream_memory` is 64KiB; it must be 1MiB to 2GiB
      |
    2 | stream_memory = "64KiB"
      |                 ^^^^^^^
    gateway.toml:3:24: `stream_memory_client` is 4GiB; it must be 128KiB to 2GiB
      |
    3 | stream_memory_client = "4GiB"
      |                        ^^^^^^
    gateway.toml:4:28: `stream_memory_connection` is 127KiB; it must be 128KiB to 2GiB
      |
    4 | stream_memory_connection = "127KiB"
      |                            ^^^^^^^^
    "#);
}

#[test]
fn admin() {
    assert_snapshot!(mistakes(r#"[admin]
listen = ":9153"
"#), @r#"
    gateway.toml:2:10: `:9153` is not an address with a port; names are not looked up here
      |
    2 | listen = ":9153"
      |          ^^^^^^^
    hint: write `127.0.0.1:9153`, `0.0.0.0:9153` or `[::]:9153`
    "#);
}

#[test]
fn admin_cannot_stand_where_dns_does() {
    assert_snapshot!(mistakes(r#"[listen]
dns = ["0.0.0.0:5300"]
[admin]
listen = "127.0.0.1:5300"
"#), @r#"
    gateway.toml:4:10: `127.0.0.1:5300` is taken: `[listen] dns` answers there over TCP
      |
    4 | listen = "127.0.0.1:5300"
      |          ^^^^^^^^^^^^^^^^
    hint: give the admin server another port
    "#);
}

#[test]
fn an_upstream_must_not_be_the_gateway_itself() {
    assert_snapshot!(mistakes(r#"[listen]
dns = ["0.0.0.0:53", "192.0.2.1:53"]
[upstream]
servers = ["udp://127.0.0.1", "192.0.2.1", "tls://127.0.0.1#dns.example", "udp://[::1]:53"]
"#), @r#"
    gateway.toml:2:22: `192.0.2.1:53` and `0.0.0.0:53` cannot be open at one time
      |
    2 | dns = ["0.0.0.0:53", "192.0.2.1:53"]
      |                      ^^^^^^^^^^^^^^
    hint: one of the two is every address of the machine: leave it alone in `dns`, or name each address by itself
    gateway.toml:4:12: `udp://127.0.0.1` is this gateway itself, which listens on `0.0.0.0:53`
      |
    4 | servers = ["udp://127.0.0.1", "192.0.2.1", "tls://127.0.0.1#dns.example", "udp://[::1]:53"]
      |            ^^^^^^^^^^^^^^^^^
    hint: name another server: a query must not come back to its sender
    gateway.toml:4:31: `192.0.2.1` is this gateway itself, which listens on `192.0.2.1:53`
      |
    4 | servers = ["udp://127.0.0.1", "192.0.2.1", "tls://127.0.0.1#dns.example", "udp://[::1]:53"]
      |                               ^^^^^^^^^^^
    hint: name another server: a query must not come back to its sender
    "#);
}

#[test]
fn an_upstream_stands_once() {
    assert_snapshot!(mistakes(r#"[upstream]
servers = ["9.9.9.9", "udp://9.9.9.9:53"]
"#), @r#"
    gateway.toml:2:23: `udp://9.9.9.9:53` stands twice in `servers`
      |
    2 | servers = ["9.9.9.9", "udp://9.9.9.9:53"]
      |                       ^^^^^^^^^^^^^^^^^^
    hint: remove one of the two
    "#);
}

#[test]
fn upstream_limits() {
    assert_snapshot!(mistakes(r#"[upstream]
timeout = "1ms"
in_flight = 0
tls_roots = ""
"#), @r#"
    gateway.toml:2:11: `timeout` is 1ms; it must be 50ms to 30s
      |
    2 | timeout = "1ms"
      |           ^^^^^
    gateway.toml:3:13: `in_flight` is 0; it must be 1 to 65536
      |
    3 | in_flight = 0
      |             ^
    gateway.toml:4:13: `tls_roots` is not a path
      |
    4 | tls_roots = ""
      |             ^^
    "#);
}

#[test]
fn durations() {
    assert_snapshot!(mistakes(r#"[listen]
tcp_idle = "10"
[upstream]
timeout = "2 sec"
[cache]
min_ttl = "-1s"
max_ttl = "1fortnight"
max_negative_ttl = "99999999999999999999s"
[block]
ttl = "1500ms"
"#), @r#"
    gateway.toml:2:12: `tcp_idle` is "10", not a duration: it has no unit; the units are `ms`, `s`, `m`, `h`, `d`
      |
    2 | tcp_idle = "10"
      |            ^^^^
    gateway.toml:4:11: `timeout` is "2 sec", not a duration: ` sec` is not a unit; the units are `ms`, `s`, `m`, `h`, `d`
      |
    4 | timeout = "2 sec"
      |           ^^^^^^^
    hint: did you mean `2s`?
    gateway.toml:6:11: `min_ttl` is "-1s", not a duration: it does not begin with a whole number
      |
    6 | min_ttl = "-1s"
      |           ^^^^^
    gateway.toml:7:11: `max_ttl` is "1fortnight", not a duration: `fortnight` is not a unit; the units are `ms`, `s`, `m`, `h`, `d`
      |
    7 | max_ttl = "1fortnight"
      |           ^^^^^^^^^^^^
    gateway.toml:8:20: `max_negative_ttl` is "99999999999999999999s", not a duration: the number is too large
      |
    8 | max_negative_ttl = "99999999999999999999s"
      |                    ^^^^^^^^^^^^^^^^^^^^^^^
    gateway.toml:10:7: `ttl` is 1500ms; it must be whole seconds
       |
    10 | ttl = "1500ms"
       |       ^^^^^^^^
    "#);
}

#[test]
fn an_upstream_that_is_none_is_shown_with_the_forms_there_are() {
    let shown = mistakes("[upstream]\nservers = [\"ftp://192.0.2.1\"]\n");
    assert!(shown.starts_with("gateway.toml:2:12: `ftp://192.0.2.1` is not an upstream server: "));
    assert!(shown.contains("\nhint: write `udp://192.0.2.1`, "), "{shown}");
}

#[test]
fn sizes() {
    assert_snapshot!(mistakes(r#"[cache]
size = "64MB"
"#), @r#"
    gateway.toml:2:8: `size` is "64MB", not a size: `MB` is not a unit; the units are `KiB`, `MiB`, `GiB`, `B`
      |
    2 | size = "64MB"
      |        ^^^^^^
    hint: did you mean `64MiB`?
    "#);
}

#[test]
fn sizes_have_a_range() {
    assert_snapshot!(mistakes(r#"[cache]
size = "5GiB"
"#), @r#"
    gateway.toml:2:8: `size` is 5GiB; it must be 64KiB to 4GiB
      |
    2 | size = "5GiB"
      |        ^^^^^^
    "#);
}

#[test]
fn ttls_must_fit_together() {
    assert_snapshot!(mistakes(r#"[cache]
min_ttl = "1h"
max_ttl = "5m"
max_negative_ttl = "5m"
"#), @r#"
    gateway.toml:2:11: `min_ttl` is 1h, more than `max_negative_ttl`, which is 5m
      |
    2 | min_ttl = "1h"
      |           ^^^^
    hint: lower `min_ttl` or raise `max_negative_ttl`
    gateway.toml:2:11: `min_ttl` is 1h, more than `max_ttl`, which is 5m
      |
    2 | min_ttl = "1h"
      |           ^^^^
    hint: lower `min_ttl` or raise `max_ttl`
    "#);
}

#[test]
fn a_lower_ceiling_than_the_floor_is_shown_where_it_is_given() {
    assert_snapshot!(mistakes(r#"[block]
ttl = "2h"
[cache]
max_ttl = "8d"
min_ttl = "2h"
"#), @r#"
    gateway.toml:2:7: `ttl` is 2h; it must be 1s to 1h
      |
    2 | ttl = "2h"
      |       ^^^^
    gateway.toml:4:11: `max_ttl` is 8d; it must be 1s to 7d
      |
    4 | max_ttl = "8d"
      |           ^^^^
    gateway.toml:5:11: `min_ttl` is 2h; it must be 0s to 1h
      |
    5 | min_ttl = "2h"
      |           ^^^^
    "#);
}

#[test]
fn the_state_directory_is_a_path() {
    let config = right("[state]\ndir = \"state\"\n");
    assert_eq!(config.state.dir.as_deref(), Some(Path::new("/etc/lachan/state")));
    assert_snapshot!(mistakes("[state]\ndir = \"\"\n"), @r#"
    gateway.toml:2:7: `dir` is not a path
      |
    2 | dir = ""
      |       ^^
    "#);
}

#[test]
fn devices() {
    let config =
        right("[devices]\nneighbours = false\nleases = [\"dnsmasq.leases\", \"/k.csv\"]\n");
    let files = ["/etc/lachan/dnsmasq.leases", "/k.csv"].map(Into::into);
    assert_eq!((config.devices.neighbours, &config.devices.leases[..]), (false, &files[..]));
    let many: Vec<String> = (0..9).map(|number| format!("\"{number}\"")).collect();
    for (text, says) in [
        ("leases = [\"\"]".to_owned(), "2:11: `leases`"),
        ("leases = [\"a\", \"a\"]".to_owned(), "2:16: `a` stands twice in `leases`"),
        (format!("leases = [{}]", many.join(", ")), "2:51: `leases` has more than 8 files"),
    ] {
        let shown = mistakes(&format!("[devices]\n{text}\n"));
        assert!(shown.contains(says), "{shown}");
    }
    let group = "[[group]]\nname = \"a\"\nclients = [\"10.0.0.0/8\"]\n";
    let shown = mistakes(&format!("{group}macs = [\"a0:36:9f:00:00\"]\n"));
    assert!(shown.contains("4:9: `a0:36:9f:00:00` is no hardware address"), "{shown}");
}
