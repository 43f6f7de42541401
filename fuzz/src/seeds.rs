//! Small inputs of each format that hold what readers trip over.

use whyred::Format;

/// The seeds of a format, beside those of `tests/cases`.
pub fn of(format: Format) -> &'static [&'static str] {
    match format {
        Format::Log => &[
            "##[group]Run make\n\x1b[31mmain.c:3:5: error: 'x' undeclared\x1b[0m\r\nmake: *** [all] Error 1\n##[error]Process completed with exit code 2.\n",
            "2026-11-21T00:05:46.5941140Z <testsuite name=\"s\" tests=\"1\">\n2026-11-21T00:05:46.5941140Z <testcase name=\"a\"><failure>no</failure></testcase>\n2026-11-21T00:05:46.5941140Z </testsuite>\n2026-11-21T00:05:47.5941140Z npm error code 1\n",
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nModuleNotFoundError: No module named 'gone'\n",
        ],
        Format::JunitXml => &[
            "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><!DOCTYPE t [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuites><testsuite name=\"s\" tests=\"2\" failures=\"1\" errors=\"0\"><testcase name=\"x\" time=\"1,234.5\" name=\"y\"><failure message=\"a &lt; b\" type=\"E\">&b; one<![CDATA[two]]]]><![CDATA[>]]>three</failure><failure/></testcase><testcase name=\"z\"/></testsuite></testsuites>",
            "<testsuite><testsuite name='in'><testcase name='a' status='failed'/><testcase><rerunFailure><stackTrace/></rerunFailure></testcase></testsuite><error type=\"E\">suite</error></testsuite><testcase name=\"alone\"><skipped/><failure>f</failure></testcase>",
            "<j:testsuites xmlns:j=\"u\"><TESTCASE NAME=\"a\"><Failure><message>m</message><stackTrace>s</stackTrace></Failure></TESTCASE></j:testsuites>",
        ],
        Format::Trx => &[
            "<TestRun xmlns=\"http://microsoft.com/schemas/VisualStudio/TeamTest/2010\"><Results><UnitTestResult testName=\"a\" outcome=\"Failed\"><Output><ErrorInfo><Message>Assert.AreEqual failed.</Message><StackTrace>at A.B() in /w/B.cs:line 3</StackTrace></ErrorInfo></Output></UnitTestResult><UnitTestResult testName=\"b\" outcome=\"Timeout\"/><UnitTestResult testName=\"c\"><InnerResults><UnitTestResult testName=\"c1\" outcome=\"Aborted\"/></InnerResults></UnitTestResult></Results><ResultSummary outcome=\"Failed\"><Counters total=\"3\" failed=\"2\"/><RunInfos><RunInfo outcome=\"Error\"><Text>Test host process crashed</Text></RunInfo></RunInfos></ResultSummary></TestRun>",
        ],
        Format::NunitXml => &[
            "<test-run result=\"Failed\" total=\"2\" failed=\"1\"><test-suite type=\"TestFixture\" name=\"F\" result=\"Failed\" site=\"SetUp\"><failure><message><![CDATA[System.Exception : no]]></message></failure><test-case name=\"a\" fullname=\"F.a\" result=\"Failed\" label=\"Error\" site=\"Parent\"/><test-case name=\"b\" result=\"Passed\"/></test-suite></test-run>",
            "<test-results name=\"x\" total=\"1\" failures=\"1\"><test-suite name=\"s\"><results><test-case name=\"s.a\" executed=\"True\" success=\"False\"><failure><message>no</message></failure></test-case></results></test-suite></test-results>",
        ],
        Format::XunitXml => &[
            "<assemblies><assembly name=\"a.dll\" test-framework=\"xUnit.net 2.4\" total=\"2\" failed=\"1\"><errors><error type=\"assembly-cleanup\" name=\"c\"><failure exception-type=\"System.Exception\"><message>m</message></failure></error></errors><collection><test name=\"T.a\" result=\"Fail\" time=\"0,123\"><failure exception-type=\"Xunit.Sdk.EqualException\"><message>Assert.Equal() Failure</message><stack-trace>at T.a() in T.cs:line 4</stack-trace></failure></test><test name=\"T.b\" result=\"Skip\"><reason>r</reason></test></collection></assembly></assemblies>",
        ],
        Format::CheckstyleXml => &[
            "<?xml version=\"1.0\"?><checkstyle version=\"4.3\"><file name=\"/w/a.js\"><error line=\"1\" column=\"2\" severity=\"error\" message=\"&apos;x&apos; is not defined.\" source=\"eslint.rules.no-undef\"/><error line=\"x\" severity=\"warning\" message=\"w\"/></file></checkstyle>",
        ],
        Format::JestJson => &[
            "{\"numFailedTestSuites\":1,\"numTotalTests\":2,\"success\":false,\"wasInterrupted\":true,\"snapshot\":{\"unmatched\":1,\"failure\":true},\"testResults\":[{\"assertionResults\":[{\"fullName\":\"a \\ud83d\\u0000 b\",\"status\":\"failed\",\"failureMessages\":[\"Error: \\u001b[31mno\\u001b[39m\\n    at a.test.js:3:4\",\"two\"]},{\"status\":\"passed\",\"retryReasons\":[\"x\"]}],\"message\":\"\",\"name\":\"/w/a.test.js\",\"status\":\"failed\"},{\"assertionResults\":[],\"message\":\"  ● Test suite failed to run\\n\\n    Cannot find module './x' from 'a.js'\",\"name\":\"b\",\"status\":\"failed\"}]}",
        ],
        Format::Tap => &[
            "TAP version 14\n1..4\n# Subtest: s\n    not ok 1 - a\n      ---\n      failureType: 'testCodeFailure'\n      error: |-\n        1 == 2\n      code: 'ERR_ASSERTION'\n      ...\n    1..1\nnot ok 1 - s\n  ---\n  failureType: 'subtestsFailed'\n  ...\nok 2 - b # SKIP later\nnot ok 3 - c # TODO some day\nBail out! the database is gone\n",
        ],
        Format::GoTestJson => &[
            "{\"Time\":\"2026-11-21T00:05:46Z\",\"Action\":\"start\",\"Package\":\"a/b\"}\n{\"Action\":\"run\",\"Package\":\"a/b\",\"Test\":\"TestX/y\"}\n{\"Action\":\"output\",\"Package\":\"a/b\",\"Test\":\"TestX/y\",\"Output\":\"    x_test.go:4: got 1\\n\"}\n# a/c\n./c.go:3:1: undefined: z\n{\"Action\":\"fail\",\"Package\":\"a/b\",\"Test\":\"TestX/y\",\"Elapsed\":0}\n{\"Action\":\"output\",\"Package\":\"a/b\",\"Output\":\"panic: test timed out after 1s\\n\"}\n{\"Action\":\"fail\",\"Package\":\"a/b\"}\n{\"ImportPath\":\"a/c\",\"Action\":\"build-output\",\"Output\":\"./c.go:3:1: undefined: z\\n\"}\n{\"ImportPath\":\"a/c\",\"Action\":\"build-fail\"}\n",
        ],
        Format::MochaJson => &[
            "{\n \"stats\": {\"suites\":1,\"tests\":1,\"passes\":0,\"pending\":0,\"failures\":1},\n \"tests\": [], \"pending\": [], \"passes\": [],\n \"failures\": [{\"title\":\"\\\"before all\\\" hook for \\\"a\\\"\",\"fullTitle\":\"s a\",\"err\":{\"stack\":\"Error: no\\n at a.js:1:1\",\"message\":\"no\"}}]\n}",
        ],
        Format::MochawesomeJson => &[
            "{\"stats\":{\"tests\":1,\"testsRegistered\":1},\"results\":[{\"file\":\"a.cy.js\",\"tests\":[{\"title\":\"a\",\"fullTitle\":\"s a\",\"state\":\"failed\",\"fail\":true,\"err\":{\"message\":\"no\",\"estack\":\"Error: no\"}}],\"beforeHooks\":[{\"isHook\":true,\"state\":\"failed\",\"fail\":true,\"title\":\"h\",\"err\":{}}],\"suites\":[]}]}",
        ],
        Format::PlaywrightJson => &[
            "{\"config\":{\"forbidOnly\":false,\"rootDir\":\"/w\"},\"suites\":[{\"title\":\"a.spec.ts\",\"file\":\"a.spec.ts\",\"specs\":[{\"title\":\"t\",\"ok\":false,\"tests\":[{\"projectName\":\"p\",\"expectedStatus\":\"passed\",\"results\":[{\"retry\":0,\"status\":\"timedOut\",\"errors\":[{\"message\":\"Test timeout of 30000ms exceeded.\"}]}],\"status\":\"unexpected\"}],\"file\":\"a.spec.ts\",\"line\":3}]}],\"errors\":[{\"message\":\"Error: global\"}],\"stats\":{\"expected\":0,\"unexpected\":1,\"flaky\":0,\"skipped\":0}}",
        ],
        Format::PytestReportlog => &[
            "{\"pytest_version\":\"9.0\",\"$report_type\":\"SessionStart\"}\n{\"nodeid\":\"b.py\",\"outcome\":\"failed\",\"longrepr\":\"E   ImportError: no\",\"$report_type\":\"CollectReport\"}\n{\"nodeid\":\"a.py::t\",\"when\":\"call\",\"outcome\":\"failed\",\"longrepr\":{\"reprcrash\":{\"path\":\"a.py\",\"lineno\":3,\"message\":\"assert 0\"}},\"$report_type\":\"TestReport\"}\n{\"nodeid\":\"a.py::t\",\"when\":\"teardown\",\"outcome\":\"passed\",\"$report_type\":\"TestReport\"}\n{\"exitstatus\":1,\"$report_type\":\"SessionFinish\"}\n",
        ],
        Format::PytestJsonReport => &[
            "{\"exitcode\":1,\"root\":\"/w\",\"environment\":{},\"summary\":{\"total\":1},\"collectors\":[{\"nodeid\":\"b.py\",\"outcome\":\"failed\",\"longrepr\":\"x\"}],\"tests\":[{\"nodeid\":\"a.py::t\",\"outcome\":\"failed\",\"call\":{\"outcome\":\"failed\",\"crash\":{\"path\":\"a.py\",\"lineno\":2,\"message\":\"assert 0\"},\"longrepr\":\"E assert 0\"}}]}",
        ],
        Format::RspecJson => &[
            "{\"version\":\"3.13.0\",\"messages\":[\"An error occurred while loading ./a_spec.rb.\\nFailure/Error: x\\n\\nNameError:\\n  no\"],\"examples\":[{\"full_description\":\"a b\",\"status\":\"failed\",\"file_path\":\"./a_spec.rb\",\"line_number\":3,\"exception\":{\"class\":\"RSpec::Expectations::ExpectationNotMetError\",\"message\":\"expected: 1\",\"backtrace\":[\"a_spec.rb:4\"]}}],\"summary\":{\"example_count\":1,\"failure_count\":1,\"errors_outside_of_examples_count\":1}}",
        ],
        Format::DartJson => &[
            "{\"protocolVersion\":\"0.1.1\",\"runnerVersion\":\"1.25.0\",\"type\":\"start\",\"time\":0}\n{\"suite\":{\"id\":0,\"path\":\"a_test.dart\"},\"type\":\"suite\"}\n{\"test\":{\"id\":1,\"name\":\"t\",\"suiteID\":0},\"type\":\"testStart\"}\nprinted\n{\"testID\":1,\"error\":\"Expected: 1\",\"stackTrace\":\"a_test.dart 3:1\",\"isFailure\":true,\"type\":\"error\"}\n{\"testID\":1,\"result\":\"failure\",\"hidden\":false,\"skipped\":false,\"type\":\"testDone\"}\n{\"success\":false,\"type\":\"done\"}\n",
        ],
        Format::CtrfJson => &[
            "{\"reportFormat\":\"CTRF\",\"results\":{\"tool\":{\"name\":\"x\"},\"summary\":{\"tests\":2,\"failed\":1,\"other\":1},\"tests\":[{\"name\":\"a\",\"status\":\"failed\",\"message\":\"no\",\"suite\":[\"s\"]},{\"name\":\"b\",\"status\":\"other\",\"rawStatus\":\"timedOut\"}]}}",
        ],
        Format::LibtestJson => &[
            "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 2 }\n{ \"type\": \"test\", \"event\": \"started\", \"name\": \"a\" }\nprinted{ \"type\": \"test\", \"name\": \"a\", \"event\": \"failed\", \"stdout\": \"thread 'a' panicked at src/lib.rs:3:4:\\nno\\n\" }\n{ \"type\": \"test\", \"event\": \"timeout\", \"name\": \"b\" }\n{ \"type\": \"suite\", \"event\": \"failed\", \"passed\": 0, \"failed\": 1 }\n",
        ],
        Format::CargoJson => &[
            "{\"reason\":\"compiler-message\",\"message\":{\"rendered\":\"error[E0308]: mismatched types\\n\",\"level\":\"error\",\"message\":\"mismatched types\",\"spans\":[{\"file_name\":\"a.rs\",\"is_primary\":true,\"line_start\":1,\"column_start\":2}],\"code\":{\"code\":\"E0308\"}}}\nerror: could not compile `a`\n{\"reason\":\"build-finished\",\"success\":false}\n",
        ],
        Format::GccJson => &[
            "[{\"kind\": \"error\", \"column-origin\": 1, \"children\": [], \"locations\": [{\"caret\": {\"line\": 7, \"file\": \"a.c\", \"column\": 2}}], \"message\": \"no member named 'x'\"}]",
        ],
        Format::EslintJson => &[
            "[{\"filePath\":\"/w/a.js\",\"messages\":[{\"ruleId\":\"no-undef\",\"severity\":2,\"message\":\"'x' is not defined.\",\"line\":1},{\"ruleId\":null,\"fatal\":true,\"severity\":2,\"message\":\"Parsing error: no\"}],\"errorCount\":2},{\"filePath\":\"/w/b.js\",\"messages\":[]}]",
        ],
        Format::Sarif => &[
            "{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\",\"rules\":[{\"id\":\"r\",\"defaultConfiguration\":{\"level\":\"error\"}}]}},\"results\":[{\"ruleId\":\"r\",\"message\":{\"text\":\"no\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"a.js\"},\"region\":{\"startLine\":3}}}]}],\"invocations\":[{\"executionSuccessful\":false}]}]}",
        ],
        Format::CodeQuality => &[
            "[{\"description\":\"d\",\"check_name\":\"c\",\"fingerprint\":\"f\",\"severity\":\"critical\",\"location\":{\"path\":\"a.py\",\"lines\":{\"begin\":3}}}]",
        ],
        Format::BazelBep => &[
            "{\"id\":{\"started\":{}},\"children\":[{\"progress\":{}}],\"started\":{\"command\":\"test\"}}\nINFO: Analyzed target //a:b\n{\"id\":{\"testSummary\":{\"label\":\"//a:b\"}},\"testSummary\":{\"overallStatus\":\"FAILED\"}}\n{\"id\":{\"buildFinished\":{}},\"finished\":{\"exitCode\":{\"name\":\"TESTS_FAILED\",\"code\":3}}}\n{\"id\":{\"progress\":{}},\"progress\":{},\"lastMessage\":true}\n",
        ],
        Format::Message => &[
            "# Validation failure\n\n**Task**: web-1\n**Status**: ❌ FAILED\n\n- 12/18 cart tests failing\n- `useModal` mock is missing\n- Build: ✅ passes\n",
        ],
        Format::MessageJson => &[
            "{\"from\":\"validator\",\"to\":\"coordinator\",\"task_id\":\"web-1\",\"result\":\"failed\",\"findings\":[\"3 tests fail: Cannot find module 'x'\",\"Build passes\"]}",
        ],
        Format::AgentResult => &[
            "{\"status\":\"error\",\"error\":\"gateway timeout after 10000ms\",\"childSessionKey\":\"agent:main:subagent:1a2b\",\"runId\":\"r\"}\n{\"ok\":false,\"error\":{\"code\":\"UNAVAILABLE\",\"message\":\"no\",\"retryable\":true,\"retryAfterMs\":500}}\n",
        ],
        _ => &[],
    }
}
