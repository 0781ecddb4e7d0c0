//! What the data can do for the rules: how each attribute is filled, and whether each rule can fire at all.
//!
//! [`Coverage`] is one pass: it counts each contact and forgets it, so that memory does not grow with contacts. The order of
//! the contacts does not matter, with one exception: texts and plans, once there are too many different ones to count.

mod advice;
mod attribute;
mod cause;
mod finding;
mod pass;
mod plans;
mod spread;
mod stand_in;
mod tally;
mod verdict;

pub use advice::ToDo;
pub use attribute::{Attribute, ROLL_OUT, Spread, Unreadable, roll_out};
pub use cause::{Cause, CauseKind};
pub use finding::{ConditionFinding, RuleFinding};
pub use pass::Coverage;
pub use plans::{Plan, PlanName};
pub use spread::{Median, Numbers, Words, date_of};
pub use stand_in::Meanwhile;
pub use verdict::ConditionVerdict;
