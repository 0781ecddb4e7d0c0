//! The values of the domain, without I/O, clocks and field names of services.

pub mod action;
pub mod attribute;
pub mod contact;
mod definition;
mod instant;
pub mod kind;
pub mod occasion;
pub mod order;
pub mod share;
pub mod signal;
pub mod subject;
mod tag;
mod unseen;
mod values;

pub use action::{ActionKey, Reason, Resolution, State, Step};
pub use attribute::{Date, Type, UnknownReason, Value};
pub use contact::{Contact, References, person_of};
pub use definition::AttributeDefinition;
pub use instant::{age, duration, minute, rfc3339, second};
pub use kind::{ActionKind, SinkKind};
pub use occasion::{Change, Entry, FORGOTTEN, Known, Occasion, OccasionId, forgotten_mark};
pub use order::{Brief, Links, Message, MessageRef, Person, Record, Tag, TagChange, Task, TaskLink, TaskNews, TaskOn};
pub use share::Share;
pub use signal::{Evidence, Priority, Truth};
pub use subject::{Subject, SubjectKind};
pub use tag::tag_key;
pub use unseen::is_unseen;
pub use values::Values;
