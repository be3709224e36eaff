//! Files that would hang or flood a gateway: FIFOs and devices under configured names, configs of
//! thousands of mistakes or clients.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::support::gateway::{LACHAN, run};
use crate::support::{Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually, within};
use std::time::Duration;

fn fifo(path: &Path) {
    let _ = std::fs::remove_file(path);
    let mut command = Command::new("mkfifo");
    command.arg(path);
    assert!(run(command).0.success());
}

#[test]
fn a_fifo_among_the_files_hangs_nothing() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n\
         [[schedule]]\nname = \"lessons\"\ntimes = [\"07:00-11:00\"]\nexcept = [\"holidays.ics\"]\n\
         [department]\npolicy = \"department.toml\"\n"
    )
    .replace("starter = false", "starter = false\nkeywords = \"keywords.txt\"");
    let department = "name = \"Department\"\n";
    let calendar =
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20900101\nEND:VEVENT\nEND:VCALENDAR\n";
    let files = [
        ("adult.txt", "adult.example\n"),
        ("holidays.ics", calendar),
        ("department.toml", department),
        ("keywords.txt", "# none\n"),
    ];
    let plan = Gateway::plan(&config).upstream(&upstream);
    let gateway = files.iter().fold(plan, |plan, (name, text)| plan.file(name, text)).start();
    for (name, text) in files {
        let path = gateway.dir().join(name);
        let held = || gateway.metrics().value("lachan_reloads_total", &[("result", "held")]);
        let before = held();
        fifo(&path);
        gateway.reload();
        eventually("the refusal", || (held() > before).then_some(()));
        gateway.expect_log("degraded: ");
        assert!(
            gateway.log().contains("a FIFO, a device or a socket"),
            "{name}: {}",
            gateway.log()
        );
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        gateway.reload();
        eventually("the mended file", || {
            let success = gateway.metrics().value("lachan_config_last_reload_success", &[]);
            (success > 0.0).then_some(())
        });
    }
}

#[test]
fn a_fifo_for_a_config_a_key_or_a_pack_is_an_error_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (config, list, key) =
        (dir.path().join("gateway.toml"), dir.path().join("x.sealed"), dir.path().join("x.key"));
    let ends = |arguments: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.args(arguments);
        let child = std::thread::spawn(move || command.output().unwrap());
        let is_over = within(Duration::from_secs(30), || child.is_finished().then_some(()));
        assert!(is_over.is_some(), "{arguments:?} hangs");
        let output = child.join().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let path = config.to_str().unwrap().to_owned();
    fifo(&config);
    for arguments in [&["check", &path][..], &["serve", "--config", &path]] {
        let (code, said) = ends(arguments);
        assert!(code != Some(0) && said.contains("a FIFO, a device or a socket"), "{said}");
    }
    std::fs::remove_file(&config).unwrap();
    let text = "[[lists.source]]\ncategory = \"csam\"\nformat = \"sealed\"\n\
                path = \"x.sealed\"\nkey = \"x.key\"\n";
    std::fs::write(&config, text).unwrap();
    for odd in [&key, &list] {
        std::fs::write(&key, "k").unwrap();
        std::fs::remove_file(odd).unwrap_or_default();
        fifo(odd);
        assert_ne!(ends(&["check", &path]).0, Some(0));
        std::fs::remove_file(odd).unwrap();
    }
    // A FIFO among packs is no pack, and none is left.
    let packs = dir.path().join("packs");
    std::fs::create_dir(&packs).unwrap();
    fifo(&packs.join("1.pack"));
    std::fs::write(&config, "[lists]\npacks = \"packs\"\n").unwrap();
    let (code, said) = ends(&["check", &path]);
    assert!(code == Some(3) && said.contains("no file there ends in `.pack`"), "{said}");
    for command in ["inspect", "verify"] {
        let pack = packs.join("1.pack");
        let (code, said) = ends(&["lists", command, pack.to_str().unwrap()]);
        assert!(code == Some(3) && said.contains("a FIFO"), "{command}: {said}");
    }
}

#[test]
fn a_packed_list_is_counted_before_it_takes_room() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..1024 {
        packed.write_all(&vec![b'\n'; 1 << 20]).unwrap();
    }
    std::fs::write(dir.path().join("list.gz"), packed.finish().unwrap()).unwrap();
    let text = "[[lists.source]]\ncategory = \"games\"\npath = \"list.gz\"\n";
    let config = dir.path().join("gateway.toml");
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("sh");
    // Law: a gigabyte that is packed into one megabyte takes none of it.
    command.args(["-c", "ulimit -v 400000; exec \"$0\" check \"$1\"", LACHAN]).arg(&config);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("no list packs so well"), "{said}");
}

/// What `check` says of a config that must not cost more than it is worth.
fn check(text: &str) -> (Option<i32>, usize) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("gateway.toml");
    std::fs::write(&config, text).unwrap();
    // Law: an address space of 1 GB is enough for a config of some megabytes.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 1500000; exec \"$0\" check \"$1\"", LACHAN]).arg(&config);
    let child = std::thread::spawn(move || command.output().unwrap());
    let output = within(Duration::from_secs(60), || child.is_finished().then_some(()));
    assert!(output.is_some(), "a check of {} octets takes too long", text.len());
    let output = child.join().unwrap();
    (output.status.code(), output.stdout.len() + output.stderr.len())
}

#[test]
fn thousands_of_mistakes_clients_and_aliases_cost_little() {
    let words = vec!["\"gaems\""; 8_000].join(",");
    let (code, said) = check(&format!("[profile.p]\nblock = [{words}]\n"));
    assert_eq!(code, Some(3));
    assert!(said < 400_000, "{said} octets of mistakes");

    let mut clients = String::from("[[group]]\nname = \"many\"\nclients = [\n");
    for n in 0..60_000_u32 {
        let _ = writeln!(clients, "\"10.{}.{}.{}\",", n >> 16, n >> 8 & 255, n & 255);
    }
    assert_eq!(check(&(clients + "]\n")).0, Some(0));

    let mut aliases = String::from("[local]\nrecords = [\n\"a0.school.lan A 10.0.0.1\",\n");
    for n in 1..9_000 {
        let _ = writeln!(aliases, "\"a{n}.school.lan CNAME a{}.school.lan\",", n - 1);
    }
    assert_eq!(check(&(aliases + "]\n")).0, Some(0));
}
