//! `service:ID` on a running gateway: what a profile, a lesson and `why` do with it, and what a
//! release makes of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::published::{pack, update};
use super::{is_blocked, make, point};
use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Gateway, TWO_GROUPS, Upstream, eventually};

const POLICY: &str = r#"
[profile.pupils]
level = "lower-secondary"
deny = ["service:tiktok"]
[profile.staff]
level = "staff"
[state]
dir = "{dir}/state"
[update]
root = "root.json"
"#;

/// A table with one service of these names.
fn table(names: &str) -> String {
    format!(
        "[source.office]\nrepository = \"https://office.example\"\ncommit = \"1\"\n\
         [service.tiktok]\nvi = \"TikTok\"\nen = \"TikTok\"\ncategory = \"social\"\n\
         [[service.tiktok.from]]\nsource = \"office\"\nfile = \"names\"\nnames = [{names}]\n"
    )
}

/// Runs `lachan …` with the gateway's config: its exit code, and all that was written.
fn lachan(gateway: &Gateway, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).args(arguments).args(["--config", "gateway.toml"]);
    command.env_remove("STATE_DIRECTORY");
    let (status, text) = run(command);
    (status.code().unwrap(), text)
}

fn start(repository: &TestRepository, upstream: &Upstream) -> Gateway {
    let enrol = |dir: &Path| {
        fs::copy(repository.root(), dir.join("root.json")).unwrap();
    };
    let plan = Gateway::plan(&format!("{TWO_GROUPS}{POLICY}")).upstream(upstream);
    plan.file("root.json", "{}").made(enrol).start()
}

#[test]
fn a_release_says_what_a_service_is_and_a_lesson_opens_it() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = start(&repository, &upstream);
    assert!(is_blocked(&gateway, "www.tiktok.com") && is_blocked(&gateway, "v16.tiktokcdn.com"));
    assert!(!is_blocked(&gateway, "newtok.example"));

    // A lesson: the word is kept, and a wrong one is refused with the nearest.
    let lesson = ["override", "lesson", "--group", "pupils", "--for", "10m", "--by", "Lan"];
    let allow = |word: &str| lachan(&gateway, &[&lesson[..], &["--allow", word]].concat());
    let (code, said) = allow("service:tiktk");
    assert!(code == 1 && said.contains("`tiktok`"), "{said}");
    let (code, said) = allow("service:tiktok");
    assert_eq!(code, 0, "{said}");
    assert!(!is_blocked(&gateway, "v16.tiktokcdn.com"));
    let listed = said_in_json(&lachan(&gateway, &["override", "list", "--json"]).1);
    assert_eq!(listed["overrides"][0]["names"], serde_json::json!(["service:tiktok"]));
    let id = listed["overrides"][0]["id"].to_string();
    let (code, said) = lachan(&gateway, &["override", "end", &id, "--by", "Lan"]);
    assert_eq!(code, 0, "{said}");
    assert!(is_blocked(&gateway, "v16.tiktokcdn.com"));

    // A table that would close more than the service is not published.
    let tables = repository.file("tables");
    fs::create_dir(&tables).unwrap();
    let write = |names: &str| fs::write(tables.join("services.toml"), table(names)).unwrap();
    write("\"tiktok.com\", \"googleapis.com\"");
    let list = pack(&repository, 1, &["bad.example"]);
    let mut release = Command::new(LACHAN);
    let own = [repository.text("repository"), repository.text("officer")];
    release.args(["publish", "release", &own[0], "--officer", &own[1], "--new"]).arg(&list);
    release.arg("--tables").arg(&tables);
    let (status, said) = run(release);
    let is_told = said.contains("services.toml:11:") && said.contains("`googleapis.com`");
    assert!(status.code() == Some(3) && is_told, "{said}");

    // A right one changes what the word means, without a restart.
    write("\"tiktok.com\", \"newtok.example\"");
    repository.release(&list, &["--tables", tables.to_str().unwrap()]);
    repository.rollout(1);
    assert_eq!(update(&gateway, &repository.path())["release"], 1);
    assert!(is_blocked(&gateway, "a.newtok.example") && is_blocked(&gateway, "tiktok.com"));
    assert!(!is_blocked(&gateway, "v16.tiktokcdn.com"), "no longer a name of it");
    let (code, said) = lachan(&gateway, &["services", "tiktok", "--json"]);
    assert!(code == 0 && said.contains("https://office.example"), "{said}");
    let (code, said) = lachan(&gateway, &["why", "service:tiktok", "--client", "127.0.0.1"]);
    assert!(code == 0 && said.contains("newtok.example  block (school-deny)"), "{said}");
    // What the release does not have is still there.
    assert_eq!(lachan(&gateway, &["services", "roblox"]).0, 0);

    // A bad one that lies here all the same is told and not used.
    make(gateway.dir(), 7, 7, &["bad.example"], &[("services.toml", &table("\"com.vn\""))]);
    point(gateway.dir(), 7, 7);
    gateway.reload();
    eventually("the table that is built in", || {
        is_blocked(&gateway, "v16.tiktokcdn.com").then_some(())
    });
    assert!(!is_blocked(&gateway, "a.newtok.example") && !is_blocked(&gateway, "any.com.vn"));
}
