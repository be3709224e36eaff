//! `lachan publish export`: files for schools without a gateway, read by the programs they are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;

use lachan::pack::Pack;
use lachan::release::list::{packed, write};
use tempfile::TempDir;

use crate::kit::data::skipped;
use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, Log, signal, spawn};
use crate::support::ports::free_port;
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// What a department lists, by category.
const ADULT: &str = "||porn.example^\n@@||health.porn.example^\n||bad.health.porn.example^\n\
                     |alone.example^\n/^xxx[0-9]+[.]/\n||pool.ntp.org^\n";
const SOCIAL: &str = "tiktok.com\nfacebook.com\n";
const GAMBLING: &str = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\nbet.example CNAME .\n*.bet.example CNAME .\n\
                        ok.bet.example CNAME rpz-passthru.\n*.below.example CNAME *.\n";
/// Names to ask for.
const SAMPLE: [&str; 16] = [
    "porn.example",
    "www.porn.example",
    "health.porn.example",
    "a.b.health.porn.example",
    "bad.health.porn.example",
    "x.bad.health.porn.example",
    "alone.example",
    "www.alone.example",
    "tiktok.com",
    "www.facebook.com",
    "bet.example",
    "a.bet.example",
    "ok.bet.example",
    "pool.ntp.org",
    "below.example",
    "harmless.example",
];

/// A department's list in a directory: a pack, its text, and a full list as a release has it.
struct Department(TempDir);

impl Department {
    fn new() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        made.write(SOCIAL);
        made
    }

    /// Lists these social networks beside the others.
    fn write(&self, social: &str) {
        for (file, text) in
            [("adult.txt", ADULT), ("social.txt", social), ("gambling.rpz", GAMBLING)]
        {
            fs::write(self.file(file), text).unwrap();
        }
        let arguments = [
            "lists",
            "build",
            "--out",
            "list.pack",
            "--source",
            "adult=adult.txt",
            "--source",
            "social=social.txt",
            "--source",
            "gambling=gambling.rpz",
            "--accept",
            "Lan: a test",
        ];
        let (code, out, err) = self.run(&arguments);
        assert_eq!(code, 0, "{out}{err}");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program in the directory: the exit code, and both outputs.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let ended =
            Command::new(LACHAN).args(arguments).current_dir(self.0.path()).output().unwrap();
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        (ended.status.code().unwrap(), text(&ended.stdout), text(&ended.stderr))
    }

    fn export(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run(&[&["publish", "export"], arguments].concat())
    }

    /// Writes a zone file with this number.
    fn zone(&self, name: &str, serial: u64) -> PathBuf {
        let serial = serial.to_string();
        let (code, _, err) = self.export(&["rpz", "list.pack", "--serial", &serial, "--out", name]);
        assert_eq!(code, 0, "{err}");
        self.file(name)
    }
}

#[test]
fn a_pack_a_text_and_a_full_list_give_the_same_file() {
    let department = Department::new();
    let octets = fs::read(department.file("list.pack")).unwrap();
    let pack = Pack::verify(Arc::new(octets)).unwrap();
    let mut text = Vec::new();
    write::write(&pack, &mut text).unwrap();
    fs::write(department.file("list.txt"), &text).unwrap();
    let mut packer = packed::packer(Vec::new(), 3).unwrap();
    std::io::Write::write_all(&mut packer, &text).unwrap();
    fs::write(department.file("ab12.7.full.zst"), packer.finish().unwrap()).unwrap();

    for format in ["rpz", "domains", "hosts", "adlist", "abp"] {
        let (code, wanted, told) = department.export(&[format, "list.pack", "--serial", "7"]);
        assert_eq!(code, 0, "{told}");
        assert!(wanted.contains(&format!("lachan: release 7, level primary, format {format}")));
        assert!(told.contains("not expressed: 1 pattern"), "{told}");
        assert!(wanted.contains("not expressed: 1 pattern"), "{wanted}");
        let more: &[&[&str]] = &[&["list.txt", "--serial", "7"], &["ab12.7.full.zst"]];
        for input in more {
            let (code, text, told) = department.export(&[&[format], *input].concat());
            assert_eq!((code, &text), (0, &wanted), "{format} {input:?}: {told}");
        }
        let (code, _, told) =
            department.export(&[format, "ab12.7.full.zst", "--out", "export.out"]);
        assert_eq!(code, 0, "{told}");
        assert_eq!(fs::read_to_string(department.file("export.out")).unwrap(), wanted);
        assert!(!wanted.contains("ntp.org CNAME ."), "{wanted}");
    }
}

#[test]
fn what_cannot_be_exported_is_refused_and_leaves_no_file() {
    let department = Department::new();
    fs::write(department.file("not.zst"), b"\x28\xb5\x2f\xfdrubbish").unwrap();
    fs::write(department.file("not.txt"), "lachan list 1\n@total 7\n").unwrap();
    for (arguments, wanted) in [
        (vec!["adlist", "list.pack", "--level", "preschool"], 3),
        (vec!["domains", "not.zst"], 3),
        (vec!["domains", "not.txt"], 3),
        (vec!["domains", "adult.txt"], 3),
        (vec!["domains", "none.pack"], 3),
        (vec!["excel", "list.pack"], 2),
        (vec!["domains", "list.pack", "--level", "adults"], 2),
    ] {
        let (code, out, err) = department.export(&[&arguments[..], &["--out", "x.out"]].concat());
        assert_eq!((code, out.as_str()), (wanted, ""), "{arguments:?}: {err}");
        assert!(!err.is_empty() && !department.file("x.out").exists(), "{arguments:?}: {err}");
    }
    let (code, _, err) = department.export(&["domains", "list.pack", "--out", "no/where/x"]);
    assert!(code == 1 && err.contains("no/where/x"), "{err}");
    let left = fs::read_dir(department.0.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.as_encoded_bytes().starts_with(b".")), "{left:?}");
}

#[test]
fn a_limit_keeps_popular_names_and_tells_the_others_by_category() {
    let department = Department::new();
    let (code, text, told) = department.export(&["adlist", "list.pack", "--max", "4"]);
    assert_eq!(code, 0, "{told}");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines.contains(&"0.0.0.0 www.tiktok.com") && lines.contains(&"0.0.0.0 facebook.com"));
    assert!(told.contains("left out by --max: 3 names of adult"), "{told}");
    assert!(text.contains("left out by --max: 3 names of adult"), "{text}");
}

/// A repository gives its newest release, with the tables of that release: there pupils of primary
/// schools may use social networks.
#[test]
fn a_repository_gives_the_newest_release_under_its_own_tables() {
    let (department, office) = (Department::new(), TestRepository::new());
    let directory = office.text("repository");
    let (code, _, told) = department.export(&["domains", &directory]);
    assert!(code == 3 && told.contains("no release is signed yet"), "{told}");

    let accepted = ["--accept", "guard/adult/pool.ntp.org", "--by", "Lan", "--reason", "a test"];
    office.release(&department.file("list.pack"), &accepted);
    let (code, first, told) = department.export(&["domains", &directory]);
    assert_eq!(code, 0, "{told}");
    let (_, wanted, _) = department.export(&["domains", "list.pack", "--serial", "1"]);
    assert_eq!(first, wanted);
    assert!(first.contains("\ntiktok.com\n"), "{first}");

    let tables = office.file("tables");
    fs::create_dir(&tables).unwrap();
    let categories = include_str!("../../../blocklists/categories.toml");
    let (before, social) = categories.split_once("id = \"social\"").unwrap();
    let social = social.replacen("primary = \"block\"", "primary = \"allow\"", 1);
    fs::write(tables.join("categories.toml"), format!("{before}id = \"social\"{social}")).unwrap();
    let tables = ["--tables", tables.to_str().unwrap()];
    office.release(&department.file("list.pack"), &tables);
    let (code, second, told) = department.export(&["domains", &directory]);
    assert_eq!(code, 0, "{told}");
    assert!(second.contains("release 2,") && !second.contains("tiktok.com"), "{second}");
    // An older one, by its number.
    assert_eq!(department.export(&["domains", &directory, "--serial", "1"]).1, first);
    assert_eq!(department.export(&["domains", &directory, "--serial", "9"]).0, 3);
}

/// A program of others, which ends with the test.
struct Tool(Child, Log);

impl Tool {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        let (child, log) = spawn(command);
        Self(child, log)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        signal(&self.0, "TERM");
        let _ = self.0.wait();
        if std::thread::panicking() {
            eprintln!("--- log of a program\n{}", self.1.lock().unwrap());
        }
    }
}

/// Whether the programs are there; else the test is skipped, loudly.
pub(super) fn has(test: &str, programs: &[&str]) -> bool {
    let is_there = |program: &&str| {
        ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
            .iter()
            .any(|place| Path::new(place).join(program).exists())
    };
    let lacking: Vec<_> = programs.iter().filter(|program| !is_there(program)).collect();
    if !lacking.is_empty() {
        skipped(&format!("{test}: no {lacking:?} on this machine"));
    }
    lacking.is_empty()
}

/// A secret for this test, as NSD and dig take it.
const KEY: &str = "hmac-sha256:schools.:c2Nob29scyBhc2sgd2l0aCB0aGlzIGtleSBhbG9uZSEhISE=";

/// NSD with the zone: without a key for 127.0.0.1, with the key for 127.0.0.2.
fn nsd(department: &Department, notified: u16) -> (Tool, u16) {
    let (port, dir) = (free_port(), department.0.path().display().to_string());
    let secret = KEY.rsplit(':').next().unwrap();
    let config = format!(
        "server:\n ip-address: 127.0.0.1@{port}\n server-count: 1\n username: \"\"\n zonesdir: \"{dir}\"\n \
         database: \"\"\n pidfile: \"{dir}/nsd.pid\"\n xfrdfile: \"{dir}/xfrd.state\"\n xfrdir: \"{dir}\"\n \
         zonelistfile: \"{dir}/zone.list\"\nremote-control:\n control-enable: no\n\
         key:\n name: schools.\n algorithm: hmac-sha256\n secret: \"{secret}\"\n\
         zone:\n name: rpz.school.test\n zonefile: school.rpz\n provide-xfr: 127.0.0.1 NOKEY\n \
         provide-xfr: 127.0.0.2 schools.\n notify: 127.0.0.1@{notified} NOKEY\n"
    );
    let path = department.file("nsd.conf");
    fs::write(&path, config).unwrap();
    (Tool::start("nsd", &["-d", "-c", path.to_str().unwrap()]), port)
}

/// Unbound that takes the zone from NSD, and asks `upstream` for all others.
fn unbound(department: &Department, port: u16, nsd: u16, upstream: &Upstream) -> Tool {
    let dir = department.0.path().display().to_string();
    let config = format!(
        "server:\n interface: 127.0.0.1@{port}\n access-control: 127.0.0.0/8 allow\n \
         do-not-query-localhost: no\n chroot: \"\"\n username: \"\"\n directory: \"{dir}\"\n \
         pidfile: \"{dir}/unbound.pid\"\n use-syslog: no\n do-daemonize: no\n num-threads: 1\n \
         module-config: \"respip iterator\"\nremote-control:\n control-enable: no\n\
         rpz:\n name: rpz.school.test\n primary: 127.0.0.1@{nsd}\n allow-notify: 127.0.0.1\n \
         zonefile: \"{dir}/taken.rpz\"\n\
         forward-zone:\n name: \".\"\n forward-addr: 127.0.0.1@{}\n",
        upstream.port()
    );
    let path = department.file("unbound.conf");
    fs::write(&path, config).unwrap();
    Tool::start("unbound", &["-d", "-c", path.to_str().unwrap()])
}

/// The codes of an answer that a resolver blocks by.
fn is_blocked(name: &str, port: u16) -> Option<bool> {
    let reply = Ask::new(name, "A").from("127.0.0.1").send(([127, 0, 0, 1], port).into())?;
    match reply.rcode().as_str() {
        "NXDOMAIN" => Some(true),
        "NOERROR" => Some(reply.answers().is_empty()),
        _ => None,
    }
}

/// The chain of the guide: export, NSD, transfer, Unbound; and the next release by NOTIFY.
#[test]
fn nsd_serves_the_zone_and_unbound_enforces_it_as_a_gateway_does() {
    let test = "export by zone transfer";
    if !has(test, &["nsd", "nsd-checkzone", "unbound", "dig"]) {
        return;
    }
    let (department, upstream) = (Department::new(), Upstream::start());
    let zone = department.zone("school.rpz", 7);
    let checked = Command::new("nsd-checkzone").arg("rpz.school.test").arg(&zone).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");

    let resolver = free_port();
    let (server, port) = nsd(&department, resolver);
    eventually("NSD", || {
        let at = ([127, 0, 0, 1], port).into();
        let reply = Ask::new("rpz.school.test", "SOA").from("127.0.0.1").send(at)?;
        (reply.answers().len() == 1).then_some(())
    });
    // Schools across the Internet: no key, no list.
    let transfer = |key: Option<&str>| {
        let mut dig = Command::new("dig");
        dig.args(["-b", "127.0.0.2", "@127.0.0.1", "-p", &port.to_string()]);
        dig.args(["rpz.school.test", "AXFR"]);
        dig.args(key.iter().flat_map(|key| ["-y", *key]));
        String::from_utf8(dig.output().unwrap().stdout).unwrap()
    };
    assert!(transfer(Some(KEY)).contains("porn.example.rpz.school.test."));
    assert!(!transfer(None).contains("porn.example"));

    let _resolver = unbound(&department, resolver, port, &upstream);
    eventually("the zone in Unbound", || is_blocked("porn.example", resolver)?.then_some(()));
    let gateway = {
        let pack = department.file("list.pack").display().to_string();
        let lists = format!("starter = false\nuse_keywords = false\npacks = \"{pack}\"");
        let config = format!("{TWO_GROUPS}{TWO_PROFILES}").replace("starter = false", &lists);
        let pupils = "level = \"lower-secondary\"\nblock = [\"adult\", \"games\"]";
        let config = config.replace(pupils, "level = \"primary\"");
        Gateway::plan(&config).upstream(&upstream).start()
    };
    for name in SAMPLE {
        let reply = Ask::new(name, "A").from(PUPIL).expect(gateway.dns);
        let wanted = reply.rcode() != "NOERROR" || reply.answers().is_empty();
        let got = eventually(name, || is_blocked(name, resolver));
        assert_eq!(got, wanted, "{name}");
    }

    // The next release: NSD says so, Unbound fetches it.
    assert_eq!(is_blocked("new-social.example", resolver), Some(false));
    department.write(&format!("{SOCIAL}another-social.example\n"));
    department.zone("school.rpz", 8);
    signal(&server.0, "HUP");
    eventually("the next release in Unbound", || {
        is_blocked("another-social.example", resolver)?.then_some(())
    });
}
