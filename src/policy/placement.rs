//! Placement: which group a query is judged for, and by what.
//!
//! ```text
//! address ──▶ longest prefix ▸ listener ▸ default          the group without claims
//!                       │
//! hardware address ▸ server name ▸ token (the last that is accepted wins)
//! ```
//!
//! A server name or a hardware address is no secret: any device can show one. Law: **a claim never
//! loosens what binds a device without it**, unless the device is in a network that the claimed group
//! names. So each claim is judged against the group of the address and against the group that claims
//! below it have led to: the claimed group must be no looser than both ([`super::group::strictness`]).
//! A token is a secret, and may leave its room: it acts in the networks named for it, or tightens.
//!
//! A claim that is not accepted is as one that was not shown.

use std::net::{IpAddr, SocketAddr};

use crate::policy::claims::Claims;
use crate::policy::group::rules::GroupId;
use crate::policy::group::strictness::Looser;
use crate::policy::group::time::Now;
use crate::policy::snapshot::Snapshot;

/// What is known of a device.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// Its address.
    pub client: IpAddr,
    /// The address and port that it asks.
    pub local: SocketAddr,
    /// What it shows beside its address.
    pub claims: &'a Claims,
}

/// The group of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The group.
    pub group: GroupId,
    /// The instant until which the same device is in it, in civil seconds: a timetable may change
    /// which claims are accepted. `u64::MAX` where none does.
    pub until: u64,
}

impl Placement {
    /// A group at all times.
    #[inline]
    pub const fn always(group: GroupId) -> Self {
        Self { group, until: u64::MAX }
    }
}

/// A kind of claim, in the order of their judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    /// A hardware address.
    Mac,
    /// A name of the server.
    ServerName,
    /// A token.
    Token,
}

/// What a group was chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlacedBy {
    /// A claim.
    Claim(ClaimKind),
    /// The longest prefix of the address.
    Address,
    /// The listener.
    Listener,
    /// Nothing: it is the default group.
    Default,
}

impl PlacedBy {
    /// The id used in traces.
    pub fn id(self) -> &'static str {
        match self {
            Self::Claim(ClaimKind::Token) => "token",
            Self::Claim(ClaimKind::ServerName) => "server-name",
            Self::Claim(ClaimKind::Mac) => "mac",
            Self::Address => "address",
            Self::Listener => "listener",
            Self::Default => "default",
        }
    }
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimFinding {
    /// No group names it.
    Unknown,
    /// Its group is no looser than those it was judged against.
    Tightens(GroupId),
    /// The device is in a network that its group names.
    InNetwork(GroupId),
    /// Its group is looser than another one of the device.
    Looser {
        /// The claimed group.
        group: GroupId,
        /// The other group.
        than: GroupId,
    },
}

impl ClaimFinding {
    /// The group of a claim that was accepted.
    pub fn accepted(self) -> Option<GroupId> {
        match self {
            Self::Tightens(group) | Self::InNetwork(group) => Some(group),
            Self::Unknown | Self::Looser { .. } => None,
        }
    }
}

/// Receiver of what becomes of each claim.
trait ClaimWitness {
    fn saw(&mut self, kind: ClaimKind, finding: ClaimFinding);
}

impl ClaimWitness for () {
    #[inline]
    fn saw(&mut self, _: ClaimKind, _: ClaimFinding) {}
}

impl ClaimWitness for Vec<(ClaimKind, ClaimFinding)> {
    fn saw(&mut self, kind: ClaimKind, finding: ClaimFinding) {
        self.push((kind, finding));
    }
}

/// The group of a query, with its reasons.
#[derive(Debug)]
pub struct PlacementTrace {
    /// The group.
    pub placement: Placement,
    /// What it was chosen by.
    pub by: PlacedBy,
    /// The claims that were shown, lowest first, and what became of each.
    pub claims: Vec<(ClaimKind, ClaimFinding)>,
}

impl Snapshot {
    /// The group of a device at this time.
    ///
    /// Without claims it is that of its address; no claim costs more than one branch then.
    #[inline]
    pub fn group_of(&self, identity: Identity<'_>, now: Now) -> Placement {
        let base = self.group_by_address(identity.client, identity.local);
        if identity.claims.is_none() {
            return Placement::always(base);
        }
        self.placed(base, identity, now, &mut ())
    }

    /// [`Snapshot::group_of`], with its reasons.
    pub fn explain_group(&self, identity: Identity<'_>, now: Now) -> PlacementTrace {
        let base = self.group_by_address(identity.client, identity.local);
        let mut claims = Vec::new();
        let placement = self.placed(base, identity, now, &mut claims);
        let accepted = claims.iter().rev().find(|(_, finding)| finding.accepted().is_some());
        let by = match accepted {
            Some(&(kind, _)) => PlacedBy::Claim(kind),
            None if self.clients.get(identity.client).is_some() => PlacedBy::Address,
            None if self.listener_group(identity.local).is_some() => PlacedBy::Listener,
            None => PlacedBy::Default,
        };
        PlacementTrace { placement, by, claims }
    }

    /// The group of a client that shows nothing but its address: by the longest prefix, then by the
    /// listener, else the default group.
    ///
    /// The prefix comes first: **a client with a prefix cannot choose its group by choosing a
    /// listener.**
    #[inline]
    pub fn group_by_address(&self, client: IpAddr, local: SocketAddr) -> GroupId {
        self.clients
            .get(client)
            .unwrap_or_else(|| self.listener_group(local).unwrap_or(self.default_group))
    }

    #[inline]
    fn listener_group(&self, local: SocketAddr) -> Option<GroupId> {
        self.listeners.iter().find(|(listener, _)| *listener == local).map(|&(_, group)| group)
    }

    /// The first rule by which a group is looser than another now; `None` where it is no looser.
    pub fn looser(&self, group: GroupId, than: GroupId, now: Now) -> Option<Looser> {
        self.strictness.looser(&self.groups, (group, than), now)
    }

    /// Judges the claims of a device of the group `base`, lowest first.
    fn placed(
        &self,
        base: GroupId,
        identity: Identity<'_>,
        now: Now,
        witness: &mut impl ClaimWitness,
    ) -> Placement {
        let Claims { token, server_name, mac } = identity.claims;
        let mut place = Placement::always(base);
        let mut judge = |kind: ClaimKind, group: Option<u8>| {
            let Some(group) = group.map(GroupId) else {
                witness.saw(kind, ClaimFinding::Unknown);
                return;
            };
            let finding = self.judge_claim(kind, group, (base, &mut place), identity, now);
            place.group = finding.accepted().unwrap_or(place.group);
            witness.saw(kind, finding);
        };
        if let Some(mac) = mac {
            judge(ClaimKind::Mac, self.claims.mac(*mac));
        }
        if let Some(name) = server_name {
            judge(ClaimKind::ServerName, self.claims.server_name(name));
        }
        if let Some(name) = token {
            judge(ClaimKind::Token, self.claims.group(name));
        }
        place
    }

    /// Whether a device has a claim on a group accepted, which without it is in `place`, and without
    /// any claim in `base`.
    #[inline]
    fn judge_claim(
        &self,
        kind: ClaimKind,
        group: GroupId,
        (base, place): (GroupId, &mut Placement),
        identity: Identity<'_>,
        now: Now,
    ) -> ClaimFinding {
        let mut until = u64::MAX;
        let mut than = None;
        for other in [base, place.group] {
            let (set, its_until) = self.strictness.no_looser(other, now);
            until = until.min(its_until);
            if !set.has(group.0) {
                than = than.or(Some(other));
            }
            if other == place.group {
                break;
            }
        }
        let Some(than) = than else {
            place.until = place.until.min(until);
            return ClaimFinding::Tightens(group);
        };
        let named = match kind {
            ClaimKind::Token => self.claims.tokens_at(identity.client),
            ClaimKind::ServerName | ClaimKind::Mac => self.claims.at(identity.client),
        };
        if named.has(group.0) {
            return ClaimFinding::InNetwork(group);
        }
        place.until = place.until.min(until);
        ClaimFinding::Looser { group, than }
    }
}
