//! The technician's page: the state in one screen, what runs, codes, groups, and why a name is
//! blocked.

use axum::response::Response;
use maud::{Markup, html};

use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::lang::{Lang, messages};
use crate::policy::{GroupId, Verdict};
use crate::portal::form::post;
use crate::portal::layout::page;
use crate::portal::pages::staff::known::{Notice, bar};
use crate::portal::pages::staff::reviews::queue;
use crate::portal::pages::staff::running::{table, time, words};
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::staff::codes::{CodeState, IssuedCode};
use crate::staff::sessions::Session;
use crate::status::report::StatusReport;

/// What a form has brought, to be shown on the page.
#[derive(Default)]
pub(super) struct Brought {
    /// New codes.
    pub(super) codes: Vec<IssuedCode>,
    /// Why a name is blocked, or not.
    pub(super) why: Option<Markup>,
}

/// The page, with what is said above it.
pub(super) fn show(
    portal: &Portal,
    visitor: &Visitor,
    session: &Session,
    (notice, brought): (Option<&Notice>, &Brought),
) -> Response {
    let body = html! {
        (bar(visitor, session))
        (Notice::show(notice, visitor))
        (issued(visitor, &brought.codes))
        (state(portal, visitor))
        (table(portal, visitor, None))
        (queue(portal, visitor))
        section #why {
            h2 { (visitor.say(messages::technician_why())) }
            @if let Some(why) = &brought.why { (why) }
            (why_form(visitor))
        }
        (codes(portal, visitor))
        (groups(visitor))
    };
    page(visitor, Notice::status(notice), messages::technician_title(), body)
}

/// The state of the gateway, as `lachan status` has it.
pub(super) fn state(portal: &Portal, visitor: &Visitor) -> Markup {
    let mut status = (portal.staff.status)();
    status.speak(visitor.lang);
    let zone = visitor.in_force.config().school.zone();
    let report = StatusReport::of(&status, visitor.lang, &zone);
    html! {
        section.card {
            @for line in &report.head {
                p.headline.good[report.is_ok].stop[!report.is_ok] { (line) }
            }
        }
        @if !report.todo.is_empty() {
            section.card {
                h2 { (visitor.say(messages::heading_todo())) }
                ul {
                    @for todo in &report.todo {
                        li {
                            @if todo.is_notice { (todo.text) } @else { strong.stop { (todo.text) } }
                            @for line in &todo.why { br; bdi.soft { (line) } }
                            br;
                            (visitor.say(messages::what_to_do(&todo.remedy)))
                        }
                    }
                }
            }
        }
        @for section in report.sections.iter().chain([&report.top]) {
            section {
                h2 { (section.title) }
                ul { @for (is_ok, line) in &section.lines {
                    @if *is_ok { li { bdi { (line) } } } @else { li.stop { bdi { (line) } } }
                } }
            }
        }
    }
}

fn issued(visitor: &Visitor, codes: &[IssuedCode]) -> Markup {
    html! {
        @if !codes.is_empty() {
            section.card role="status" {
                h2 { (visitor.say(messages::technician_issued())) }
                ul { @for one in codes {
                    li {
                        span.code { (one.code) } " – "
                        bdi { (one.state.room) } " "
                        bdi { (one.state.by) } " – "
                        (time(visitor, one.state.until, "%Y-%m-%d %H:%M"))
                    }
                } }
            }
        }
    }
}

fn codes(portal: &Portal, visitor: &Visitor) -> Markup {
    let open = portal.staff.desk.codes().list((portal.now)().civil);
    html! {
        section {
            h2 { (visitor.say(messages::technician_codes())) }
            ul { @for one in &open { (code(visitor, one)) } }
            (post(visitor, "/staff/codes", &html! {
                label for="issue-room" { (visitor.say(messages::staff_room())) }
                (group_list(visitor, "issue-room", "room"))
                label for="issue-by" { (visitor.say(messages::technician_issue_by())) }
                input #issue-by name="by" maxlength="60";
                label for="issue-count" { (visitor.say(messages::technician_issue_count())) }
                input #issue-count name="count" type="number" min="1" max="40" value="1";
                label for="issue-hours" { (visitor.say(messages::technician_issue_hours())) }
                input #issue-hours name="hours" type="number" min="1" max="24" value="10";
                button { (visitor.say(messages::technician_issue())) }
            }))
        }
    }
}

fn code(visitor: &Visitor, code: &CodeState) -> Markup {
    let clock = |civil: u64| time(visitor, civil, "%Y-%m-%d %H:%M");
    let state = match code.used {
        Some(at) => messages::code_is_used(clock(at)),
        None => messages::code_is_open(),
    };
    let by = if code.by.is_empty() { "-" } else { &code.by };
    let (from, until) = (clock(code.from), clock(code.until));
    let line = messages::code_line(code.id, &code.room, from, until, by, state);
    html! {
        li {
            bdi { (visitor.say(line)) }
            (post(visitor, "/staff/revoke", &html! {
                input type="hidden" name="id" value=(code.id);
                button.plain aria-label=(visitor.say(messages::technician_revoke_of(code.id))) {
                    (visitor.say(messages::technician_revoke())) }
            }))
        }
    }
}

fn group_list(visitor: &Visitor, id: &str, name: &str) -> Markup {
    html! {
        select #(id) name=(name) {
            @for group in &visitor.in_force.config().groups {
                option value=(group.name) { (group.name) }
            }
        }
    }
}

fn why_form(visitor: &Visitor) -> Markup {
    post(
        visitor,
        "/staff/why",
        &html! {
            label for="why-name" { (visitor.say(messages::technician_name())) }
            input #why-name name="name" maxlength="253" autocapitalize="none" spellcheck="false"
                required;
            label for="why-group" { (visitor.say(messages::technician_group())) }
            (group_list(visitor, "why-group", "group"))
            button { (visitor.say(messages::technician_why_do())) }
        },
    )
}

/// Why a name is blocked for a group now, or not; none where it is no name, or no group.
pub(super) fn why(portal: &Portal, visitor: &Visitor, name: &str, group: &str) -> Option<Markup> {
    let (snapshot, config) = (&visitor.in_force.snapshot, visitor.in_force.config());
    let place = config.groups.iter().position(|one| one.name == group)?;
    let words = words(name)?;
    let [name] = words.as_slice() else { return None };
    let name = Name::from_text(name).ok()?;
    let folded = Folded::from_name(&name);
    let active = snapshot.rules_at(GroupId(u8::try_from(place).ok()?), (portal.now)());
    let explained = snapshot.explain(active, &snapshot.hashed(&folded), rtype::A);
    let (verdict, category) = match explained.verdict {
        Verdict::Special(_) | Verdict::Canary(_) => (messages::technician_own(), None),
        Verdict::Block(block) => (messages::technician_blocked(block.layer.id()), block.category),
        Verdict::Pass(pass) | Verdict::Safe(pass, _) => {
            (messages::technician_passes(pass.layer.id()), None)
        }
    };
    let row = category.map(|id| snapshot.taxonomy().category(id));
    let label = row.filter(|row| !row.is_protected).map(|row| match visitor.lang {
        Lang::En => &row.en,
        Lang::Vi => &row.vi,
    });
    let sources = &visitor.in_force.sources().lists.sources;
    let rules = explained.nodes.iter().flat_map(|node| node.rules.iter());
    let is_open = |id| !snapshot.taxonomy().category(id).is_protected;
    let lists = rules.filter(|rule| is_open(rule.category)).filter_map(|rule| {
        let list = sources.get(usize::from(rule.source))?;
        Some(format!("{} ({})", snapshot.taxonomy().category(rule.category).id, list.name))
    });
    let lists: Vec<String> = lists.take(12).collect();
    Some(html! {
        div role="status" {
            dl {
                dt { (visitor.say(messages::technician_name())) }
                dd { bdi.name dir="ltr" { (name.to_string().trim_end_matches('.')) } }
                dt { (visitor.say(messages::technician_group())) }
                dd { bdi { (group) } }
                dt { (visitor.say(messages::technician_verdict())) }
                dd { (visitor.say(verdict)) }
                @if let Some(label) = label {
                    dt { (visitor.say(messages::technician_category())) }
                    dd { (label) }
                }
                @if !lists.is_empty() {
                    dt { (visitor.say(messages::technician_listed())) }
                    dd { @for list in &lists { bdi { (list) } br; } }
                }
            }
        }
    })
}

fn groups(visitor: &Visitor) -> Markup {
    let (config, taxonomy) = (visitor.in_force.config(), visitor.in_force.snapshot.taxonomy());
    html! {
        section {
            h2 #groups { (visitor.say(messages::technician_groups())) }
            p { (visitor.say(messages::technician_you(&visitor.group().name))) }
            div.wide tabindex="0" role="region" aria-labelledby="groups" {
                table {
                    thead { tr {
                        th scope="col" { (visitor.say(messages::technician_group())) }
                        th scope="col" { (visitor.say(messages::technician_level())) }
                        th scope="col" { (visitor.say(messages::technician_networks())) }
                    } }
                    tbody { @for group in &config.groups {
                        tr {
                            th scope="row" { bdi { (group.name) } }
                            td {
                                (taxonomy.level_name(group.level, visitor.lang == Lang::En)
                                    .unwrap_or_else(|| group.level.id().to_owned()))
                            }
                            td {
                                @for network in &group.clients { bdi dir="ltr" { (network) } " " }
                                @if group.name == config.default_group().name {
                                    (visitor.say(messages::technician_all_others()))
                                }
                            }
                        }
                    } }
                }
            }
        }
    }
}
