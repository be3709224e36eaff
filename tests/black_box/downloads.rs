//! Lists by URL: what is taken, what is refused, and that a gateway lives without its servers.
//!
//! Most cases go through `lachan lists fetch`, which takes the turn that the gateway takes in the
//! background. Names of list servers are answered by the test's own upstream.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::gateway::{LACHAN, Plan, run};
use crate::support::ports::free_port;
use crate::support::web::{Page, Web};
use crate::support::{Ask, Canned, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// A list of `count` names.
pub(crate) fn list(count: usize) -> String {
    let names = (0..count).map(|number| format!("n{number}.listed.example\n"));
    names.collect::<Vec<_>>().concat()
}

/// A source of the games category, which is open without its list, with more keys.
pub(crate) fn source(url: &str, keys: &str) -> String {
    format!("\n[[lists.source]]\ncategory = \"games\"\nurl = \"{url}\"\n{keys}\n")
}

/// A config with a state directory and these sources.
pub(crate) fn plan(upstream: &Upstream, sources: &str) -> Plan {
    let state = "\n[state]\ndir = \"state\"\n";
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}{state}{sources}");
    Gateway::plan(&config).upstream(upstream)
}

/// Downloads now: the exit code, and what became of the one list.
pub(crate) fn fetch(plan: &Plan, arguments: &[&str]) -> (i32, Value) {
    // The config is written with the command that serves it.
    drop(plan.command());
    let mut command = Command::new(LACHAN);
    command.args(["lists", "fetch", "--json"]).args(arguments).arg(plan.config_path());
    let (status, said) = run(command);
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (status.code().unwrap(), said[0].clone())
}

/// The one copy that is kept, if there is one.
pub(crate) fn copy(plan: &Plan) -> Option<Vec<u8>> {
    let dir = plan.config_path().parent().unwrap().join("state/fetched");
    let files = fs::read_dir(dir).ok()?.map(|entry| entry.unwrap().path());
    let is_list = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e != "json");
    files.filter(is_list).map(|path| fs::read(path).unwrap()).next()
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Fetches `page` with `keys` after a good copy, and expects it not to be taken, for `why`.
fn expect_not_taken(page: Page, keys: &str, result: &str, why: &str) {
    let (upstream, web) = (Upstream::start(), Web::start());
    let plan = plan(&upstream, &source(&web.url("/list"), keys));
    web.put("/list", Page::text(&list(10)));
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
    let before = copy(&plan);
    web.put("/list", page);
    let (code, said) = fetch(&plan, &[]);
    assert_eq!(said["result"], result, "{said}");
    assert!(said["why"].as_str().unwrap().contains(why), "{said}");
    assert_eq!(code, if result == "refused" { 3 } else { 1 });
    assert_eq!((copy(&plan), said["rules"].as_u64()), (before, Some(10)), "{said}");
}

#[test]
fn what_is_no_list_is_refused_and_the_copy_stays() {
    let html = "<!DOCTYPE html>\n<html><body>Sign in to the network</body></html>\n";
    expect_not_taken(Page::text(html), "", "refused", "web page");
    expect_not_taken(Page::text(""), "", "refused", "empty");
    expect_not_taken(Page::text("# nothing but a comment\n"), "", "refused", "no rule");
    let binary = Page { body: (0..=255).cycle().take(20_000).collect(), ..Page::default() };
    expect_not_taken(binary, "", "refused", "");
}

#[test]
fn a_list_that_shrank_is_refused_until_somebody_says_so() {
    expect_not_taken(Page::text(&list(4)), "", "refused", "4 rules, and the copy before has 10");
    let (upstream, web) = (Upstream::start(), Web::start());
    let plan = plan(&upstream, &source(&web.url("/list"), "min_percent = 90"));
    for (count, arguments, result) in [
        (100, [].as_slice(), "new"),
        (90, &[], "new"),
        (80, &[], "refused"),
        (80, &["--accept-shrunken"], "new"),
        (80, &[], "unchanged"),
    ] {
        web.put("/list", Page::text(&list(count)));
        let (_, said) = fetch(&plan, arguments);
        assert_eq!(said["result"], result, "{count}: {said}");
    }
    assert_eq!(copy(&plan), Some(list(80).into_bytes()));
}

#[test]
fn errors_of_the_server_are_told_and_the_copy_stays() {
    expect_not_taken(Page::status(404), "", "failed", "the server says 404");
    expect_not_taken(Page::status(500), "", "failed", "the server says 500");
    let partial = Page { status: Some(206), ..Page::text(&list(20)) };
    expect_not_taken(partial, "", "failed", "206");
    expect_not_taken(Page::status(304), "", "failed", "304");
    let cut = Page { missing: 10, ..Page::text(&list(20)) };
    expect_not_taken(cut, "", "failed", "ended too early");
    let brotli = Page { head: vec!["Content-Encoding: br".into()], ..Page::text(&list(20)) };
    expect_not_taken(brotli, "", "failed", "`br`");
}

#[test]
fn a_server_that_is_slow_or_silent_is_not_waited_for() {
    let drip = Some(std::time::Duration::from_millis(200));
    let slow = Page { drip, ..Page::text(&list(200)) };
    expect_not_taken(slow, "timeout = \"1s\"", "failed", "within 1s");
    let silent = Page { is_silent: true, ..Page::default() };
    expect_not_taken(silent, "timeout = \"1s\"", "failed", "within 1s");
}

#[test]
fn what_is_too_large_is_refused_as_sent_and_unpacked() {
    let keys = "max_size = \"64KiB\"";
    let large = || Page::text(&list(10_000));
    expect_not_taken(large(), keys, "refused", "larger than 64KiB");
    // Without a word of its size.
    let unsaid = Page { until_close: true, ..large() };
    expect_not_taken(unsaid, keys, "refused", "larger than 64KiB");
    // A bomb: a thousandth of what it unpacks to.
    let bomb = gzip(&vec![b'\n'; 64 << 20]);
    assert!(bomb.len() < 70_000);
    let head = vec!["Content-Encoding: gzip".to_owned()];
    let bomb = Page { head, body: bomb, ..Page::default() };
    expect_not_taken(bomb, "max_size = \"1MiB\"", "refused", "larger than 1MiB");
}

#[test]
fn redirects_are_followed_a_few_times_and_only_on_the_web() {
    expect_not_taken(Page::to("/list"), "", "failed", "one redirect too many");
    expect_not_taken(Page::to("file:///etc/passwd"), "", "failed", "neither https nor http");
    expect_not_taken(Page { status: Some(302), ..Page::default() }, "", "failed", "too many");
    let (upstream, web) = (Upstream::start(), Web::start());
    let plan = plan(&upstream, &source(&web.url("/1"), ""));
    for hop in 1..=5 {
        web.put(&format!("/{hop}"), Page::to(&web.url(&format!("/{}", hop + 1))));
    }
    web.put("/6", Page::text(&list(3)));
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
    assert_eq!(web.requests().len(), 6);
}

#[test]
fn nothing_is_sent_again_while_nothing_has_changed() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let plan = plan(&upstream, &source(&web.url("/list"), ""));
    let page = |tag: &str, count| Page {
        head: vec![format!("ETag: {tag}")],
        unchanged_for: Some(tag.to_owned()),
        ..Page::text(&list(count))
    };
    web.put("/list", page("\"one\"", 10));
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
    assert_eq!(fetch(&plan, &[]).1["result"], "unchanged");
    web.put("/list", page("\"two\"", 11));
    let (_, said) = fetch(&plan, &[]);
    assert_eq!((&said["result"], &said["rules"]), (&"new".into(), &11.into()));
    let requests = web.requests();
    assert!(!requests[0].to_lowercase().contains("if-none-match"), "{}", requests[0]);
    assert!(requests[1].to_lowercase().contains("if-none-match: \"one\""), "{}", requests[1]);
    assert!(requests[2].to_lowercase().contains("if-none-match: \"one\""), "{}", requests[2]);

    // A date does as well; and a server that knows neither is seen through.
    let date = "Wed, 25 Nov 2026 01:00:00 GMT";
    let dated = Page {
        head: vec![format!("Last-Modified: {date}")],
        unchanged_for: Some(date.to_owned()),
        ..Page::text(&list(12))
    };
    web.put("/list", dated);
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
    assert_eq!(fetch(&plan, &[]).1["result"], "unchanged");
    web.put("/list", Page::text(&list(12)));
    assert_eq!(fetch(&plan, &[]).1["result"], "unchanged");
    // A copy that was lost is not taken for one that is unchanged.
    web.put("/list", page("\"two\"", 11));
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
    let dir = plan.config_path().parent().unwrap().join("state/fetched");
    for file in fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "txt") {
            fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
}

#[test]
fn lists_may_come_compressed_and_as_archives() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let encoded = Page {
        head: vec!["Content-Encoding: gzip".into()],
        body: gzip(list(10).as_bytes()),
        ..Page::default()
    };
    let packed = Page { body: gzip(list(11).as_bytes()), ..Page::default() };
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in [("adult/domains", list(12)), ("adult/urls", "x.example/a\n".into())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let archive = archive.into_inner().unwrap().finish().unwrap();
    for (path, page, rules) in [
        ("/encoded", encoded, 10),
        ("/list.gz", packed.clone(), 11),
        ("/no-suffix", packed, 11),
        ("/adult.tar.gz", Page { body: archive, ..Page::default() }, 12),
    ] {
        web.put(path, page);
        let plan = plan(&upstream, &source(&web.url(path), ""));
        let (code, said) = fetch(&plan, &[]);
        assert_eq!((code, said["rules"].as_u64()), (0, Some(rules)), "{path}: {said}");
        // And the gateway can read what was kept.
        let mut command = Command::new(LACHAN);
        command.arg("check").arg(plan.config_path());
        let (status, said) = run(command);
        assert!(status.success() && said.contains(&format!("{rules} names")), "{path}: {said}");
    }
}

#[test]
fn names_are_asked_of_our_own_upstream_and_certificates_are_checked() {
    let upstream = Upstream::start();
    let here = Canned { answer: vec!["lists.example. 60 A 127.0.0.1".into()], ..Canned::default() };
    upstream.answer("lists.example", Some(1), here);
    let none = Canned::default();
    upstream.answer("lists.example", Some(28), none);
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root.pem");
    let web = Web::start_tls("lists.example", &root);
    web.put("/list", Page::text(&list(5)));
    web.put("/down", Page::to("http://127.0.0.1:1/list"));
    let at = |host: &str, path: &str| format!("https://{host}:{}{path}", web.port());
    let roots = format!("\n[lists]\ntls_roots = \"{}\"\nstarter = false\n", root.display());
    let trusting = |url: &str| {
        let plan = plan(&upstream, &source(url, ""));
        let text = fs::read_to_string({
            drop(plan.command());
            plan.config_path()
        });
        let text = text.unwrap().replace("\n[lists]\nstarter = false\n", &roots);
        assert!(text.contains("tls_roots"));
        let (dir, config) = (plan.config_path().parent().unwrap().to_owned(), text);
        fs::write(dir.join("trusting.toml"), config).unwrap();
        let mut command = Command::new(LACHAN);
        command.args(["lists", "fetch", "--json"]).arg(dir.join("trusting.toml"));
        let (_, said) = run(command);
        let said: Value = serde_json::from_str(&said).unwrap();
        said[0].clone()
    };
    let said = trusting(&at("lists.example", "/list"));
    assert_eq!((&said["result"], &said["rules"]), (&"new".into(), &5.into()), "{said}");
    assert!(upstream.count("lists.example", Some(1)) > 0);
    let host = format!("host: lists.example:{}", web.port());
    assert!(web.requests()[0].to_lowercase().contains(&host), "{:?}", web.requests());

    // Not trusted, another name, another protocol, and a name that is not there.
    let plan = plan(&upstream, &source(&at("lists.example", "/list"), ""));
    let (_, said) = fetch(&plan, &[]);
    assert!(said["why"].as_str().unwrap().contains("set `tls_roots` in [lists]"), "{said}");
    assert!(copy(&plan).is_none());
    let said = trusting(&at("127.0.0.1", "/list"));
    assert!(said["why"].as_str().unwrap().contains("TLS"), "{said}");
    let said = trusting(&at("lists.example", "/down"));
    assert!(said["why"].as_str().unwrap().contains("https does not go on as http"), "{said}");
    let said = trusting(&at("nx.example", "/list"));
    assert!(said["why"].as_str().unwrap().contains("has no address"), "{said}");
}

#[test]
fn a_list_server_in_a_forward_zone_is_asked_for_there() {
    let (upstream, inside, web) = (Upstream::start(), Upstream::start(), Web::start());
    web.put("/list", Page::text("one.example\n"));
    // The upstream of everybody does not know the department's own names.
    upstream.answer("lists.dept.example", None, Canned { rcode: 3, ..Canned::default() });
    let here = vec!["lists.dept.example. 60 A 127.0.0.1".into()];
    inside.answer("lists.dept.example", Some(1), Canned { answer: here, ..Canned::default() });
    inside.answer("lists.dept.example", Some(28), Canned::default());
    let forward = format!(
        "\n[[forward]]\nzone = \"dept.example\"\nservers = [\"udp://127.0.0.1:{}\"]\n",
        inside.port()
    );
    let url = format!("http://lists.dept.example:{}/list", web.port());
    let plan = plan(&upstream, &(forward + &source(&url, "")));
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
    fs::remove_dir_all(plan.config_path().parent().unwrap().join("state")).unwrap();
    let gateway = plan.start();
    eventually("the list", || (rcode(&gateway, "one.example") == "NXDOMAIN").then_some(()));
    assert_eq!(upstream.count("lists.dept.example", None), 0);
}

/// A gateway's user must be able to read and replace what an administrator downloaded.
#[test]
fn what_root_downloads_belongs_to_the_owner_of_the_state_directory() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let (upstream, web) = (Upstream::start(), Web::start());
    web.put("/list", Page::text(&list(3)));
    let plan = plan(&upstream, &source(&web.url("/list"), ""));
    let state = plan.config_path().parent().unwrap().join("state");
    fs::create_dir(&state).unwrap();
    if chown(&state, Some(12_345), Some(12_345)).is_err() {
        eprintln!("skipped: only root can give a directory away");
        return;
    }
    assert_eq!(fetch(&plan, &[]).1["result"], "new");
    let fetched = state.join("fetched");
    let files = fs::read_dir(&fetched).unwrap().map(|entry| entry.unwrap().path());
    let paths: Vec<_> = files.chain([fetched.clone()]).collect();
    assert_eq!(paths.len(), 3);
    for path in paths {
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (12_345, 12_345), "{}", path.display());
    }
}

pub(crate) fn rcode(gateway: &Gateway, name: &str) -> String {
    Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode()
}

/// Copies a whole directory.
fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_dir(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
fn a_gateway_starts_without_the_list_and_takes_it_when_it_comes() {
    let (upstream, web) = (Upstream::start(), Web::start());
    // Not there yet: as an uplink that comes up after the gateway.
    let mut gateway = plan(&upstream, &source(&web.url("/list"), "")).start();
    assert_eq!(rcode(&gateway, "n1.listed.example"), "NOERROR");
    gateway.expect_metric("lachan_list_fetch_missing", &[], 1.0);
    eventually("a failure", || {
        let failed = [("result", "failed")];
        (gateway.metrics().value("lachan_list_fetches_total", &failed) > 0.0).then_some(())
    });
    web.put("/list", Page::text(&list(3)));
    eventually("the list", || (rcode(&gateway, "n1.listed.example") == "NXDOMAIN").then_some(()));
    gateway.expect_metric("lachan_list_fetch_missing", &[], 0.0);
    gateway.expect_metric("lachan_list_fetches_total", &[("result", "new")], 1.0);
    let log = gateway.log();
    assert_eq!(log.matches("the server says 404").count(), 1, "{log}");
    assert!(log.contains(&format!("{}: downloaded", web.url("/list"))), "{log}");

    // And once more from the copy, without a server and without an upstream.
    gateway.terminate();
    let nobody = format!("udp://127.0.0.1:{}", free_port());
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"state\"\n");
    let config = config.replace("udp://127.0.0.1:{upstream}", &nobody);
    let plan = Gateway::plan(&format!("{config}{}", source(&web.url("/list"), "")));
    let dir = plan.config_path().parent().unwrap().join("state");
    copy_dir(&gateway.dir().join("state"), &dir);
    drop(web);
    let gateway = plan.start();
    assert_eq!(rcode(&gateway, "n2.listed.example"), "NXDOMAIN");
    gateway.expect_metric("lachan_list_fetch_missing", &[], 0.0);
    assert!(gateway.metrics().has("lachan_list_fetch_age_seconds", &[]));
    // The copy is fresh: nobody is asked for another one.
    gateway.expect_metric("lachan_list_fetches_total", &[], 0.0);
}

#[test]
fn a_download_by_hand_is_seen_by_the_gateway() {
    let (upstream, web) = (Upstream::start(), Web::start());
    web.put("/list", Page::text("one.example\n"));
    let gateway = plan(&upstream, &source(&web.url("/list"), "")).start();
    eventually("the list", || (rcode(&gateway, "one.example") == "NXDOMAIN").then_some(()));
    web.put("/list", Page::text("two.example\n"));
    let mut command = Command::new(LACHAN);
    command.args(["lists", "fetch"]).arg(gateway.dir().join("gateway.toml"));
    let (status, said) = run(command);
    assert!(status.success() && said.contains("new (1 rules"), "{said}");
    eventually("the new list", || (rcode(&gateway, "two.example") == "NXDOMAIN").then_some(()));
    assert_eq!(rcode(&gateway, "one.example"), "NOERROR");

    // A source that the config names no more is gone with its next reload.
    let path = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.split("\n[[lists.source]]").next().unwrap()).unwrap();
    eventually("the end of it", || (rcode(&gateway, "two.example") == "NOERROR").then_some(()));
    gateway.expect_metric("lachan_list_fetch_missing", &[], 0.0);
    // And one that it names anew is downloaded.
    web.put("/other", Page::text("three.example\n"));
    let text = text.replace("/list\"", "/other\"");
    fs::write(&path, text).unwrap();
    eventually("the other list", || (rcode(&gateway, "three.example") == "NXDOMAIN").then_some(()));
}

#[test]
fn a_url_without_a_state_directory_is_a_mistake_at_the_start_and_at_a_check() {
    let upstream = Upstream::start();
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}{}", source("https://lists.example/a", ""));
    let plan = Gateway::plan(&config).upstream(&upstream);
    let mut command = plan.command();
    command.env_remove("STATE_DIRECTORY");
    let (status, said) = run(command);
    assert!(!status.success() && said.contains("set `dir` in [state]"), "{said}");
    let mut command = Command::new(LACHAN);
    command.arg("check").arg(plan.config_path()).env_remove("STATE_DIRECTORY");
    let (status, said) = run(command);
    assert!(!status.success() && said.contains("set `dir` in [state]"), "{said}");
    let mut command = Command::new(LACHAN);
    command.arg("check").arg(plan.config_path()).env("STATE_DIRECTORY", "/nowhere");
    let (status, said) = run(command);
    assert!(status.success() && said.contains("https://lists.example/a: not downloaded yet"));
    // The service manager's directory does.
    let web = Web::start();
    web.put("/list", Page::text("one.example\n"));
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}{}", source(&web.url("/list"), ""));
    let plan = Gateway::plan(&config).upstream(&upstream);
    drop(plan.command());
    let mut command = Command::new(LACHAN);
    command.args(["lists", "fetch"]).arg(plan.config_path());
    let state = plan.config_path().parent().unwrap().join("given");
    command.env("STATE_DIRECTORY", &state);
    let (status, said) = run(command);
    assert!(status.success() && state.join("fetched").is_dir(), "{said}");
}

#[test]
fn a_category_that_must_not_be_open_waits_closed_for_its_first_download() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let source = source(&web.url("/list"), "").replace("games", "adult");
    let gateway = plan(&upstream, &source).start();
    let answer = Ask::new("www.example.com", "A").from(PUPIL).edns(1232).expect(gateway.dns);
    assert_eq!(answer.ede().map(|(code, _)| code), Some(14));
    assert_eq!(rcode(&gateway, "pool.ntp.org"), "NOERROR");
    let closed = [("category", "adult"), ("mode", "closed")];
    gateway.expect_metric("lachan_fail_mode", &closed, 1.0);
    web.put("/list", Page::text(&list(3)));
    eventually("the list", || (rcode(&gateway, "www.example.com") == "NOERROR").then_some(()));
    assert_eq!(rcode(&gateway, "n1.listed.example"), "NXDOMAIN");
    gateway.expect_metric("lachan_fail_mode", &closed, 0.0);
}

#[test]
fn a_list_server_that_the_schools_own_records_name_is_found() {
    let (upstream, web) = (Upstream::start(), Web::start());
    web.put("/list", Page::text(&list(10)));
    let local = "\n[local]\nrecords = [\"lists.school.lan CNAME box.school.lan\", \
        \"box.school.lan A 127.0.0.1\"]\n";
    for host in ["lists", "box"] {
        let url = format!("http://{host}.school.lan:{}/list", web.port());
        let plan = plan(&upstream, &format!("{local}{}", source(&url, "")));
        let (code, said) = fetch(&plan, &[]);
        assert_eq!((code, &said["result"]), (0, &Value::from("new")), "{said}");
        fs::remove_dir_all(plan.config_path().parent().unwrap().join("state")).unwrap();
        let gateway = plan.start();
        eventually("it", || (rcode(&gateway, "n1.listed.example") == "NXDOMAIN").then_some(()));
    }
    assert_eq!(upstream.count("lists.school.lan", None), 0);
}
