//! Every metric family of the program, in one table.
//!
//! `docs/reference/metrics.md` is made from it. A family that is not here cannot be exported:
//! [`Family`] is made by this macro alone.

use crate::dns::message::Rcode;
use crate::metrics::family::{
    CounterFamily as Counter, Family, GaugeFamily as Gauge, HistogramFamily as Histogram,
};
use crate::metrics::labels::{
    AddressFamily, CategoryLabel, CertificateFile, ConnectionEnd, DigestLabel, EnforcementState,
    EngineLabel, FailureMode, FailureReason, FetchResult, GroupLabel, HeldFile, ListHealth,
    ListLabel, PortalReply, ProgramVersion, Protection, QueueBound, ReadFrom, ReloadResult,
    RequestRefusal, ReviewDecision, ReviewOutcome, SchoolId, SchoolLevel, SchoolName, SchoolZone,
    SelfTestResult, SourceLabel, UpdateRefusal, UpdateRole, UpstreamLabel, ZoneLabel,
};
use crate::policy::CanaryKind;
use crate::policy::group::overrides::OverrideKind;
use crate::policy::group::time::Trust;
use crate::rehearse::compare::RehearsedSet;
use crate::release::emergency::UrgentAction;
use crate::resolve::{AnswerSource, BlockedBy, DropReason, Transport};

macro_rules! families {
    ($($id:ident: $kind:ident($($label:ident),*) = $name:literal, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: Family<$kind, ($($label,)*)> = Family::new($name, $help);
        )*

        /// All of them.
        #[cfg(test)]
        pub(super) const TABLE: &[super::family::FamilyRow] = &[$($id.row()),*];
    };
}

families! {
    // The program and the school.
    BUILD_INFO: Gauge(ProgramVersion) = "lachan_build_info", "Version of this program.";
    SCHOOL_INFO: Gauge(SchoolId, SchoolName, SchoolLevel, SchoolZone) = "lachan_school_info",
        "The school this gateway is configured for.";
    CLOCK_STATE: Gauge(Trust) = "lachan_clock_state",
        "How far the clock can be trusted: 1 for the state that it is in.";

    // Queries and answers.
    QUERIES: Counter(Transport, AddressFamily) = "lachan_queries_total", "Queries received.";
    RESPONSES: Counter(Rcode, AnswerSource) = "lachan_responses_total",
        "Answers sent, by response code and where they came from.";
    RESPONSE_DURATION: Histogram(AnswerSource) = "lachan_response_duration_seconds",
        "Time from receiving a query to handing its answer to the kernel.";
    DROPPED: Counter(DropReason) = "lachan_dropped_total",
        "Datagrams and messages that got no answer, by reason.";
    CANARY_HITS: Counter(CanaryKind) = "lachan_canary_hits_total",
        "Questions by which software asks whether it may resolve elsewhere.";

    PORTAL_REPLIES: Counter(PortalReply) = "lachan_portal_replies_total",
        "Replies of the portal, by what they were.";

    // Queries that wait.
    COALESCED: Counter() = "lachan_coalesced_total",
        "Queries that waited for the answer to the same question of another query.";
    PREFETCHES: Counter() = "lachan_prefetches_total",
        "Answers fetched anew before their time was over, because they are in use.";
    OVERFLOW: Counter(QueueBound) = "lachan_overflow_total",
        "Queries that got a stale answer or SERVFAIL because too many waited, by the bound.";
    IN_FLIGHT: Gauge() = "lachan_inflight", "Questions waiting for upstream.";

    // Connections of clients.
    CONNECTIONS: Gauge() = "lachan_connections", "Open connections of clients.";
    CONNECTION_OCTETS: Gauge() = "lachan_connection_reserved_bytes",
        "Octets reserved for replies that wait on connections, or will.";
    CONNECTIONS_ENDED: Counter(ConnectionEnd) = "lachan_connections_ended_total",
        "Connections that the gateway ended before their clients did, by cause.";
    DOH_REFUSED: Counter(RequestRefusal) = "lachan_doh_refused_total",
        "Requests of DNS over HTTPS that were refused before any query was read, by reason.";

    // What devices show of themselves.
    DEVICE_ADDRESSES: Gauge() = "lachan_device_addresses",
        "Addresses at which hardware addresses of the config were seen.";

    // The kernel's queues.
    UDP_SEND_FAILURES: Counter() = "lachan_udp_send_failures_total",
        "UDP replies that the kernel did not take.";
    UDP_RECEIVE_DROPS: Counter(AddressFamily) = "lachan_udp_receive_drops_total",
        "Datagrams that the kernel dropped because a worker was behind.";
    UDP_RECEIVE_BUFFER: Gauge() = "lachan_udp_receive_buffer_bytes",
        "Octets that the kernel keeps for datagrams not yet received: the smallest socket's.";
    UDP_RECEIVE_QUEUE: Gauge() = "lachan_udp_receive_queue_bytes",
        "Octets of datagrams not yet received: the fullest socket's.";
    LISTEN_ADDRESSES_ABSENT: Gauge() = "lachan_listen_addresses_absent",
        "Listen addresses of the config that this machine does not have now.";

    CERTIFICATE_END: Gauge(CertificateFile) = "lachan_certificate_not_after_timestamp_seconds",
        "The end of a certificate in use, by its file, since 1970; 0 where none is in use.";

    // What policy does.
    BLOCKED: Counter(GroupLabel, CategoryLabel, BlockedBy) = "lachan_blocked_total",
        "Queries answered as blocked, by group, category and what it was decided on.";
    SOURCE_MATCHES: Counter(SourceLabel) = "lachan_source_matches_total",
        "Blocked queries that a list names in the category they were counted in; each list that does.";
    OBSERVED: Counter(GroupLabel, CategoryLabel) = "lachan_observed_total",
        "Queries let through whose category the group only counts.";
    SAFESEARCH_REWRITES: Counter(EngineLabel) = "lachan_safesearch_rewrites_total",
        "Queries for a search engine that were answered with its safe name.";
    VOID_ALLOWS: Gauge() = "lachan_void_allows",
        "Names that the school allows and a lock keeps blocked, counted for each group.";
    OVERRIDE_ACTIVE: Gauge(OverrideKind) = "lachan_override_active",
        "Timed overrides that are on, by kind.";

    // Reviews.
    REVIEW_REQUESTS: Counter(ReviewOutcome) = "lachan_review_requests_total",
        "Requests to have a name opened, by how they ended.";
    REVIEW_DECISIONS: Counter(ReviewDecision) = "lachan_review_decisions_total",
        "Names that the school allowed, denied or forwarded to the department.";
    REVIEWS_OPEN: Gauge() = "lachan_reviews_open", "Names whose review nobody answered yet.";

    // What policy is made of.
    RELOADS: Counter(ReloadResult) = "lachan_reloads_total", "Reloads by result.";
    LAST_RELOAD_SUCCESS: Gauge() = "lachan_config_last_reload_success",
        "Whether the last reload was put in force whole (1), or refused or held in part (0).";
    FILES_HELD: Gauge(HeldFile) = "lachan_files_held",
        "Files that cannot be used, and whose kept copies stand in, by their role.";
    STATE_KEPT: Gauge() = "lachan_state_kept",
        "Whether the state directory has all that a restart needs (1), or a part is in memory (0).";
    POLICY_GENERATION: Gauge() = "lachan_policy_generation",
        "Policies put in force since the start.";
    FAIL_MODE: Gauge(CategoryLabel, FailureMode) = "lachan_fail_mode",
        "Whether a category with a source has no list (1), and so is closed or open.";

    // The rehearsal of the last lists that were adopted, or held.
    REHEARSED: Gauge(RehearsedSet) = "lachan_rehearsed",
        "Names that the last lists were rehearsed with before they acted, by set.";
    REHEARSAL_BLOCKED: Gauge(CategoryLabel) = "lachan_rehearsal_newly_blocked",
        "Names that the last rehearsal found newly blocked in any group, by category; each name once.";
    REHEARSAL_HOLDING: Gauge() = "lachan_rehearsal_holding",
        "Guarded and essential names that the last rehearsal found newly blocked by a category that is not there to block them.";
    REHEARSAL_UNKNOWN: Gauge() = "lachan_rehearsal_unrehearsed_ratio",
        "Share of this school's queries whose names the last rehearsal did not have; 1 where nothing is known of them.";

    // Evidence.
    ENFORCEMENT: Counter(EnforcementState) = "lachan_enforcement_seconds_total",
        "School minutes by what held in them, in seconds; the time since the life before is in it.";
    ENFORCEMENT_MONTH: Gauge(EnforcementState) = "lachan_enforcement_month_seconds",
        "The same in the record of this month, over all restarts.";
    STATE_WRITTEN: Counter() = "lachan_state_written_bytes_total",
        "Octets written to the files of the state directory.";
    // The self-test.
    SELFTEST_ROWS: Gauge(SelfTestResult) = "lachan_selftest_rows",
        "Rows of the last self-test, by result; 0 before the first.";
    SELFTEST_LAST_RUN: Gauge() = "lachan_selftest_last_run_timestamp_seconds",
        "When the last self-test ran, in seconds since 1970; 0 before the first.";

    // Lists.
    PROTECTED: Gauge(Protection) = "lachan_protected",
        "Whether nothing passes that the config blocks (1) or something does (0), with the worst reason.";
    LIST_INFO: Gauge(ListLabel, ListHealth, DigestLabel) = "lachan_list_info",
        "The lists of the config and the delivered pack: 1, with state and digest.";
    LIST_RULES: Gauge(ListLabel) = "lachan_list_rules", "Rules in force of a list.";
    LIST_AGE: Gauge(ListLabel) = "lachan_list_age_seconds",
        "Time since the newest file of a list was written.";
    LIST_ENTRIES: Gauge(CategoryLabel) = "lachan_list_entries", "Names listed, by category.";
    LIST_BYTES: Gauge() = "lachan_list_bytes", "Octets of the list table.";
    LIST_SOURCES_LEFT_OUT: Gauge() = "lachan_list_sources_left_out",
        "Sources that could not be used; what they held before is not in force.";
    LIST_READINGS: Counter(ReadFrom) = "lachan_list_readings_total",
        "How often list files were read; a change of config alone reads none.";
    LIST_FETCHES: Counter(FetchResult) = "lachan_list_fetches_total",
        "Downloads of lists, by how they ended.";
    LIST_FETCH_AGE: Gauge() = "lachan_list_fetch_age_seconds",
        "Time since the server of the oldest downloaded list said that it is the newest.";
    LIST_FETCH_MISSING: Gauge() = "lachan_list_fetch_missing",
        "Lists by URL that have never been downloaded, and so are not in force.";

    // Releases of the department.
    RELEASE: Gauge() = "lachan_release", "The release of the department in use; 0 without one.";
    UPDATES_REJECTED: Counter(UpdateRefusal) = "lachan_update_rejected_total",
        "Attempts at an update that were refused, by reason; what was in force stays.";
    UPDATE_LAST_SUCCESS: Gauge() = "lachan_update_last_success_timestamp_seconds",
        "When the repository was last found trusted, in seconds since 1970; 0 since the start.";
    ROLLBACK_MEMORY_LOST: Gauge() = "lachan_rollback_memory_lost",
        "Whether a part of the memory of the repository's versions cannot be read (1).";
    PACK_DIGEST_CHECKED: Gauge() = "lachan_pack_digest_checked",
        "Whether the compiled list of the release in use has the digest that was signed (1).";
    PROGRAM_CHOSEN: Gauge(ProgramVersion) = "lachan_program_chosen_info",
        "The version of the program that the department's rollout chooses for this gateway.";
    PROGRAM_INSTALLED: Gauge(ProgramVersion) = "lachan_program_installed_info",
        "The version of the package that `lachan upgrade` found installed.";
    PROGRAM_REFUSED: Gauge(ProgramVersion) = "lachan_program_refused_info",
        "A version of the program that this gateway refused, or went back from; it is not tried again.";
    UPGRADE_FAILED: Gauge() = "lachan_upgrade_failed",
        "Whether the last upgrade failed by this gateway or on the way, and not by the program (1).";
    METADATA_EXPIRY: Gauge(UpdateRole) = "lachan_metadata_expiry_seconds",
        "Seconds until the repository's metadata is past its date, by role.";

    // The department's emergency list.
    EMERGENCY_VERSION: Gauge() = "lachan_emergency_version",
        "Version of the department's emergency list in force; 0 without one.";
    EMERGENCY_ENTRIES: Gauge(UrgentAction) = "lachan_emergency_entries",
        "Urgent entries that are in force now, by effect.";
    EMERGENCY_REFUSED_ENTRIES: Gauge() = "lachan_emergency_entries_refused",
        "Entries of the emergency list in force that are beyond the limits, and do not act.";
    EMERGENCY_APPLY: Gauge() = "lachan_emergency_apply_seconds",
        "Time from the signing of the emergency list in force to its first use here; absent where the clock was not synchronised.";
    EMERGENCY_REJECTED: Counter(UpdateRefusal) = "lachan_emergency_rejected_total",
        "Emergency lists of a trusted repository that were refused, by reason; the one before stays.";

    // Upstream.
    UPSTREAM_QUERIES: Counter(UpstreamLabel) = "lachan_upstream_queries_total",
        "Questions sent to an upstream server.";
    UPSTREAM_ERRORS: Counter(UpstreamLabel, FailureReason) = "lachan_upstream_errors_total",
        "Questions an upstream server failed, by reason.";
    UPSTREAM_DURATION: Histogram(UpstreamLabel) = "lachan_upstream_duration_seconds",
        "Time an upstream server took to answer.";
    UPSTREAM_UP: Gauge(UpstreamLabel) = "lachan_upstream_up",
        "Whether an upstream server is asked first (1) or only when others fail (0).";
    ZONE_QUERIES: Counter(ZoneLabel) = "lachan_forward_zone_queries_total",
        "Questions sent to the servers of a forward zone.";
    ZONE_ERRORS: Counter(ZoneLabel) = "lachan_forward_zone_errors_total",
        "Questions that the servers of a forward zone failed.";
    ZONE_UP: Gauge(ZoneLabel) = "lachan_forward_zone_up",
        "Whether a server of a forward zone is up (1) or all fail (0).";

    // The answer cache.
    CACHE_ENTRIES: Gauge() = "lachan_cache_entries", "Answers in the cache.";
    CACHE_BYTES: Gauge() = "lachan_cache_bytes", "Octets that the cache holds.";
}
