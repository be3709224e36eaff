//! The first page: what can be done here, and whom to call.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use maud::html;

use crate::lang::messages;
use crate::portal::layout::page;
use crate::portal::menu::MENU;
use crate::portal::pages::block::help;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;

/// The routes of this page.
pub(super) fn routes() -> Router<Arc<Portal>> {
    Router::new().route("/", get(show))
}

async fn show(visitor: Visitor) -> Response {
    let body = html! {
        p.lead { (visitor.say(messages::portal_home_about())) }
        ul.doors {
            @for entry in MENU.iter().filter(|entry| entry.path != "/") {
                li { a href=(visitor.link(entry.path)) { (visitor.say((entry.long)())) } }
            }
        }
        (help(&visitor))
    };
    page(&visitor, StatusCode::OK, messages::portal_home_title(), body)
}
