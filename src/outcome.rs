//! How one input ended, and which of its findings stand.
//!
//! A log is cut into *stretches*: between steps, between commands, up to the totals of a test runner or the last word
//! of a tool. What stands in a stretch that ended well is a decoy, however frightening: passed things are not
//! searched. Success needs positive evidence, and so does failure; where there is neither, the outcome is unknown.

mod resolve;
mod retries;
mod runs;
mod standing;

use crate::baseline::Baseline;
use crate::cause::{Filing, Group, Ledger, evidence, quote};
use crate::classify::{Memo, Verdict, classify, classify_line, set_phase};
use crate::item::{Attempt, Item, LogLine, Mark, Scope, Step};
use crate::kind::{Kind, Nature, Phase};
use crate::report::{
    Counts, Evidence, Failure, HintLine, Ignored, Level, Note, Outcome, PassedCase, Report, Signal, Span, Task,
    TextLine,
};
use crate::rules::{Rank, Role, RuleSet};
use retries::{announces_retry, hints, may_pass};
use runs::Runs;
use standing::{complains, is_aside};

/// How many notes of one input are kept.
const MAX_NOTES: usize = 50;

/// How many lines about a further try are kept in mind.
const MAX_HINT_LINES: usize = 1000;

/// How many tasks of one input are told.
const MAX_TASKS: usize = 5000;

/// How many last words are kept, one for each mark of failure.
const MAX_TAILS: usize = 100;

/// How many stretches are known, and as many commands and steps: more than there are groups. What comes behind them is
/// one stretch in which everything counts.
const MAX_STRETCHES: usize = 20_000;

/// How far above an exit line the last line of output is looked for.
const LAST_LINES: u64 = 30;

/// How near two findings of one kind stand that tell of one thing.
const ECHO_REACH: u64 = 40;

/// How far from a failure a line about a further try still speaks of it.
const HINT_REACH: u64 = 10;

/// Gathers what the parsers of one input find.
#[derive(Debug)]
pub(crate) struct Findings {
    pub name: String,
    exit_code: Option<i32>,
    task: Option<String>,
    ledger: Ledger,
    memo: Memo,
    stretches: Vec<Stretch>,
    steps: Vec<StepState>,
    commands: Vec<CommandState>,
    runs: Runs,
    any_step_failed: bool,
    any_step_passed: bool,
    /// The line of the last mark that told that a step ended well.
    step_passed_at: Option<u64>,
    job: Option<Mark>,
    /// The last mark of a tool or step that failed: evidence of last resort.
    last_failed: Option<Mark>,
    tool_passed: bool,
    /// The line at which something last ended well.
    passed_at: u64,
    /// The line at which the last work began of which the input tells the purpose, until its end is told.
    begun_at: Option<u64>,
    /// The last word of a tool was cut.
    tool_open: bool,
    tasks: Vec<Task>,
    tasks_omitted: bool,
    letter: Option<Letter>,
    attempts: Vec<Attempt>,
    /// Who is asked to act.
    asked: Option<String>,
    /// Lines of a log that speak of a further try, with their places.
    hints: Vec<(u64, HintLine)>,
    /// What the commands of the input were for, each once.
    phases: Vec<Phase>,
    /// What ended well by the word of a tool or a runner of tests.
    passed_phases: Vec<Phase>,
    notes: Vec<Note>,
    notes_omitted: u64,
    /// What the green runs of the job printed.
    baseline: Option<Baseline>,
    /// The last words before each mark of failure and before the end, with the step that they stand in.
    tails: Vec<(usize, TextLine)>,
    /// The line at which a tool gave up last, and whether hardly anything follows.
    gave_up: Option<(u64, bool)>,
    /// The line of a word of an error that hardly anything follows.
    complained_at: Option<u64>,
    /// What stands around each of them.
    around: Vec<Around>,
    /// The last line, where it is no word of an error, with the step that it stands in.
    last_line: Option<(usize, TextLine)>,
    /// The lines that no green run had.
    novel: Vec<TextLine>,
    /// The cases that passed, where they are asked for, with the format of the report that told them.
    passed: Vec<(Option<&'static str>, PassedCase)>,
    /// Lines that a rule knows to be no failure although another took them for one, and the first of them.
    dropped: u64,
    first_dropped: Option<Evidence>,
    /// The format of the report within the input that tells what comes; the console has none.
    pub teller: Option<&'static str>,
    /// The same of a report that is read in the log pass.
    reader: Option<&'static str>,
}

/// What stands around some last words.
#[derive(Debug, Default)]
struct Around {
    /// Where they stand.
    span: Span,
    /// What follows in the block.
    below: Vec<String>,
    /// What speaks of an error above the block, the nearest first.
    above: Vec<TextLine>,
    /// What stands near without a word of an error, the nearest first.
    near: Vec<TextLine>,
    /// What the command was for.
    phase: Option<Phase>,
}

/// The identity of a message.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub id: String,
    /// The ids of the messages that it replaces.
    pub supersedes: Vec<String>,
}

/// What was printed between two boundaries.
#[derive(Debug)]
struct Stretch {
    command: usize,
    /// What the step or command is for.
    phase: Option<Phase>,
    /// How it ended, where something says so.
    end: Outcome,
    /// Cases or suites failed in it, so that single lines in it say nothing new.
    failed_tests: bool,
    /// Something was filed under it. One without is used again, so that their number is bounded by that of groups.
    used: bool,
}

#[derive(Debug, Default)]
struct StepState {
    post: bool,
    /// The CI system marks the steps that fail.
    marked: bool,
    end: Option<Outcome>,
    phase: Option<Phase>,
    /// The line of the last error message that the CI system showed.
    annotated: u64,
    /// Some command of it was used.
    used: bool,
}

/// A command of a step.
#[derive(Debug, Default)]
struct CommandState {
    step: usize,
    /// What failed in it does not count: it may fail, is tried again, or what ran next proves that it ended well.
    excused: bool,
    /// A test runner said that its run failed.
    failed_run: bool,
    /// Some stretch of it was used.
    used: bool,
    /// The line of the first thing that was filed under it.
    first: u64,
}

/// What remains of one input.
pub(crate) struct Resolved {
    pub name: String,
    pub outcome: Outcome,
    pub tests: Option<Counts>,
    pub standing: Vec<Group>,
    pub tasks: Vec<Task>,
    pub letter: Option<Letter>,
    pub attempt: Option<Attempt>,
    pub notes: Vec<Note>,
    /// Who is asked to act, by a message.
    pub asked: Option<String>,
    /// What was found and does not count.
    pub ignored: Ignored,
    /// The phases that ended well, as the input shows.
    pub proven: Vec<Phase>,
    /// The last word of the job or message on how it ended.
    pub stated: Option<TextLine>,
    /// The cases that passed, where they are asked for.
    pub passed: Vec<PassedCase>,
}

impl Stretch {
    fn new(command: usize, phase: Option<Phase>) -> Self {
        Stretch { command, phase, end: Outcome::Unknown, failed_tests: false, used: false }
    }
}

impl Findings {
    pub(crate) fn new(name: &str, exit_code: Option<i32>, task: Option<String>) -> Self {
        Findings {
            name: name.to_owned(),
            exit_code,
            task,
            ledger: Ledger::default(),
            memo: Memo::default(),
            stretches: vec![Stretch::new(0, None)],
            steps: vec![StepState::default()],
            commands: vec![CommandState::default()],
            runs: Runs::default(),
            any_step_failed: false,
            any_step_passed: false,
            step_passed_at: None,
            job: None,
            last_failed: None,
            tool_passed: false,
            passed_at: 0,
            begun_at: None,
            tool_open: false,
            tasks: Vec::new(),
            tasks_omitted: false,
            letter: None,
            attempts: Vec::new(),
            asked: None,
            hints: Vec::new(),
            phases: Vec::new(),
            passed_phases: Vec::new(),
            notes: Vec::new(),
            notes_omitted: 0,
            baseline: None,
            tails: Vec::new(),
            gave_up: None,
            complained_at: None,
            around: Vec::new(),
            last_line: None,
            novel: Vec::new(),
            passed: Vec::new(),
            dropped: 0,
            first_dropped: None,
            teller: None,
            reader: None,
        }
    }

    /// Marks down what the green runs of the job printed too.
    pub(crate) fn compare(&mut self, baseline: Baseline) {
        self.baseline = Some(baseline);
    }

    /// Takes in what a parser found.
    pub(crate) fn take(&mut self, rules: &RuleSet, item: Item) {
        match item {
            Item::Failure(failure) => self.failure(rules, failure),
            Item::Passed(case) => {
                if self.passed.len() < Report::MAX_PASSED {
                    self.passed.push((self.reader.or(self.teller), case));
                }
            }
            Item::Line(line) => self.line(rules, &line),
            Item::Tests(run) => self.run(run),
            Item::Mark(mark) => self.mark(mark),
            Item::Step(step) => self.step(step),
            Item::Tail { line, below, others, around, error: true, gave_up, last, late } => {
                let last = last && !(self.runs.passed && is_aside(&line.text));
                self.gave_up = gave_up.then_some((line.span.line, last));
                self.complained_at = (late && complains(&line.text)).then_some(line.span.line);
                if self.tails.len() == MAX_TAILS {
                    self.tails.remove(MAX_TAILS / 2);
                }
                let phase = self.stretch().phase;
                self.around.push(Around { span: line.span, below, above: others, near: around, phase });
                self.tails.push((self.steps.len() - 1, line));
            }
            Item::Tail { line, error: false, around, .. } => {
                // What comes behind a mark of failure says nothing of what failed.
                let late = self.last_failed.as_ref().is_some_and(|mark| mark.span.line < line.span.line);
                if !late || self.last_line.is_none() {
                    let phase = self.stretch().phase;
                    self.around.truncate(2 * MAX_TAILS);
                    self.around.push(Around { span: line.span, near: around, phase, ..Around::default() });
                    self.last_line = Some((self.steps.len() - 1, line));
                }
            }
            Item::Novel(line) => self.novel.push(line),
            Item::Task(task) if self.tasks.len() < MAX_TASKS => self.tasks.push(task),
            Item::Task(_) => {
                // Nobody knows how those ended.
                self.tool_open = true;
                if !std::mem::replace(&mut self.tasks_omitted, true) {
                    let message = format!("more than {MAX_TASKS} tasks: the others are not told");
                    self.note(Note::warning(None, message));
                }
            }
            Item::Attempt(attempt) => self.attempt(attempt),
            Item::Letter { id, supersedes } => self.letter = Some(Letter { id, supersedes }),
            Item::Asked(whom) => {
                self.asked.get_or_insert(whom);
            }
            Item::Note(note) => self.note(note),
            Item::Teller(teller) => self.reader = teller,
        }
    }

    fn stretch(&mut self) -> &mut Stretch {
        self.stretches.last_mut().expect("there is always one")
    }

    /// The stretch at hand, under which something is about to be filed.
    fn use_stretch(&mut self, line: u64) -> u32 {
        self.stretch().used = true;
        let command = self.command();
        if !command.used {
            (command.used, command.first) = (true, line);
        }
        if let Some(step) = self.steps.last_mut() {
            step.used = true;
        }
        (self.stretches.len() - 1) as u32
    }

    fn command(&mut self) -> &mut CommandState {
        self.commands.last_mut().expect("there is always one")
    }

    fn next_command(&mut self, phase: Option<Phase>) {
        let fresh = CommandState { step: self.steps.len() - 1, ..CommandState::default() };
        let room = self.commands.len() < MAX_STRETCHES;
        let last = self.command();
        if !last.used {
            *last = fresh;
        } else if room {
            self.commands.push(fresh);
        } else {
            // A run that failed is not forgotten.
            *last = CommandState { failed_run: last.failed_run, ..fresh };
        }
        self.next_stretch();
        self.stretch().phase = phase;
        if let Some(phase) = phase
            && !self.phases.contains(&phase)
        {
            self.phases.push(phase);
        }
    }

    /// The input shows that a phase ended well.
    fn prove(&mut self, phase: Phase) {
        if phase != Phase::Unknown && !self.passed_phases.contains(&phase) {
            self.passed_phases.push(phase);
        }
    }

    fn next_stretch(&mut self) {
        let phase = self.stretch().phase;
        let fresh = Stretch::new(self.commands.len() - 1, phase);
        if self.stretch().used && self.stretches.len() < MAX_STRETCHES {
            self.stretches.push(fresh);
        } else {
            *self.stretch() = fresh;
        }
    }

    /// Begins a step behind one that was used or ended.
    fn next_step(&mut self, fresh: StepState) {
        if self.steps.len() < MAX_STRETCHES {
            self.steps.push(fresh);
        } else if let Some(last) = self.steps.last_mut() {
            *last = fresh;
        }
    }

    fn failure(&mut self, rules: &RuleSet, failure: Failure) {
        let mut verdict = classify(rules, &failure, &mut self.memo);
        let hints = if may_pass(verdict.nature) { hints(&failure) } else { Vec::new() };
        let Failure { level, test, file, span, count, follow_on, task, subject, .. } = failure;
        // An assertion is about the test that makes it, whatever its words name.
        if level == Level::Case && verdict.kind == Kind::Assertion && test.is_some() && subject.is_none() {
            verdict.subject = None;
        }
        if matches!(level, Level::Case | Level::Suite) && !follow_on {
            self.stretch().failed_tests = true;
        }
        set_phase(&mut verdict, self.stretch().phase);
        // What failed alone, and says nothing about what, is about the test.
        if verdict.subject.is_none() {
            verdict.subject = match verdict.kind {
                Kind::Assertion | Kind::SnapshotMismatch | Kind::TestTimeout | Kind::Unclassified => test.clone(),
                Kind::CompileError | Kind::LintViolation | Kind::InvalidConfig => {
                    file.as_ref().map(|file| file.path.clone())
                }
                _ => None,
            };
        }
        // What has no place of its own points at the beginning of the input.
        if verdict.line.span.line == 0 {
            verdict.line.span = if span.line > 0 { span } else { Span::on_line(1, 0, 0) };
        }
        let span = verdict.line.span;
        let filing = Filing {
            teller: self.reader.or(self.teller),
            stretch: self.use_stretch(span.line),
            task: task.or_else(|| self.task.clone()),
            count: count.max(1),
            verdict,
            level,
            test,
            file,
            follow_on,
            span,
            hints,
        };
        self.ledger.file(&self.name, filing);
    }

    fn line(&mut self, rules: &RuleSet, line: &LogLine) {
        if announces_retry(&line.text) {
            let stretch = (self.stretches.len() - 1) as u32;
            self.ledger.excuse(stretch, line.span.line);
        }
        let Some(mut verdict) = classify_line(rules, line, &mut self.memo) else { return };
        set_phase(&mut verdict, self.stretch().phase);
        if standing::ends_nothing(&line.text) {
            verdict.rank = Rank::Generic;
        }
        match verdict.role {
            Role::Decoy => {
                self.dropped += 1;
                let line = &verdict.line;
                self.first_dropped.get_or_insert_with(|| evidence(&self.name, line, None));
            }
            Role::Hint => {
                if self.hints.len() >= MAX_HINT_LINES {
                    self.hints.drain(..MAX_HINT_LINES / 2);
                }
                let hint = HintLine { text: quote(&line.text), stamp_ms: line.stamp_ms };
                self.hints.push((line.span.line, hint));
            }
            Role::Passed => {
                self.prove(verdict.phase);
                let mark = Mark {
                    scope: Scope::Tool,
                    outcome: Outcome::Passed,
                    status: None,
                    text: line.text.clone(),
                    span: line.span,
                };
                self.mark(mark);
            }
            Role::Root | Role::FollowOn => {
                let hint = may_pass(verdict.nature) && crate::hint::mentions(&line.text);
                let filing = Filing {
                    hints: hint
                        .then(|| HintLine { text: quote(&line.text), stamp_ms: line.stamp_ms })
                        .into_iter()
                        .collect(),
                    stretch: self.use_stretch(line.span.line),
                    teller: self.reader.or(self.teller),
                    task: self.task.clone(),
                    count: 1,
                    follow_on: verdict.role == Role::FollowOn,
                    verdict,
                    level: Level::Line,
                    test: None,
                    file: None,
                    span: line.span,
                };
                self.ledger.file(&self.name, filing);
            }
        }
    }

    fn mark(&mut self, mark: Mark) {
        if mark.outcome == Outcome::Passed {
            self.passed_at = self.passed_at.max(mark.span.last_line);
        }
        match mark.scope {
            Scope::Tool => {
                if mark.outcome == Outcome::Passed {
                    self.tool_passed = true;
                    self.stretch().end = Outcome::Passed;
                    self.next_stretch();
                }
                self.tool_open |= mark.outcome == Outcome::Unknown;
            }
            Scope::Step => {
                self.any_step_failed |= mark.outcome == Outcome::Failed;
                self.any_step_passed |= mark.outcome == Outcome::Passed;
                let passed = mark.outcome == Outcome::Passed;
                if let Some(step) = self.steps.last_mut()
                    && !(passed && step.end == Some(Outcome::Failed))
                {
                    step.end = Some(mark.outcome);
                }
                if passed {
                    self.step_passed_at = Some(mark.span.last_line);
                    // Where steps have no beginnings of their own, a mark speaks of the last command.
                    self.command().excused = true;
                    let phase = self.stretch().phase;
                    // What follows is work that has not ended yet, whether or not it begins with a mark of its own.
                    let fresh = StepState { phase, ..StepState::default() };
                    match self.steps.last_mut() {
                        Some(step) if step.post => {}
                        Some(step) if !step.used => *step = fresh,
                        _ => self.next_step(fresh),
                    }
                    self.next_command(phase);
                } else {
                    // A step that fails behind the last word of a job that succeeded is another's.
                    self.job.take_if(|job| mark.outcome == Outcome::Failed && job.outcome == Outcome::Passed);
                    self.next_stretch();
                }
            }
            Scope::Command => self.begun_at = self.begun_at.max(Some(mark.span.line)),
            Scope::Job => self.job = Some(mark.clone()),
            Scope::Attempt => {
                self.command().excused = true;
                // An attempt can be of several commands: its mark covers them.
                let within = |command: &&mut CommandState| command.first >= mark.span.line;
                self.commands.iter_mut().rev().skip(1).take_while(within).for_each(|command| command.excused = true);
                let phase = self.stretch().phase;
                self.next_command(phase);
            }
            Scope::Annotation => {
                if let Some(step) = self.steps.last_mut() {
                    step.annotated = mark.span.line;
                }
                return;
            }
        }
        if mark.outcome == Outcome::Failed {
            self.last_failed = Some(mark);
        }
    }

    fn step(&mut self, step: Step) {
        self.runs.views.part(&step);
        self.begun_at = match step.phase {
            _ if step.post => None,
            Some(Phase::Build | Phase::Test | Phase::Lint | Phase::Deploy) if !step.tolerated => Some(step.span.line),
            None if step.work && !step.tolerated && !self.steps.last().is_some_and(|step| step.post) => {
                Some(step.span.line)
            }
            _ => self.begun_at,
        };
        if step.clears {
            self.command().excused = true;
        }
        let mut phase = step.phase;
        if step.command {
            phase = phase.or(self.steps.last().and_then(|step| step.phase));
        } else {
            // The steps of a job come before its last word: what begins behind one that succeeded is another job's.
            self.job.take_if(|job| !step.post && job.outcome == Outcome::Passed);
            let fresh = StepState { post: step.post, marked: step.marked, phase, ..StepState::default() };
            match self.steps.last_mut() {
                // Where each failure is marked, a step that ends without a mark or a message ended well.
                Some(last) if last.marked && step.marked && last.end.is_none() && last.annotated == 0 && !last.post => {
                    last.end = Some(Outcome::Passed);
                    self.any_step_passed = true;
                    self.next_step(fresh);
                }
                // An action says that it failed by an error message as its last word, and no more.
                Some(last) if last.end.is_none() && last.annotated > 0 && last.annotated + 1 == step.span.line => {
                    last.end = Some(Outcome::Failed);
                    self.any_step_failed = true;
                    self.next_step(fresh);
                }
                Some(last) if !last.used => *last = fresh,
                _ => self.next_step(fresh),
            }
        }
        // What ended well before says nothing of work that has begun since.
        self.any_step_passed &= self.steps.last().is_some_and(|step| step.post);
        self.next_command(phase);
        self.command().excused = step.tolerated;
    }

    /// Whether a stretch or its step is the last for which there was room, and so may be several.
    fn is_several(&self, stretch: u32) -> bool {
        let step = self.commands[self.stretches[stretch as usize].command].step;
        stretch as usize + 1 == MAX_STRETCHES || step + 1 == MAX_STRETCHES
    }

    /// Whether what failed in a command cannot be why the job failed.
    fn is_excused(&self, command: &CommandState) -> bool {
        let step = &self.steps[command.step];
        command.excused || step.post || step.end == Some(Outcome::Passed)
    }

    /// The input holds nothing at all: that proves nothing, and somebody has to see why.
    pub(crate) fn nothing(&mut self, rules: &RuleSet, what: &str) {
        self.runs.open = true;
        let span = Span::on_line(1, 0, 0);
        let text = vec![TextLine { text: what.to_owned(), span }];
        let signal = Some(Signal::NoTests);
        self.failure(rules, Failure { level: Level::Run, signal, text, span, ..Failure::default() });
    }

    fn note(&mut self, mut note: Note) {
        if self.notes.len() >= MAX_NOTES {
            self.notes_omitted += 1;
            return;
        }
        note.source.get_or_insert_with(|| self.name.clone());
        self.notes.push(note);
    }
}

/// A failure of which nothing is known but its place.
pub(crate) fn unclassified(line: TextLine, task: Option<String>) -> Filing {
    let span = line.span;
    Filing {
        verdict: Verdict {
            kind: Kind::Unclassified,
            nature: Nature::Deterministic,
            phase: Phase::Unknown,
            subject: None,
            rule: "none".to_owned(),
            rank: Rank::Generic,
            role: Role::Root,
            flip: None,
            explains: Vec::new(),
            survives: false,
            line,
            runner_up: None,
        },
        level: Level::Run,
        count: 1,
        test: None,
        file: None,
        follow_on: false,
        task,
        stretch: 0,
        teller: None,
        span: Span { ..span },
        hints: Vec::new(),
    }
}
