//! What a workspace says about an attribute, whoever has it.

/// An attribute that contacts of this workspace can have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeDefinition {
    /// By the name used in rules.
    pub name: String,
    /// Intercom's word for its type: `string`, `integer`, `float`, `boolean`, `date`, or one yet to come; empty where it
    /// does not say.
    pub data_type: String,
    /// Pushed by the customer's code, rather than Intercom's own.
    pub custom: bool,
    /// Out of use: contacts may still carry values, which nobody updates any more.
    pub archived: bool,
}
