//! What the tool knows: its rules and kinds.

use std::fmt::Write as _;
use std::path::PathBuf;

use whyred::{EDGES, Edge, Kind, RuleSet};

use crate::args::{Args, RulesAction};
use crate::{Failed, output};

/// `whyred rules …`.
pub(crate) fn rules(action: &RulesAction, args: &Args) -> Result<u8, Failed> {
    match action {
        RulesAction::Check { files } => check(files, args),
        RulesAction::List => {
            let mut text = String::new();
            for rule in crate::rules(args)?.rules() {
                let kind = rule.kind.map_or("-", |kind| kind.as_str());
                let _ = writeln!(text, "{:<44} {:<22} {:<8} {}", rule.id, kind, rule.rank, rule.role);
            }
            output::print(&text).map(|()| 0)
        }
        RulesAction::Edges => {
            let mut text = String::new();
            for edge in EDGES {
                let _ = writeln!(text, "{}: {}", edge.id, edge.why);
                let _ = writeln!(text, "  {} explain {}", names(edge.from), names(edge.to));
                if let Some(words) = edge.words {
                    let _ = writeln!(text, "  where its lines match {words}");
                }
            }
            for rule in crate::rules(args)?.rules().iter().filter(|rule| !rule.explains.is_empty()) {
                let _ = writeln!(text, "{}\n  explains {}", rule.id, names(&rule.explains));
            }
            output::print(&text).map(|()| 0)
        }
    }
}

fn names(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

fn check(files: &[PathBuf], args: &Args) -> Result<u8, Failed> {
    let mut wrong = Vec::new();
    let mut count = 0;
    let files: Vec<&PathBuf> = files.iter().chain(&args.rules).collect();
    if files.is_empty() {
        let rules = RuleSet::built_in();
        count += rules.rules().len();
        wrong.extend(rules.check());
    }
    for path in files {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Failed::usage(format!("{name}: {error}")))?;
        let own = RuleSet::only_file(&name, &text).map_err(|error| Failed::usage(error.to_string()))?;
        // Together with the built-in rules an id may be taken, and a hit may be lost to another rule.
        let all = RuleSet::with_file(&name, &text).map_err(|error| Failed::usage(error.to_string()))?;
        count += own.rules().len();
        let mine = |complaint: &String| own.rules().iter().any(|rule| complaint.starts_with(&format!("{}: ", rule.id)));
        wrong.extend(all.check().into_iter().filter(mine).map(|complaint| format!("{name}: {complaint}")));
    }
    if !wrong.is_empty() {
        return Err(Failed::usage(format!("{} of the rules do not hold\n  {}", wrong.len(), wrong.join("\n  "))));
    }
    let hold = if count == 1 { "1 rule holds".to_owned() } else { format!("{count} rules hold") };
    output::print(&(hold + "\n")).map(|()| 0)
}

/// `whyred explain KIND|RULE`.
pub(crate) fn explain(name: &str, args: &Args) -> Result<u8, Failed> {
    let rules = crate::rules(args)?.with_examples();
    if let Some(rule) = rules.rules().iter().find(|rule| rule.id == name) {
        return output::print(&rule.explain()).map(|()| 0);
    }
    let kind = match name.parse::<Kind>() {
        Ok(kind) => kind,
        Err(_) if name.contains('/') => {
            return Err(Failed::usage(format!("no rule has the id \"{name}\"; `whyred rules list` shows all")));
        }
        Err(error) => return Err(Failed::usage(error.to_string())),
    };
    let mut text = format!("{kind}: {}\n\n", kind.meaning());
    let _ = writeln!(text, "nature  {} ({})", kind.nature(), kind.nature().meaning());
    let _ = writeln!(text, "action  {} ({})", kind.action(), kind.action().meaning());
    let tell = |text: &mut String, what: &str, kinds: &dyn Fn(&Edge) -> Option<&'static [Kind]>| {
        for edge in EDGES {
            if let Some(kinds) = kinds(edge) {
                let _ = writeln!(text, "{what}  {}: {}", names(kinds), edge.why);
            }
        }
    };
    tell(&mut text, "explains", &|edge| edge.from.contains(&kind).then_some(edge.to));
    tell(&mut text, "may be explained by", &|edge| edge.to.contains(&kind).then_some(edge.from));
    let own: Vec<_> = rules.rules().iter().filter(|rule| rule.kind == Some(kind)).collect();
    let _ = writeln!(text, "\n{} of the rules name it, each with a line that it hits:", own.len());
    for rule in own {
        let _ = writeln!(text, "  {}", rule.id);
        if let Some(hit) = rule.hits.first() {
            let _ = writeln!(text, "      {}", hit.line.trim());
        }
    }
    output::print(&text).map(|()| 0)
}
