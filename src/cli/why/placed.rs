//! The group of the query: by what it was chosen, and what became of the device's claims.

use std::fmt::Write as _;

use serde::Serialize;

use crate::policy::group::strictness::Looser;
use crate::policy::group::time::Now;
use crate::policy::placement::{ClaimFinding, ClaimKind, PlacedBy, PlacementTrace};
use crate::policy::{Claims, GroupId, Mac, Snapshot};

/// What the device shows beside its address.
#[derive(Debug, clap::Args)]
pub(super) struct DeviceArguments {
    /// The name by which the device calls the server, as in its settings for DNS over TLS.
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// The device's hardware address.
    #[arg(long, value_name = "MAC", value_parser = parse_mac)]
    mac: Option<Mac>,
    /// The name of the token in the path of its DNS over HTTPS, as `lachan token list` has it.
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
}

impl DeviceArguments {
    /// Its claims, as a listener hands them to policy; the group of its token is found by `group_of`.
    ///
    /// # Errors
    ///
    /// The name of a token that is not there.
    pub(super) fn claims(
        &self,
        group_of: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Claims, String> {
        let token = self.token.as_deref();
        let token = token.map(|name| group_of(name).ok_or_else(|| name.to_owned()));
        let token = token.transpose()?.map(|group| group.as_str().into());
        let name = self.server_name.as_deref();
        let server_name =
            name.map(|name| name.trim_end_matches('.').to_ascii_lowercase().as_str().into());
        Ok(Claims { token, server_name, mac: self.mac })
    }
}

/// Reads `--mac`.
fn parse_mac(text: &str) -> Result<Mac, String> {
    text.parse().map_err(|()| "write six octets, as in a0:36:9f:00:00:01".to_owned())
}

/// One claim, and what became of it.
#[derive(Debug, Serialize)]
pub(super) struct ClaimView {
    /// `token`, `server-name` or `mac`.
    claim: &'static str,
    /// The group that it claims; none where no group names it.
    group: Option<String>,
    /// Whether the device is in that group by this claim.
    decided: bool,
    /// Why a claim does not act: `unknown`, `looser` or `outranked`.
    ignored: Option<&'static str>,
    /// The group of the device that it would loosen.
    than: Option<String>,
    /// The first rule by which it would: `categories locks list-answers allow-only names keywords
    /// safesearch canaries answer urgent`.
    looser_in: Option<&'static str>,
    #[serde(rename = "said")]
    finding: String,
}

impl ClaimView {
    /// The claims of a trace, the last judged first: that is their order of precedence.
    pub(super) fn all(trace: &PlacementTrace, snapshot: &Snapshot, now: Now) -> Vec<Self> {
        let view = |&(kind, finding): &_| Self::of(trace.by, (kind, finding), snapshot, now);
        trace.claims.iter().rev().map(view).collect()
    }

    fn of(
        by: PlacedBy,
        (kind, finding): (ClaimKind, ClaimFinding),
        snapshot: &Snapshot,
        now: Now,
    ) -> Self {
        let name = |group: GroupId| snapshot.group(group).name.clone();
        let decided = by == PlacedBy::Claim(kind);
        let outranked = (!decided).then_some("outranked");
        let plain = |group, ignored, finding: String| Self {
            claim: PlacedBy::Claim(kind).id(),
            group,
            decided,
            ignored,
            than: None,
            looser_in: None,
            finding,
        };
        match finding {
            ClaimFinding::Unknown => {
                plain(None, Some("unknown"), "ignored: no group names it".to_owned())
            }
            ClaimFinding::Tightens(group) => {
                let end = if decided { "" } else { "; a claim before it decides" };
                let finding = format!("no looser than without it, wherever the device is{end}");
                plain(Some(name(group)), outranked, finding)
            }
            ClaimFinding::InNetwork(group) => {
                let end = if decided { "" } else { "; a claim before it decides" };
                let finding = format!("the device is in a network that this group names{end}");
                plain(Some(name(group)), outranked, finding)
            }
            ClaimFinding::Looser { group, than } => {
                let rule = snapshot.looser(group, than, now).map(Looser::id);
                let why = rule.map_or(String::new(), |rule| format!(" ({rule})"));
                let finding = format!(
                    "ignored: looser than {}{why}, and the device is in no network that {} names",
                    name(than),
                    name(group)
                );
                let than = Some(name(than));
                Self { than, looser_in: rule, ..plain(Some(name(group)), Some("looser"), finding) }
            }
        }
    }

    /// The claim for people.
    pub(super) fn text(&self) -> String {
        let Self { claim, group, finding, .. } = self;
        let group = group.as_ref().map_or(String::new(), |group| format!(" of {group}"));
        let mut out = String::new();
        let _ = writeln!(out, "  claim     {}{group}: {finding}", claim.replace('-', " "));
        out
    }
}
