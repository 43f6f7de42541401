//! Outputs: one file each. A renderer knows only [`Report`](crate::Report) and [`Decision`](crate::Decision).

mod board;
mod changes;
mod escalation;
mod github;
mod json;
mod markdown;
mod mask;
mod text;

pub use board::to_board;
pub use changes::{diff_to_json, diff_to_text};
pub use escalation::to_escalation;
pub use github::to_github;
pub use json::{SCHEMA, from_json, json_schema, to_json};
pub use markdown::to_markdown;
pub use text::{Detail, Text};
