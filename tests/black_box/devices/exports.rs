//! `lachan export dhcp|ra|mdm`: what is printed is read by the programs that it is for, where they can
//! be had. Nothing here is a device.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::has;
use crate::kit::server::Authority;
use crate::support::gateway::LACHAN;

const CONFIG: &str = "default_group = \"pupils\"\n[school]\nid = \"hoa-binh\"\nname = \"THCS <Hòa Bình>\"\n\
                      [listen]\ndns = [\"10.20.0.1:53\", \"[fd20::1]:53\"]\n\
                      [[group]]\nname = \"pupils\"\nlevel = \"lower-secondary\"\n";
const ON: [&str; 6] = ["--name", "dns.school.example", "--dot-port", "853", "--doh-port", "443"];
/// Data of option 162 and of option 144 for it (RFC 9463 §5.1, §4.1), written by hand.
const V4: &str = "003b00011403646e73067363686f6f6c076578616d706c6500040a14000100010007026832\
                  03646f74000700102f646e732d71756572797b3f646e737d";
const V6: &str = "0001001403646e73067363686f6f6c076578616d706c6500\
                  0010fd200000000000000000000000000001\
                  0001000702683203646f74000700102f646e732d71756572797b3f646e737d";

struct School(TempDir);

impl School {
    fn new() -> Self {
        let school = Self(tempfile::tempdir().unwrap());
        school.write("gateway.toml", CONFIG);
        school
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn try_export(&self, what: &str, flags: &[&str]) -> Output {
        let mut command = Command::new(LACHAN);
        command.args(["export", what, "--config", "gateway.toml"]).args(flags);
        command.current_dir(self.0.path()).output().unwrap()
    }

    /// What is printed for a gateway with both protocols.
    fn export(&self, what: &str, flags: &[&str]) -> String {
        self.exported(what, &[&ON[..], flags].concat())
    }

    fn exported(&self, what: &str, flags: &[&str]) -> String {
        let made = self.try_export(what, flags);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap()
    }

    /// The same, and what is printed for a gateway without encrypted DNS.
    fn both(&self, what: &str, flags: &[&str]) -> [String; 2] {
        [self.export(what, flags), self.exported(what, flags)]
    }
}

/// Runs a program that reads a file: it must take it.
fn reads(program: &str, arguments: &[&str], file: &Path) {
    let read = Command::new(program).args(arguments).arg(file).output().unwrap();
    let text = fs::read_to_string(file).unwrap();
    assert!(read.status.success(), "{program}: {read:?}\n{text}");
}

#[test]
fn options_are_those_of_the_standard_in_the_words_of_each_server() {
    let school = School::new();
    let colons = |hex: &str| {
        let pairs: Vec<&str> = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]).collect();
        pairs.join(":")
    };
    for (server, lines) in [
        (
            "dnsmasq",
            vec![
                format!("dhcp-option=162,{}", colons(V4)),
                format!("dhcp-option=option6:144,{}", colons(V6)),
            ],
        ),
        ("kea", vec![format!("\"data\": \"{V4}\""), format!("\"data\": \"{V6}\"")]),
        ("routeros", vec![format!("code=162 value=0x{V4}"), format!("code=144 value=0x{V6}")]),
        ("opnsense", vec![colons(V4), colons(V6)]),
    ] {
        let text = school.export("dhcp", &["--for", server]);
        for line in lines {
            assert!(text.contains(&line), "{server}: {line}\n{text}");
        }
        let is_unseen = ["routeros", "opnsense"].contains(&server);
        assert!(
            text.contains(if is_unseen { "# Unseen: written" } else { "Unseen: a device" }),
            "{text}"
        );
    }
}

#[test]
fn a_router_is_told_of_the_gateway_alone_and_the_script_says_that_it_is_unseen() {
    let school = School::new();
    let made = school.try_export("routeros", &["--interface", "bridge"]);
    let text = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success() && made.stderr.is_empty(), "{text}");
    for line in [
        "/ip dhcp-server network set [find] dns-server=10.20.0.1",
        "/ipv6 nd set [find] advertise-dns=yes dns=fd20::1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
    assert!(text.contains("# Unseen: written from the manual of RouterOS 7"), "{text}");
    school.write("gateway.toml", "[listen]\ndns = [\"127.0.0.1:53\"]\n");
    let made = school.try_export("routeros", &[]);
    let err = String::from_utf8_lossy(&made.stderr);
    assert_eq!((made.status.code(), made.stdout.len()), (Some(3), 0), "{err}");
    assert!(err.starts_with("gateway.toml: `[listen] dns` has no address"), "{err}");
}

#[test]
fn dnsmasq_reads_its_lines() {
    if !has("dnsmasq reads what is exported", &["dnsmasq"]) {
        return;
    }
    let school = School::new();
    for (what, name) in [("dhcp", "dhcp.conf"), ("ra", "ra.conf")] {
        for text in school.both(what, &["--for", "dnsmasq"]) {
            reads("dnsmasq", &["--test", "-C"], &school.write(name, &text));
        }
    }
    let broken = school.write("broken.conf", "dhcp-option=option:no-such,1\n");
    assert!(
        !Command::new("dnsmasq").args(["--test", "-C"]).arg(broken).status().unwrap().success()
    );
}

#[test]
fn kea_reads_its_lines() {
    if !has("Kea reads what is exported", &["kea-dhcp4", "kea-dhcp6"]) {
        return;
    }
    let school = School::new();
    for text in school.both("dhcp", &["--for", "kea"]) {
        let parts: Vec<&str> = text.split("\"option-data\"").collect();
        assert_eq!(parts.len(), 3, "{text}");
        for (program, table, part) in
            [("kea-dhcp4", "Dhcp4", parts[1]), ("kea-dhcp6", "Dhcp6", parts[2])]
        {
            let config = format!(
                "{{ \"{table}\": {{ \"interfaces-config\": {{ \"interfaces\": [] }}, \"lease-database\": \
                 {{ \"type\": \"memfile\", \"persist\": false }},\n\"option-data\"{part}\n}} }}\n"
            );
            reads(program, &["-t"], &school.write(program, &config));
        }
    }
}

#[test]
fn radvd_reads_its_lines() {
    if !has("radvd reads what is exported", &["radvd"]) {
        return;
    }
    let school = School::new();
    let text = school.export("ra", &["--for", "radvd"]);
    for line in [
        "#   DNR dns.school.example {",
        "#       AdvDNRSvcAlpn \"h2,dot\";",
        "    RDNSS fd20::1 { };",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for text in school.both("ra", &["--for", "radvd"]) {
        reads("radvd", &["-c", "-m", "stderr", "-C"], &school.write("radvd.conf", &text));
    }
}

#[test]
fn a_profile_is_a_property_list_that_says_what_it_should() {
    if !has("a property list", &["python3"]) {
        return;
    }
    let school = School::new();
    let flags = ["--group", "pupils", "--for", "apple", "--token-placeholder", "--supervised"];
    let text = school.export("mdm", &flags);
    let file = school.write("pupils.mobileconfig", &text);
    let script = "import json, plistlib, sys, uuid\n\
                  made = plistlib.load(open(sys.argv[1], 'rb'))\n\
                  for one in [made, *made['PayloadContent']]:\n    \
                      assert uuid.UUID(one['PayloadUUID']).version == 8\n\
                  print(json.dumps(made))";
    let read = Command::new("python3").args(["-c", script]).arg(&file).output().unwrap();
    assert!(read.status.success(), "{}\n{text}", String::from_utf8_lossy(&read.stderr));
    let made: Value = serde_json::from_slice(&read.stdout).unwrap();
    let payload = &made["PayloadContent"][0];
    assert_eq!(
        payload["DNSSettings"],
        json!({
            "DNSProtocol": "HTTPS",
            "ServerURL": "https://dns.school.example/dns-query/TOKEN",
            "ServerAddresses": ["10.20.0.1", "fd20::1"],
        })
    );
    assert_eq!(
        payload["OnDemandRules"],
        json!([
            { "Action": "Connect", "DNSServerAddressMatch": ["10.20.0.1", "fd20::1"] },
            { "Action": "Disconnect" },
        ])
    );
    assert_eq!(payload["PayloadType"], "com.apple.dnsSettings.managed");
    assert_eq!(payload["ProhibitDisablement"], true);
    assert_eq!(made["PayloadDisplayName"], "DNS: THCS <Hòa Bình>, pupils");
    assert!(text.contains("Unseen on a device"), "{text}");
    // The same settings replace themselves on a device.
    assert_eq!(text, school.export("mdm", &flags));
}

#[test]
fn policies_of_chrome_are_json_and_what_they_cannot_say_is_beside_them() {
    let school = School::new();
    let flags = [&ON[..], &["--group", "pupils", "--for", "chrome"]].concat();
    let made = school.try_export("mdm", &flags);
    let policy: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(policy["DnsOverHttpsMode"], "secure");
    assert_eq!(policy["DnsOverHttpsTemplates"], "https://dns.school.example/dns-query{?dns}");
    let beside = String::from_utf8(made.stderr).unwrap();
    assert!(beside.contains("Unseen on a device") && beside.contains("`automatic`"), "{beside}");
}

#[test]
fn windows_begins_by_audit_and_android_has_a_name() {
    let school = School::new();
    let windows = school.export("mdm", &["--group", "pupils", "--for", "windows"]);
    let acts: Vec<&str> = windows.lines().filter(|line| !line.starts_with("REM ")).collect();
    let url = "https://dns.school.example/dns-query";
    let upgrade = |address| {
        format!(
            "netsh dns add encryption server={address} dohtemplate={url} autoupgrade=yes udpfallback=no"
        )
    };
    let trust = |address| {
        format!("netsh ztdns add server type=doh address={address} port=443 template={url}")
    };
    let (v4, v6) = ("10.20.0.1", "fd20::1");
    let audit = "netsh ztdns set state enable=yes audit=yes".to_owned();
    assert_eq!(acts, [upgrade(v4), upgrade(v6), trust(v4), trust(v6), audit]);
    assert!(!acts.concat().contains("audit=no"), "{windows}");
    let android = school.export("mdm", &["--group", "pupils", "--for", "android"]);
    assert_eq!(android.lines().last(), Some("dns.school.example"), "{android}");
}

#[test]
fn a_name_that_no_certificate_covers_is_told_and_exported_all_the_same() {
    let school = School::new();
    let tls = "[[listen.tls]]\ncertificate = \"own.crt\"\nkey = \"own.key\"\n";
    let pupils = ["--group", "pupils", "--for", "android"];
    let exports =
        [("dhcp", &["--for", "kea"][..]), ("ra", &["--for", "radvd"][..]), ("mdm", &pupils[..])];
    let expect = |told: &[&str]| {
        for (what, flags) in exports {
            let made = school.try_export(what, &[&ON[..], flags].concat());
            let err = String::from_utf8_lossy(&made.stderr);
            assert_eq!((made.status.code(), made.stdout.is_empty()), (Some(0), false), "{err}");
            assert_eq!(err.lines().count(), told.len(), "{what}: {err}");
            for (line, told) in err.lines().zip(told) {
                assert!(line.starts_with("gateway.toml: ") && line.contains(told), "{what}: {err}");
            }
        }
    };
    expect(&["the config has no `[[listen.tls]]`"]);
    let with = |more: &str| school.write("gateway.toml", &format!("{CONFIG}{tls}{more}"));
    with("");
    expect(&["own.crt`: it cannot be read", "no certificate of the config can be read"]);
    school.write("own.crt", "no certificate");
    expect(&["own.crt`: it has no certificate", "no certificate of the config can be read"]);
    let authority = Authority::new();
    let (other, _) = authority.signs("dns.other.example", [1975, 4096]).pem();
    school.write("own.crt", &other);
    expect(&["no certificate of the config is for `dns.school.example`"]);
    with(&tls.replace("own", "next"));
    let (own, _) = authority.signs("dns.school.example", [1975, 4096]).pem();
    school.write("next.crt", &own);
    expect(&[]);
    // In the language of the school.
    let vi = CONFIG.replace("[school]\n", "[school]\nlang = \"vi\"\n");
    school.write("gateway.toml", &format!("{vi}{tls}"));
    let made = school.try_export("mdm", &[&ON[..], &pupils].concat());
    let err = String::from_utf8_lossy(&made.stderr);
    assert!(err.contains("không chứng chỉ nào trong cấu hình ghi tên"), "{err}");
}

#[test]
fn what_is_lacking_is_named_and_nothing_is_printed() {
    let school = School::new();
    let pupils = ["--group", "pupils", "--for", "apple"];
    for (what, flags, told) in [
        (
            "dhcp",
            vec!["--for", "kea", "--dot-port", "853"],
            "the name in the gateway's certificate is not",
        ),
        ("dhcp", vec!["--for", "kea", "--name", "dns.school.example"], "neither DNS over TLS nor"),
        (
            "mdm",
            [&ON[..], &["--group", "staff", "--for", "apple"]].concat(),
            "there is no group `staff`; the groups are `pupils`",
        ),
        ("mdm", [&ON[..], &pupils, &["--token", "a/b"]].concat(), "a token is 16 to 64"),
        (
            "mdm",
            [&ON[..4], &pupils, &["--token-placeholder"]].concat(),
            "a token is part of a path",
        ),
    ] {
        let made = school.try_export(what, &flags);
        let err = String::from_utf8_lossy(&made.stderr);
        assert_eq!((made.status.code(), made.stdout.len()), (Some(3), 0), "{flags:?}: {err}");
        assert!(err.starts_with("gateway.toml: ") && err.contains(told), "{flags:?}: {err}");
    }
}
