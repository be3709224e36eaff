//! Scenarios: one file per behaviour in `tests/scenarios/`, run against the real binary.
//!
//! A file starts with a comment that says why, and then has:
//!
//! ```toml
//! pupils = 'block = ["adult"]'        # body of [profile.pupils]; staff the same
//! extra = '[block] …'                 # more tables of the config
//! config = '…'                        # or: all of it
//! department = '…'                    # the department's policy, if there is one
//! [[file]]                            # another file beside the config: name, text
//! [[override]]                        # set before the first step: kind, group, what
//! [[list]]                            # a list source: category, text, format, scope
//! [[upstream]]                        # a programmed answer: name, type, answer = [..], …
//! [[step]]                            # one query and what must come back
//! [[metric]]                          # what /metrics must say in the end
//! ```
//!
//! A step with `layer` also asks `lachan why`, which must name that step of the order, and say
//! of the answer what the wire says.
//!
//! Always checked: id, QR, the echoed question in its case, AA=0, AD=0 unless expected,
//! RA=1 on NOERROR and NXDOMAIN, and an OPT exactly if the query had one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::support::ask::type_number;
use crate::support::gateway::{LACHAN, run as run_to_end, said_in_json};
use crate::support::{
    Answer, Ask, Canned, Gateway, PUPIL, STAFF, TWO_GROUPS, TWO_PROFILES, Upstream,
};

/// Makes one test of each file, and one that no file is forgotten.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_file_is_read_and_run() {
            let mut files: Vec<String> = std::fs::read_dir(directory())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            files.sort();
            for name in &files {
                read(name);
            }
            let mut listed = vec![$(stringify!($name)),*];
            listed.sort_unstable();
            assert_eq!(files, listed);
        }
    };
}

scenarios! {
    a_dead_forward_zone_harms_nobody_else
    adblock_rules_mean_what_they_say
    allow_list_mode_lets_nothing_else_through
    answer_mode_nodata
    answer_mode_nxdomain
    answer_mode_refused
    answer_mode_zero
    answer_modes_are_for_every_block
    any_not_blocked_gets_hinfo
    block_answer_has_soa_ttl_and_ede
    block_subdomain_of_listed_name
    block_without_opt_has_no_opt
    canaries_are_negative
    canaries_by_group
    canaries_stay_negative_in_an_allow_list
    case_is_kept_in_the_echo
    cname_to_blocked_name_is_blocked
    ech_passes_unchanged
    ede_and_ad_of_upstream_are_kept
    edns_version_is_refused
    essential_name_resolves_though_listed
    essential_names_and_their_neighbours
    failure_is_remembered
    formerr_notimp_refused
    forward_zones_are_asked_elsewhere
    forward_zones_are_no_verdict
    groups_by_longest_prefix
    groups_share_a_cache_and_nothing_else
    help_names_are_counted_nowhere
    hosts_format_is_exact
    ipv6_listener_and_client
    keywords_bind_pupils_and_not_staff
    keywords_catch_unlisted_names
    label_boundary
    listed_addresses_block_the_answer
    local_records_answer
    local_records_are_no_verdict
    locked_category_cannot_be_allowed
    negative_answer_is_cached
    negative_ttl_is_the_smallest_of_three
    order_admission_before_special_names
    order_canaries_before_orders_essential_and_allows
    order_categories_before_allow_list_before_keywords
    order_csam_and_orders_before_everything_below
    order_department_before_locks_and_school
    order_essential_names_before_department_locks_and_modes
    order_exam_before_lesson_school_and_good_names
    order_exams_over_locks_stay_shut
    order_fail_closed_between_locks_and_overrides
    order_good_names_before_categories_and_keywords
    order_keywords_before_safesearch
    order_lesson_before_school_deny_and_categories
    order_locks_before_exams_lessons_and_the_school
    order_own_essential_names_behind_department_and_locks
    order_safesearch_before_any_and_sources
    order_school_names_before_good_names_and_categories
    order_sources_local_record_zone_upstream
    order_special_names_before_lists_and_denials
    positive_answer_is_cached_and_ages
    preschool_is_an_allow_list
    private_names_are_forwarded_where_wanted
    private_names_are_not_forwarded
    profile_allow_beats_category
    profile_deny_blocks_any_name
    profile_observe_counts_and_passes
    protected_category_has_no_name
    rd_0_is_not_resolved
    rebinding_is_answered_as_blocked
    refused_outside_allowed_networks
    review_shields_plain_categories_and_never_locks
    rpz_zones_keep_their_own_order
    safesearch_answers_with_the_safe_name
    safesearch_by_profile
    safesearch_fails_closed
    safesearch_yields_to_blocks_and_binds_the_allowed
    school_deny_beats_good_names_and_allow_beats_category
    scope_subtree_widens_hosts
    service_binding_targets_are_reviewed
    several_categories_first_is_reported
    special_use_names_stay_here
    stale_answer_where_upstream_fails
    starter_test_names_are_blocked
    tcp_only_opens_no_lock_and_no_search
    truncation_to_the_clients_size
    unknown_client_gets_default_group
    upstream_failure_gets_a_second_try
    upstream_truncation_goes_to_tcp
}

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    config: Option<String>,
    #[serde(default)]
    extra: String,
    pupils: Option<String>,
    staff: Option<String>,
    department: Option<String>,
    #[serde(default, rename = "file")]
    files: Vec<Beside>,
    #[serde(default, rename = "override")]
    overrides: Vec<Override>,
    #[serde(default, rename = "list")]
    lists: Vec<List>,
    #[serde(default, rename = "upstream")]
    upstreams: Vec<Programmed>,
    #[serde(rename = "step")]
    steps: Vec<Step>,
    #[serde(default, rename = "metric")]
    metrics: Vec<Metric>,
}

/// A file beside the config.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    name: String,
    text: String,
}

/// What a teacher sets for an hour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    kind: String,
    #[serde(default = "pupils")]
    group: String,
    what: Vec<String>,
}

/// A list source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    category: String,
    text: String,
    format: Option<String>,
    scope: Option<String>,
}

/// A programmed answer of upstream 1 or 2.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Programmed {
    #[serde(default = "first")]
    server: usize,
    name: String,
    /// Every type where absent.
    r#type: Option<String>,
    #[serde(default = "noerror")]
    rcode: String,
    #[serde(default)]
    answer: Vec<String>,
    #[serde(default)]
    authority: Vec<String>,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    silent: bool,
    #[serde(default)]
    truncates_udp: bool,
    ede: Option<u16>,
    #[serde(default)]
    ede_text: String,
    #[serde(default)]
    ad: bool,
    times: Option<usize>,
}

/// One query, or the same for several types.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a key of the file each")]
struct Step {
    /// `pupil`, `staff`, or an address.
    #[serde(default = "pupil")]
    from: String,
    /// A name, or several.
    ask: Names,
    #[serde(default = "type_a")]
    types: Vec<String>,
    #[serde(default)]
    tcp: bool,
    /// To `::1` instead of 127.0.0.1.
    #[serde(default)]
    ipv6: bool,
    edns: Option<u16>,
    edns_version: Option<u8>,
    #[serde(default)]
    r#do: bool,
    #[serde(default)]
    ad: bool,
    #[serde(default)]
    cd: bool,
    #[serde(default = "yes")]
    rd: bool,
    #[serde(default = "class_in")]
    class: u16,
    #[serde(default)]
    opcode: u8,
    #[serde(default = "one")]
    questions: u16,
    /// Waits before it asks: only where a TTL must be seen to age.
    #[serde(default)]
    after_ms: u64,
    expect: Expect,
}

/// One name or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

/// What must come back. What is absent is not looked at, except as the header says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    rcode: String,
    /// `TYPE RDATA`, in any order.
    answer: Option<Vec<String>>,
    ttl_min: Option<u32>,
    ttl_max: Option<u32>,
    /// The code; 0 = there is none.
    ede: Option<u16>,
    ede_contains: Option<String>,
    ede_lacks: Option<String>,
    authority_soa: Option<bool>,
    #[serde(default)]
    ad: bool,
    #[serde(default)]
    tc: bool,
    size_max: Option<usize>,
    /// The step of the order that decided, as `lachan why` has it.
    layer: Option<String>,
    /// How often upstream 1 has been asked for this name and type so far.
    upstream_queries: Option<usize>,
    upstream2_queries: Option<usize>,
}

/// A metric at the end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    value: f64,
}

fn first() -> usize {
    1
}
fn noerror() -> String {
    "NOERROR".into()
}
fn pupil() -> String {
    "pupil".into()
}
fn pupils() -> String {
    "pupils".into()
}
fn type_a() -> Vec<String> {
    vec!["A".into()]
}
fn yes() -> bool {
    true
}
fn class_in() -> u16 {
    1
}
fn one() -> u16 {
    1
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"))
}

fn read(name: &str) -> Scenario {
    let path = directory().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# "), "{name}: the first line says why");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn run(name: &str) {
    let scenario = read(name);
    let upstreams = [Upstream::start(), Upstream::start()];
    for programmed in &scenario.upstreams {
        let qtype = programmed.r#type.as_deref().map(type_number);
        upstreams[programmed.server - 1].answer(&programmed.name, qtype, programmed.canned());
    }
    let gateway = scenario.start(&upstreams);
    for one in &scenario.overrides {
        one.begin(&gateway);
    }

    let mut faults = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        std::thread::sleep(Duration::from_millis(step.after_ms));
        for (asked, qtype) in step.questions() {
            let place = format!("{name}.toml: step {}: {asked} {qtype}", number + 1);
            let Some(answer) = step.query(asked, qtype).send(step.listener(&gateway)) else {
                faults.push(format!("{place}: no answer"));
                continue;
            };
            let counts = [&upstreams[0], &upstreams[1]]
                .map(|upstream| upstream.count(asked, Some(type_number(qtype))));
            let mut found = step.faults(&answer, counts);
            if let Some(layer) = &step.expect.layer {
                found.extend(step.contradictions(&gateway, layer, asked, qtype, &answer));
            }
            faults.extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    for metric in &scenario.metrics {
        let labels: Vec<_> =
            metric.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        gateway.expect_metric(&metric.name, &labels, metric.value);
    }
}

impl Scenario {
    fn start(&self, upstreams: &[Upstream; 2]) -> Gateway {
        let mut config = self.config.clone().unwrap_or_else(|| self.two_groups());
        for (number, list) in self.lists.iter().enumerate() {
            config += &list.source(number);
        }
        let mut plan = Gateway::plan(&config)
            .upstream(&upstreams[0])
            .fill("upstream2", &upstreams[1].port().to_string());
        for (number, list) in self.lists.iter().enumerate() {
            plan = plan.file(&format!("list-{number}.txt"), &list.text);
        }
        for file in &self.files {
            plan = plan.file(&file.name, &file.text);
        }
        if let Some(department) = &self.department {
            plan = plan.file("department.toml", department);
        }
        plan.start()
    }

    fn two_groups(&self) -> String {
        let mut extra = self.extra.clone();
        if self.department.is_some() {
            extra += "\n[department]\npolicy = \"department.toml\"\n";
        }
        if !self.overrides.is_empty() {
            extra += "\n[state]\ndir = \"state\"\n";
        }
        if self.pupils.is_none() && self.staff.is_none() {
            return format!("{TWO_GROUPS}{TWO_PROFILES}{extra}");
        }
        let pupils = self.pupils.as_deref().unwrap_or("block = [\"adult\", \"games\"]");
        let staff = self.staff.as_deref().unwrap_or("block = []");
        format!(
            "{TWO_GROUPS}\n[profile.pupils]\nlevel = \"lower-secondary\"\n{pupils}\n\
             [profile.staff]\nlevel = \"staff\"\n{staff}\n{extra}"
        )
    }
}

impl Override {
    fn begin(&self, gateway: &Gateway) {
        let word = if self.kind == "exam" { "--only" } else { "--allow" };
        let mut command = Command::new(LACHAN);
        command.current_dir(gateway.dir()).args(["override", &self.kind, "--group", &self.group]);
        command.args(["--for", "1h", "--by", "Lan", "--config", "gateway.toml", word]);
        command.args(&self.what);
        let (status, said) = run_to_end(command);
        assert!(status.success(), "{said}");
    }
}

impl List {
    /// Its `[[lists.source]]` table.
    fn source(&self, number: usize) -> String {
        let path = format!("list-{number}.txt");
        let keys = [
            ("category", Some(self.category.as_str())),
            ("path", Some(path.as_str())),
            ("format", self.format.as_deref()),
            ("scope", self.scope.as_deref()),
        ];
        let lines =
            keys.iter().filter_map(|(key, value)| Some(format!("{key} = \"{}\"", (*value)?)));
        format!("\n[[lists.source]]\n{}\n", lines.collect::<Vec<_>>().join("\n"))
    }
}

impl Programmed {
    fn canned(&self) -> Canned {
        Canned {
            rcode: match self.rcode.as_str() {
                "NOERROR" => 0,
                "FORMERR" => 1,
                "SERVFAIL" => 2,
                "NXDOMAIN" => 3,
                "REFUSED" => 5,
                other => panic!("rcode {other} of an upstream answer"),
            },
            answer: self.answer.clone(),
            authority: self.authority.clone(),
            delay: Duration::from_millis(self.delay_ms),
            is_silent: self.silent,
            truncates_udp: self.truncates_udp,
            ede: self.ede.map(|code| (code, self.ede_text.clone())),
            is_authentic: self.ad,
            times: self.times,
        }
    }
}

impl Step {
    /// Every name with every type.
    fn questions(&self) -> Vec<(&str, &str)> {
        let names: Vec<&str> = match &self.ask {
            Names::One(name) => vec![name],
            Names::Several(names) => names.iter().map(String::as_str).collect(),
        };
        let types = self.types.iter().map(String::as_str);
        types.flat_map(|qtype| names.iter().map(move |&name| (name, qtype))).collect()
    }

    fn listener(&self, gateway: &Gateway) -> std::net::SocketAddr {
        let mut address = gateway.dns;
        if self.ipv6 {
            address.set_ip(std::net::Ipv6Addr::LOCALHOST.into());
        }
        address
    }

    fn client(&self) -> &str {
        match self.from.as_str() {
            "pupil" => PUPIL,
            "staff" => STAFF,
            address => address,
        }
    }

    fn has_opt(&self) -> bool {
        self.edns.is_some() || self.edns_version.is_some() || self.r#do
    }

    fn query(&self, name: &str, qtype: &str) -> Ask {
        let mut ask = Ask::new(name, qtype)
            .from(self.client())
            .class(self.class)
            .opcode(self.opcode)
            .questions(self.questions);
        if let Some(size) = self.edns {
            ask = ask.edns(size);
        }
        if let Some(version) = self.edns_version {
            ask = ask.edns_version(version);
        }
        for (is_set, set) in [
            (self.r#do, Ask::dnssec_ok as fn(Ask) -> Ask),
            (self.ad, Ask::authentic_data),
            (self.cd, Ask::checking_disabled),
            (!self.rd, Ask::no_recursion),
            (self.tcp, Ask::tcp),
        ] {
            if is_set {
                ask = set(ask);
            }
        }
        ask
    }

    /// Where `lachan why` says something else than the wire, or than expected.
    fn contradictions(
        &self,
        gateway: &Gateway,
        layer: &str,
        name: &str,
        qtype: &str,
        answer: &Answer,
    ) -> Option<String> {
        let mut command = Command::new(LACHAN);
        command.current_dir(gateway.dir()).args(["why", name, "--type", qtype, "--json"]);
        command.args(["--config", "gateway.toml", "--client", self.client()]);
        let (status, said) = run_to_end(command);
        assert!(status.success(), "{said}");
        let said = said_in_json(&said);
        let rcode = said["answer"]["rcode"].as_str();
        let ede = said["answer"]["ede"][0].as_u64();
        let is_same = rcode.is_none_or(|rcode| rcode == answer.rcode())
            && (rcode.is_none() || !answer.has_opt() || ede == answer.ede().map(|(c, _)| c.into()));
        (said["layer"] != *layer || !is_same).then(|| {
            format!("why is not {layer}, or not as the wire ({}): {said:#}", answer.rcode())
        })
    }

    /// All that is not as expected.
    fn faults(&self, answer: &Answer, upstream_counts: [usize; 2]) -> Vec<String> {
        let expect = &self.expect;
        let mut faults = Vec::new();
        let mut check = |what: &str, found: String, expected: String| {
            if found != expected {
                faults.push(format!("{what} is {found}, expected {expected}"));
            }
        };
        let rcode = answer.rcode();
        check("rcode", rcode.clone(), expect.rcode.clone());
        check("AA", answer.is_authoritative().to_string(), "false".into());
        check("AD", answer.is_authentic().to_string(), expect.ad.to_string());
        check("TC", answer.is_truncated().to_string(), expect.tc.to_string());
        check("OPT", answer.has_opt().to_string(), self.has_opt().to_string());
        if matches!(rcode.as_str(), "NOERROR" | "NXDOMAIN") {
            check("RA", answer.is_recursion_available().to_string(), "true".into());
        }
        if let Some(expected) = &expect.answer {
            let mut expected = expected.clone();
            expected.sort();
            check("answer", format!("{:?}", answer.answers()), format!("{expected:?}"));
        }
        let ede = answer.ede();
        if let Some(expected) = expect.ede {
            let found = ede.as_ref().map_or(0, |(code, _)| *code);
            check("EDE", found.to_string(), expected.to_string());
        }
        if let Some(expected) = expect.authority_soa {
            check("SOA in authority", answer.soa().is_some().to_string(), expected.to_string());
        }
        let counts = [expect.upstream_queries, expect.upstream2_queries];
        for (expected, found) in counts.into_iter().zip(upstream_counts) {
            if let Some(expected) = expected {
                check("count of upstream queries", found.to_string(), expected.to_string());
            }
        }
        if let Some(part) = &expect.ede_contains
            && !ede.as_ref().is_some_and(|(_, text)| text.contains(part))
        {
            faults.push(format!("EDE is {ede:?}, its text should contain {part:?}"));
        }
        if let Some(part) = &expect.ede_lacks
            && ede.as_ref().is_some_and(|(_, text)| text.contains(part))
        {
            faults.push(format!("EDE is {ede:?}, its text should not contain {part:?}"));
        }
        if expect.size_max.is_some_and(|limit| answer.raw.len() > limit) {
            faults.push(format!("the answer has {} octets", answer.raw.len()));
        }
        let (ttl_min, ttl_max) = (expect.ttl_min.unwrap_or(0), expect.ttl_max.unwrap_or(u32::MAX));
        if answer.ttls().iter().any(|ttl| !(ttl_min..=ttl_max).contains(ttl)) {
            faults.push(format!("TTLs are {:?}, expected {ttl_min} to {ttl_max}", answer.ttls()));
        }
        faults
    }
}
