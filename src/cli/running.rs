//! The running gateway of a config: its admin address, its token, one request.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::admin::client::ask;
use crate::admin::reply::ApiRefusal;
use crate::cli::output::CommandFailure;
use crate::config::Config;
use crate::lang::{Lang, messages};
use crate::load::assemble::read_config_for_command;
use crate::staff::token::Token;
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::acting::Acting;

/// State directory of a gateway that systemd runs.
pub(super) const USUAL: &str = "/var/lib/lachan";
/// Config of that gateway.
pub(super) const USUAL_CONFIG: &str = "/etc/lachan/gateway.toml";

/// The config that a command is about: the given one, that of the gateway of this machine, or none, which is the
/// embedded default.
pub(super) fn config_of_machine(given: Option<&Path>) -> Option<&Path> {
    let usual = Path::new(USUAL_CONFIG);
    given.or_else(|| usual.exists().then_some(usual))
}

/// The gateway that a subcommand asks.
#[derive(Debug, clap::Args)]
pub(super) struct GatewayArguments {
    /// The config of the running gateway; by default /etc/lachan/gateway.toml where it is there, else the embedded default.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The file of its token; by default the one of the config, or of its state directory.
    #[arg(long, value_name = "FILE", global = true)]
    token: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl GatewayArguments {
    /// The gateway, which is not asked yet.
    pub(super) fn running(&self) -> Result<RunningGateway, CommandFailure> {
        RunningGateway::of(self.config(), self.token.as_ref())
    }

    /// Its config; none is the embedded default.
    pub(super) fn config(&self) -> Option<&Path> {
        config_of_machine(self.config.as_deref())
    }
}

/// A gateway that runs, or should.
pub(super) struct RunningGateway {
    /// Its config; the kept one where the file cannot be read, as the gateway has it.
    pub(super) config: Config,
    token: Token,
}

impl RunningGateway {
    /// The gateway of a config; `token` is the file of its token, if it is given.
    pub(super) fn of(
        config: Option<&Path>,
        token: Option<&PathBuf>,
    ) -> Result<Self, CommandFailure> {
        let config = read_config_for_command(config).map_err(|error| (3, error.to_string()))?;
        let token = open_token(token, &config)?;
        Ok(Self { config, token })
    }

    /// Sends one request: status code and body of the response.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, String), CommandFailure> {
        let admin = self.config.admin.listen;
        ask(admin, method, path, &self.token, body).map_err(|error| {
            (3, messages::gateway_silent(admin, error).in_lang(self.config.school.lang))
        })
    }
}

/// The state directory of a gateway; none where its config names none.
pub(super) fn state_of(config: &Config, lang: Lang) -> Result<Option<StateDir>, CommandFailure> {
    StateDir::open(&config.state).map_err(|fault| {
        let path = fault.path().display().to_string();
        (1, messages::state_unusable(path, fault.cause()).in_lang(lang))
    })
}

/// Acts as the gateway's account on its state, for a command that does its work while it does not run.
pub(super) fn as_gateway(config: &Config) -> Result<Option<Acting>, CommandFailure> {
    let state = state_of(config, config.school.lang)?;
    let acting = state.map(|state| state.act_as_owner()).transpose();
    acting.map_err(|error| (1, error.to_string()))
}

/// The value of a response, or its refusal.
pub(super) fn read<T: DeserializeOwned>(
    (status, body): &(u16, String),
) -> Result<T, CommandFailure> {
    if (200..300).contains(status) {
        return serde_json::from_str(body).map_err(|error| (1, format!("an odd answer: {error}")));
    }
    let refused = serde_json::from_str::<ApiRefusal>(body).map(|refused| refused.error);
    Err((1, refused.unwrap_or_else(|_| format!("the gateway answered {status}"))))
}

/// The bearer token: the given one, the config's, or the one in the state directory.
fn open_token(given: Option<&PathBuf>, config: &Config) -> Result<Token, CommandFailure> {
    let in_state = || {
        let dir = StateDir::place(&config.state).unwrap_or_else(|| PathBuf::from(USUAL));
        dir.join(Token::ADMIN)
    };
    let path = given.cloned().or_else(|| config.admin.token.clone()).unwrap_or_else(in_state);
    Token::read(&path).map_err(|error| {
        (3, messages::token_unreadable(path.display(), error).in_lang(config.school.lang))
    })
}
