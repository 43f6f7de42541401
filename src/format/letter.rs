//! What a message adds up to: tasks, verdicts, figures and claims, whether it came as Markdown or as JSON.
//!
//! The readers of both forms say each line here with the place where it stands. At the end the last explicit result
//! counts before headings, and evidence of present trouble counts before a result that praises.

use crate::format::claim::{self, Tally, Tone};
use crate::gate::Heard;
use crate::item::{Item, Mark, Scope, TestRun};
use crate::kind::Phase;
use crate::report::{Counts, Failure, Level, Note, Outcome, Signal, Span, Task, TextLine};

/// How many claims one message can make; more is no message.
const MAX_CLAIMS: usize = 400;

/// How many tasks one message can name.
const MAX_TASKS: usize = 200;

/// A name for a content: the same bytes have the same. FNV-1a, 64 bits.
pub(crate) fn content_id(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.trim_ascii().iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Where a line of a message stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub tone: Tone,
    pub phase: Option<Phase>,
    /// The task whose block it is in.
    pub task: Option<usize>,
    /// What the lines above it count and speak of, for an item of a nested list.
    pub parent: Option<String>,
    /// The heading that it stands below.
    pub heading: Option<String>,
}

impl Place {
    pub(crate) const TOP: Place = Place { tone: Tone::Open, phase: None, task: None, parent: None, heading: None };
}

#[derive(Debug)]
struct Claim {
    text: String,
    span: Span,
    phase: Option<Phase>,
    task: Option<usize>,
    count: u64,
    subject: Option<String>,
    /// It stands among the issues or behind a cross, and is not a sentence of a summary.
    firm: bool,
    hedged: bool,
    /// It quotes the output of a tool.
    pasted: bool,
    /// It only counts failed tests.
    figure: bool,
    /// What the readers of logs make of the output that it quotes.
    quoted: Option<Box<Failure>>,
}

impl Claim {
    /// Whether it only counts what failed, or only states that something did.
    fn is_bare(&self) -> bool {
        let bare = || match claim::tally(&claim::heard(&self.text)) {
            Some(tally) => tally.scope.is_none(),
            None => self.text.trim_end().ends_with(':'),
        };
        self.subject.is_none() && !self.pasted && self.quoted.is_none() && bare()
    }
}

#[derive(Debug)]
struct Figure {
    tally: Tally,
    span: Span,
    task: Option<usize>,
    text: String,
}

/// A result that a message states, by its weight and place.
#[derive(Clone, Copy, Debug)]
struct Stated {
    weight: u8,
    outcome: Outcome,
    span: Span,
}

/// One message as it is read.
#[derive(Debug, Default)]
pub(crate) struct Letter {
    tasks: Vec<Task>,
    claims: Vec<Claim>,
    figures: Vec<Figure>,
    stated: Option<Stated>,
    build: Outcome3,
    failed_check: Option<(String, Span)>,
    last: Span,
    lines_omitted: bool,
    is_cut: bool,
    /// The last line of a list whose figure was given to its first item.
    heir_of: Option<String>,
    /// Totals that the message gives as numbers.
    told: Option<TestRun>,
    /// The text of the result, for the mark.
    result: String,
    /// Who is asked to act: by a request in a sentence, else by the address.
    asked: Option<(bool, String)>,
    /// Priorities of tasks, which may stand before the tasks themselves.
    priorities: Vec<(String, u8)>,
}

/// An outcome that defaults to unknown.
#[derive(Clone, Copy, Debug)]
struct Outcome3(Outcome);

impl Default for Outcome3 {
    fn default() -> Self {
        Outcome3(Outcome::Unknown)
    }
}

impl Letter {
    /// The index of a task, which is added if it is new.
    pub(crate) fn task(&mut self, id: &str) -> Option<usize> {
        if let Some(known) = self.tasks.iter().position(|task| task.id == id) {
            return Some(known);
        }
        if self.tasks.len() >= MAX_TASKS {
            return None;
        }
        self.tasks.push(Task {
            id: id.to_owned(),
            title: None,
            status: Outcome::Unknown,
            build: Outcome::Unknown,
            tests: None,
            causes: Vec::new(),
            session: None,
            priority: None,
        });
        Some(self.tasks.len() - 1)
    }

    pub(crate) fn task_mut(&mut self, index: usize) -> &mut Task {
        &mut self.tasks[index]
    }

    /// The message states how the whole ended. The heavier statement counts, then the later.
    pub(crate) fn state(&mut self, weight: u8, outcome: Outcome, text: &str, span: Span) {
        if outcome != Outcome::Unknown && self.stated.is_none_or(|known| weight >= known.weight) {
            self.stated = Some(Stated { weight, outcome, span });
            self.result = text.to_owned();
        }
    }

    /// The message ends before its own end: what is missing may speak of failures, so it states no success.
    pub(crate) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// What was stated so far is replaced by what follows.
    pub(crate) fn correct(&mut self) {
        self.stated = None;
        self.failed_check = None;
        self.build = Outcome3::default();
    }

    /// The message gives its totals as numbers, which count before figures in prose.
    pub(crate) fn told_counts(&mut self, run: TestRun) {
        self.told = Some(run);
    }

    /// The message asks somebody: in a sentence, or by its address only.
    pub(crate) fn ask(&mut self, whom: &str, in_a_sentence: bool) {
        let whom = whom.trim().trim_matches(['*', '`', '_', '"', '@']);
        let stronger = self.asked.as_ref().is_none_or(|(known, _)| in_a_sentence && !known);
        if stronger && !whom.is_empty() && whom.len() <= 60 {
            self.asked = Some((in_a_sentence, whom.to_owned()));
        }
    }

    /// A line that may give the priority of the task it stands with, or of the one that it names.
    pub(crate) fn prioritize(&mut self, text: &str, place: &Place) {
        let Some(priority) = claim::priority(text) else { return };
        let ids = claim::task_ids(text);
        let id = match (&ids[..], place.task) {
            ([only], _) => only.clone(),
            ([], Some(task)) => self.tasks[task].id.clone(),
            _ => return,
        };
        if self.priorities.len() < MAX_TASKS {
            self.priorities.push((id, priority));
        }
    }

    /// A check of its own failed.
    pub(crate) fn check_failed(&mut self, text: &str, span: Span) {
        self.failed_check.get_or_insert_with(|| (text.to_owned(), span));
    }

    pub(crate) fn build(&mut self, outcome: Outcome, task: Option<usize>) {
        if outcome == Outcome::Unknown {
            return;
        }
        match task {
            Some(task) => self.tasks[task].build = outcome,
            None => self.build = Outcome3(outcome),
        }
    }

    /// Takes in a field such as `Status: FAILED`. Gives whether it says no more than that.
    pub(crate) fn field(&mut self, name: &str, value: &str, span: Span, place: &Place) -> bool {
        if matches!(name, "to" | "requested by" | "addressee" | "attention") {
            self.ask(value, false);
        }
        let outcome = claim::verdict(value);
        let bare = value.split_whitespace().filter(|word| word.len() > 1).count() <= 3;
        let weight = match name {
            _ if name.contains("overall") || name.contains("verdict") || name.starts_with("final") => 4,
            "validation result" | "validation status" | "validation outcome" | "decision" => 4,
            "result" | "outcome" | "conclusion" => 3,
            "status" | "state" | "current status" => 2,
            _ => 0,
        };
        if weight > 0 {
            match place.task {
                Some(task) if weight < 4 => {
                    if outcome != Outcome::Unknown {
                        self.tasks[task].status = outcome;
                    }
                }
                _ => self.state(weight, outcome, value, span),
            }
            return bare && outcome != Outcome::Unknown;
        }
        if name == "build" || name.starts_with("build ") || name.ends_with(" build") {
            self.build(outcome, place.task);
            if outcome == Outcome::Failed {
                self.check_failed(&format!("{name}: {value}"), span);
            }
            return bare && outcome != Outcome::Unknown;
        }
        false
    }

    /// Takes in one plain line: figures and claims.
    pub(crate) fn say(&mut self, text: &str, span: Span, place: &Place) {
        self.last = span;
        if let Some(task) = place.task
            && let Some(session) = claim::session(&claim::heard(text))
        {
            self.tasks[task].session.get_or_insert_with(|| session.to_owned());
        }
        self.prioritize(text, place);
        for sentence in sentences(text) {
            let heard = claim::heard(sentence);
            if let Some(whom) = claim::asked(&heard) {
                self.ask(&whom, true);
            }
            self.sentence(&heard, span, place);
        }
    }

    fn sentence(&mut self, heard: &Heard, span: Span, place: &Place) {
        let text = heard.text;
        let tally = if place.tone == Tone::Aside { None } else { claim::tally(heard) };
        let mut count = 0;
        if let Some(tally) = tally {
            let counts = tally.counts;
            if tally.scope.is_some() {
                count = counts.failed;
            }
            if let Some(task) = place.task
                && self.tasks[task].tests.is_none()
            {
                // What a task says of all tests is said of all of them, once.
                let whole = tally.scope.is_none() && text.to_lowercase().contains("total");
                if !whole {
                    self.tasks[task].tests = Some(counts);
                }
            }
            self.figures.push(Figure { tally, span, task: place.task, text: text.to_owned() });
        }
        if !claim::is_trouble(heard, place.tone) {
            return;
        }
        if self.claims.len() >= MAX_CLAIMS {
            self.lines_omitted = true;
            return;
        }
        let parent = place.parent.as_deref();
        // The first item below `LiveKit tests (12/18 failed):` is the main reason of the twelve.
        if count == 0
            && let Some(tally) = parent.and_then(|parent| claim::tally(&claim::heard(parent)))
            && self.heir_of.as_deref() != parent
        {
            count = tally.counts.failed;
            self.heir_of = place.parent.clone();
        }
        let (sign, rest) = claim::signed(text);
        let phase = claim::phase(text).or_else(|| parent.and_then(claim::phase)).or(place.phase);
        let lower = text.to_lowercase();
        let phase = match phase {
            // A generated file is missing where a build is told to fail: it is the build that misses it.
            None | Some(Phase::Unknown) if lower.contains("enoent") || lower.contains(".next/") => Some(Phase::Build),
            phase => phase,
        };
        let subject = match phase {
            Some(Phase::Dispatch) => dispatch_subject(&lower, parent.or(place.heading.as_deref())),
            _ => claim::subject(rest).or_else(|| parent.and_then(claim::subject)),
        };
        self.claims.push(Claim {
            firm: sign == Tone::Bad || place.tone == Tone::Bad,
            hedged: claim::is_hedged(text),
            text: rest.to_owned(),
            span,
            phase,
            task: place.task,
            count,
            subject,
            pasted: false,
            figure: false,
            quoted: None,
        });
    }

    /// Takes in a line of pasted output.
    pub(crate) fn pasted(&mut self, text: &str, span: Span, place: &Place) {
        self.last = span;
        let (sign, rest) = claim::signed(text);
        let quiet = matches!(place.tone, Tone::Good | Tone::Aside) || sign == Tone::Good;
        if quiet || rest.starts_with(['$', '#']) || self.claims.len() >= MAX_CLAIMS {
            return;
        }
        if let Some(tally) = claim::tally(&claim::heard(rest)) {
            self.figures.push(Figure { tally, span, task: place.task, text: rest.to_owned() });
        }
        // In a section of issues any line may tell; elsewhere only what a tool marks as an error.
        let tells = claim::is_trouble(&claim::heard(text), place.tone);
        if tells {
            self.claims.push(Claim {
                firm: sign == Tone::Bad || place.tone == Tone::Bad,
                hedged: false,
                text: rest.to_owned(),
                span,
                phase: place.phase,
                task: place.task,
                count: 0,
                subject: None,
                pasted: true,
                figure: false,
                quoted: None,
            });
        }
    }

    /// Takes in what the readers of logs see in the output whose lines were pasted before.
    pub(crate) fn quote(&mut self, failures: Vec<Failure>, place: &Place) {
        if matches!(place.tone, Tone::Good | Tone::Aside) {
            return;
        }
        for failure in failures {
            let lines = failure.span.line..=failure.span.last_line;
            self.claims.retain(|claim| !lines.contains(&claim.span.line));
            if self.claims.len() >= MAX_CLAIMS {
                self.lines_omitted = true;
                return;
            }
            self.claims.push(Claim {
                firm: place.tone == Tone::Bad,
                hedged: false,
                text: failure.text.first().map_or_else(String::new, |line| line.text.clone()),
                span: failure.span,
                phase: place.phase,
                task: place.task,
                count: failure.count,
                subject: None,
                pasted: true,
                figure: false,
                quoted: Some(Box::new(failure)),
            });
        }
    }

    /// Gives all that was found.
    pub(crate) fn finish(mut self, out: &mut dyn FnMut(Item)) {
        let overall = self.overall();
        // Whoever states failures beside a summary in prose has told them twice.
        // A figure or a verdict alone tells no reason: where others do, they speak.
        let reasons = self.claims.iter().any(|claim| !claim.is_bare() && claim.phase != Some(Phase::Dispatch));
        if reasons {
            self.claims.retain(|claim| !claim.is_bare());
        }
        let firm = self.claims.iter().any(|claim| claim.firm && claim.phase != Some(Phase::Dispatch));
        if firm {
            self.claims.retain(|claim| claim.firm || claim.phase == Some(Phase::Dispatch));
        }
        let failing = |counts: &Counts| counts.any_failed();
        let told = self.told.take();
        let failed_tests = told.as_ref().is_some_and(|run| failing(&run.counts))
            || overall.as_ref().is_some_and(|figure| failing(&figure.tally.counts))
            || self.tasks.iter().any(|task| task.tests.as_ref().is_some_and(failing));
        let stated = self.stated.map_or(Outcome::Unknown, |stated| stated.outcome);
        let failed_task = self.tasks.iter().any(|task| task.status == Outcome::Failed || task.build == Outcome::Failed);
        let contradicted = failed_tests || failed_task || self.failed_check.is_some();
        let firm_claim = self.claims.iter().any(|claim| !claim.hedged);
        let outcome = match stated {
            Outcome::Failed => Some(Outcome::Failed),
            Outcome::Passed if contradicted => {
                let at = self.stated.map(|stated| stated.span.line);
                let message = "the message states success, and tells of failures beside it";
                out(Item::Note(Note::warning(at, message)));
                Some(Outcome::Failed)
            }
            Outcome::Passed => Some(Outcome::Passed),
            Outcome::Unknown if contradicted || self.build.0 == Outcome::Failed => Some(Outcome::Failed),
            Outcome::Unknown if firm_claim => None,
            Outcome::Unknown if self.tasks.iter().any(|task| task.status == Outcome::Passed) => {
                let all = self.tasks.iter().all(|task| task.status == Outcome::Passed);
                Some(if all { Outcome::Passed } else { Outcome::Unknown })
            }
            Outcome::Unknown => {
                let green = overall.as_ref().is_some_and(|figure| figure.tally.counts.passed.is_some());
                Some(if green && self.claims.is_empty() { Outcome::Passed } else { Outcome::Unknown })
            }
        };
        for task in &mut self.tasks {
            if task.status == Outcome::Unknown && task.build == Outcome::Failed {
                task.status = Outcome::Failed;
            }
        }
        if outcome != Some(Outcome::Passed) {
            if self.claims.is_empty() && outcome == Some(Outcome::Failed) {
                self.claims.extend(self.last_claim(overall.as_ref()));
            }
            for index in 0..self.claims.len() {
                out(Item::Failure(self.failure(index)));
            }
        }
        let is_cut = self.is_cut;
        let whole = |outcome| if is_cut && outcome == Outcome::Passed { Outcome::Unknown } else { outcome };
        if let Some(run) = told {
            out(Item::Tests(TestRun { outcome: whole(run.outcome), ..run }));
        } else if let Some(figure) = overall {
            let counts = figure.tally.counts;
            let outcome = whole(if counts.any_failed() { Outcome::Failed } else { Outcome::Passed });
            out(Item::Tests(TestRun { tool: "message", counts, span: figure.span, outcome }));
        }
        if self.lines_omitted {
            out(Item::Note(Note::warning(None, "the message makes more claims than are read")));
        }
        for mut task in self.tasks {
            let own = self.priorities.iter().filter(|(id, _)| *id == task.id).map(|(_, priority)| *priority);
            task.priority = own.min();
            out(Item::Task(task));
        }
        if let Some((_, whom)) = self.asked {
            out(Item::Asked(whom));
        }
        if let Some(outcome) = outcome {
            let span = self.stated.map_or(self.last, |stated| stated.span);
            let outcome = whole(outcome);
            out(Item::Mark(Mark { scope: Scope::Job, outcome, status: None, text: self.result, span }));
        }
    }

    /// Gives the tasks that the whole message is about its verdict and its figures.
    pub(crate) fn settle_tasks(&mut self, of_the_whole: &[usize]) {
        let stated = self.stated.map_or(Outcome::Unknown, |stated| stated.outcome);
        let overall = self.overall().map(|figure| figure.tally.counts);
        for &index in of_the_whole {
            let alone = of_the_whole.len() == 1;
            let task = &mut self.tasks[index];
            if task.status == Outcome::Unknown {
                task.status = stated;
            }
            if task.build == Outcome::Unknown {
                task.build = self.build.0;
            }
            if alone && task.tests.is_none() {
                task.tests = overall;
            }
        }
    }

    /// The figure that counts all tests: without a scope, with the largest total, the last of them; failing that, the
    /// only scope there is.
    fn overall(&self) -> Option<Figure> {
        let of_all = self.figures.iter().filter(|figure| figure.tally.scope.is_none() || is_total(&figure.text));
        let best = of_all.max_by_key(|figure| {
            let counts = figure.tally.counts;
            (counts.total, counts.passed.is_some(), figure.span.line)
        });
        let only = || {
            let mut scopes: Vec<_> = self.figures.iter().map(|figure| &figure.tally.scope).collect();
            scopes.dedup();
            if scopes.len() == 1 { self.figures.last() } else { None }
        };
        best.or_else(only).map(|figure| Figure {
            tally: figure.tally.clone(),
            span: figure.span,
            task: figure.task,
            text: figure.text.clone(),
        })
    }

    /// The nearest thing to a claim in a message that only states failure.
    fn last_claim(&self, overall: Option<&Figure>) -> Option<Claim> {
        let failing = self.figures.iter().rev().filter(|figure| figure.tally.counts.any_failed());
        let figure = failing.max_by_key(|figure| figure.tally.scope.is_some()).or(overall);
        let (text, span, count, subject) = match figure {
            Some(figure) => (figure.text.clone(), figure.span, figure.tally.counts.failed, figure.tally.scope.clone()),
            None => {
                let stated = self.stated.filter(|stated| stated.outcome == Outcome::Failed);
                let stated = stated.map(|stated| (self.result.clone(), stated.span));
                let (text, span) = self.failed_check.clone().or(stated).unwrap_or((self.result.clone(), self.last));
                (text, span, 1, None)
            }
        };
        let phase = figure.map(|_| Phase::Test);
        let task = figure.and_then(|figure| figure.task);
        let figure = figure.is_some();
        let (firm, hedged, pasted, quoted) = (true, false, false, None);
        Some(Claim { text, span, phase, task, count, subject, firm, hedged, pasted, figure, quoted })
    }

    fn failure(&self, index: usize) -> Failure {
        let Claim { text, span, phase, task, count, subject, pasted, figure, quoted, .. } = &self.claims[index];
        if let Some(quoted) = quoted {
            let task = task.map(|task| self.tasks[task].id.clone());
            return Failure { level: Level::Claim, phase: phase.or(quoted.phase), task, ..(**quoted).clone() };
        }
        let mut count = *count;
        let lower = text.to_lowercase();
        // `ChatInput tests failing with …` stands for the figure that the task gives of them.
        let about_tests =
            lower.contains("tests fail") || lower.contains("tests are failing") || lower.contains("test failures");
        if count == 0 && about_tests && lower.contains(" with ") {
            let own = self.figures.iter().filter(|figure| figure.task == *task && figure.tally.scope.is_some());
            let own: Vec<&Figure> = own.collect();
            let named = own
                .iter()
                .find(|figure| figure.tally.scope.as_ref().is_some_and(|scope| lower.contains(&scope.to_lowercase())));
            let figure = named.or(if own.len() == 1 { own.first() } else { None });
            count = figure.map_or(0, |figure| figure.tally.counts.failed);
        }
        let heard = claim::heard(text);
        let only_figures = claim::tally(&heard).is_some() && subject.is_none();
        Failure {
            level: Level::Claim,
            phase: *phase,
            signal: match (figure, !pasted && claim::names_mock(text)) {
                (_, true) => Some(Signal::Mock),
                // Tests that fail, and no word on why: their expectations do not hold.
                (true, false) => Some(Signal::Assertion),
                (false, false) => claim::signal(&heard, *phase),
            },
            subject: subject.clone().filter(|_| !only_figures),
            text: vec![TextLine { text: text.clone(), span: *span }],
            span: *span,
            count,
            task: task.map(|task| self.tasks[task].id.clone()),
            ..Failure::default()
        }
    }
}

fn is_total(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("total")
        || lower.contains("test suite:")
        || lower.contains("full suite")
        || lower.contains("all tests")
}

/// What a claim about the coordinator's own calls is about.
fn dispatch_subject(lower: &str, parent: Option<&str>) -> Option<String> {
    let parent = parent.unwrap_or("").to_lowercase();
    for call in ["sessions_spawn", "sessions_send", "sessions_list", "sessions_history"] {
        if lower.contains(call) {
            return Some(call.to_owned());
        }
    }
    let spawn = ["spawn", "allowlist", "worker", "session created", "sub-agent"];
    let named = spawn.iter().any(|word| lower.contains(word) || parent.contains(word));
    named.then(|| "sessions_spawn".to_owned())
}

/// The sentences of a line; a file name or a figure does not end one.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut from = 0;
        while let Some(at) = text[from..].find(". ") {
            let end = from + at + 1;
            let begins = text[end..].trim_start().chars().next().is_some_and(char::is_uppercase);
            let abbreviated = text[..end - 1].rsplit(' ').next().is_some_and(|word| word.len() <= 2);
            if begins && !abbreviated {
                rest = Some(text[end..].trim_start());
                return Some(&text[..end]);
            }
            from = end;
        }
        rest = None;
        Some(text)
    })
}
