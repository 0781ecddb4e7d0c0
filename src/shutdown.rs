//! Turns SIGTERM and SIGINT into a stop after the current request.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::apply::stop::{StopReason, StopSwitch};

/// Listens for both signals, and throws the switch when one arrives. Needs a tokio runtime.
///
/// A second signal changes nothing: the current request has its own timeout.
pub fn listen(switch: StopSwitch) -> std::io::Result<()> {
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    tokio::spawn(wait(interrupt, terminate, switch));
    Ok(())
}

async fn wait(mut interrupt: Signal, mut terminate: Signal, switch: StopSwitch) {
    loop {
        let reason = tokio::select! {
            Some(()) = interrupt.recv() => StopReason::Interrupted,
            Some(()) = terminate.recv() => StopReason::Terminated,
            else => return,
        };
        tracing::warn!("stopping after the current request");
        switch.stop(reason);
    }
}
