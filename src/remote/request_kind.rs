//! The kinds of requests, and the properties of each kind that decide about a retry.

use RequestKind::{
    Attach, BotPost, BotRead, Coql, CrmFacts, Detach, Facts, FindTag, LeadInsert, LeadUpdate, MakeTag, Search, Tags,
    TaskInsert, TaskRead, TaskUpdate, Token, WebhookPost,
};

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Intercom: a page of contacts.
    Search,
    /// Intercom: the workspace's tags, for the plan.
    Tags,
    /// Intercom: any other read: the workspace, a contact, a company, the tags on a contact.
    Facts,
    /// Intercom: the workspace's tags, to find the one to attach.
    FindTag,
    /// Intercom: get a tag by name, and create it if it is missing.
    MakeTag,
    /// Intercom: put a tag on a contact.
    Attach,
    /// Intercom: take a tag off a contact.
    Detach,
    /// Zoho: get an access token.
    Token,
    /// Zoho: the rows of a query.
    Coql,
    /// Zoho: facts for a person who checks the settings: a module, its fields, a user.
    CrmFacts,
    /// Zoho: create leads by upsert, for tasks to go on.
    LeadInsert,
    /// Zoho: set the status of leads that tasks go on.
    LeadUpdate,
    /// Zoho: create tasks.
    TaskInsert,
    /// Zoho: read tasks by id.
    TaskRead,
    /// Zoho: bring tasks forward.
    TaskUpdate,
    /// Slack: post a message by bot token.
    BotPost,
    /// Slack: post a message by incoming webhook.
    WebhookPost,
    /// Slack: read the channel's history, or the owner of the token.
    BotRead,
}

/// The effect of sending a request twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Safety {
    /// The request changes nothing.
    Read,
    /// Idempotent: the second time changes nothing more.
    Repeatable,
    /// The second time makes a second message or task.
    Once,
}

impl RequestKind {
    pub fn safety(self) -> Safety {
        match self {
            // A token counts as a read: a superfluous one expires by itself.
            Search | Tags | Facts | FindTag | Token | Coql | CrmFacts | TaskRead | BotRead => Safety::Read,
            MakeTag | Attach | Detach | LeadInsert | LeadUpdate | TaskUpdate => Safety::Repeatable,
            TaskInsert | BotPost | WebhookPost => Safety::Once,
        }
    }

    /// Whether the request is the action itself. Without its answer the action is in doubt. A request that only prepares an
    /// action (it creates a tag or a lead) is simply sent again in the next run.
    pub fn is_the_action(self) -> bool {
        matches!(self, Attach | Detach | TaskInsert | TaskUpdate | BotPost | WebhookPost)
    }

    /// Whether the request goes to Zoho's CRM, with an access token.
    pub fn is_of_crm(self) -> bool {
        matches!(self, Coql | CrmFacts | LeadInsert | LeadUpdate | TaskInsert | TaskRead | TaskUpdate)
    }

    /// The most tries in one run, the first included. Zoho gives ten tokens in ten minutes, and counts those that never
    /// arrived.
    pub fn tries(self) -> u32 {
        if self == Token { 3 } else { 5 }
    }
}
