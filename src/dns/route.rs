//! Where a question is sent: the upstream of everybody, or the servers of a forward zone.

/// Who is asked: 0 is the upstream of everybody, others are forward zones.
///
/// A zone with its servers keeps its number for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct UpstreamId(pub u16);

impl UpstreamId {
    /// The upstream of everybody.
    pub const MAIN: Self = Self(0);
}
