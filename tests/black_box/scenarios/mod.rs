//! Scenarios: one file per behaviour in `tests/scenarios/`, run against the real binary.
//!
//! A file starts with a comment that says why, where it is about the order of policy with the
//! steps of `docs/concepts/decision-order.md`, and then has:
//!
//! ```toml
//! pupils = 'block = ["adult"]'        # body of [profile.pupils]; staff the same
//! extra = '[block] …'                 # more tables of the config
//! config = '…'                        # or: all of it
//! department = '…'                    # the department's policy, if there is one
//! [[file]]                            # another file beside the config: name, text
//! [[override]]                        # set before the first step: kind, group, what
//! [[list]]                            # a list source: category, text, format, scope, trusted,
//!                                     # action
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

use std::process::Command;
use std::time::Duration;

use self::file::{List, Override, Programmed, Scenario, directory, read};
use crate::support::ask::type_number;
use crate::support::gateway::{LACHAN, run as run_to_end};
use crate::support::{Canned, Gateway, TWO_GROUPS, TWO_PROFILES, Upstream};

mod file;
mod order;
mod step;

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
    a_third_partys_list_blocks_and_does_not_answer
    adblock_rules_mean_what_they_say
    aliases_between_zones_are_followed
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
    exceptions_hold_for_aliases_against_their_list
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
    lists_speak_for_their_category_only
    listed_addresses_block_the_answer
    lists_are_read_line_by_line
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
    patterns_and_query_types_of_lists
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
    rpz_a_list_speaks_for_its_category_of_an_address
    rpz_a_wildcard_at_the_root_is_every_name
    rpz_action_of_a_source_overrides_the_zone
    rpz_addresses_and_aliases_keep_the_order_of_zones
    rpz_targets_are_judged_again
    rpz_zones_keep_their_own_order
    safesearch_answers_with_the_safe_name
    safesearch_by_profile
    safesearch_fails_closed
    safesearch_yields_to_blocks_and_binds_the_allowed
    school_deny_beats_good_names_and_allow_beats_category
    scope_subtree_widens_hosts
    service_binding_targets_are_reviewed
    services_stand_for_their_names
    several_categories_first_is_reported
    special_use_names_stay_here
    stale_answer_where_upstream_fails
    starter_test_names_are_blocked
    tcp_only_opens_no_lock_and_no_search
    top_level_domains_and_anchors_are_rules
    translated_addresses_pass
    truncation_to_the_clients_size
    unknown_client_gets_default_group
    upstream_failure_gets_a_second_try
    upstream_truncation_goes_to_tcp
    walled_gardens_block_at_least
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
            ("action", self.action.as_deref()),
        ];
        let lines =
            keys.iter().filter_map(|(key, value)| Some(format!("{key} = \"{}\"", (*value)?)));
        let trusted = if self.trusted { "\ntrusted = true" } else { "" };
        format!("\n[[lists.source]]\n{}{trusted}\n", lines.collect::<Vec<_>>().join("\n"))
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
