//! What the pages are made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clients::quota::Quota;
use crate::devices::follow::Devices;
use crate::load::in_force::Current;
use crate::metrics::labels::PortalReply;
use crate::metrics::{Sample, families};
use crate::overblock::Overblock;
use crate::resolve::Now;
use crate::reviews::ReviewBook;
use crate::selftest::SelfTest;
use crate::staff::desk::Desk;
use crate::status::Status;

/// Requests for a review of one client in any hour.
const REVIEWS_AN_HOUR: usize = 3;

/// What pages of staff need beside the policy.
pub struct StaffRoom {
    /// Codes, tokens and sessions.
    pub desk: Arc<Desk>,
    /// The state of the gateway.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
    /// The gateway's test of itself.
    pub self_test: Arc<SelfTest>,
    /// What was blocked lately, and whether somebody looks at it.
    pub overblock: Arc<Overblock>,
}

/// What the pages are made of.
pub struct Portal {
    /// The policy in force.
    pub(super) current: Arc<Current>,
    /// The time by which names are judged.
    pub(super) now: Box<dyn Fn() -> Now + Send + Sync>,
    /// The reviews that people asked for.
    pub(super) reviews: Arc<ReviewBook>,
    /// Requests for a review by client.
    pub(super) review_quota: Quota,
    /// Where the devices are whose hardware addresses groups name.
    pub(super) devices: Arc<Devices>,
    /// What pages of staff need.
    pub(super) staff: StaffRoom,
    replies: [AtomicU64; PortalReply::COUNT],
}

impl Portal {
    /// A portal that shows the policy in force.
    pub fn new(
        current: Arc<Current>,
        now: Box<dyn Fn() -> Now + Send + Sync>,
        reviews: Arc<ReviewBook>,
        devices: Arc<Devices>,
        staff: StaffRoom,
    ) -> Self {
        let review_quota = Quota::an_hour(REVIEWS_AN_HOUR);
        Self { current, now, reviews, review_quota, devices, staff, replies: Default::default() }
    }

    /// Counts a reply.
    pub(super) fn count(&self, reply: PortalReply) {
        if let Some(count) = self.replies.get(reply.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counters, for the metrics.
    pub fn samples(&self) -> Vec<Sample> {
        let counts = PortalReply::ALL.into_iter().zip(&self.replies);
        let sample = |(reply, count): (PortalReply, &AtomicU64)| {
            families::PORTAL_REPLIES.sample((reply,), count.load(Ordering::Relaxed))
        };
        counts.map(sample).collect()
    }
}
