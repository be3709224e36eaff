//! Another name's answer in place of the one asked for: why, and from where.
//!
//! One way for lists that name a host to send people to and for search engines in
//! safe mode. The other name is asked upstream for the type of the query, and
//! its answer goes behind a CNAME of ours ([`crate::dns::message::rewrite`]). Where it
//! does not resolve the client gets SERVFAIL, never the real host.

use std::sync::Arc;

use crate::cache::Route;
use crate::category::CategorySet;
use crate::dns::message::{Ede, Rcode};
use crate::dns::name::{Folded, Name};
use crate::dns::route::UpstreamId;
use crate::matcher::hash_wire;
use crate::policy::tables::rewrite::EngineId;
use crate::policy::{Block, Layer, Pass, Snapshot};
use crate::resolve::context::QueryContext;
use crate::resolve::{Origin, Step, Stores};

/// A list's own word: the answer it names is not judged by plain categories again.
pub(super) const BY_LIST: Pass =
    Pass { layer: Layer::DepartmentAllow, observed: CategorySet::EMPTY };

/// Why a client gets another name's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// A list says so of a name that it blocks.
    List(Block),
    /// The name is a host of a search engine with a safe mode.
    Safe(EngineId),
    /// The config says so.
    Own,
}

impl Rewrite {
    /// Whether the other name's response code leaves nothing to answer with.
    pub(super) fn is_broken_by(self, rcode: Rcode) -> bool {
        match self {
            Self::List(_) | Self::Own => !matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN),
            Self::Safe(_) => rcode != Rcode::NOERROR,
        }
    }

    /// What the answer says of itself: what the school's own records say is nothing odd.
    pub(super) fn ede(self, snapshot: &Snapshot) -> Option<(Ede, &[u8])> {
        match self {
            Self::List(block) => Some((Ede::FORGED, snapshot.text(block.category))),
            Self::Safe(_) => Some((Ede::FORGED, b"safesearch")),
            Self::Own => None,
        }
    }
}

/// The other name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alias<'a> {
    pub(super) target: &'a Name,
    pub(super) rewrite: Rewrite,
}

impl QueryContext<'_> {
    /// Answers with what another name resolves to.
    pub(super) fn aliased(
        &self,
        alias: Alias<'_>,
        pass: Pass,
        meta: &Origin,
        snapshot: &Arc<Snapshot>,
        stores: Stores<'_>,
        out: &mut [u8],
    ) -> Step {
        let Alias { target, rewrite } = alias;
        let turn = QueryContext { rewrite: Some(rewrite), ..*self };
        let forward =
            |stale| self.forward(pass, target.clone(), Some(rewrite), meta, snapshot, stale);
        let folded = Folded::from_name(target);
        let subject = snapshot.hashed(&folded);
        if let Some(local) = snapshot.local_name(&subject).filter(|one| one.data.cname.is_none()) {
            return turn.with_records_of(local, &forward(None), pass, out);
        }
        let route = route_to(target, snapshot.upstream_of(&subject));
        turn.known(route, pass, stores, forward, out)
    }
}

/// The route of names that are answered with what `target` resolves to at `upstream`.
pub(super) fn route_to(target: &Name, upstream: UpstreamId) -> Route {
    let hash = hash_wire(target.as_wire(), u64::from(upstream.0));
    Route::Rewritten((hash ^ hash >> 32) as u32)
}
