//! Outputs: one file each. A renderer knows only [`Report`](crate::Report) and [`Decision`](crate::Decision).

mod json;
mod mask;
mod text;

pub use json::{SCHEMA, to_json};
pub use text::{Detail, Text};
