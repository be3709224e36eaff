//! The log: to stderr, one line an event, no name and no address at `info`.

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. `RUST_LOG` chooses another level, for all or by module; `info` is the default.
pub fn start() {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // A stderr that was closed is no reason to panic.
        .log_internal_errors(false)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_filter(filter);
    // Only a second start could fail, and it would change nothing.
    let _ = tracing_subscriber::registry().with(log).try_init();
}
