//! HTTP API of reviews, behind the same door as the rest.
//!
//! ```text
//! GET  /api/reviews            ReviewList
//! POST /api/reviews            ReviewRequest   asks for a name, as the page does; ReviewReceipt
//! POST /api/reviews/allow      AllowRequest    allows a name; OverrideBegun
//! POST /api/reviews/revoke     NamedWord       ends that; StoredOverride
//! POST /api/reviews/deny       NamedWord       closes a review; StoredReview
//! GET  /api/reviews/forward    ForwardedFile   all reviews for the department
//! POST /api/reviews/forwarded  ForwardedNames  those that were written into a file; how many there were
//! ```

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::admin::api::{Api, blocking};
use crate::admin::reply::{json, refuse};
use crate::admin::review_desk::{plain, site};
use crate::config::data::answers::ReviewAnswer;
use crate::dns::name::Folded;
use crate::dns::rtype;
use crate::lang::{Message, messages};
use crate::load::in_force::InForce;
use crate::overrides::{AllowRequest, StoredOverride};
use crate::policy::group::time::Now;
use crate::policy::{GroupId, Verdict};
use crate::reviews::ask::today;
use crate::reviews::forwarded::{BlockedWhy, FORMAT, ForwardedFile, ForwardedReview};
use crate::reviews::request::{AskedSite, ReviewReason};
use crate::reviews::stored::StoredReview;

/// A request that somebody makes through the administrator.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// The name, or the address of a page.
    pub name: String,
    /// The id of a reason.
    pub reason: String,
    /// The group that needs it; the default group without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A name with a person's word about it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedWord {
    /// The name.
    pub name: String,
    /// The name of the person.
    pub by: String,
    /// The reason; not needed where an allow is revoked.
    #[serde(default)]
    pub reason: String,
}

/// Names that were written into a file for the department.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardedNames {
    /// The names.
    pub names: Vec<String>,
}

/// The reply to a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReviewList {
    /// The reviews: those that wait first, then by how often they were asked for.
    pub reviews: Vec<ShownReview>,
    /// The names that the school allows by an answer to a review.
    pub allows: Vec<StoredOverride>,
    /// True where all of it outlives a restart.
    pub is_kept: bool,
}

/// One review with what is known of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownReview {
    /// The row.
    #[serde(flatten)]
    pub row: StoredReview,
    /// What blocks it now, for the default group; none where it passes.
    pub blocked: Option<BlockedWhy>,
    /// What the department answered, in the release in use.
    pub department: Option<ReviewAnswer>,
}

/// The routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/api/reviews", get(list).post(add))
        .route("/api/reviews/allow", post(allow))
        .route("/api/reviews/revoke", post(revoke))
        .route("/api/reviews/deny", post(deny))
        .route("/api/reviews/forward", get(forward))
        .route("/api/reviews/forwarded", post(forwarded))
}

async fn list(State(api): State<Arc<Api>>) -> Response {
    blocking(api, |api| {
        let (in_force, now, book) = api.at_hand();
        Ok(json(
            StatusCode::OK,
            &ReviewList {
                reviews: shown(&in_force, now, book.list()),
                allows: in_force.allows_at(now.civil),
                is_kept: book.is_kept(),
            },
        ))
    })
    .await
}

async fn add(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    change(api, body, |api, request: ReviewRequest| {
        let (in_force, now, book) = api.at_hand();
        let site = site(&request.name)?;
        let reason = ReviewReason::of(&request.reason).ok_or_else(|| {
            let known = ReviewReason::ALL.map(ReviewReason::id).join(", ");
            messages::review_no_reason(plain(&request.reason), known)
        })?;
        let group = group(&in_force, request.group.as_deref())?;
        let policy = (in_force.config(), &*in_force.snapshot);
        let receipt = book.ask(policy, group, (&site, reason, None), now);
        Ok(json(StatusCode::CREATED, &receipt))
    })
    .await
}

async fn allow(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    change(api, body, |api, request: AllowRequest| {
        let kept = api.desk().allow(request)?;
        Ok(json(StatusCode::CREATED, &api.begun(kept)))
    })
    .await
}

async fn revoke(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    change(api, body, |api, request: NamedWord| {
        Ok(json(StatusCode::OK, &api.desk().revoke(&request.name, &request.by)?))
    })
    .await
}

async fn deny(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    change(api, body, |api, request: NamedWord| {
        let NamedWord { name, by, reason } = request;
        Ok(json(StatusCode::OK, &api.desk().deny(&name, &by, &reason)?))
    })
    .await
}

async fn forward(State(api): State<Arc<Api>>) -> Response {
    blocking(api, |api| {
        let (in_force, now, book) = api.at_hand();
        let config = in_force.config();
        let reviews = shown(&in_force, now, book.list());
        let file = ForwardedFile {
            format: FORMAT,
            school: config.school.id.clone(),
            day: today(config, now),
            release: api.release(),
            reviews: reviews
                .into_iter()
                .map(|shown| ForwardedReview::of(&shown.row, shown.blocked))
                .collect(),
        };
        Ok(json(StatusCode::OK, &file))
    })
    .await
}

async fn forwarded(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    change(api, body, |api, request: ForwardedNames| {
        let sites: Vec<AskedSite> =
            request.names.iter().filter_map(|n| AskedSite::read(n).ok()).collect();
        let (_, _, book) = api.at_hand();
        Ok(json(StatusCode::OK, &book.forwarded(&sites)))
    })
    .await
}

/// Reads a request and acts on it, on a blocking thread.
async fn change<T: DeserializeOwned + Send + 'static>(
    api: Arc<Api>,
    body: Bytes,
    act: impl FnOnce(&Api, T) -> Result<Response, Message> + Send + 'static,
) -> Response {
    match serde_json::from_slice(&body) {
        Ok(request) => blocking(api, |api| act(api, request)).await,
        Err(error) => refuse(StatusCode::BAD_REQUEST, format!("no request: {error}")),
    }
}

/// The group of a name; the default group without one.
fn group(in_force: &InForce, name: Option<&str>) -> Result<GroupId, Message> {
    let config = in_force.config();
    let place = match name {
        None => Some(config.default_group),
        Some(name) => config.groups.iter().position(|group| group.name == name),
    };
    place.and_then(|place| u8::try_from(place).ok()).map(GroupId).ok_or_else(|| {
        let known: Vec<&str> = config.groups.iter().map(|group| group.name.as_str()).collect();
        messages::override_no_group(plain(name.unwrap_or_default()), known.join(", "))
    })
}

/// Rows with what blocks each, and what the department answered.
pub fn shown(in_force: &InForce, now: Now, rows: Vec<StoredReview>) -> Vec<ShownReview> {
    // A mistaken table was told when the release was put in force.
    let answers = in_force.config().data.answers().unwrap_or_default();
    let group = GroupId(u8::try_from(in_force.config().default_group).unwrap_or_default());
    let shown = |row: StoredReview| {
        let blocked = AskedSite::read(&row.name).ok();
        let blocked = blocked.and_then(|site| blocked_why(in_force, group, &site, now));
        let department = answers.iter().rev().find(|answer| answer.name == row.name).cloned();
        ShownReview { row, blocked, department }
    };
    rows.into_iter().map(shown).collect()
}

/// What blocks a site for a group. Rows are of sites that no lock is on; of one that was locked since
/// nothing more is told than that.
fn blocked_why(
    in_force: &InForce,
    group: GroupId,
    site: &AskedSite,
    now: Now,
) -> Option<BlockedWhy> {
    let snapshot = &in_force.snapshot;
    let folded = Folded::from_name(site.name());
    let hashed = snapshot.hashed(&folded);
    let active = snapshot.rules_at(group, now);
    let explanation = snapshot.explain(active, &hashed, rtype::A);
    let Verdict::Block(block) = explanation.verdict else { return None };
    let taxonomy = snapshot.taxonomy();
    let category = block.category.map(|id| (id, taxonomy.category(id)));
    let is_protected = category.is_some_and(|(_, row)| row.is_protected);
    let layer = block.layer.id().to_owned();
    if is_protected || !explanation.sealed.is_empty() {
        return Some(BlockedWhy { layer: "locked".into(), category: None, list: None });
    }
    let of = |rule: &&crate::rule::Rule| Some(rule.category) == block.category;
    let rule = explanation.nodes.iter().flat_map(|node| node.rules).find(of);
    let origin =
        rule.and_then(|rule| in_force.sources().lists.sources.get(usize::from(rule.source)));
    Some(BlockedWhy {
        layer,
        category: category.map(|(_, row)| row.id.clone()),
        list: origin.map(|origin| origin.name.clone()).filter(|name| !name.is_empty()),
    })
}
