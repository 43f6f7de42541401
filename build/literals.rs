//! What a text must hold for an expression to match in it.
//!
//! An expression is dear to compile and to ask; whether a text holds one of a few literals is cheap. So each phrase has
//! a set of literals of which every match holds at least one, all in lower case, since phrases are asked so.

use crate::gates::LENGTH;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The most literals that one part of an expression may stand for.
const MAX_EXACT: usize = 24;

/// What is known of a part of an expression.
struct Part {
    /// All texts that it matches, where they are few.
    exact: Option<Vec<Vec<u8>>>,
    /// Literals of which every match holds one.
    required: Option<Vec<Vec<u8>>>,
}

/// The literals of which every match of an expression holds at least one; none where there are no such literals.
pub(crate) fn required(pattern: &str) -> Option<Vec<Vec<u8>>> {
    let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).expect("phrases are expressions");
    let Part { exact, required } = part(&hir);
    let mut found = better(exact, required)?;
    found.sort();
    found.dedup();
    // What holds a longer one holds the shorter one too.
    let within = |literal: &Vec<u8>, other: &Vec<u8>| other != literal && holds(literal, other);
    let kept = found.iter().filter(|literal| !found.iter().any(|other| within(literal, other))).cloned().collect();
    Some(kept)
}

fn holds(text: &[u8], literal: &[u8]) -> bool {
    text.windows(literal.len()).any(|window| window == literal)
}

/// The set that says more: whose shortest literal is longer, and which has fewer of them.
fn better(one: Option<Vec<Vec<u8>>>, other: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    let worth = |set: &Vec<Vec<u8>>| {
        let shortest = set.iter().map(Vec::len).min().unwrap_or(0);
        (shortest.min(6), std::cmp::Reverse(set.len()), shortest)
    };
    let usable = |set: Option<Vec<Vec<u8>>>| set.filter(|set| set.iter().all(|literal| literal.len() >= LENGTH));
    match (usable(one), usable(other)) {
        (Some(one), Some(other)) => Some(if worth(&one) >= worth(&other) { one } else { other }),
        (one, other) => one.or(other),
    }
}

fn part(hir: &Hir) -> Part {
    let any = Part { exact: None, required: None };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Part { exact: Some(vec![Vec::new()]), required: None },
        HirKind::Literal(literal) => Part { exact: Some(vec![literal.0.to_ascii_lowercase()]), required: None },
        HirKind::Class(class) => Part { exact: few(class), required: None },
        HirKind::Capture(capture) => part(&capture.sub),
        HirKind::Repetition(repetition) => {
            let Part { exact, required } = part(&repetition.sub);
            match (repetition.min, repetition.max) {
                (0, Some(1)) => {
                    let mut exact = exact.unwrap_or_default();
                    if exact.is_empty() || exact.len() == MAX_EXACT {
                        return any;
                    }
                    exact.push(Vec::new());
                    Part { exact: Some(exact), required: None }
                }
                (0, _) => any,
                (1, Some(1)) => Part { exact, required },
                (_, _) => Part { required: better(exact, required), exact: None },
            }
        }
        HirKind::Concat(parts) => {
            let mut run = vec![Vec::new()];
            let (mut whole, mut found) = (true, None);
            for Part { exact, required } in parts.iter().map(part) {
                found = better(found, required);
                match exact {
                    Some(exact) if run.len() * exact.len() <= MAX_EXACT => {
                        run = run
                            .iter()
                            .flat_map(|head| exact.iter().map(move |tail| [&head[..], tail].concat()))
                            .collect();
                    }
                    exact => {
                        whole = false;
                        found = better(found, Some(std::mem::replace(&mut run, exact.unwrap_or(vec![Vec::new()]))));
                    }
                }
            }
            match whole {
                true => Part { exact: Some(run), required: found },
                false => Part { exact: None, required: better(found, Some(run)) },
            }
        }
        HirKind::Alternation(parts) => {
            let parts: Vec<Part> = parts.iter().map(part).collect();
            let all: Option<Vec<_>> = parts.iter().map(|part| part.exact.clone()).collect();
            let exact = all.map(|sets| sets.concat()).filter(|set| set.len() <= MAX_EXACT);
            let each: Option<Vec<_>> = parts.into_iter().map(|part| better(part.exact, part.required)).collect();
            Part { exact, required: each.map(|sets| sets.concat()) }
        }
    }
}

/// The characters of a class, where they are few.
fn few(class: &Class) -> Option<Vec<Vec<u8>>> {
    let mut found = match class {
        Class::Unicode(class) => {
            let ranges = class.ranges().iter().map(|range| u32::from(range.start())..=u32::from(range.end()));
            let count: usize = ranges.clone().map(|range| range.count()).sum();
            let characters = ranges.flatten().filter_map(char::from_u32);
            (count <= 4)
                .then(|| characters.map(|one| one.to_ascii_lowercase().to_string().into_bytes()).collect::<Vec<_>>())?
        }
        Class::Bytes(_) => return None,
    };
    found.sort();
    found.dedup();
    Some(found)
}
