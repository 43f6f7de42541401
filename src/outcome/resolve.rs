//! What an input comes to: how it ended, and the findings that stand.

use super::standing::{fold_claims, fold_echoes, incidental, settle_cancelled, summed, tell_once, weak};
use super::{Around, Findings, HINT_REACH, LAST_LINES, Resolved, StepState, may_pass, unclassified};
use crate::cause::{Group, Ledger};
use crate::classify::settle;
use crate::edge::explain;
use crate::item::Attempt;
use crate::kind::{Kind, Phase};
use crate::report::{Counts, HintLine, Ignored, Level, Note, Outcome, Task, TextLine};
use crate::rules::Rank;
use crate::words::{self, Guess};

/// How many lines are shown beside the one that decides.
const MAX_BESIDE: usize = 3;

/// Whether a line bears the mark of a failure.
fn is_marked(text: &str) -> bool {
    text.trim_start().starts_with(['✖', '✗', '×', '✘', '❌', '⨯'])
}

/// Where a runner knows of a file only that it failed, what was printed before says why: an error that nobody caught.
fn tell_why(standing: &mut Vec<Group>, demoted: &mut Vec<Group>) {
    let unsaid = |group: &Group| group.level == Level::Suite && group.verdict.rule == "signal/load";
    while let Some(at) = standing.iter().position(unsaid) {
        let (stretch, line) = (standing[at].stretch, standing[at].first.line);
        let says = |group: &Group| {
            let loads = matches!(group.verdict.kind, Kind::MissingModule | Kind::CompileError);
            let told = group.level == Level::Diagnostic || group.level == Level::Line && loads;
            told && group.stretch == stretch && group.first.line < line
        };
        let Some(why) = demoted.iter().rposition(says) else { return };
        let why = demoted.remove(why);
        let told = standing.remove(at);
        if told.count > why.count {
            return standing.extend([why, told]);
        }
        standing.push(why);
    }
}

impl Findings {
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
        for (dropped, kept) in std::mem::take(&mut self.runs.views).drop_twins(&mut self.runs.sum, &mut groups) {
            // Most consoles do not name what passed.
            if self.passed.iter().any(|(teller, _)| *teller == kept) {
                self.passed.retain(|(teller, _)| *teller != dropped);
            } else {
                self.passed.iter_mut().filter(|(teller, _)| *teller == dropped).for_each(|(teller, _)| *teller = kept);
            }
        }
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
            let several = self.is_several(group.stretch);
            let excused = !several && self.is_excused(command);
            // What the CI system says of the end of the job is no line of a test.
            let of_job = self.job.as_ref().is_some_and(|mark| mark.span.line == group.first.line);
            let line = group.level == Level::Line && !of_job;
            if group.follow_on {
                if !excused {
                    follow_ons.push(group);
                }
            } else if excused
                || !several && unmarked(&self.steps[command.step])
                || !several && (stretch.end == Outcome::Passed || stretch.failed_tests) && (line || incidental(&group))
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
        tell_why(&mut standing, &mut demoted);
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
            attempt: self.attempts.pop().filter(|_| self.attempts.is_empty()),
            notes: self.notes,
            asked: self.asked,
            ignored,
            proven,
            stated: self.job.map(|mark| TextLine { text: mark.text, span: mark.span }),
            passed: self.passed.into_iter().map(|(_, case)| case).collect(),
        }
    }

    /// Keeps the attempt that the input is; one that holds several is none of them.
    pub(super) fn attempt(&mut self, attempt: Attempt) {
        self.attempts.truncate(1);
        self.attempts.push(attempt);
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
        if let Some(job) = &self.job
            && !(self.tasks_omitted && job.outcome == Outcome::Passed)
        {
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
        // The bare output of a linter, and nothing after it that says otherwise.
        let bare = |group: &Group| group.level == Level::Diagnostic;
        let since = |group: &Group| group.first.line > self.passed_at;
        if standing.iter().any(|group| bare(group) && since(group)) {
            return Outcome::Failed;
        }
        // What ended well was not the last.
        let gave_up = self.gave_up.filter(|(line, _)| *line > self.passed_at);
        let at_last = gave_up.is_some_and(|(_, last)| last);
        if at_last && !self.any_step_passed {
            return Outcome::Failed;
        }
        // A tool that ended well does not outweigh one that gave up after it.
        let complained = self.complained_at.is_some_and(|line| line > self.passed_at);
        // Behind tests that passed much is said that matters little, so that only a last word speaks against them.
        let by_tool = self.tool_passed && gave_up.is_none() && !complained || self.runs.passed && !at_last;
        if !self.tool_open && !self.is_cut() && (by_tool || self.any_step_passed) {
            return Outcome::Passed;
        }
        if standing.iter().any(bare) {
            return Outcome::Failed;
        }
        if at_last { Outcome::Failed } else { Outcome::Unknown }
    }

    /// Whether the log ends within a command although the end of the one before was told: what ended well before says
    /// nothing of it.
    fn is_cut(&self) -> bool {
        let post = self.steps.last().is_some_and(|step| step.post);
        let spoke = |mark: u64| self.last_line.as_ref().is_some_and(|(_, line)| line.span.line > mark);
        if self.begun_at.is_some_and(|line| line > self.passed_at) {
            return true;
        }
        !post && self.step_passed_at.is_some_and(|mark| mark >= self.passed_at && spoke(mark))
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
        let printed = || self.last_line.as_ref().and_then(|(_, line)| self.around(line));
        let phase = self.around(&evidence).or_else(printed).and_then(|around| around.phase);
        let mut told = self.guess(&evidence);
        // Where the block says nothing of what it is about, what was said before it may.
        let elsewhere = if told.is_none() { self.guess_near(&evidence) } else { None };
        let mut beside = Vec::new();
        // An exit line tells only that it failed; what the step printed last is shown beside it.
        if let (None, Some((step, line))) = (self.last_words(), &self.last_line)
            && (self.steps[*step].end == Some(Outcome::Failed)
                || (1..=LAST_LINES).contains(&evidence.span.line.saturating_sub(line.span.line)))
            && *line != evidence
        {
            told = self.guess(line);
            let near = if told.is_none() { self.guess_near(line) } else { None };
            beside.push(evidence);
            match near {
                Some((other, guess)) => {
                    told = Some(guess);
                    ledger.file(&self.name, unclassified(other, self.task.clone()));
                    beside.push(line.clone());
                }
                None => ledger.file(&self.name, unclassified(line.clone(), self.task.clone())),
            }
        } else if let Some((line, guess)) = elsewhere {
            told = Some(guess);
            ledger.file(&self.name, unclassified(line, self.task.clone()));
            beside.push(evidence);
        } else {
            // Where a list of findings ends in a summary, they say more than it.
            let marked = self.around(&evidence).into_iter().flat_map(|around| &around.above);
            beside.extend(marked.filter(|line| is_marked(&line.text)).take(MAX_BESIDE).cloned());
            ledger.file(&self.name, unclassified(evidence, self.task.clone()));
        }
        for line in beside {
            let mut one = Ledger::default();
            one.file(&self.name, unclassified(line, None));
            if let (Some(known), Some(group)) = (ledger.groups.first_mut(), one.groups.pop())
                && known.first.line != group.first.line
            {
                known.evidence.extend(group.evidence);
            }
        }
        // What a linter prints, it found.
        let told = told.or_else(|| (phase == Some(Phase::Lint)).then_some((Kind::LintViolation, None)));
        if let (Some((kind, subject)), Some(group)) = (told, ledger.groups.first_mut()) {
            group.verdict.kind = kind;
            group.verdict.nature = kind.nature();
            group.verdict.subject = subject;
            words::RULE.clone_into(&mut group.verdict.rule);
            settle(&mut group.verdict, phase);
        }
        ledger.groups
    }

    /// What the last words seem to be about: those of the line, or of the lines below it.
    fn guess(&self, line: &TextLine) -> Option<Guess> {
        let below = self.around(line).into_iter().flat_map(|around| around.below.iter().map(String::as_str));
        std::iter::once(line.text.as_str()).chain(below).find_map(words::guess)
    }

    /// What a line near the last words seems to be about that say nothing themselves: first of those that speak of an
    /// error, then of the others. Failing that, what the words mean where they stand alone.
    fn guess_near(&self, line: &TextLine) -> Option<(TextLine, Guess)> {
        let around = self.around(line)?;
        let told =
            around.above.iter().chain(&around.near).find_map(|near| Some((near.clone(), words::guess(&near.text)?)));
        let faint = |text: &TextLine| Some((text.clone(), words::faint_guess(&text.text)?));
        told.or_else(|| faint(line)).or_else(|| around.above.iter().find_map(faint))
    }

    fn around(&self, line: &TextLine) -> Option<&Around> {
        self.around.iter().find(|around| around.span == line.span)
    }
}
