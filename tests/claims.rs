//! What messages claim, held against the output of tools.

use whyred::{Action, Analyzer, Decision, Kind, Outcome, Policy, Report, Situation, Source, Standing};

const HEAD: &str = "# Validation: shop-1\n\n**Requested by:** coordinator\n\n## Overall Result: FAIL\n\n**Issues:**\n";

fn analyze(sources: &[(&str, &str)]) -> (Report, Decision) {
    let sources = sources.iter().map(|(name, text)| Source::bytes(*name, text.as_bytes()));
    let report = Analyzer::new().analyze(sources);
    let decision = Policy::default().decide(&report, &Situation::new());
    (report, decision)
}

fn message(issues: &[&str]) -> String {
    issues.iter().fold(HEAD.to_owned(), |text, issue| format!("{text}- {issue}\n"))
}

#[track_caller]
fn check(report: &Report, expected: &[Standing]) {
    let standings: Vec<Standing> = report.claims.iter().map(|claim| claim.standing).collect();
    assert_eq!(standings, expected, "{:#?}", report.claims);
    for claim in &report.claims {
        let settled = claim.standing == Standing::Unproven;
        assert_eq!(claim.by.is_none(), settled, "{claim:?}");
        if claim.standing == Standing::Contradicted {
            assert_eq!(claim.cause, None);
        }
    }
}

#[test]
fn output_that_shows_it_confirms_a_claim() {
    let message = message(&["Build fails: Cannot find module '@/lib/cart'"]);
    let alone = analyze(&[("note.md", &message)]);
    check(&alone.0, &[Standing::Unproven]);
    assert!(alone.0.is_claimed(&alone.0.causes[0]));
    assert!(alone.1.plan[0].brief.contains("Reproduce it first"), "{}", alone.1.plan[0].brief);
    let log = "> shop@1.0.0 build\n> next build\n\nError: Cannot find module '@/lib/cart'\n";
    let (report, decision) = analyze(&[("note.md", &message), ("build.log", log)]);
    check(&report, &[Standing::Confirmed]);
    assert_eq!(report.claims[0].by.as_deref(), Some("build.log:4"));
    assert_eq!((report.causes.len(), decision.action), (1, Action::Repair));
    assert!(report.causes[0].confidence > alone.0.causes[0].confidence, "what is shown is surer than what is said");
}

#[test]
fn output_that_shows_the_opposite_contradicts_a_claim() {
    let message = message(&["Build fails with ENOENT error for .next/server/pages/_app.js.nft.json"]);
    let log = "> shop@1.0.0 build\n> next build\n\n ✓ Compiled successfully\n";
    let green = Analyzer::new().analyze([
        Source::bytes("note.md", message.as_bytes()),
        Source::bytes("build.log", log.as_bytes()).exit_code(0),
    ]);
    check(&green, &[Standing::Contradicted]);
    assert_eq!((green.outcome, green.causes.len()), (Outcome::Unknown, 0));
    let decision = Policy::default().decide(&green, &Situation::new());
    assert_eq!(decision.action, Action::Verify, "{decision:?}");
    assert!(decision.checks[0].contains("commit, directory and command"), "{decision:?}");
}

#[test]
fn a_few_green_tests_say_nothing_of_the_rest() {
    let message = message(&["4 of 9 login tests failing with 'session undefined' errors"]);
    let run = |total| {
        format!(
            "> shop@1.0.0 test\n> jest\n\nTest Suites: 1 passed, 1 total\nTests:       {total} passed, {total} total\n"
        )
    };
    let (report, decision) = analyze(&[("note.md", &message), ("tests.log", &run(3))]);
    check(&report, &[Standing::Unproven]);
    assert_eq!(decision.action, Action::Repair);
    let (report, decision) = analyze(&[("note.md", &message), ("tests.log", &run(9))]);
    check(&report, &[Standing::Contradicted]);
    assert_eq!(decision.action, Action::Verify);
}

#[test]
fn praise_does_not_outweigh_output() {
    let praise = "# Validation: shop-1\n\n**Validated by:** worker\n\n## Overall Result: PASS\n\nAll tests pass.\n";
    let red = "> shop@1.0.0 build\n> next build\n\nError: Cannot find module '@/lib/cart'\n";
    let (report, decision) = analyze(&[("praise.md", praise), ("build.log", red)]);
    check(&report, &[Standing::Contradicted]);
    assert_eq!((report.claims[0].kind, report.outcome, decision.action), (None, Outcome::Failed, Action::Repair));
    assert_eq!(analyze(&[("praise.md", praise)]).1.action, Action::Accept);
}

#[test]
fn the_same_said_twice_counts_once() {
    let one =
        message(&["LiveKit tests: 12/18 failed with rate limit exceeded errors", "96 failures out of 453 total tests"]);
    let other = one.replace("coordinator", "lead");
    for second in [&one, &other] {
        let (report, _) = analyze(&[("a.md", &one), ("b.md", second)]);
        assert_eq!(report.tests.map(|tests| (tests.total, tests.failed)), Some((453, 96)));
        let limit = report.causes.iter().find(|cause| cause.kind == Kind::RateLimit).unwrap();
        assert_eq!(limit.count, 12);
    }
}

#[test]
fn what_no_cause_explains_is_said() {
    let seed = include_str!("cases/message/validation-failure/message.md");
    let (report, decision) = analyze(&[("note.md", seed)]);
    assert_eq!(report.unexplained(), 62);
    let said = "12 by rate_limit (LiveKit), 62 by no cause";
    assert!(decision.reasons.iter().any(|reason| reason.contains(said)), "{:?}", decision.reasons);
    assert_eq!(report.asked.as_deref(), Some("Person Manager"));
    assert!(decision.escalation.unwrap().to.starts_with("Person Manager"));
}

#[test]
fn urgent_tasks_are_repaired_first() {
    let message = "# Validation failed\n\n**To:** coordinator\n\n### shop-1: Cart (P2)\n**Status:** FAILED\n**Issues:**\n\
        - 5/9 cart tests failing with 'cart undefined' errors\n\n### shop-2: Login (P0)\n**Status:** FAILED\n**Issues:**\n\
        - 3/9 login tests failing with 'session undefined' errors\n";
    let (report, decision) = analyze(&[("note.md", message)]);
    assert_eq!(report.tasks.iter().map(|task| task.priority).collect::<Vec<_>>(), [Some(2), Some(0)]);
    let order: Vec<_> = decision.plan.iter().map(|piece| piece.task.as_deref()).collect();
    assert_eq!(order, [Some("shop-2"), Some("shop-1")]);
}
