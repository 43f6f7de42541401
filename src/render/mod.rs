//! Outputs: one file each. A renderer knows only [`Report`](crate::Report) and [`Decision`](crate::Decision).

mod json;

pub use json::{SCHEMA, to_json};
