//! Rewrites: another name's answer in place of the one asked for.
//!
//! Lists that redirect to a host, search engines in safe mode and aliases of the config share
//! one way: the other name is resolved for the type of the query, and its answer is sent
//! behind a CNAME of ours ([`crate::dns::message::rewrite`]).
//!
//! Law: where the other name does not resolve the client gets SERVFAIL, never the real host.

use crate::cache::Route;
use crate::category::CategorySet;
use crate::dns::message::{Ede, Rcode};
use crate::dns::name::Name;
use crate::dns::route::UpstreamId;
use crate::matcher::hash_wire;
use crate::policy::tables::rewrite::EngineId;
use crate::policy::{Block, Layer, Pass, Snapshot};

/// The pass of an answer that a list redirects to: no plain category judges it again.
pub(super) const BY_LIST: Pass =
    Pass { layer: Layer::DepartmentAllow, observed: CategorySet::EMPTY };

/// The reason for a rewrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// A list redirects a name that it blocks.
    List(Block),
    /// The name is a host of a search engine with a safe mode.
    Safe(EngineId),
    /// The config has an alias for the name.
    Own,
}

impl Rewrite {
    /// Whether the other name's response code makes its answer unusable.
    pub(super) fn is_broken_by(self, rcode: Rcode) -> bool {
        match self {
            Self::List(_) | Self::Own => !matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN),
            Self::Safe(_) => rcode != Rcode::NOERROR,
        }
    }

    /// The extended error of the answer; none for the school's own records.
    pub(super) fn ede(self, snapshot: &Snapshot) -> Option<(Ede, &[u8])> {
        match self {
            Self::List(block) => Some((Ede::FORGED, snapshot.text(block.category))),
            Self::Safe(_) => Some((Ede::FORGED, b"safesearch")),
            Self::Own => None,
        }
    }
}

/// The cache route of names that are answered with what `target` resolves to at `upstream`.
pub(super) fn route_to(target: &Name, upstream: UpstreamId) -> Route {
    let hash = hash_wire(target.as_wire(), u64::from(upstream.0));
    Route::Rewritten((hash ^ hash >> 32) as u32)
}
