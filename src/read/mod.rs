//! Reading: evaluates contacts page by page, and asks for the few facts that a plan needs besides.
//!
//! ```text
//! pages ─► evaluate ─► Sightings ─► missing contacts ─► colleagues ─► companies, tags ─► ContactsRead
//! ```
//!
//! [`read_contacts`] is the only flow. It works on a [`ContactSource`]: Intercom's client in the program, a small world in
//! memory in the tests of decisions. It writes nothing, so a dry run and a real run read alike.

mod flow;
mod source;

pub use flow::{ContactsRead, ReadFailure, ReadRequest, read_contacts};
pub use source::{Company, ContactSource, Page, Pages, Progress, SourceError, TagName, Undecodable, for_each_page};
