//! Stopping a run early: at its deadline, or by a signal.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Why the run stops early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// `--deadline` has come.
    Deadline,
    /// SIGINT (ctrl-c).
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// The early end of a run. It is checked before each request and each wait: no request is cut off, and none begins after a stop.
#[derive(Debug, Clone)]
pub struct Stop {
    deadline: Instant,
    asked: watch::Receiver<Option<StopReason>>,
}

/// The other end of a [`Stop`], for a signal handler.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<Option<StopReason>>);

impl StopSwitch {
    /// Requests a stop. The first reason stands.
    pub fn stop(&self, reason: StopReason) {
        self.0.send_if_modified(|asked| asked.is_none() && asked.replace(reason).is_none());
    }
}

impl Stop {
    /// Returns a stop after `limit`, and the switch that stops at once.
    pub fn after(limit: Duration) -> (StopSwitch, Stop) {
        let (sender, asked) = watch::channel(None);
        let now = Instant::now();
        // Instant plus a huge duration would panic. A year is long enough.
        let deadline = now.checked_add(limit).unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
        (StopSwitch(sender), Stop { deadline, asked })
    }

    /// The reason to stop now; None to go on.
    pub fn reason(&self) -> Option<StopReason> {
        let asked = *self.asked.borrow();
        asked.or_else(|| (Instant::now() >= self.deadline).then_some(StopReason::Deadline))
    }

    /// Whether a wait of this length ends before the deadline.
    pub fn allows(&self, duration: Duration) -> bool {
        Instant::now().checked_add(duration).is_some_and(|end| end < self.deadline)
    }

    /// Sleeps, at most until the stop. Err holds the reason of a stop.
    pub async fn sleep(&self, duration: Duration) -> Result<(), StopReason> {
        let mut asked = self.asked.clone();
        tokio::select! {
            biased;
            Ok(reason) = asked.wait_for(Option::is_some) => Err((*reason).unwrap_or(StopReason::Interrupted)),
            () = tokio::time::sleep_until(self.deadline) => Err(StopReason::Deadline),
            () = tokio::time::sleep(duration) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_the_deadline() {
        let (_switch, stop) = Stop::after(Duration::from_secs(10));
        assert_eq!(stop.sleep(Duration::from_secs(5)).await, Ok(()));
        assert_eq!(stop.reason(), None);
        assert_eq!(stop.sleep(Duration::from_secs(60)).await, Err(StopReason::Deadline));
        assert_eq!(stop.reason(), Some(StopReason::Deadline));
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_ends_a_wait_at_once_and_the_first_one_stands() {
        let (switch, stop) = Stop::after(Duration::from_secs(3600));
        switch.stop(StopReason::Terminated);
        switch.stop(StopReason::Interrupted);
        assert_eq!(stop.sleep(Duration::from_secs(60)).await, Err(StopReason::Terminated));
        assert_eq!(stop.reason(), Some(StopReason::Terminated));
    }
}
