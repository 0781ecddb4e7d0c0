//! Coverage: how each attribute is filled, and whether each rule can fire at all.
//!
//! [`Coverage`] is one pass: it counts each contact and forgets it, so that memory does not grow with contacts. The order of
//! the contacts does not matter, with one exception: texts and plans, once there are too many different ones to count.

mod advice;
mod attribute;
mod cause;
mod pass;
mod plans;
mod spread;
mod tally;
mod verdict;

pub use advice::ToDo;
pub use attribute::{Attribute, ROLL_OUT, Spread, WORD_FOR_NO_VALUE};
pub use cause::{Cause, WRITE_NOTHING};
pub use pass::{Coverage, Meanwhile};
pub use plans::{Plan, PlanName};
pub use spread::{Numbers, Words, date_of};
pub use verdict::{ConditionFinding, ConditionVerdict, RuleFinding};
