//! Limits of stream listeners.

use std::time::Duration;

use crate::config::Listen;

/// The bounds of connections and of what waits on them.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client.
    pub per_client: usize,
    /// Time without a whole query after which a connection is closed.
    pub idle: Duration,
    /// Queries of one connection that wait for upstream.
    pub in_flight: usize,
    /// Octets that wait in all.
    pub octets: usize,
    /// Octets that wait for one client.
    pub octets_per_client: usize,
    /// Octets that wait on one connection.
    pub octets_per_connection: usize,
}

impl StreamLimits {
    /// The limits of a config.
    pub fn of(listen: &Listen) -> Self {
        Self {
            connections: listen.tcp_connections,
            per_client: listen.tcp_per_client,
            idle: listen.tcp_idle,
            in_flight: listen.tcp_in_flight,
            octets: listen.stream_memory as usize,
            octets_per_client: listen.stream_memory_client as usize,
            octets_per_connection: listen.stream_memory_connection as usize,
        }
    }

    /// The same with so many connections only that, of `files` descriptors, `others` are left for
    /// other sockets; half of them where there are few.
    #[must_use]
    pub fn within(self, files: u64, others: usize) -> Self {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let most = files.saturating_sub(others.min(files / 2)).max(1);
        if most < self.connections {
            tracing::warn!(
                files,
                wanted = self.connections,
                connections = most,
                "the limit of open files is too low for `tcp_connections`: fewer are accepted; \
                 raise LimitNOFILE to that number and {others}"
            );
        }
        Self { connections: self.connections.min(most), ..self }
    }
}
