//! Limits of stream listeners.

use std::time::Duration;

use crate::config::Listen;

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

impl StreamLimits {
    /// The limits of a config.
    pub fn of(listen: &Listen) -> Self {
        Self {
            connections: listen.tcp_connections,
            per_client: listen.tcp_per_client,
            idle: listen.tcp_idle,
            in_flight: listen.tcp_in_flight,
        }
    }
}
