//! The inspector's page: what is enforced, on one page that can be printed. It changes nothing.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::category::{CategoryId, CategorySet};
use crate::lang::{Lang, Message, messages};
use crate::overrides::ledger::ChangeLine;
use crate::policy::GroupRules;
use crate::portal::layout::page;
use crate::portal::pages::staff::known::bar;
use crate::portal::pages::staff::running::{kind, time};
use crate::portal::pages::staff::technician::state;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::selftest::report::SelfTestReport;
use crate::staff::sessions::Session;

/// The changes that are shown.
const CHANGES: usize = 60;

/// The page.
pub(super) fn show(
    portal: &Portal,
    visitor: &Visitor,
    session: &Session,
    changes: &[ChangeLine],
) -> Response {
    let config = visitor.in_force.config();
    let body = html! {
        (bar(visitor, session))
        p { (visitor.say(messages::inspector_print())) }
        (state(portal, visitor))
        @for group in &config.groups {
            (enforced(visitor, group))
        }
        (self_test(portal, visitor))
        (ledger(visitor, changes))
    };
    let title = messages::inspector_title(&config.school.name);
    page(visitor, StatusCode::OK, title, body)
}

fn enforced(visitor: &Visitor, group: &GroupRules) -> Markup {
    let taxonomy = visitor.in_force.snapshot.taxonomy();
    let level = taxonomy.level_name(group.level, visitor.lang == Lang::En);
    let level = level.unwrap_or_else(|| group.level.id().to_owned());
    let row = |title: Message, set: CategorySet| {
        html! { dt { (visitor.say(title)) } dd { (labels(visitor, set)) } }
    };
    html! {
        section.card {
            h2 { (visitor.say(messages::inspector_group(&group.name, level))) }
            dl {
                (row(messages::inspector_blocked(), group.block))
                (row(messages::inspector_locked(), group.locked))
                (row(messages::inspector_lessons(), group.lessons))
                (row(messages::inspector_observed(), group.observe))
            }
            @if group.is_allow_only { p { (visitor.say(messages::inspector_allow_only())) } }
            p { (visitor.say(messages::inspector_exceptions(
                group.allow.len(), group.deny.len()))) }
        }
    }
}

/// The names of categories.
fn labels(visitor: &Visitor, set: CategorySet) -> String {
    let taxonomy = visitor.in_force.snapshot.taxonomy();
    let label = |id: CategoryId| {
        let row = taxonomy.category(id);
        if visitor.lang == Lang::En { row.en.clone() } else { row.vi.clone() }
    };
    let labels: Vec<String> = set.iter().map(label).collect();
    if labels.is_empty() { visitor.say(messages::inspector_none()) } else { labels.join("; ") }
}

/// The last test of the gateway by itself.
fn self_test(portal: &Portal, visitor: &Visitor) -> Markup {
    let zone = visitor.in_force.config().school.zone();
    let run = portal.staff.self_test.last();
    html! {
        section {
            h2 #self-test { (visitor.say(messages::inspector_tests())) }
            @if let Some(run) = run {
                @let report = SelfTestReport::new(&run, visitor.lang, &zone);
                p.headline.good[run.failed == 0].stop[run.failed > 0] {
                    (visitor.say(messages::selftest_sums(run.passed, run.failed, run.unknown)))
                }
                p { (visitor.say(messages::selftest_time(report.moment()))) }
                div.wide tabindex="0" role="region" aria-labelledby="self-test" {
                    (report.summary())
                }
            } @else {
                p { (visitor.say(messages::selftest_never())) }
            }
        }
    }
}

fn ledger(visitor: &Visitor, changes: &[ChangeLine]) -> Markup {
    html! {
        section {
            h2 #changes { (visitor.say(messages::inspector_changes())) }
            @if changes.is_empty() {
                p { (visitor.say(messages::inspector_no_changes())) }
            } @else {
                div.wide tabindex="0" role="region" aria-labelledby="changes" {
                    table {
                        thead { tr {
                            th scope="col" { (visitor.say(messages::inspector_time())) }
                            th scope="col" { (visitor.say(messages::inspector_who())) }
                            th scope="col" { (visitor.say(messages::inspector_change())) }
                            th scope="col" { (visitor.say(messages::inspector_what())) }
                        } }
                        tbody { @for line in changes.iter().take(CHANGES) { (change(visitor, line)) } }
                    }
                }
            }
        }
    }
}

fn change(visitor: &Visitor, line: &ChangeLine) -> Markup {
    let action = match line.action.as_str() {
        "begin" => messages::change_begin(),
        "end" => messages::change_end(),
        "expire" => messages::change_expire(),
        "deny" => messages::change_deny(),
        "diagnose" => messages::change_diagnose(),
        "diagnose_end" => messages::change_diagnose_end(),
        "issue_code" => messages::change_issue_code(),
        "revoke_code" => messages::change_revoke_code(),
        "set_pin" => messages::change_set_pin(),
        "remove_pin" => messages::change_remove_pin(),
        other => messages::change_other(other),
    };
    let categories = line.categories.iter().map(|id| format!("category:{id}"));
    let denied = line.deny.iter().map(|name| visitor.say(messages::running_without(name)));
    let words = [&line.group, &line.room].into_iter().filter(|word| !word.is_empty()).cloned();
    let words = words.chain(categories).chain(line.names.iter().cloned()).chain(denied);
    let reason = Some(line.reason.clone()).filter(|reason| !reason.is_empty());
    html! {
        tr {
            td { (time(visitor, line.at, "%Y-%m-%d %H:%M")) }
            td { bdi { (line.who) } }
            td {
                @if !line.kind.is_empty() { (visitor.say(kind(&line.kind))) " " }
                (visitor.say(action))
            }
            td { @for word in words.chain(reason) { bdi { (word) } " " } }
        }
    }
}
