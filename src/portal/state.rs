//! What the pages are made of.

use std::sync::Arc;

use crate::load::in_force::Current;
use crate::resolve::Now;
use crate::staff::desk::Desk;
use crate::status::Status;

/// What pages of staff need beside the policy.
pub struct StaffRoom {
    /// Codes, tokens and sessions.
    pub desk: Arc<Desk>,
    /// The state of the gateway.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
}

/// What the pages are made of.
pub struct Portal {
    /// The policy in force.
    pub(super) current: Arc<Current>,
    /// The time by which names are judged.
    pub(super) now: Box<dyn Fn() -> Now + Send + Sync>,
    /// What pages of staff need.
    pub(super) staff: StaffRoom,
}

impl Portal {
    /// A portal that shows the policy in force.
    pub fn new(
        current: Arc<Current>,
        now: Box<dyn Fn() -> Now + Send + Sync>,
        staff: StaffRoom,
    ) -> Self {
        Self { current, now, staff }
    }
}
