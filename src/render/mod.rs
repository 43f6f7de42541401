//! Outputs: one file each. A renderer knows only [`Report`](crate::Report) and [`Decision`](crate::Decision).

mod changes;
mod github;
mod json;
mod markdown;
mod mask;
mod text;

pub use changes::diff_to_text;
pub use github::to_github;
pub use json::{SCHEMA, json_schema, to_json};
pub use markdown::to_markdown;
pub use text::{Detail, Text};
