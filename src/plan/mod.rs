//! Deciding what to do: pure.

pub mod settings;
