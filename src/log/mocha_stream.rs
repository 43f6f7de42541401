//! Mocha's `json-stream`: an event on each line, as a list of its name and what it is about.
//!
//! ```text
//! ["start",{"total":6}]
//! ["fail",{"title":"total","fullTitle":"Cart total","file":"/a/m.js","err":"41 !== 42","stack":"AssertionError…"}]
//! ["end",{"suites":2,"tests":5,"passes":1,"pending":1,"failures":4}]
//! ```

use serde_json::{Map, Value};

use super::runner::{Run, below};
use super::{Grip, Line, Reader};
use crate::item::{Item, MAX_COUNT, Step};
use crate::report::{Counts, FileRef, TextLine};

pub(super) const NEEDLES: &[&str] = &["[\"start\",{\"", "[\"fail\",{\"", "[\"end\",{\""];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(MochaStream::default())
}

#[derive(Default)]
struct MochaStream {
    run: Run,
}

impl Reader for MochaStream {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let Ok((event, about)) = serde_json::from_str::<(String, Map<String, Value>)>(line.text) else {
            return Grip::Pass;
        };
        let text = |key: &str| about.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let number = |key: &str| about.get(key).and_then(Value::as_u64).map(|count| count.min(MAX_COUNT));
        match event.as_str() {
            "start" if number("total").is_some() => {
                self.run = Run::default();
                let name = "mocha".to_owned();
                out(Item::Step(Step { name, span: line.span, command: true, ..Step::default() }));
            }
            "fail" => {
                let Some(title) = text("fullTitle").or(text("title")) else { return Grip::Pass };
                let said = text("stack").or(text("err")).unwrap_or("");
                let said = said.lines().map(|text| TextLine { text: text.to_owned(), span: line.span }).collect();
                let mut failure = below(title, said, line.span);
                if failure.text.is_empty() {
                    failure.text.push(line.to_text());
                }
                failure.file = failure.file.or_else(|| text("file").map(|path| FileRef::new(path, None, None)));
                out(Item::Failure(failure));
            }
            "end" => {
                let (Some(passed), Some(failed)) = (number("passes"), number("failures")) else { return Grip::Pass };
                let skipped = number("pending").unwrap_or(0);
                let total = passed + failed + skipped;
                let counts = Counts { total, passed: Some(passed), failed, skipped, ..Counts::default() };
                std::mem::take(&mut self.run).finish("mocha", counts, line.span, out);
            }
            _ => return Grip::Pass,
        }
        Grip::Take
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}
