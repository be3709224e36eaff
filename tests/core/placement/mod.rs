//! Which group a device has that shows a claim: the order, and what is accepted where.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use lachan::policy::placement::{ClaimFinding, ClaimKind, PlacedBy};
use lachan::policy::{Claims, GroupId, Identity};

use crate::kit::core::{listener, synced};
use crate::kit::folder::{Folder, stored};

mod laws;

/// 2026-11-30T00:00 in Hanoi, a Monday.
const MIDNIGHT: u64 = 1_795_971_600;

fn identity(client: Ipv4Addr, claims: &Claims) -> Identity<'_> {
    Identity { client: client.into(), local: listener(), claims }
}

/// `strict` blocks more than `pupils`, `staff` less; `room` is as `pupils`.
const SCHOOL: &str = r#"
default_group = "pupils"
[listen]
dns = ["127.0.0.1:53", "127.0.0.1:5301"]
[lists]
starter = false
[[group]]
name = "pupils"
profile = "pupils"
clients = ["10.1.0.0/16"]
[[group]]
name = "staff"
profile = "staff"
clients = ["10.0.0.0/8"]
server_names = ["Staff.DNS.school.example."]
macs = ["a0:36:9f:00:00:01", "A0-36-9F-00-00-0F"]
tokens_from = ["10.2.0.0/16", "192.168.0.0/16"]
[[group]]
name = "strict"
profile = "strict"
server_names = ["strict.dns.school.example"]
macs = ["a0:36:9f:00:00:02"]
[[group]]
name = "room"
profile = "pupils"
listen = ["127.0.0.1:5301"]
[profile.pupils]
level = "upper-secondary"
block = ["games"]
deny = ["denied.example"]
[profile.staff]
level = "upper-secondary"
block = []
[profile.strict]
level = "upper-secondary"
block = ["games", "social"]
deny = ["denied.example", "more.example"]
"#;

/// The group of a device, what it was chosen by, and what became of its claims, in the order of
/// precedence.
fn placed(client: &str, port: u16, claims: &Claims) -> String {
    let snapshot = Folder::new(SCHOOL, &[]).policy();
    let local = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    let identity = Identity { client: client.parse().unwrap(), local, claims };
    let found = snapshot.explain_group(identity, synced(MIDNIGHT));
    assert_eq!(found.placement, snapshot.group_of(identity, synced(MIDNIGHT)));
    let name = |group: GroupId| snapshot.group(group).name.clone();
    let mut said = format!("{} by {}", name(found.placement.group), found.by.id());
    for (kind, finding) in found.claims.iter().rev() {
        let what = match *finding {
            ClaimFinding::Unknown => "unknown".to_owned(),
            ClaimFinding::Tightens(group) => format!("{} tightens", name(group)),
            ClaimFinding::InNetwork(group) => format!("{} in its network", name(group)),
            ClaimFinding::Looser { group, than } => {
                format!("{} looser than {}", name(group), name(than))
            }
        };
        let _ = write!(said, "; {}: {what}", PlacedBy::Claim(*kind).id());
    }
    said
}

fn claims(token: &str, server_name: &str, mac: &str) -> Claims {
    let some = |text: &str| (!text.is_empty()).then(|| text.into());
    Claims { token: some(token), server_name: some(server_name), mac: mac.parse().ok() }
}

const STAFF_NAME: &str = "staff.dns.school.example";
const STRICT_NAME: &str = "strict.dns.school.example";
const STAFF_MAC: &str = "a0:36:9f:00:00:01";
const STRICT_MAC: &str = "a0:36:9f:00:00:02";

#[test]
fn without_claims_prefix_goes_before_listener_before_default() {
    assert_eq!(placed("10.1.0.5", 5301, &Claims::NONE), "pupils by address");
    assert_eq!(placed("10.7.0.5", 53, &Claims::NONE), "staff by address");
    assert_eq!(placed("192.168.1.5", 5301, &Claims::NONE), "room by listener");
    assert_eq!(placed("192.168.1.5", 53, &Claims::NONE), "pupils by default");
}

#[test]
fn what_is_no_secret_tightens_anywhere_and_loosens_in_its_network_alone() {
    let name = |name| claims("", name, "");
    let mac = |mac| claims("", "", mac);
    assert_eq!(
        placed("192.168.1.5", 53, &name(STRICT_NAME)),
        "strict by server-name; server-name: strict tightens"
    );
    assert_eq!(placed("192.168.1.5", 53, &mac(STRICT_MAC)), "strict by mac; mac: strict tightens");
    // A pupil's tablet that types the name of staff, or draws the address of a teacher's laptop.
    for (claims, kind) in [(name(STAFF_NAME), "server-name"), (mac(STAFF_MAC), "mac")] {
        assert_eq!(
            placed("192.168.1.5", 53, &claims),
            format!("pupils by default; {kind}: staff looser than pupils")
        );
        assert_eq!(
            placed("192.168.1.5", 5301, &claims),
            format!("room by listener; {kind}: staff looser than room")
        );
        // The school gives staff all of 10.0.0.0/8, pupils' networks in it too.
        assert_eq!(
            placed("10.1.0.5", 53, &claims),
            format!("staff by {kind}; {kind}: staff in its network")
        );
    }
    assert_eq!(
        placed("10.1.0.5", 53, &mac("A0-36-9F-00-00-0F")),
        "staff by mac; mac: staff in its network"
    );
    assert_eq!(
        placed("10.1.0.5", 53, &mac("02:00:00:00:00:01")),
        "pupils by address; mac: unknown"
    );
    assert_eq!(
        placed("10.1.0.5", 53, &name("dns.school.example")),
        "pupils by address; server-name: unknown"
    );
}

#[test]
fn a_token_acts_in_its_networks_and_tightens_elsewhere() {
    let token = |group| claims(group, "", "");
    assert_eq!(
        placed("192.168.1.5", 53, &token("staff")),
        "staff by token; token: staff in its network"
    );
    // Named apart from the clients' networks, it does not act in those.
    assert_eq!(
        placed("10.1.0.5", 53, &token("staff")),
        "pupils by address; token: staff looser than pupils"
    );
    assert_eq!(
        placed("172.16.0.5", 53, &token("staff")),
        "pupils by default; token: staff looser than pupils"
    );
    // A group without `tokens_from`: the networks of its clients.
    assert_eq!(placed("10.1.0.5", 53, &token("pupils")), "pupils by token; token: pupils tightens");
    assert_eq!(
        placed("172.16.0.5", 53, &token("strict")),
        "strict by token; token: strict tightens"
    );
    assert_eq!(placed("172.16.0.5", 53, &token("gone")), "pupils by default; token: unknown");
}

#[test]
fn token_goes_before_server_name_before_mac() {
    assert_eq!(
        placed("10.1.0.5", 53, &claims("strict", STAFF_NAME, STRICT_MAC)),
        "strict by token; token: strict tightens; server-name: staff in its network; mac: strict tightens"
    );
    assert_eq!(
        placed("10.1.0.5", 53, &claims("", STAFF_NAME, STRICT_MAC)),
        "staff by server-name; server-name: staff in its network; mac: strict tightens"
    );
    // What is not accepted is as if it were not shown.
    assert_eq!(
        placed("192.168.1.5", 53, &claims("gone", STAFF_NAME, STRICT_MAC)),
        "strict by mac; token: unknown; server-name: staff looser than pupils; mac: strict tightens"
    );
}

#[test]
fn a_name_does_not_lead_out_of_what_a_hardware_address_led_to() {
    // `pupils` is no looser than the group of the address, but looser than that of the device.
    let config = SCHOOL
        .replace("name = \"pupils\"\n", "name = \"pupils\"\nserver_names = [\"p.dns.example\"]\n");
    let snapshot = Folder::new(&config, &[]).policy();
    let claims = claims("", "p.dns.example", STRICT_MAC);
    let found =
        snapshot.explain_group(identity(Ipv4Addr::new(192, 168, 1, 5), &claims), synced(MIDNIGHT));
    assert_eq!(snapshot.group(found.placement.group).name, "strict");
    let (pupils, strict) = (GroupId(0), GroupId(2));
    assert_eq!(
        found.claims,
        [
            (ClaimKind::Mac, ClaimFinding::Tightens(strict)),
            (ClaimKind::ServerName, ClaimFinding::Looser { group: pupils, than: strict }),
        ]
    );
}

#[test]
fn an_exam_holds_a_device_that_claims_a_stricter_group() {
    let folder = Folder::new(SCHOOL, &[]);
    let group = |groups: &[&str], civil| {
        let over =
            |group: &&str| stored("exam", group, &["paper.example"], [MIDNIGHT, MIDNIGHT + 3600]);
        let snapshot = folder.policy_around(MIDNIGHT, groups.iter().map(over).collect()).unwrap();
        let claims = claims("", "", STRICT_MAC);
        let placement =
            snapshot.group_of(identity(Ipv4Addr::new(192, 168, 1, 5), &claims), synced(civil));
        (snapshot.group(placement.group).name.clone(), placement.until)
    };
    let strict = |until| ("strict".to_owned(), until);
    assert_eq!(group(&["pupils"], MIDNIGHT - 60), strict(MIDNIGHT));
    assert_eq!(group(&["pupils"], MIDNIGHT), ("pupils".to_owned(), MIDNIGHT + 3600));
    assert_eq!(group(&["pupils"], MIDNIGHT + 3600).0, "strict");
    assert_eq!(group(&["*"], MIDNIGHT).0, "strict");
    assert_eq!(group(&["pupils", "strict"], MIDNIGHT).0, "strict");
    // Its own exam would open a page that its network's group has not allowed.
    assert_eq!(group(&["strict"], MIDNIGHT).0, "pupils");
}
