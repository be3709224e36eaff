//! Clients: the places that their connections and waiting queries take, and the octets that wait for
//! them.
//!
//! ```text
//! accept ─▶ Connections::enter ─▶ Seat ─▶ ConnectionState ─▶ Room (octets: of the connection, of the
//!               │ at a limit                            client, of all)
//!               └─▶ the idlest of the client with the most makes room
//! ```
//!
//! One budget for every stream transport: TCP now, and any other that takes a [`table::Seat`].

pub mod blocks;
pub mod budget;
pub mod client_id;
pub mod inflight;
pub mod late;
pub mod limits;
pub mod place;
pub mod quota;
pub mod table;
