//! The first checks of every service: is it configured, and can its credential be sent?

use super::check::Group;
use crate::commands::setup::Setup;
use crate::config::{self, Problems};
use crate::exit::Fatal;

/// The name of the check on which all others of a service depend.
pub(super) const CREDENTIAL: &str = "credential";

/// Returns the setup if the service can be asked at all; else reports why, and shows `rest` as not checked.
pub(super) fn ready<'s>(
    group: &mut Group,
    setup: Result<&'s Setup, &str>,
    variables: &str,
    rest: &[&str],
) -> Option<&'s Setup> {
    let setup = setup.map_err(|why| group.skip(&[&[CREDENTIAL], rest].concat(), why)).ok()?;
    let lacking = config::missing(&setup.credentials, &setup.config.slack, &setup.sinks_on);
    let Problems(lacking) = lacking.err().unwrap_or_else(|| Problems(Vec::new()));
    let Some(problem) = lacking.into_iter().find(|problem| problem.file.contains(variables)) else {
        return Some(setup);
    };
    group.fail(CREDENTIAL, &problem.message, problem.help.as_deref());
    group.skip(rest, "the service is not set up");
    None
}

/// Returns the client, unless the credential has a form that cannot be sent.
pub(super) fn made<C>(group: &mut Group, client: Result<C, Fatal>, rest: &[&str]) -> Option<C> {
    let refused = |fatal: Fatal| {
        group.fail(CREDENTIAL, fatal.error.to_string(), fatal.help.as_deref());
        group.skip(rest, "the credential cannot be sent");
    };
    client.map_err(refused).ok()
}
