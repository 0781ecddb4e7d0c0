//! The definition of an attribute in a workspace.

/// An attribute that contacts of this workspace can have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeDefinition {
    /// The name in rules.
    pub name: String,
    /// Intercom's type: `string`, `integer`, `float`, `boolean`, `date`, or a new one. Empty if Intercom names none.
    pub data_type: String,
    /// Whether the customer's code pushes it. False for Intercom's own fields.
    pub custom: bool,
    /// Whether it is out of use. Contacts may still carry values, but nobody updates them.
    pub archived: bool,
}
