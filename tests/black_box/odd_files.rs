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
        let refused = || gateway.metrics().value("lachan_reloads_total", &[("result", "refused")]);
        let before = refused();
        fifo(&path);
        gateway.reload();
        eventually("the refusal", || (refused() > before).then_some(()));
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
