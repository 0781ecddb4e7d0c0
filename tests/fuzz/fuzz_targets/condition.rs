//! Parses any text as a condition. The result can be evaluated and printed, or each error names a place inside the text.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use usage_signals::rules::{Attributes, Condition, Scope};

fuzz_target!(|text: &str| {
    let attributes = Attributes::default();
    let params = BTreeMap::new();
    if let Err(faults) = Condition::parse(text, Scope { attributes: &attributes, params: &params }) {
        assert!(!faults.is_empty());
        for fault in faults {
            assert!(text.get(fault.span.clone()).is_some(), "{fault:?} is not in the text");
        }
    }
});
