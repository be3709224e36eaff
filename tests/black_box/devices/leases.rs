//! Groups by the lease files of Kea and of ISC dhcpd, as queries see them: files that are replaced while the
//! gateway runs, leases that end, addresses that another device has next.

use std::fs;

use crate::support::{Ask, Canned, Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// A device that the pupils' group names, and one that no group names.
const NAMED: &str = "a0:36:9f:00:00:01";
const OTHER: &str = "a0:36:9f:00:00:09";
/// Addresses in the network of the staff.
const FIRST: &str = "127.0.20.5";
const SECOND: &str = "127.0.20.6";

/// Lines of a lease, in use or given back.
type Lease = fn(&str, &str, bool) -> String;

/// A school whose pupils have a device in the network of the staff, and its lease file.
struct School {
    gateway: Gateway,
    _upstream: Upstream,
    head: &'static str,
    lease: Lease,
}

impl School {
    fn start(head: &'static str, lease: Lease) -> Self {
        let upstream = Upstream::start();
        let answer = vec!["bad.example 60 A 192.0.2.9".to_owned()];
        upstream.answer("bad.example", Some(1), Canned { answer, ..Canned::default() });
        let named = format!("profile = \"pupils\"\nmacs = [\"{NAMED}\"]\n");
        let groups = TWO_GROUPS.replacen("profile = \"pupils\"\n", &named, 1);
        let config = format!(
            "{groups}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n\
             format = \"domains\"\n\n[devices]\nneighbours = false\nleases = [\"dhcp.leases\"]\n"
        );
        let plan = Gateway::plan(&config).upstream(&upstream).file("adult.txt", "bad.example\n");
        let text = head.to_owned() + &lease(FIRST, NAMED, true) + &lease(SECOND, OTHER, true);
        let gateway = plan.file("dhcp.leases", &text).start();
        Self { gateway, _upstream: upstream, head, lease }
    }

    /// Puts a file with these leases in the place of the one before, as DHCP servers do.
    fn replace(&self, leases: &[(&str, &str, bool)]) {
        let lines: String = leases.iter().map(|one| (self.lease)(one.0, one.1, one.2)).collect();
        let next = self.gateway.dir().join("dhcp.leases.new");
        fs::write(&next, self.head.to_owned() + &lines).unwrap();
        fs::rename(next, self.gateway.dir().join("dhcp.leases")).unwrap();
    }

    /// Appends a lease to the file, as both do between two clean-ups.
    fn append(&self, (address, mac, is_in_use): (&str, &str, bool)) {
        use std::io::Write as _;
        let path = self.gateway.dir().join("dhcp.leases");
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all((self.lease)(address, mac, is_in_use).as_bytes()).unwrap();
    }

    /// Waits until queries from both addresses are answered as these groups are.
    fn expect(&self, groups: [&str; 2], when: &str) {
        let code = |address: &str| {
            let rcode = Ask::new("bad.example", "A").from(address).expect(self.gateway.dns).rcode();
            if rcode == "NXDOMAIN" { "pupils" } else { "staff" }
        };
        eventually(when, || ([FIRST, SECOND].map(code) == groups).then_some(()));
    }

    /// A device's way through its leases.
    fn follow(&self) {
        self.expect(["pupils", "staff"], "the leases of the start");
        self.append((SECOND, NAMED, true));
        self.expect(["pupils", "pupils"], "a second address of the device");
        self.append((SECOND, NAMED, false));
        self.expect(["pupils", "staff"], "a lease that was given back");
        self.append((FIRST, OTHER, true));
        self.expect(["staff", "staff"], "an address that another device has now");
        self.replace(&[(FIRST, OTHER, true), (SECOND, NAMED, true)]);
        self.expect(["staff", "pupils"], "a file in the place of the one before");
        self.replace(&[(FIRST, NAMED, true), (SECOND, NAMED, true), (SECOND, NAMED, false)]);
        self.expect(["pupils", "staff"], "a lease that ended in the next file");
        self.replace(&[]);
        self.expect(["staff", "staff"], "a file without leases");
        // A half of a file is refused whole, and a file that follows it is read.
        self.replace(&[(FIRST, NAMED, true)]);
        self.expect(["pupils", "staff"], "the device again");
        fs::write(self.gateway.dir().join("dhcp.leases"), "not a lease file\n").unwrap();
        self.gateway.expect_log("the leases stay as they were");
        self.expect(["pupils", "staff"], "the leases of before");
        self.replace(&[(SECOND, NAMED, true)]);
        self.expect(["staff", "pupils"], "the file after it");
        let log = self.gateway.log();
        for hidden in [NAMED, OTHER, FIRST, SECOND] {
            assert!(!log.contains(hidden), "{log}");
        }
    }
}

#[test]
fn kea_appends_rows_and_cleans_up_by_another_file() {
    let head = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,\
                user_context,pool_id\n";
    let row = |address: &str, mac: &str, is_in_use: bool| {
        let lifetime = if is_in_use { 3600 } else { 0 };
        format!("{address},{mac},01:{mac},{lifetime},1765000000,1,0,0,may-1,0,,0\n")
    };
    School::start(head, row).follow();
}

#[test]
fn a_row_of_kea_that_expired_or_was_declined_gives_no_group() {
    let head = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n";
    // 1: declined; 2: expired and reclaimed.
    let row = |address: &str, mac: &str, is_in_use: bool| {
        let state = match (is_in_use, address) {
            (true, _) => 0,
            (false, FIRST) => 1,
            (false, _) => 2,
        };
        format!("{address},{mac},,3600,1765000000,1,0,0,,{state}\n")
    };
    let school = School::start(head, row);
    school.expect(["pupils", "staff"], "the leases of the start");
    school.append((SECOND, NAMED, true));
    school.expect(["pupils", "pupils"], "both addresses");
    school.append((FIRST, NAMED, false));
    school.expect(["staff", "pupils"], "a lease that was declined");
    school.append((SECOND, NAMED, false));
    school.expect(["staff", "staff"], "a lease that was reclaimed");
}

#[test]
fn dhcpd_appends_blocks_and_cleans_up_by_another_file() {
    let head = "# The format of this file is documented in the dhcpd.leases(5) manual page.\n\
                authoring-byte-order little-endian;\n\nserver-duid \"\\000\\001\\000\\001\";\n\n";
    let block = |address: &str, mac: &str, is_in_use: bool| {
        let state = if is_in_use { "active" } else { "free" };
        format!(
            "lease {address} {{\n  starts 0 2026/11/29 07:00:00;\n  ends 0 2026/11/29 19:00:00;\n  \
             cltt 0 2026/11/29 07:00:00;\n  binding state {state};\n  next binding state free;\n  \
             rewind binding state free;\n  hardware ethernet {mac};\n  uid \"\\001\\240\";\n  \
             client-hostname \"may-1\";\n}}\n"
        )
    };
    School::start(head, block).follow();
}
