//! Label values: closed enums, category ids and configured names.
//!
//! Law: a name that a client asked for and a client's address are never a label. Neither has a
//! bound, and each says what one pupil looked up.

use crate::dns::message::Rcode;
use crate::metrics::counters::RCODES;
use crate::metrics::family::{Label, LabelValues};
use crate::policy::CanaryKind;
use crate::policy::group::overrides::OverrideKind;
use crate::policy::group::time::Trust;
use crate::rehearse::compare::RehearsedSet;
use crate::release::emergency::UrgentAction;
use crate::resolve::labels::label_set;
use crate::resolve::{AnswerSource, BlockedBy, DropReason, Transport};

label_set! {
    /// The address family of a client or a socket.
    AddressFamily {
        /// IPv4.
        Ipv4 => "ipv4",
        /// IPv6.
        Ipv6 => "ipv6",
    }
}

label_set! {
    /// The limit that a query met.
    QueueBound {
        /// Waiting queries in all.
        All => "all",
        /// Waiting queries of one client.
        Client => "client",
        /// Waiting queries for one answer.
        Question => "question",
        /// Questions waiting for every upstream server.
        Upstream => "upstream",
    }
}

label_set! {
    /// Why the gateway ended a connection.
    ConnectionEnd {
        /// It was idle and made room for another one at a limit.
        Evicted => "evicted",
        /// No idle one could make room for it.
        Refused => "refused",
        /// No whole query came in time.
        Idle => "idle",
        /// Its client took no reply in time.
        Stalled => "stalled",
        /// Its TLS handshake failed.
        HandshakeFailed => "handshake_failed",
        /// Its TLS handshake did not end in time.
        HandshakeTimeout => "handshake_timeout",
    }
}

label_set! {
    /// Why a request of DNS over HTTPS was refused.
    RequestRefusal {
        /// Its path is none of DNS over HTTPS.
        Path => "path",
        /// The token in its path is none of ours.
        Token => "token",
        /// Its method is neither GET nor POST.
        Method => "method",
        /// Its body is of another media type.
        MediaType => "media_type",
        /// It has no message, or one that cannot be read.
        Malformed => "malformed",
        /// Its message is longer than a message can be.
        TooLong => "too_long",
        /// It did not come in time, or no place for it became free.
        Timeout => "timeout",
    }
}

label_set! {
    /// The result of a row of the self-test.
    SelfTestResult {
        /// What came is what must come.
        Passed => "passed",
        /// It is not.
        Failed => "failed",
        /// Nothing can be said.
        Unknown => "unknown",
    }
}

label_set! {
    /// How a reload ended.
    ReloadResult {
        /// It is in force.
        Ok => "ok",
        /// It is in force but for files that kept copies stand in for.
        Held => "held",
        /// What was read is wrong, and the policy before it stays.
        Refused => "refused",
    }
}

label_set! {
    /// The role of a file that is held back.
    HeldFile {
        /// The config itself.
        Config => "config",
        /// A text that the config names: the department's policy, a calendar, certificates.
        Text => "text",
        /// Keyword rules.
        Keywords => "keywords",
        /// A source of listed names.
        List => "list",
        /// A sealed list or its key.
        Sealed => "sealed",
        /// The directory of packs, or a pack in it.
        Pack => "pack",
    }
}

label_set! {
    /// The state of a list in force, best first.
    #[derive(PartialOrd, Ord)]
    ListHealth {
        /// Its files are in force.
        Ok => "ok",
        /// Its kept copy stands in.
        Held => "held",
        /// It is not in force.
        LeftOut => "left_out",
    }
}

label_set! {
    /// How a request for a review ended.
    ReviewOutcome {
        /// It was noted, or is about a name that is never opened: nobody can tell which.
        Received => "received",
        /// The client had asked too often.
        Limited => "limited",
        /// Its text is no site, or its reason none of the list.
        Invalid => "invalid",
    }
}

label_set! {
    /// What a person did with a review.
    ReviewDecision {
        /// The school allows the name.
        Allowed => "allowed",
        /// The school does not open it.
        Denied => "denied",
        /// It was written into a file for the department.
        Forwarded => "forwarded",
    }
}

label_set! {
    /// Whether the gateway filters as it is configured, and what is worst about it.
    Protection {
        /// As it is configured.
        Ok => "ok",
        /// A downloaded list was confirmed by no server for a week.
        StaleList => "stale_list",
        /// The clock is not trusted: the rules of lessons hold at all times.
        Clock => "clock",
        /// A kept copy stands in for a file that cannot be used.
        Held => "held",
        /// A category without a list is closed: only essential and good names resolve.
        FailClosed => "fail_closed",
        /// A list is not in force, and its names pass.
        ListMissing => "list_missing",
        /// No name is listed at all.
        NoLists => "no_lists",
    }
}

impl Protection {
    /// Whether nothing passes that the config blocks.
    pub fn is_protected(self) -> bool {
        !matches!(self, Self::ListMissing | Self::NoLists)
    }
}

label_set! {
    /// What a second of school minutes was: enforced, or the cause of a gap.
    EnforcementState {
        /// All that the config blocks was blocked.
        Enforced => "enforced",
        /// No upstream server was up.
        Uplink => "uplink",
        /// The machine was without power, or shut down.
        Power => "power",
        /// Somebody stopped the service.
        Stopped => "stopped",
        /// The program ended by itself.
        Program => "program",
        /// The clock was not trusted.
        Clock => "clock",
        /// The config cannot be used.
        Config => "config",
        /// Lists are missing, held, or older than they may be.
        Lists => "lists",
    }
}

label_set! {
    /// How the download of a list ended.
    FetchResult {
        /// A newer list.
        New => "new",
        /// The server has no newer one.
        Unchanged => "unchanged",
        /// The list was refused: too small, too large, of another kind.
        Refused => "refused",
        /// No list came.
        Failed => "failed",
    }
}

label_set! {
    /// What the portal answered with.
    PortalReply {
        /// A page or a file of the portal.
        Page => "page",
        /// The block page, to a browser that asked for a blocked site.
        Block => "block",
        /// A refusal.
        Refused => "refused",
    }
}

label_set! {
    /// Why an update was not taken.
    UpdateRefusal {
        /// The state directory, or a file of it.
        Disk => "disk",
        /// Another update is at work.
        Busy => "busy",
        /// Nobody answers, or a file of the repository is missing.
        Unreachable => "unreachable",
        /// A page for people came in the place of a file: a captive portal.
        Portal => "portal",
        /// Metadata is past its date.
        Expired => "expired",
        /// The server says for so long that nothing is new that its metadata is past its date.
        Frozen => "frozen",
        /// Two servers have different repositories under one number.
        Disagreeing => "disagreeing",
        /// Metadata or a release is older than what was seen.
        Rollback => "rollback",
        /// A signature is missing, or of a key that does not count.
        Signature => "signature",
        /// A file is larger than it may be.
        Size => "size",
        /// A file is not the one that was signed.
        Hash => "hash",
        /// A file is malformed, or of a format that this program does not know.
        Malformed => "malformed",
        /// The clock stepped backward.
        Clock => "clock",
        /// The repository is not trusted for another reason.
        Trust => "trust",
        /// The store or the root is of another repository.
        Root => "root",
        /// Nothing is left of what was seen before.
        Memory => "memory",
        /// What was compiled is not what was signed.
        Digest => "digest",
        /// The config of the gateway is at fault, with whatever release.
        Config => "config",
        /// The release needs a newer program, or the rollout chooses one that nobody signed.
        Program => "program",
        /// Policy cannot be made of the release.
        Policy => "policy",
        /// The release blocks names that no list may block by mistake.
        Rehearsal => "rehearsal",
        /// The self-test failed, before or after the adoption.
        SelfTest => "selftest",
        /// The process died twice after the adoption.
        Died => "died",
    }
}

label_set! {
    /// A role of the department's repository.
    UpdateRole {
        /// Whose keys count.
        Root => "root",
        /// The newest versions.
        Timestamp => "timestamp",
        /// The versions that belong together.
        Snapshot => "snapshot",
        /// What exists.
        Targets => "targets",
    }
}

label_set! {
    /// What list files were read from.
    ReadFrom {
        /// The files themselves.
        Files => "files",
    }
}

label_set! {
    /// What a category without a list does.
    FailureMode {
        /// Only essential and good names resolve.
        Closed => "closed",
        /// Its names are not blocked.
        Open => "open",
    }
}

label_set! {
    /// Why an upstream server failed a question.
    FailureReason {
        /// No answer in time.
        Timeout => "timeout",
        /// No way to the server.
        Network => "network",
        /// What came is not an answer.
        Malformed => "malformed",
        /// SERVFAIL.
        ServFail => "servfail",
        /// REFUSED.
        Refused => "refused",
        /// FORMERR or NOTIMP.
        NotUnderstood => "not_understood",
        /// Neither authoritative nor resolving, or a code that is no answer.
        Lame => "lame",
        /// Too long for UDP, and TCP gave nothing.
        Truncated => "truncated",
        /// The server has too many questions waiting; it was not asked.
        Busy => "busy",
    }
}

/// The label of a set that lists its values and has an id for each.
macro_rules! listed {
    ($($type:ident $name:literal;)*) => {$(
        impl Label for $type {
            const NAME: &'static str = $name;

            fn values() -> LabelValues {
                LabelValues::Closed(Self::ALL.into_iter().map(Self::id).collect())
            }

            fn into_text(self) -> String {
                self.id().to_owned()
            }
        }
    )*};
}

listed! {
    AddressFamily "family";
    AnswerSource "source";
    BlockedBy "source";
    CanaryKind "kind";
    ConnectionEnd "cause";
    DropReason "reason";
    EnforcementState "state";
    FailureMode "mode";
    FailureReason "reason";
    FetchResult "result";
    HeldFile "file";
    ListHealth "state";
    OverrideKind "kind";
    Protection "reason";
    QueueBound "bound";
    ReadFrom "from";
    RehearsedSet "set";
    ReloadResult "result";
    RequestRefusal "reason";
    ReviewDecision "decision";
    ReviewOutcome "outcome";
    SelfTestResult "result";
    Transport "proto";
    Trust "state";
    PortalReply "kind";
    UpdateRefusal "reason";
    UpdateRole "role";
    UrgentAction "action";
}

impl Label for Rcode {
    const NAME: &'static str = "rcode";

    fn values() -> LabelValues {
        LabelValues::Closed(RCODES.into_iter().map(Self::id).collect())
    }

    fn into_text(self) -> String {
        self.id().to_owned()
    }
}

/// A new label whose values come from the config or from the program's data.
macro_rules! open {
    ($($(#[$doc:meta])* $type:ident $name:literal $values:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(pub String);

        impl<T: Into<String>> From<T> for $type {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl Label for $type {
            const NAME: &'static str = $name;

            fn values() -> LabelValues {
                LabelValues::Open($values)
            }

            fn into_text(self) -> String {
                self.0
            }
        }
    )*};
}

open! {
    /// The version of the program.
    ProgramVersion "version" "the version of the program";
    /// `[school] id`.
    SchoolId "id" "`[school] id`";
    /// `[school] name`.
    SchoolName "name" "`[school] name`";
    /// `[school] level`.
    SchoolLevel "level" "`[school] level`, empty where none is given";
    /// `[school] timezone`.
    SchoolZone "timezone" "`[school] timezone`";
    /// A group of the config.
    GroupLabel "group" "a group of the config";
    /// A category, or what stands for one.
    CategoryLabel "category"
        "a category's id; `protected` for every protected category; `none` for a name that only the school denies";
    /// A search engine.
    EngineLabel "engine" "a search engine's id";
    /// An upstream server.
    UpstreamLabel "upstream" "an upstream server as the config writes it";
    /// A source of lists.
    ListLabel "source"
        "a source of lists as the config writes it, a URL without what follows `?`; `sealed-N` for a sealed list; `other` for those beyond 31";
    /// A source with matches that are counted.
    SourceLabel "source"
        "a source of lists as the config or the delivered pack names it, a URL without what follows `?`; `protected` for matches in every protected category; `other` for sources beyond 30, for those that share their names with too many, and for sealed lists";
    /// The version of a list.
    DigestLabel "digest" "the first characters of the digest of its texts; empty where there is none";
    /// A certificate.
    CertificateFile "file" "the name of a certificate's file, without its directories";
    /// A forward zone.
    ZoneLabel "zone" "a forward zone of the config";
}
