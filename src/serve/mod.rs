//! Answering clients: the state that listeners share, the listeners, and the life of a miss.

mod error;
pub mod gateway;
pub mod listener;
mod miss;
pub mod sockets;

pub use error::ServeError;
