//! The pages, one file each, and the table of their routes.

mod home;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::lang::{Message, messages};
use crate::portal::Portal;
use crate::portal::fault::Fault;
use crate::portal::layout::{STYLE_PATH, style};
use crate::portal::visitor::Visitor;

/// A label of the menu.
type Label = fn() -> Message;

/// The menu of every page.
pub(super) const MENU: &[(&str, Label)] = &[("/", messages::portal_home)];

/// Every route; a page file has its own.
pub(super) fn routes() -> Router<Arc<Portal>> {
    Router::new()
        .route(STYLE_PATH, get(style))
        .merge(home::routes())
        .fallback(|visitor: Visitor| async move { Fault::NotFound.page(&visitor) })
        .method_not_allowed_fallback(|visitor: Visitor| async move { Fault::Method.page(&visitor) })
}
