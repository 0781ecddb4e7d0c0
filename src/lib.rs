//! The map.

pub mod apply;
pub mod commands;
pub mod config;
pub mod ledger;
pub mod model;
pub mod plan;
pub mod remote;
pub mod report;
pub mod rules;
