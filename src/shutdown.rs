//! SIGTERM and SIGINT become "stop after the request in hand".

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::apply::stop::{StopReason, StopSwitch};

/// Listens for both signals from now on, and throws the switch when one comes. Needs a tokio runtime.
///
/// A second signal of a kind changes nothing: the request in hand has a time-out of its own.
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
        tracing::warn!("stopping after the request in hand");
        switch.stop(reason);
    }
}
