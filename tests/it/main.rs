//! Integration tests. They are one binary, so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests stop at the first surprise; helpers outside of test functions are tests too"
)]

mod apply;
mod architecture;
mod batches;
mod coverage;
mod crash;
mod decisions;
mod decisions_untag;
mod docs;
mod doctor;
mod environment;
mod explain;
mod file_system;
mod hostile;
mod init;
mod ledger;
mod limits;
mod looks;
mod machine;
mod meanwhile;
mod outage;
mod outcomes;
mod privacy;
mod properties;
mod reading;
mod replay;
mod rules;
mod scan;
mod secrets;
mod services;
mod side_by_side;
mod support;
mod systemd;
