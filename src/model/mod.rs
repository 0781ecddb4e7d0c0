//! Plain values of the domain: no I/O, no clock, no foreign field names.

pub mod action;
pub mod attribute;
pub mod contact;
pub mod occasion;
pub mod signal;
pub mod subject;

pub use action::{
    ActionKey, Brief, Kind, Links, Message, MessageRef, Person, Reason, Record, State, Tag, TagChange, Task, TaskLink,
};
pub use attribute::{Date, Type, UnknownReason, Value};
pub use contact::{Contact, References};
pub use occasion::{Entry, Occasion};
pub use signal::{Evidence, Priority, Truth};
pub use subject::{Subject, SubjectKind};
