//! Names of tags.

/// The name by which tags are compared. Intercom ignores the case of tag names, and people do not mean the blanks around one.
pub fn tag_key(name: &str) -> String {
    name.trim().to_lowercase()
}
