//! Plain values of the domain: no I/O, no clock, no foreign field names.

pub mod action;
pub mod attribute;
pub mod contact;
pub mod occasion;
pub mod share;
pub mod signal;
pub mod subject;
mod unseen;

pub use action::{
    ActionKey, Brief, Kind, Links, Message, MessageRef, Person, Reason, Record, State, Step, Tag, TagChange, Task,
    TaskLink, TaskNews,
};
pub use attribute::{Date, Type, UnknownReason, Value};
pub use contact::{Contact, References};
pub use occasion::{Change, Entry, Known, Occasion, OccasionId};
pub use share::Share;
pub use signal::{Evidence, Priority, Truth};
pub use subject::{Subject, SubjectKind};
pub use unseen::is_unseen;
