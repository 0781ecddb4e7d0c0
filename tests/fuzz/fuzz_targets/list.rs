//! Reads any text as a list, a number, a date, and a yes or no. There is no panic, and list items are trimmed and not empty.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usage_signals::model::Value;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let value = Value::Text(text);
    if let Ok(items) = value.read_list() {
        assert!(items.iter().all(|item| !item.is_empty() && item.trim() == item));
    }
    if let Ok(number) = value.read_number() {
        assert!(number.is_finite());
    }
    let _ = (value.read_date(), value.read_yes_no(), value.read_text().is_ok());
});
