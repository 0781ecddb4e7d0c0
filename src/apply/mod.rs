//! The only folder that causes effects.

pub mod sink;
pub mod stop;
