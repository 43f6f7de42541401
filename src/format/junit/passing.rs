//! Cases that passed, one like the other. They are most of a report, all that is wanted of them is their number, and
//! one producer writes them all in one way: where a case is over, those that follow in the same shape are taken in at
//! once, value by value, without a look at each piece of markup.

use super::TESTCASE;
use super::attribute::word;
use crate::format::Place;
use crate::format::near;
use crate::format::patience::Patience;
use crate::format::xml::{Event, Lexer, Window};

/// What the value of an attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Name,
    Class,
    File,
    Time,
    /// Nothing that a case which passed is asked for.
    Free,
}

/// The element of a case that passed, as one that was read before: markup that is always the same, between values
/// that are not.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The markup before each value, and behind the last one.
    markup: Vec<u8>,
    /// For each value where the markup before it ends, and what it is for.
    values: Vec<(usize, Role)>,
    patience: Patience,
}

/// A case that passed. What it does not tell is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passed<'a> {
    pub name: &'a [u8],
    pub class: &'a [u8],
    pub file: &'a [u8],
    /// Where its element ends.
    pub end: usize,
}

impl Shape {
    /// The case at the beginning of `data`, if it has this shape.
    #[inline]
    pub(super) fn next<'a>(&mut self, data: &'a [u8]) -> Option<Passed<'a>> {
        let (mut pos, mut from) = (0, 0);
        let mut case = Passed::default();
        for &(to, role) in &self.values {
            pos += behind(&data[pos..], &self.markup[from..to])?;
            let quote = self.markup[to - 1];
            // An odd time is told of: where it ends early, no markup follows.
            let end = match role {
                Role::Time => near::find(data, pos, |byte| !(byte.is_ascii_digit() | (byte == b'.'))),
                _ => near::find(data, pos, |byte| byte == quote),
            };
            let value = &data[pos..end];
            match role {
                Role::Name => case.name = value,
                Role::Class => case.class = value,
                Role::File => case.file = value,
                Role::Time | Role::Free => {}
            }
            pos = end;
            from = to;
        }
        case.end = pos + behind(&data[pos..], &self.markup[from..]).filter(|length| *length > 0)?;
        self.patience.meets();
        Some(case)
    }

    /// Takes the shape of an element and of the white space before it, if it is that of a case which passed and of
    /// which nothing more is told.
    pub(super) fn learn(&mut self, element: &[u8]) {
        if !self.patience.tries() {
            return;
        }
        self.markup.clear();
        self.values.clear();
        if self.read(element).is_none() {
            self.markup.clear();
            self.values.clear();
        }
    }

    fn read(&mut self, element: &[u8]) -> Option<()> {
        let mut lexer = Lexer::default();
        let mut window = Window::new(element, Place::START, true, true);
        window.pos = element.len() - element.trim_ascii_start().len();
        let Event::Start(tag) = lexer.next(&mut window) else { return None };
        if tag.key != TESTCASE || tag.cut {
            return None;
        }
        let mut from = 0;
        for (name, value, at) in tag.attributes() {
            let role = match name {
                b"name" => Role::Name,
                b"classname" => Role::Class,
                b"file" | b"filepath" => Role::File,
                b"time" => Role::Time,
                // What says how the case ended is a part of the markup.
                b"status" | b"result" | b"outcome" if word(value).is_none() => continue,
                b"status" | b"result" | b"outcome" | b"failure" => return None,
                _ => Role::Free,
            };
            let again = self.values.iter().any(|(_, known)| *known == role && role != Role::Free);
            let quoted = matches!(element[at - 1], b'"' | b'\'');
            if again || !quoted {
                return None;
            }
            self.markup.extend_from_slice(&element[from..at]);
            self.values.push((self.markup.len(), role));
            from = at + value.len();
        }
        let empty = tag.empty;
        self.markup.extend_from_slice(&element[from..]);
        let mut ended = empty;
        loop {
            match lexer.next(&mut window) {
                Event::Text { raw, .. } if raw.trim_ascii().is_empty() && !ended => {}
                Event::End { key: TESTCASE, .. } if !ended => ended = true,
                Event::Eof if ended && !self.values.is_empty() => return Some(()),
                _ => return None,
            }
        }
    }
}

/// The length of `markup`, if `data` begins with it.
#[inline]
fn behind(data: &[u8], markup: &[u8]) -> Option<usize> {
    data.starts_with(markup).then_some(markup.len())
}

#[cfg(test)]
mod tests {
    use super::{Passed, Shape};
    use crate::{Analyzer, Source};

    fn shape(element: &str) -> Shape {
        let mut shape = Shape::default();
        shape.learn(element.as_bytes());
        shape
    }

    #[test]
    fn an_element_is_met_again_with_other_values() {
        for (element, next) in [
            (
                "<testcase classname=\"A\" name=\"b\" time=\"0.1\"/>",
                "<testcase classname=\"C>\" name=\"d d\" time=\"12\"/>",
            ),
            ("<testcase name='b' classname='A'>\n</testcase>", "<testcase name='d d' classname='C>'>\n</testcase>"),
            (
                "<testcase name=\"b\" status=\"run\" id=\"1\" classname=\"A\"></testcase>",
                "<testcase name=\"d d\" status=\"run\" id=\"2\" classname=\"C>\"></testcase>",
            ),
        ] {
            let (element, next) = (format!("\n  {element}"), format!("\n  {next}"));
            let data = format!("{next}\n  <testcase");
            let expected = Passed { name: b"d d", class: b"C>", file: b"", end: next.len() };
            assert_eq!(shape(&element).next(data.as_bytes()), Some(expected), "{element}");
            for cut in 0..next.len() {
                assert_eq!(shape(&element).next(&next.as_bytes()[..cut]), None, "{element} {cut}");
            }
        }
    }

    #[test]
    fn what_tells_more_than_that_it_passed_has_no_shape() {
        for element in [
            "<testcase name=\"a\" status=\"failed\"/>",
            "<testcase name=\"a\" failure=\"it broke\"/>",
            "<testcase name=\"a\" name=\"b\"/>",
            "<testcase name=a/>",
            "<testcase name=\"a\"><skipped/></testcase>",
            "<testcase name=\"a\">text</testcase>",
            "<testcase name=\"a\"><system-out>text</system-out></testcase>",
            "<testcase/>",
            "<testsuite name=\"a\"/>",
        ] {
            assert_eq!(shape(element).next(element.as_bytes()), None, "{element}");
        }
        let mut timed = shape("<testcase name=\"a\" time=\"1\"/>");
        assert_eq!(timed.next(b"<testcase name=\"a\" time=\"1,5\"/>"), None);
        let mut run = shape("<testcase name=\"a\" status=\"run\"/>");
        assert_eq!(run.next(b"<testcase name=\"a\" status=\"error\"/>"), None);
    }

    /// Where passing cases are asked for, each element is looked at by itself: the counts are the same.
    #[test]
    fn cases_count_as_they_do_one_by_one() {
        let elements = [
            "<testcase classname=\"A\" name=\"a\" time=\"0.1\"/>",
            "<testcase classname=\"A\" name=\"b\" time=\"12\"/>",
            "<testcase classname=\"B\" name=\"b\" time=\"1,5\"/>",
            "<testcase classname=\"Test suite failed to run\" name=\"b\" time=\"1\"/>",
            "<testcase classname=\"A\" name=\"a\" time=\"0.1\"><failure message=\"no\"/></testcase>",
            "<testcase classname=\"A\" name=\"c\" time=\"0.1\"><skipped/></testcase>",
            "<testcase classname=\"A\" name=\"d\" time=\"0.1\"></testcase>",
            "<testcase classname=\"A\" name=\"e\" time=\"0.1\"></testcase>",
            "<testcase classname='A' name='e' time='3'/>",
            "<testcase name=\"f\" status=\"run\" classname=\"A\"/>",
            "<testcase name=\"g\" status=\"failed\" classname=\"A\"/>",
            "<testcase name=\"g\" status=\"run\" classname=\"A\"/>",
            "</testsuite><testsuite name=\"t\">",
            "<!-- <testcase name=\"x\"/> -->",
        ];
        let mut seed = 7_u64;
        let mut roll = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for round in 0..400 {
            let mut xml = String::from("<testsuites><testsuite name=\"s\">");
            for _ in 0..roll(40) {
                let element = elements[roll(elements.len())];
                for _ in 0..=roll(4) {
                    xml += ["\n  ", "\n  ", "\n  ", "", " "][roll(5)];
                    xml += element;
                }
            }
            xml += "</testsuite></testsuites>";
            let cut = if round % 3 == 0 { roll(xml.len()) } else { xml.len() };
            let read = |analyzer: Analyzer| {
                let report = analyzer.analyze([Source::bytes("report.xml", &xml.as_bytes()[..cut])]);
                let causes = report.causes.iter().map(|cause| (cause.kind, cause.count)).collect::<Vec<_>>();
                (report.outcome, report.tests, report.notes, causes)
            };
            let (fast, slow) = (read(Analyzer::new()), read(Analyzer::new().keep_passed(true)));
            assert_eq!(fast, slow, "{}", &xml[..cut]);
        }
    }

    #[test]
    fn an_end_tag_in_another_window_gives_no_shape() {
        let mut session = Analyzer::new().session("report.xml");
        // A suite within the case ends it, far behind the beginning of its window; its own end tag stands in the next.
        session.push(format!("<testsuite>{}<testcase name=\"a\"><testsuite>", " ".repeat(1 << 19)).as_bytes());
        session.push(b"</testsuite></testcase></testsuite>");
        let report = session.finish();
        assert_eq!(report.tests.map(|counts| counts.total), Some(1));
    }
}
