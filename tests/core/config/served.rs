//! What no gateway could run, refused where it is written.

use std::path::Path;

use insta::assert_snapshot;
use lachan::config::{ConfigErrors, Outside, RootsError, load_in};
use lachan::lang::Lang;

use super::mistakes;

#[test]
fn an_address_that_no_socket_opens_at_is_refused() {
    assert_snapshot!(mistakes(r#"[listen]
dns = ["[ff02::1]:53", "[::ffff:192.0.2.1]:53"]
"#), @r#"
    gateway.toml:2:8: `[ff02::1]:53` is the address of many machines, and of none
      |
    2 | dns = ["[ff02::1]:53", "[::ffff:192.0.2.1]:53"]
      |        ^^^^^^^^^^^^^^
    hint: write `127.0.0.1:53`, `0.0.0.0:53` or `[::]:53`
    gateway.toml:2:24: `[::ffff:192.0.2.1]:53` is IPv4 written as IPv6
      |
    2 | dns = ["[ff02::1]:53", "[::ffff:192.0.2.1]:53"]
      |                        ^^^^^^^^^^^^^^^^^^^^^^^
    hint: write `192.0.2.1:53`
    "#);
}

#[test]
fn the_port_of_the_admin_server_is_taken_though_it_is_not_written() {
    assert_snapshot!(mistakes("[listen]\ndns = [\"127.0.0.1:9153\"]\n"), @r#"
    gateway.toml:2:8: `127.0.0.1:9153` is where the admin server is
      |
    2 | dns = ["127.0.0.1:9153"]
      |        ^^^^^^^^^^^^^^^^
    hint: give the admin server another port: `listen` in `[admin]`
    "#);
}

#[test]
fn a_server_needs_a_name_that_a_certificate_can_be_for() {
    assert_snapshot!(mistakes("[upstream]\nservers = [\"https://[2001:db8::1]\"]\n"), @r#"
    gateway.toml:2:12: `https://[2001:db8::1]`: no certificate can be for `2001:db8::1`
      |
    2 | servers = ["https://[2001:db8::1]"]
      |            ^^^^^^^^^^^^^^^^^^^^^^^
    hint: write the host name of the server's certificate after `#`, as in `https://192.0.2.1#dns.example`
    "#);
}

/// The mistakes of a config on a machine without certificates and without a state directory.
fn outside() -> ConfigErrors {
    let text = "[upstream]\ntls_roots = \"roots.pem\"\n[[lists.source]]\n\
                category = \"games\"\nurl = \"https://lists.example/a\"\n";
    let roots = |_: &Path| Err(RootsError::Content("no certificate in it".into()));
    let outside = Outside { roots: Some(&roots), lacks_state: true, ..Outside::default() };
    load_in(text, "gateway.toml", Path::new("/etc/lachan"), &outside).expect_err("mistakes")
}

#[test]
fn what_the_machine_lacks_is_a_mistake_with_a_place() {
    assert_snapshot!(outside(), @r#"
    gateway.toml:2:13: `roots.pem` cannot be trusted: `no certificate in it`
      |
    2 | tls_roots = "roots.pem"
      |             ^^^^^^^^^^^
    hint: give a file of PEM certificates
    gateway.toml:5:7: a list by `url` has no directory for its copy
      |
    5 | url = "https://lists.example/a"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: set `dir` in [state], or let the service manager give a directory (StateDirectory=)
    "#);
    let said = outside().in_lang(Lang::Vi).to_string();
    for part in [
        "không thể tin cậy `roots.pem`",
        "gợi ý: hãy chỉ tới một tệp chứng chỉ dạng PEM",
        "danh sách lấy theo `url` chưa có thư mục để lưu bản sao",
        "gợi ý: đặt `dir` trong [state]",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn each_wrong_name_of_the_gateway_is_told_at_its_place() {
    assert_snapshot!(mistakes(r#"[listen]
names = ["dns", "10.20.0.1", "dns.school.example", "a b", "dns"]
"#), @r#"
    gateway.toml:2:10: `dns` cannot be the gateway's name: it is an address, or all the world's
      |
    2 | names = ["dns", "10.20.0.1", "dns.school.example", "a b", "dns"]
      |          ^^^^^
    hint: write `names = ["dns.school.example"]`
    gateway.toml:2:17: `10.20.0.1` cannot be the gateway's name: it is an address, or all the world's
      |
    2 | names = ["dns", "10.20.0.1", "dns.school.example", "a b", "dns"]
      |                 ^^^^^^^^^^^
    hint: write `names = ["dns.school.example"]`
    gateway.toml:2:52: `a b` in `names` is no name: ` ` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    2 | names = ["dns", "10.20.0.1", "dns.school.example", "a b", "dns"]
      |                                                    ^^^^^
    gateway.toml:2:59: `dns` cannot be the gateway's name: it is an address, or all the world's
      |
    2 | names = ["dns", "10.20.0.1", "dns.school.example", "a b", "dns"]
      |                                                           ^^^^^
    hint: write `names = ["dns.school.example"]`
    "#);
}
