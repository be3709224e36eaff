//! Every host of every search engine, against the real binary.

use lachan::config::data::starter;
use lachan::policy::tables::rewrite::Engine;

use crate::support::{Ask, Canned, Gateway, PUPIL, STAFF, TWO_GROUPS, Upstream};

const PROFILES: &str = r#"
[profile.pupils]
level = "primary"
block = []

[profile.staff]
level = "staff"
block = []
"#;

/// The name that a primary school is sent to: of several modes the strict one.
fn target(engine: &Engine) -> String {
    let mode = engine.modes.iter().find(|(mode, _)| mode == "strict" || mode.is_empty());
    mode.unwrap_or_else(|| panic!("{} has no mode", engine.id)).1.to_string()
}

#[test]
fn every_host_goes_to_the_safe_name_and_none_is_asked() {
    let engines = starter::safesearch().unwrap().engines;
    let upstream = Upstream::start();
    for engine in &engines.0 {
        let name = target(engine);
        for (rtype, data) in [("A", "198.51.100.7"), ("AAAA", "2001:db8::7")] {
            let answer = vec![format!("{name} 60 {rtype} {data}")];
            let number = if rtype == "A" { 1 } else { 28 };
            upstream.answer(&name, Some(number), Canned { answer, ..Canned::default() });
        }
    }
    let gateway = Gateway::plan(&format!("{TWO_GROUPS}{PROFILES}")).upstream(&upstream).start();
    let hosts: usize = engines.0.iter().map(|engine| engine.hosts.len()).sum();
    assert!(hosts >= 194 + 60, "{hosts} hosts");
    for engine in &engines.0 {
        let name = format!("CNAME {}", target(engine));
        for host in &engine.hosts {
            let host = host.to_string();
            for (rtype, data) in
                [("A", Some("A 198.51.100.7")), ("AAAA", Some("AAAA 2001:db8::7")), ("HTTPS", None)]
            {
                let answer = Ask::new(&host, rtype).from(PUPIL).edns(1232).expect(gateway.dns);
                let mut expected: Vec<&str> = data.into_iter().chain([name.as_str()]).collect();
                expected.sort_unstable();
                assert_eq!(answer.answers(), expected, "{host} {rtype}");
                assert_eq!(answer.ede(), Some((4, "safesearch".into())), "{host} {rtype}");
                assert!(!answer.is_authentic() && answer.ttls().iter().all(|&ttl| ttl <= 300));
            }
            assert_eq!(upstream.count(&host, None), 0, "{host} was asked upstream");
            // Adults get the host itself.
            let answer = Ask::new(&host, "A").from(STAFF).expect(gateway.dns);
            assert_eq!(answer.answers(), ["A 192.0.2.1"], "{host}");
        }
        let count = engine.hosts.len() as f64 * 3.0;
        gateway.expect_metric("lachan_safesearch_rewrites_total", &[("engine", &engine.id)], count);
    }
}
