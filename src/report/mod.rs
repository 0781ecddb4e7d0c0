//! The report of a scan, its two forms (text and JSON), and the layout that every command's text shares.

mod item;
mod json;
mod scan;
mod table;
mod text;

pub use item::{explain, explain_unknown, explain_work, performed, who};
pub use json::{item_to_json, joined, to_json, value_to_json};
pub use scan::{Ended, Preview, Previews, Problem, Report, Run, RunMode};
pub use table::to_table;
pub use text::{DEFAULT_WIDTH, Ruling, TextTable, clean, one_line, plural, problems_to_text, with_level};
