//! The pages, one file each, and the table of their routes.

pub(super) mod block;
mod blocked;
pub(super) mod check;
mod home;
mod review;
mod staff;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::portal::layout::{STYLE_PATH, style};
use crate::portal::refusal::PageRefusal;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;

/// Every route; a page file has its own.
pub(super) fn routes() -> Router<Arc<Portal>> {
    Router::new()
        .route(STYLE_PATH, get(style))
        .merge(home::routes())
        .merge(blocked::routes())
        .merge(check::routes())
        .merge(staff::routes())
        .merge(review::routes())
        .fallback(|visitor: Visitor| async move { PageRefusal::NotFound.page(&visitor) })
        .method_not_allowed_fallback(|visitor: Visitor| async move {
            PageRefusal::Method.page(&visitor)
        })
}
