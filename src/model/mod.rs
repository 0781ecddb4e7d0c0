//! The values of the domain, without I/O, clocks and field names of services.

pub mod action;
mod address;
pub mod attribute;
pub mod contact;
mod instant;
pub mod kind;
pub mod occasion;
pub mod order;
pub mod signal;
mod text;
mod values;

pub use action::{ActionKey, Reason, Resolution, State, Step};
pub use address::Address;
pub use attribute::{AttributeDefinition, Date, Type, UnknownReason, Value};
pub use contact::{Contact, References, person_of};
pub use instant::{age, duration, minute, rfc3339, second};
pub use kind::{ActionKind, SinkKind};
pub use occasion::{Change, Entry, FORGOTTEN, Known, Occasion, OccasionId, Share, forgotten_mark, percent};
pub use order::{
    Brief, Links, Message, MessageRef, Person, Record, Region, Tag, TagChange, Task, TaskLink, TaskNews, TaskOn,
    region_of,
};
pub use signal::{Evidence, Priority, Subject, SubjectKind, Truth};
pub use text::{is_unseen, tag_key, unescape_html};
pub use values::Values;

/// Gives enumerations the method `name`. The names are strum's; most types also read them back, with `parse`.
macro_rules! named {
    ($($type:ty),+) => {$(
        impl $type {
            /// The name in configuration, reports and the ledger.
            pub fn name(self) -> &'static str {
                self.into()
            }
        }
    )+};
}
named!(ActionKind, Priority, Reason, Resolution, SinkKind, State, SubjectKind, Type, UnknownReason);
