//! The self-check: whether the filter holds for this device.
//!
//! A browser that resolves `RANDOM.check.NAME` resolves by this gateway, and then reaches it: nobody
//! else answers such a name; one that begins with `v4-` or `v6-` has addresses of that family alone.
//! Without JavaScript the visitor opens one in a link; with it the page fetches some, and shows a code. Verdicts of test names are the
//! judge's, for the visitor's group. No client is kept beside the name that it came by.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use maud::{Markup, html};

use crate::config::PortalSettings;
use crate::dns::name::Folded;
use crate::dns::rtype;
use crate::lang::messages;
use crate::portal::judgement::{Judgement, judge, label, shown};
use crate::portal::layout::{bare, page, style_policy, with_policy};
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::selftest::test_name;
use crate::web::door::Ends;
use crate::web::head::HostParts;

/// The script.
const SCRIPT: &str = include_str!("../check.js");
/// The word by which a page knows that this gateway has answered.
const WORD: &str = "lachan";
/// The path that answers with it.
const SEEN: &str = "/seen";
/// The path for people.
const YES: &str = "/yes";

/// The routes of this page.
pub(super) fn routes() -> Router<Arc<Portal>> {
    Router::new()
        .route("/check", get(show))
        .route("/check.js", get(script))
        .route(SEEN, get(|| async { seen() }))
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

/// The reply to a page that tries a name or an address; any page may read it.
fn seen() -> Response {
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (head, WORD).into_response()
}

/// The reply under a name that exists to be asked for; none for any other path.
pub(in crate::portal) fn of(
    portal: &Portal,
    visitor: &Visitor,
    settings: &PortalSettings,
    (host, ends, path): (&HostParts<'_>, Ends, &str),
) -> Option<Response> {
    match path {
        SEEN => Some(seen()),
        YES => {
            let base = format!("http://{}{}", settings.shown_name(), host.port);
            let way = if ends.peer.is_ipv4() { "4+6-" } else { "4-6+" };
            let (blocked, all) = count(&rows(portal, visitor));
            let body = html! {
                p { (visitor.say(messages::check_yes_text())) }
                p { (visitor.say(messages::check_code())) ": "
                    strong.code { "S1-" (way) "-" (blocked) "/" (all) } }
                p { a href={ (base) (visitor.link("/check")) } {
                    (visitor.say(messages::check_menu())) } }
            };
            let document = bare(visitor, &base, messages::check_yes_title(), body);
            Some(with_policy(document.into_response(), &style_policy(&base)))
        }
        _ => None,
    }
}

async fn show(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
) -> Response {
    let Some(settings) = visitor.settings() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let port = HostParts::of(host).map_or("", |parts| parts.port);
    let below = format!(".check.{}{port}", settings.shown_name());
    let rows = rows(&portal, &visitor);
    let (blocked, all) = count(&rows);
    let has = |of: fn(&IpAddr) -> bool| settings.addresses.iter().any(of);
    let (has_v4, has_v6) = (has(IpAddr::is_ipv4), has(IpAddr::is_ipv6));
    let body = html! {
        p { (visitor.say(messages::check_about())) }
        section.card {
            h2 { (visitor.say(messages::check_dns_title())) }
            div #by-hand {
                p { a.button href={ "http://" (token()) (below) (visitor.link(YES)) } {
                    (visitor.say(messages::check_dns_open())) } }
                p { (visitor.say(messages::check_dns_how())) }
            }
            div #run hidden data-word=(WORD) data-below=(below) data-v4=[has_v4.then_some("1")] data-v6=[has_v6.then_some("1")]
                data-blocked=(format!("{blocked}/{all}"))
                data-all=(visitor.say(messages::check_all()))
                data-none=(visitor.say(messages::check_none()))
                data-some=(visitor.say(messages::check_some())) {
                p #verdict role="status" { (visitor.say(messages::check_running())) }
                p #code-line hidden {
                    (visitor.say(messages::check_code())) ": " strong.code #code {}
                }
            }
        }
        (ways(&visitor, ends, (has_v4, has_v6)))
        (table(&visitor, &rows))
        script src="/check.js" defer {}
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; \
         connect-src 'self' http://*{below}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    with_policy(page(&visitor, StatusCode::OK, messages::check_menu(), body), &policy)
}

/// A label that nobody has asked for before, so that no cache answers.
fn token() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// How the device reaches the gateway.
fn ways(visitor: &Visitor, ends: Ends, (has_v4, has_v6): (bool, bool)) -> Markup {
    let way = |id: &str, has_any: bool, is_used: bool| {
        let text = match () {
            () if is_used => messages::check_reached(),
            () if !has_any => messages::check_not_set(),
            () => messages::check_unknown(),
        };
        html! {
            dd #(id) data-yes=(visitor.say(messages::check_reached()))
                data-no=(visitor.say(messages::check_not_reached())) { (visitor.say(text)) }
        }
    };
    let staff = if visitor.is_staff { messages::yes() } else { messages::no() };
    html! {
        section {
            h2 { (visitor.say(messages::check_way_title())) }
            dl {
                dt { (visitor.say(messages::check_address())) }
                dd { bdi dir="ltr" { (visitor.client) } }
                dt { (visitor.say(messages::check_group())) }
                dd { bdi { (visitor.group().name) } }
                dt { (visitor.say(messages::check_staff())) }
                dd { (visitor.say(staff)) }
                dt { (visitor.say(messages::check_v4())) }
                (way("v4", has_v4, ends.peer.is_ipv4()))
                dt { (visitor.say(messages::check_v6())) }
                (way("v6", has_v6, ends.peer.is_ipv6()))
            }
        }
    }
}

/// A category with its test name, and whether the name is blocked for the visitor.
struct Row {
    label: String,
    name: String,
    is_blocked: bool,
}

/// The categories with listed test names. A protected one is left out.
fn rows(portal: &Portal, visitor: &Visitor) -> Vec<Row> {
    let snapshot = &visitor.in_force.snapshot;
    let categories = snapshot.taxonomy().iter();
    categories
        .filter(|(_, row)| !row.is_protected && !row.is_positive)
        .filter_map(|(category, row)| {
            let name = test_name(row)?;
            let text = shown(&name);
            let folded = Folded::from_name(&name);
            let listed = snapshot.listed(&snapshot.hashed(&folded), rtype::A);
            listed.set.contains(category).then(|| Row {
                label: label(visitor, category),
                name: text,
                is_blocked: matches!(judge(portal, visitor, &name), Judgement::Blocked(_)),
            })
        })
        .collect()
}

/// The blocked ones among rows, and all.
fn count(rows: &[Row]) -> (usize, usize) {
    (rows.iter().filter(|row| row.is_blocked).count(), rows.len())
}

fn table(visitor: &Visitor, rows: &[Row]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section {
                h2 #kinds { (visitor.say(messages::check_groups_title())) }
                div.wide tabindex="0" role="region" aria-labelledby="kinds" {
                    table {
                        thead {
                            tr {
                                th scope="col" { (visitor.say(messages::check_groups_kind())) }
                                th scope="col" { (visitor.say(messages::check_groups_name())) }
                                th scope="col" { (visitor.say(messages::check_groups_verdict())) }
                            }
                        }
                        tbody {
                            @for row in rows {
                                tr {
                                    th scope="row" { (row.label) }
                                    td { bdi.name dir="ltr" { (row.name) } }
                                    @if row.is_blocked {
                                        td.stop { (visitor.say(messages::check_groups_blocked())) }
                                    } @else {
                                        td.good { (visitor.say(messages::check_groups_open())) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
