//! How one input ended, and which of its findings stand.
//!
//! A log is cut into *stretches*: between steps, between commands, up to the totals of a test runner or the last word
//! of a tool. What stands in a stretch that ended well is a decoy, however frightening: passed things are not
//! searched. Success needs positive evidence, and so does failure; where there is neither, the outcome is unknown.

use std::collections::HashSet;

use crate::baseline::Baseline;
use crate::cause::{Filing, Group, KEEP, Ledger, evidence, quote};
use crate::classify::{Memo, Verdict, classify, classify_line, set_phase};
use crate::edge::explain;
use crate::item::{Item, LogLine, Mark, Scope, Step, TestRun};
use crate::kind::{Kind, Nature, Phase};
use crate::report::{
    Counts, Evidence, Failure, HintLine, Ignored, Level, Note, Outcome, PassedCase, Report, Signal, Span, Task,
    TextLine,
};
use crate::rules::{Rank, Role, RuleSet};
use crate::words;

/// How many notes of one input are kept.
const MAX_NOTES: usize = 50;

/// How many lines about a further try are kept in mind.
const MAX_HINT_LINES: usize = 1000;

/// How many last words are kept, one for each mark of failure.
const MAX_TAILS: usize = 100;

/// How far above an exit line the last line of output is looked for.
const LAST_LINES: u64 = 30;

/// How many runs are held against others, to find two views of one.
const MAX_RUNS: usize = 100;

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
    job: Option<Mark>,
    /// The last mark of a tool or step that failed: evidence of last resort.
    last_failed: Option<Mark>,
    tool_passed: bool,
    /// The last word of a tool was cut.
    tool_open: bool,
    tasks: Vec<Task>,
    letter: Option<Letter>,
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
    /// What follows the newest of them in its block.
    below: Vec<(Span, Vec<String>)>,
    /// The last line, where it is no word of an error, with the step that it stands in.
    last_line: Option<(usize, TextLine)>,
    /// The lines that no green run had.
    novel: Vec<TextLine>,
    /// The cases that passed, where they are asked for.
    passed: Vec<PassedCase>,
    /// Lines that a rule knows to be no failure although another took them for one, and the first of them.
    dropped: u64,
    first_dropped: Option<Evidence>,
    /// What comes is told by a report within the input, rather than by the console around it.
    pub of_report: bool,
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
}

/// The test runs of the input, added up.
#[derive(Debug, Default)]
struct Runs {
    sum: Option<Counts>,
    /// What go's runner told since gotestsum told its totals, which hold the same cases again.
    of_go: Option<Counts>,
    passed: bool,
    /// A report was read that does not say how its run ended: it is empty, or was cut.
    open: bool,
    /// The runs that the console told, and those that reports among its lines told: they may be the same.
    told: [Vec<Counts>; 2],
    /// A report was read in the log pass, so that what the console told is not known apart.
    mixed: bool,
}

/// What remains of one input.
pub(crate) struct Resolved {
    pub name: String,
    pub outcome: Outcome,
    pub tests: Option<Counts>,
    pub standing: Vec<Group>,
    pub tasks: Vec<Task>,
    pub letter: Option<Letter>,
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
            job: None,
            last_failed: None,
            tool_passed: false,
            tool_open: false,
            tasks: Vec::new(),
            letter: None,
            asked: None,
            hints: Vec::new(),
            phases: Vec::new(),
            passed_phases: Vec::new(),
            notes: Vec::new(),
            notes_omitted: 0,
            baseline: None,
            tails: Vec::new(),
            below: Vec::new(),
            last_line: None,
            novel: Vec::new(),
            passed: Vec::new(),
            dropped: 0,
            first_dropped: None,
            of_report: false,
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
                    self.passed.push(case);
                }
            }
            Item::Line(line) => self.line(rules, &line),
            Item::Tests(run) => self.run(run),
            Item::Mark(mark) => self.mark(mark),
            Item::Step(step) => self.step(step),
            Item::Tail { line, below, error: true } => {
                if self.tails.len() == MAX_TAILS {
                    self.tails.remove(MAX_TAILS / 2);
                    self.below.remove(MAX_TAILS / 2);
                }
                self.below.push((line.span, below));
                self.tails.push((self.steps.len() - 1, line));
            }
            Item::Tail { line, error: false, .. } => {
                // What comes behind a mark of failure says nothing of what failed.
                let late = self.last_failed.as_ref().is_some_and(|mark| mark.span.line < line.span.line);
                if !late || self.last_line.is_none() {
                    self.last_line = Some((self.steps.len() - 1, line));
                }
            }
            Item::Novel(line) => self.novel.push(line),
            Item::Task(task) => self.tasks.push(task),
            Item::Letter { id, supersedes } => self.letter = Some(Letter { id, supersedes }),
            Item::Asked(whom) => {
                self.asked.get_or_insert(whom);
            }
            Item::Note(note) => self.note(note),
        }
    }

    fn stretch(&mut self) -> &mut Stretch {
        self.stretches.last_mut().expect("there is always one")
    }

    /// The stretch at hand, under which something is about to be filed.
    fn use_stretch(&mut self) -> u32 {
        self.stretch().used = true;
        self.command().used = true;
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
        if self.command().used {
            self.commands.push(fresh);
        } else {
            *self.command() = fresh;
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
        if self.stretch().used {
            self.stretches.push(fresh);
        } else {
            *self.stretch() = fresh;
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
                Kind::CompileError | Kind::LintViolation => file.as_ref().map(|file| file.path.clone()),
                _ => None,
            };
        }
        // What has no place of its own points at the beginning of the input.
        if verdict.line.span.line == 0 {
            verdict.line.span = if span.line > 0 { span } else { Span::on_line(1, 0, 0) };
        }
        let span = verdict.line.span;
        let filing = Filing {
            of_report: self.of_report,
            stretch: self.use_stretch(),
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
        let Some(mut verdict) = classify_line(rules, line) else { return };
        set_phase(&mut verdict, self.stretch().phase);
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
                    stretch: self.use_stretch(),
                    of_report: self.of_report,
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

    fn run(&mut self, run: TestRun) {
        self.stretch().end = run.outcome;
        if run.outcome == Outcome::Failed {
            self.use_stretch();
            self.command().failed_run = true;
        }
        if run.outcome == Outcome::Passed && run.counts.total > 0 {
            self.prove(Phase::Test);
        }
        self.runs.passed |= run.outcome == Outcome::Passed;
        self.runs.open |= run.outcome == Outcome::Unknown;
        self.runs.mixed |= run.tool == "tap";
        if run.tool != "go test" && run.counts.total + run.counts.errored > 0 {
            let told = &mut self.runs.told[usize::from(self.of_report)];
            if told.len() <= MAX_RUNS {
                told.push(run.counts);
            }
        }
        let sum = if run.tool == "go test" { &mut self.runs.of_go } else { &mut self.runs.sum };
        match sum {
            Some(sum) => sum.add(&run.counts),
            None => *sum = Some(run.counts),
        }
        if run.tool == "gotestsum" {
            self.runs.of_go = None;
        }
        self.next_stretch();
    }

    /// Finds out whether a report was printed among the lines of the console of the same runs, and drops one of the two
    /// views, of the counts and of the failures: the one that tells less.
    fn drop_twins(&mut self, groups: &mut Vec<Group>) {
        let [console, report] = &self.runs.told;
        if self.runs.mixed || console.is_empty() || report.is_empty() || console.len().max(report.len()) > MAX_RUNS {
            return;
        }
        // The console of pytest counts a case twice that passed and could not be torn down.
        let same = |one: &Counts, other: &Counts| {
            let figures = |counts: &Counts| [counts.failed, counts.errored, counts.skipped];
            figures(one) == figures(other) && one.total.abs_diff(other.total) <= one.errored
        };
        let sum = |runs: &[Counts]| {
            let mut sum = runs[0];
            runs[1..].iter().for_each(|counts| sum.add(counts));
            sum
        };
        // Each of some runs is one of the others.
        let within = |some: &[Counts], others: &[Counts]| {
            let mut others = others.to_vec();
            some.iter().all(|run| {
                let twin = others.iter().position(|other| same(run, other));
                twin.map(|index| others.swap_remove(index)).is_some()
            })
        };
        let equal = same(&sum(console), &sum(report));
        let drop_report = match (equal || within(report, console), within(console, report)) {
            (false, false) => return,
            (true, false) if !equal => true,
            (false, true) => false,
            _ => {
                let told = |of_report: bool| -> u64 {
                    let own = groups.iter().filter(|group| is_of_tests(group) && group.of_report == of_report);
                    own.map(|group| group.count).sum()
                };
                told(true) <= told(false)
            }
        };
        let (kept, dropped) = if drop_report { (console, report) } else { (report, console) };
        let mut counts = sum(kept);
        counts.flaky = counts.flaky.max(sum(dropped).flaky);
        counts.passed = counts.passed.or(sum(dropped).passed.filter(|_| equal));
        self.runs.sum = Some(counts);
        groups.retain(|group| !is_of_tests(group) || group.of_report != drop_report);
    }

    fn mark(&mut self, mark: Mark) {
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
                    // Where steps have no beginnings of their own, a mark speaks of the last command.
                    self.command().excused = true;
                    let phase = self.stretch().phase;
                    self.next_command(phase);
                } else {
                    self.next_stretch();
                }
            }
            Scope::Job => self.job = Some(mark.clone()),
            Scope::Attempt => {
                self.command().excused = true;
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
        if step.clears {
            self.command().excused = true;
        }
        let mut phase = step.phase;
        if step.command {
            phase = phase.or(self.steps.last().and_then(|step| step.phase));
        } else {
            let fresh = StepState { post: step.post, marked: step.marked, phase, ..StepState::default() };
            match self.steps.last_mut() {
                // Where each failure is marked, a step that ends without a mark or a message ended well.
                Some(last) if last.marked && step.marked && last.end.is_none() && last.annotated == 0 && !last.post => {
                    last.end = Some(Outcome::Passed);
                    self.any_step_passed = true;
                    self.steps.push(fresh);
                }
                // An action says that it failed by an error message as its last word, and no more.
                Some(last) if last.end.is_none() && last.annotated > 0 && last.annotated + 1 == step.span.line => {
                    last.end = Some(Outcome::Failed);
                    self.any_step_failed = true;
                    self.steps.push(fresh);
                }
                Some(last) if !last.used => *last = fresh,
                _ => self.steps.push(fresh),
            }
        }
        self.next_command(phase);
        self.command().excused = step.tolerated;
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

    /// Decides how the input ended and which findings stand.
    pub(crate) fn resolve(mut self) -> Resolved {
        if self.notes_omitted > 0 {
            let message = format!("{} more notes on this input are not listed", self.notes_omitted);
            let mut note = Note::info(None, message);
            note.source = Some(self.name.clone());
            self.notes.push(note);
        }
        let any_step_failed = self.any_step_failed;
        // Where steps are marked when they fail, an unmarked one did not.
        let unmarked = |step: &StepState| step.end.is_none() && any_step_failed;
        let mut groups = std::mem::take(&mut self.ledger.groups);
        groups.retain(|group| group.count > 0);
        self.drop_twins(&mut groups);
        // What a green run printed too is not why this one failed, unless a runner reports that it failed.
        if let Some(baseline) = self.baseline.take() {
            groups.retain(|group| {
                !matches!(group.level, Level::Line | Level::Diagnostic)
                    || !group.evidence.iter().all(|evidence| baseline.has(&evidence.text))
            });
            if baseline.is_cut() {
                let message = "the green runs have more different lines than are kept: what is new may not be new";
                self.note(Note::info(None, message));
            }
        }
        let (mut standing, mut demoted, mut follow_ons) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups {
            let stretch = &self.stretches[group.stretch as usize];
            let command = &self.commands[stretch.command];
            let excused = self.is_excused(command);
            // What the CI system says of the end of the job is no line of a test.
            let of_job = self.job.as_ref().is_some_and(|mark| mark.span.line == group.first.line);
            let line = group.level == Level::Line && !of_job;
            if group.follow_on {
                if !excused {
                    follow_ons.push(group);
                }
            } else if excused
                || unmarked(&self.steps[command.step])
                || (stretch.end == Outcome::Passed || stretch.failed_tests) && (line || incidental(&group))
            {
                demoted.push(group);
            } else {
                standing.push(group);
            }
        }
        // What a tool only warned of can be why a later one failed.
        if !standing.is_empty() {
            let (survivors, rest) = demoted.into_iter().partition(|group: &Group| group.verdict.survives);
            standing.extend::<Vec<Group>>(survivors);
            demoted = rest;
        }
        tell_once(&mut standing);
        fold_echoes(&mut standing);
        explain(&mut standing);
        let mut ignored = Ignored::default();
        let dropped = self.first_dropped.take();
        (ignored.decoys, ignored.first_decoy) = summed(&demoted);
        ignored.decoys += self.dropped;
        ignored.first_decoy = match (ignored.first_decoy, dropped.clone()) {
            (Some(one), Some(other)) => Some(if other.line < one.line { other } else { one }),
            (one, other) => one.or(other),
        };
        (ignored.follow_ons, ignored.first_follow_on) = summed(&follow_ons);
        settle_cancelled(&mut standing);
        let mut tests = self.runs.sum;
        if let Some(of_go) = &self.runs.of_go {
            tests.get_or_insert(Counts { passed: Some(0), ..Counts::default() }).add(of_go);
        }
        let outcome = self.outcome(&standing, &follow_ons, tests.as_ref());
        match outcome {
            Outcome::Failed if standing.is_empty() => {
                standing = self.last_resort(demoted, follow_ons);
                // What decides in the end was not passed over.
                ignored = Ignored { decoys: self.dropped, first_decoy: dropped, ..Ignored::default() };
            }
            Outcome::Passed => {
                let (count, first) = summed(&standing);
                ignored.decoys += count;
                ignored.first_decoy = ignored.first_decoy.or(first);
                standing.clear();
            }
            Outcome::Failed | Outcome::Unknown => {}
        }
        // A weak guess beside a firm finding is noise.
        if standing.iter().any(|group| group.verdict.rank > Rank::Generic) {
            standing.retain(|group| !weak(group));
        }
        fold_claims(&mut standing);
        for group in standing.iter_mut().filter(|group| may_pass(group.verdict.nature)) {
            let near = |at: u64| group.evidence.iter().any(|evidence| evidence.line.abs_diff(at) <= HINT_REACH);
            let found: Vec<HintLine> =
                self.hints.iter().filter(|(at, _)| near(*at)).map(|(_, hint)| hint.clone()).collect();
            group.hint(found);
        }
        if let Some(id) = &self.task
            && !self.tasks.iter().any(|task| task.id == *id)
        {
            self.tasks.push(Task {
                id: id.clone(),
                title: None,
                status: outcome,
                build: Outcome::Unknown,
                tests,
                causes: Vec::new(),
                session: None,
                priority: None,
            });
        }
        let mut proven = self.passed_phases;
        if outcome == Outcome::Passed {
            proven.extend(self.phases);
        }
        proven.retain(|phase| !standing.iter().any(|group| group.verdict.phase == *phase));
        Resolved {
            name: self.name,
            outcome,
            tests,
            standing,
            tasks: self.tasks,
            letter: self.letter,
            notes: self.notes,
            asked: self.asked,
            ignored,
            proven,
            stated: self.job.map(|mark| TextLine { text: mark.text, span: mark.span }),
            passed: self.passed,
        }
    }

    fn outcome(&mut self, standing: &[Group], follow_ons: &[Group], tests: Option<&Counts>) -> Outcome {
        let failed_tests = self.commands.iter().any(|command| command.failed_run && !self.is_excused(command));
        if let Some(code) = self.exit_code {
            if code != 0 {
                if !failed_tests && standing.is_empty() && tests.is_some() {
                    let message = format!("the report tells of no failure, but the exit status was {code}");
                    self.note(Note::warning(None, message));
                }
                return Outcome::Failed;
            }
            if failed_tests {
                self.note(Note::warning(None, "the report tells of failures, but the exit status was 0"));
                return Outcome::Failed;
            }
            return Outcome::Passed;
        }
        if let Some(job) = &self.job {
            return job.outcome;
        }
        if self.any_step_failed || failed_tests {
            return Outcome::Failed;
        }
        // That a report is empty does not mean that anything failed.
        let empty =
            |group: &Group| self.runs.open && group.level == Level::Run && group.verdict.rule == "signal/no-tests";
        let said = |group: &Group| !weak(group) && !empty(group);
        if !follow_ons.is_empty() || standing.iter().any(said) {
            return Outcome::Failed;
        }
        if !self.tool_open && (self.runs.passed || self.tool_passed || self.any_step_passed) {
            return Outcome::Passed;
        }
        // The bare output of a linter, and nothing that says otherwise.
        if standing.iter().any(|group| group.level == Level::Diagnostic) {
            return Outcome::Failed;
        }
        Outcome::Unknown
    }

    /// What was said last before the step failed; where green runs are known, only what they did not say.
    fn last_words(&self) -> Option<TextLine> {
        let failed = |step: &usize| self.steps[*step].end == Some(Outcome::Failed) && !self.steps[*step].post;
        let of_failed = self.tails.iter().rev().find(|(step, _)| failed(step));
        let of_work = || self.tails.iter().rev().find(|(step, _)| !self.steps[*step].post);
        let tail = of_failed.or_else(of_work).or(self.tails.last()).map(|(_, line)| line);
        if self.novel.is_empty() {
            return tail.cloned();
        }
        let end = tail.map_or(u64::MAX, |line| line.span.last_line);
        let told = |line: &&TextLine| line.span.line <= end && line.text.bytes().any(|byte| byte.is_ascii_alphabetic());
        let within = tail.filter(|tail| self.novel.iter().any(|line| line.span.line == tail.span.line));
        within.or_else(|| self.novel.iter().rev().find(told)).or_else(|| self.novel.last()).cloned()
    }

    /// What to show for an input that failed although no finding stands: the nearest thing to a cause.
    fn last_resort(&self, mut demoted: Vec<Group>, follow_ons: Vec<Group>) -> Vec<Group> {
        demoted.retain(|group| group.verdict.rank > Rank::Generic);
        // The work comes before what follows it.
        let post = |group: &Group| {
            let command = self.stretches[group.stretch as usize].command;
            self.steps[self.commands[command].step].post
        };
        if !demoted.iter().all(post) {
            demoted.retain(|group| !post(group));
        }
        if let Some(last) = demoted.iter().map(|group| group.stretch).max() {
            demoted.retain(|group| group.stretch == last);
            for group in &mut demoted {
                group.verdict.rank = Rank::Generic;
            }
            return demoted;
        }
        let evidence = match (self.last_words(), follow_ons.into_iter().next_back(), &self.last_failed) {
            (Some(line), _, _) => line,
            (None, Some(group), _) => TextLine { text: group.verdict.line.text, span: group.verdict.line.span },
            (None, None, Some(mark)) => TextLine { text: mark.text.clone(), span: mark.span },
            (None, None, None) => match &self.last_line {
                Some((_, line)) => line.clone(),
                None => return Vec::new(),
            },
        };
        let mut ledger = Ledger::default();
        let mut told = self.guess(&evidence);
        // An exit line tells only that it failed; what the step printed last is shown beside it.
        if let (None, Some((step, line))) = (self.last_words(), &self.last_line)
            && (self.steps[*step].end == Some(Outcome::Failed)
                || (1..=LAST_LINES).contains(&evidence.span.line.saturating_sub(line.span.line)))
            && *line != evidence
        {
            ledger.file(&self.name, unclassified(line.clone(), self.task.clone()));
            told = self.guess(line);
            let mut exit = Ledger::default();
            exit.file(&self.name, unclassified(evidence, self.task.clone()));
            if let (Some(known), Some(group)) = (ledger.groups.last_mut(), exit.groups.pop()) {
                known.evidence.extend(group.evidence);
            }
        } else {
            ledger.file(&self.name, unclassified(evidence, self.task.clone()));
        }
        if let (Some((kind, subject)), Some(group)) = (told, ledger.groups.first_mut()) {
            group.verdict.kind = kind;
            group.verdict.nature = kind.nature();
            group.verdict.subject = subject;
            "words".clone_into(&mut group.verdict.rule);
        }
        ledger.groups
    }

    /// What the last words seem to be about: those of the line, or of the lines below it.
    fn guess(&self, line: &TextLine) -> Option<(Kind, Option<String>)> {
        let below = self.below.iter().find(|(span, _)| *span == line.span);
        let below = below.iter().flat_map(|(_, below)| below.iter().map(String::as_str));
        std::iter::once(line.text.as_str()).chain(below).find_map(words::guess)
    }
}

/// Folds a finding without a subject into one of its kind nearby that says more: the attempts that a client counts
/// into the error that ends them.
fn fold_echoes(standing: &mut Vec<Group>) {
    let speaks = |group: &Group| group.verdict.subject.is_some() || group.level != Level::Line;
    let mut index = 0;
    while index < standing.len() {
        let echo = &standing[index];
        let near = |group: &Group| {
            group.verdict.kind == echo.verdict.kind
                && (group.verdict.nature == echo.verdict.nature
                    || group.verdict.nature == Nature::Deterministic
                        && group.first.line.abs_diff(echo.last.line) <= HINT_REACH)
                && group.stretch == echo.stretch
                && (group.first.line.abs_diff(echo.last.line) <= ECHO_REACH
                    || echo.first.line.abs_diff(group.last.line) <= ECHO_REACH)
        };
        let of_remote = matches!(
            echo.verdict.kind,
            Kind::RateLimit | Kind::ConnectionFailure | Kind::ServiceUnavailable | Kind::Timeout | Kind::LockContention
        );
        let found = (of_remote && echo.level == Level::Line)
            .then(|| {
                standing.iter().enumerate().find(|(other, group)| {
                    *other != index
                        && near(group)
                        && (speaks(group) && !speaks(echo)
                            || group.verdict.rank > echo.verdict.rank
                                && group.first.line > echo.last.line
                                && !speaks(echo))
                })
            })
            .flatten()
            .map(|(other, _)| other);
        let Some(other) = found else {
            index += 1;
            continue;
        };
        let echo = standing.remove(index);
        let group = &mut standing[if other > index { other - 1 } else { other }];
        let room = KEEP.saturating_sub(group.evidence.len());
        group.evidence.extend(echo.evidence.into_iter().take(room));
        group.hint(echo.hints);
    }
}

/// Whether a runner of tests tells it, of a case or of what holds cases.
fn is_of_tests(group: &Group) -> bool {
    matches!(group.level, Level::Case | Level::Suite)
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
        of_report: false,
        span: Span { ..span },
        hints: Vec::new(),
    }
}

/// Whether a line says that what was just told will be tried again: `Will retry in 2 seconds. 2 retries left.`
fn announces_retry(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["will retry in ", "retrying in ", "retries left", "retries remaining"].iter().any(|words| lower.contains(words))
}

/// Whether a word on a further try can matter for a failure of this nature.
fn may_pass(nature: Nature) -> bool {
    matches!(nature, Nature::Transient | Nature::Access | Nature::Ambiguous)
}

/// The lines of a failure that speak of a further try.
fn hints(failure: &Failure) -> Vec<HintLine> {
    let lines = failure.text.iter().take(100).filter(|line| crate::hint::mentions(&line.text));
    lines.take(5).map(|line| HintLine { text: quote(&line.text), stamp_ms: failure.stamp_ms }).collect()
}

/// How many findings there are, and the first of them.
fn summed(groups: &[Group]) -> (u64, Option<Evidence>) {
    let first = groups.iter().min_by_key(|group| group.first.line).and_then(|group| group.evidence.first());
    (groups.iter().map(|group| group.count).sum(), first.cloned())
}

/// Makes one of claims that tell the same thing twice, once with its subject and once without, and drops those that
/// say nothing beside those that do.
fn fold_claims(standing: &mut Vec<Group>) {
    let is_claim = |group: &Group| group.level == Level::Claim;
    if standing.iter().any(|group| group.verdict.kind != Kind::Unclassified) {
        standing.retain(|group| !is_claim(group) || group.verdict.kind != Kind::Unclassified);
    }
    let mut kept: Vec<Group> = Vec::new();
    let (claims, others) = std::mem::take(standing).into_iter().partition(is_claim);
    let mut claims: Vec<Group> = claims;
    // Those that say the most come first, so that the others fold into them.
    claims.sort_by_key(|group| (group.verdict.subject.is_none(), group.task.is_none(), group.first.line));
    // What is undefined because it is not doubled is a matter of the double.
    let doubled: Vec<String> = claims
        .iter()
        .filter(|group| group.verdict.kind == Kind::MockFailure)
        .filter_map(|group| group.verdict.subject.clone())
        .collect();
    for mut group in claims {
        if group.verdict.kind == Kind::UndefinedValue
            && group.verdict.subject.as_ref().is_some_and(|subject| doubled.contains(subject))
        {
            group.verdict.kind = Kind::MockFailure;
        }
        let known = kept.iter_mut().find(|known| {
            let about = |a: &Option<String>, b: &Option<String>| match (a, b) {
                (Some(a), Some(b)) => a.contains(b.as_str()) || b.contains(a.as_str()),
                (None, _) | (_, None) => true,
            };
            let dispatch = group.verdict.phase == Phase::Dispatch && known.verdict.phase == Phase::Dispatch;
            let vague = group.verdict.kind == Kind::Unclassified;
            let one_task = known.task == group.task || group.task.is_none() || dispatch;
            known.verdict.kind == group.verdict.kind
                && (dispatch || vague || one_task && about(&known.verdict.subject, &group.verdict.subject))
        });
        let Some(known) = known else {
            kept.push(group);
            continue;
        };
        // The same trouble of another task is another case of it; told again of the same task, it is not.
        let another = group.task.as_ref().is_some_and(|task| !known.tasks.contains(task));
        known.count = if another && !known.tasks.is_empty() && known.verdict.kind != Kind::Unclassified {
            known.count + group.count
        } else {
            known.count.max(group.count)
        };
        known.tasks.extend(group.task.filter(|_| another));
        for evidence in group.evidence {
            if known.evidence.len() < KEEP && !known.evidence.contains(&evidence) {
                known.evidence.push(evidence);
            }
        }
    }
    standing.extend(others);
    standing.extend(kept);
}

/// Drops lines that are the evidence of a block as well.
fn tell_once(standing: &mut Vec<Group>) {
    let place = |evidence: &Evidence| (evidence.line, evidence.byte_start);
    let blocks = standing.iter().filter(|group| group.level != Level::Line);
    let told: HashSet<_> = blocks.flat_map(|group| group.evidence.iter().map(place)).collect();
    standing.retain(|group| {
        let mut evidence = group.evidence.iter().map(place);
        group.level != Level::Line
            || group.count > group.evidence.len() as u64
            || !evidence.all(|at| told.contains(&at))
    });
}

/// Whether a finding is a guess that counts only where nothing else is known.
fn weak(group: &Group) -> bool {
    matches!(group.level, Level::Line | Level::Diagnostic) && group.verdict.rank == Rank::Generic
}

/// Whether a diagnostic is a trace that a program printed while it ran, rather than the word of a compiler, linker or
/// linter: tests and servers print such traces and go on.
fn incidental(group: &Group) -> bool {
    group.level == Level::Diagnostic && !matches!(group.verdict.phase, Phase::Build | Phase::Lint)
}

/// A job that was failing already when it was stopped is to be repaired: nobody has to look what the stop left behind.
///
/// Where the platform says that it stopped the job, what the program said of the signal is the same stop.
fn settle_cancelled(standing: &mut [Group]) {
    let cancelled = |group: &&Group| group.verdict.kind == Kind::Cancelled;
    if standing.iter().filter(cancelled).any(|group| group.verdict.nature == Nature::Transient) {
        for group in standing.iter_mut().filter(|group| group.verdict.kind == Kind::Cancelled) {
            group.verdict.nature = Nature::Transient;
        }
    }
    let failing = |group: &&Group| group.verdict.nature == Nature::Deterministic && group.verdict.rank > Rank::Generic;
    let Some(first) = standing.iter().filter(failing).map(|group| group.first.line).min() else { return };
    for group in standing {
        let verdict = &mut group.verdict;
        if verdict.kind == Kind::Cancelled && verdict.nature == Nature::Ambiguous && first < group.first.line {
            verdict.nature = Nature::Transient;
            verdict.flip = Some("the job was failing already when it was stopped".to_owned());
        }
    }
}
