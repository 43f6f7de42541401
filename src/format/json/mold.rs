//! Objects of an array that are written alike but for some of their values, as the passing cases of a report are: one
//! that was read gives the mold, and those that fit it are passed over piece by piece, without a look at each member.

use super::{Cursor, Shape};
use crate::format::patience::Patience;

/// What stands between two pieces of markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// The rest of a string and its closing quote.
    Text,
    Number,
    /// An array or an object.
    Nested,
}

/// An object: bytes that are always the same, between values that are not.
#[derive(Debug, Default)]
pub(crate) struct Mold {
    /// The bytes before each gap, and behind the last one.
    markup: Vec<u8>,
    /// Where the markup before each gap ends.
    gaps: Vec<(usize, Gap)>,
    patience: Patience,
}

impl Mold {
    /// Moves the cursor behind the object that it stands at, if that fits.
    pub(crate) fn pass(&mut self, cursor: &mut Cursor<'_>) -> bool {
        let fits = !self.markup.is_empty() && self.fit(&mut Cursor { ..*cursor }).map(|end| cursor.pos = end).is_some();
        if fits {
            self.patience.meets();
        }
        fits
    }

    /// The offset behind the object at the cursor.
    fn fit(&self, cursor: &mut Cursor<'_>) -> Option<usize> {
        let mut from = 0;
        for &(to, gap) in &self.gaps {
            cursor.pass(&self.markup[from..to])?;
            match gap {
                Gap::Text => cursor.skip_text().ok()?,
                Gap::Nested => cursor.skip().ok()?,
                Gap::Number => {
                    let rest = &cursor.bytes[cursor.pos..];
                    let number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
                    cursor.pos += rest.iter().position(|byte| !number(byte))?;
                }
            }
            from = to;
        }
        cursor.pass(&self.markup[from..])?;
        Some(cursor.pos)
    }

    /// Makes the mold of the object that stands from `start` to the cursor. The values of keys that are `told` must be
    /// the same in all that fit.
    pub(crate) fn make(&mut self, cursor: &Cursor<'_>, start: usize, told: impl Fn(&[u8]) -> bool) {
        if !self.patience.tries() {
            return;
        }
        self.markup.clear();
        self.gaps.clear();
        let bytes = &cursor.bytes[..cursor.pos];
        let mut from = start;
        let mut reader = Cursor { bytes, pos: start };
        let whole = reader.members(|key, reader| {
            let shape = reader.shape()?;
            let value = reader.pos;
            reader.skip()?;
            let (open, gap) = match (shape, bytes[value]) {
                _ if told(key.raw) => return Ok(()),
                (Shape::Text, _) => (value + 1, Gap::Text),
                (Shape::Scalar, b'-' | b'0'..=b'9') => (value, Gap::Number),
                (Shape::Scalar, _) => return Ok(()),
                (Shape::Array | Shape::Object, _) => (value, Gap::Nested),
            };
            self.markup.extend_from_slice(&bytes[from..open]);
            self.gaps.push((self.markup.len(), gap));
            from = reader.pos;
            Ok(())
        });
        match whole {
            Ok(()) => self.markup.extend_from_slice(&bytes[from..]),
            Err(_) => self.markup.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mold;
    use crate::format::json::Cursor;

    fn mold(element: &str) -> Mold {
        let mut mold = Mold::default();
        let mut cursor = Cursor::new(element.as_bytes());
        cursor.move_to(element.len());
        mold.make(&cursor, 0, |key| key == b"status");
        mold
    }

    const ELEMENT: &str =
        r#"{"titles":["a"],"ms":3,"name":"x","place":null,"at":{"line":1},"status":"passed", "ok":true}"#;

    #[test]
    fn an_object_with_other_values_fits() {
        let other = r#"{"titles":["b]","c"],"ms":-1.5e3,"name":"y\"}","place":null,"at":{"line":"}"},"status":"passed", "ok":true}"#;
        let bytes = format!("{other},{{");
        let mut cursor = Cursor::new(bytes.as_bytes());
        assert!(mold(ELEMENT).pass(&mut cursor));
        assert_eq!(cursor.pos(), other.len());
        for end in 0..other.len() {
            let mut cursor = Cursor::new(&bytes.as_bytes()[..end]);
            assert!(!mold(ELEMENT).pass(&mut cursor), "{end}");
            assert_eq!(cursor.pos(), 0);
        }
    }

    #[test]
    fn what_says_another_thing_does_not_fit() {
        for (from, to) in [
            ("\"passed\"", "\"failed\""),
            ("null", "{\"line\":1}"),
            ("true", "false"),
            ("3", "null"),
            ("\"x\"", "7"),
            ("\"status\"", "\"state\""),
        ] {
            let other = ELEMENT.replacen(from, to, 1) + ",";
            let mut cursor = Cursor::new(other.as_bytes());
            assert!(!mold(ELEMENT).pass(&mut cursor), "{other}");
        }
        assert!(!mold("7").pass(&mut Cursor::new(b"7,")));
    }
}
