//! What crosses a seam: one binary, so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests stop at the first surprise; helpers outside of test functions are tests too"
)]

mod apply;
mod architecture;
mod crash;
mod decisions;
mod hostile;
mod ledger;
mod looks;
mod machine;
mod outage;
mod outcomes;
mod properties;
mod readme;
mod replay;
mod scan;
mod secrets;
mod services;
mod support;
