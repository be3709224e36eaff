//! The log: to stderr, one line an event, no name and no address at `info`.

use tracing_subscriber::EnvFilter;

/// Starts the log. `RUST_LOG` chooses another level; `info` is the default.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // Only a second start could fail, and it would change nothing.
    let _ = log.try_init();
}
