//! The portal: what people of the school see in a browser.
//!
//! ```text
//! web::door ─▶ gate ─ LAN, Host, Origin ─▶ Visitor ─▶ pages/, one file a page ─▶ layout ─▶ headers
//!                └─ a blocked name's Host ─▶ the block page, and nothing else
//! ```
//!
//! Laws: no visitor is kept; the Host of another site never gets a page that has a form
//! or a cookie; nothing changes by a GET, nor by a request that another site made; every page works
//! without JavaScript and brings nothing from elsewhere.
//!
//! To add a page: a file in `pages/` with its routes, a line in `pages::routes`, its texts in
//! `lang/messages/portal/`. It listens on its own addresses and knows nothing of the admin address.

mod form;
mod gate;
mod judgement;
mod layout;
mod menu;
mod names;
mod pages;
mod reference;
mod refusal;
mod state;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use axum::middleware;
use tokio::net::TcpListener;

pub use self::state::{Portal, StaffRoom};

use crate::web::door::{self, DoorLimits};

/// Connections at one time: a few classes, each browser with some.
const CONNECTIONS: usize = 256;
/// Those of one client.
const PER_CLIENT: usize = 32;
/// The time for a request's body to come and for its answer to be made.
const REQUEST: Duration = Duration::from_secs(10);

/// Serves the pages until the task is aborted.
///
/// # Errors
///
/// None.
pub async fn serve(listener: TcpListener, portal: Arc<Portal>) -> std::io::Result<()> {
    let gate = middleware::from_fn_with_state(Arc::clone(&portal), gate::pass);
    let router = pages::routes().layer(gate).with_state(portal);
    let limits =
        DoorLimits { connections: CONNECTIONS, per_client: PER_CLIENT, request: |_| REQUEST };
    door::serve(listener, router, limits).await
}
