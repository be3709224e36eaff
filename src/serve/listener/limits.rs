//! Limits of stream listeners.

use std::time::Duration;

/// The bounds of connections and of the queries on them.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client address.
    pub per_client: usize,
    /// Time without a whole query after which a connection is closed.
    pub idle: Duration,
    /// Queries of one connection that wait for upstream.
    pub in_flight: usize,
}
