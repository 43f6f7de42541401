//! Commands that a log echoes before it shows what they print: what they are for, and whether their failure matters.

use crate::kind::Phase;

/// The command that a line echoes: `$ npm ci`, `+ make test`, `++ date`.
///
/// A plus sign also begins the lines of a diff, so that what follows it must look like a program's name.
pub(super) fn echoed(text: &str) -> Option<&str> {
    if let Some(command) = text.strip_prefix("$ ") {
        return (!command.starts_with(' ')).then_some(command).filter(|command| !command.is_empty());
    }
    let command = text.trim_start_matches('+');
    if command.len() == text.len() || text.len() - command.len() > 4 {
        return None;
    }
    let command = command.strip_prefix(' ')?;
    let program = command.split(' ').next().unwrap_or(command);
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'=' | b'@');
    let begins = program.starts_with(|first: char| first.is_ascii_lowercase() || matches!(first, '.' | '/' | '_'));
    let assigns = program.contains('=');
    let fits = (begins || assigns) && program.bytes().all(name) && !is_word_of_a_diff(command);
    fits.then_some(command)
}

/// Whether what follows a plus sign is the legend of a diff and not a command.
fn is_word_of_a_diff(text: &str) -> bool {
    ["a/", "b/", "actual", "expected", "received", "got", "import ", "const ", "let ", "return ", "export const "]
        .iter()
        .any(|word| text.starts_with(word))
}

/// Whether the command says itself that its failure does not matter.
pub(super) fn is_tolerated(command: &str) -> bool {
    let command = command.trim_end();
    ["|| true", "|| :", "|| exit 0", "|| /bin/true", "; true", "||true"].iter().any(|end| command.ends_with(end))
        || command.rsplit_once("|| ").is_some_and(|(_, last)| last.starts_with("echo ") && !last.contains("exit"))
}

/// Whether a command only looks around or tidies up, so that a log may well end with it.
pub(super) fn is_idle(command: &str) -> bool {
    command.split(['&', ';', '|']).take(20).map(str::trim).all(is_idle_alone)
}

fn is_idle_alone(command: &str) -> bool {
    const PROGRAMS: &[&str] = &[
        "echo",
        "printf",
        "cd",
        "pushd",
        "popd",
        "export",
        "unset",
        "set",
        "source",
        ".",
        "true",
        ":",
        "alias",
        "eval",
        "exit",
        "return",
        "env",
        "printenv",
        "id",
        "whoami",
        "uname",
        "hostname",
        "date",
        "which",
        "type",
        "command",
        "pwd",
        "ls",
        "tree",
        "cat",
        "head",
        "tail",
        "less",
        "wc",
        "stat",
        "file",
        "du",
        "df",
        "free",
        "ps",
        "top",
        "nproc",
        "lscpu",
        "ulimit",
        "sleep",
        "wait",
        "kill",
        "pkill",
        "killall",
        "mkdir",
        "rmdir",
        "rm",
        "cp",
        "mv",
        "ln",
        "touch",
        "chmod",
        "chown",
        "find",
        "grep",
        "sed",
        "awk",
        "sort",
        "uniq",
        "cut",
        "tr",
        "tee",
        "xargs",
        "tar",
        "zip",
        "unzip",
        "gzip",
        "gunzip",
        "xz",
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "for",
        "do",
        "done",
        "while",
        "case",
        "esac",
        "test",
        "[",
        "[[",
        "function",
        "{",
        "}",
        "(",
        ")",
        "local",
        "read",
        "shopt",
        "trap",
        "ccache",
        "sccache",
        "history",
        "clear",
        "jobs",
        "bg",
        "fg",
        "umask",
        "locale",
        "systemctl",
        "service",
    ];
    let mut words = command.split_whitespace().skip_while(|word| {
        matches!(*word, "sudo" | "time" | "exec" | "travis_cmd") || word.contains('=') && !word.starts_with('-')
    });
    let Some(program) = words.next() else { return true };
    let second = words.next().unwrap_or("");
    let asks = ["--version", "-v", "-V", "version", "--help", "-version"].contains(&second);
    let settles = match program {
        "git" => !["push", "merge", "rebase", "cherry-pick", "am", "apply"].contains(&second),
        "docker" | "docker-compose" | "podman" => {
            ["ps", "logs", "stop", "rm", "rmi", "kill", "images", "info", "logout", "down", "inspect", "system"]
                .contains(&second)
                || second == "compose" && words.next().is_some_and(|third| ["down", "logs", "ps"].contains(&third))
        }
        "npm" | "yarn" | "pnpm" => ["config", "cache", "ls", "list", "bin", "root"].contains(&second),
        _ => PROGRAMS.contains(&program),
    };
    asks || settles || program.starts_with('#')
}

/// What a command is for, where its name tells. Commands in a row that disagree tell nothing.
pub(super) fn phase(command: &str) -> Option<Phase> {
    let mut found = None;
    for part in command.split(['&', ';', '|']).take(20) {
        let Some(phase) = phase_of_one(part.trim()) else { continue };
        if found.is_some_and(|known| known != phase) {
            return None;
        }
        found = Some(phase);
    }
    found
}

fn phase_of_one(command: &str) -> Option<Phase> {
    let mut words = command.split_whitespace().skip_while(|word| {
        let wrapper = ["sudo", "time", "travis_retry", "retry", "env", "exec", "npx", "bunx", "command"];
        wrapper.contains(word) || word.contains('=') && !word.starts_with('-')
    });
    let program = words.next()?;
    let program = program.rsplit('/').next().unwrap_or(program);
    let rest: Vec<&str> = words.filter(|word| !word.starts_with('-')).take(6).collect();
    let first = rest.first().copied().unwrap_or("");
    let by_word = || rest.iter().find_map(|word| by_name(word));
    match program {
        "bundle" | "poetry" | "pipenv" | "uv" | "hatch" | "pdm" | "rye" if first == "exec" || first == "run" => {
            phase_of_one(&rest[1..].join(" "))
        }
        "python" | "python3" | "py" if command.contains(" -m ") => phase_of_one(&rest.join(" ")),
        "npm" | "pnpm" | "yarn" | "bun" | "lerna" | "turbo" | "nx" => match first {
            "ci" | "i" | "install" | "add" | "bootstrap" | "link" | "fetch" => Some(Phase::Setup),
            "" if program == "yarn" => Some(Phase::Setup),
            "t" | "tst" => Some(Phase::Test),
            _ => by_word(),
        },
        "docker" | "podman" | "buildah" => match first {
            "pull" | "login" => Some(Phase::Setup),
            "push" => Some(Phase::Deploy),
            "build" | "buildx" => Some(Phase::Build),
            _ => None,
        },
        "git" => match first {
            "push" => Some(Phase::Deploy),
            "clone" | "fetch" | "checkout" | "submodule" | "pull" => Some(Phase::Setup),
            _ => None,
        },
        "pip" | "pip3" | "apt" | "apt-get" | "apk" | "yum" | "dnf" | "brew" | "conda" | "mamba" | "gem"
        | "composer" | "rustup" | "nvm" | "corepack" | "bundle" | "poetry" | "pipenv" | "uv" | "pdm" => match first {
            "publish" | "upload" | "push" => Some(Phase::Deploy),
            "build" => Some(Phase::Build),
            _ => Some(Phase::Setup),
        },
        "go" => match first {
            "get" | "mod" | "install" => Some(Phase::Setup),
            "vet" => Some(Phase::Lint),
            _ => by_name(first),
        },
        "cargo" => match first {
            "fetch" | "install" | "update" => Some(Phase::Setup),
            "nextest" => Some(Phase::Test),
            "clippy" | "fmt" | "deny" => Some(Phase::Lint),
            "check" => Some(Phase::Build),
            _ => by_name(first),
        },
        "mvn" | "mvnw" => {
            let last = rest.iter().rev().find(|word| !word.contains('='))?;
            match *last {
                "deploy" | "release:perform" => Some(Phase::Deploy),
                "test" | "verify" | "integration-test" => Some(Phase::Test),
                word if word.starts_with("dependency:") => Some(Phase::Setup),
                // Packaging runs the tests as well.
                _ => None,
            }
        }
        "gradle" | "gradlew" | "ant" | "rake" | "make" | "just" | "task" | "mix" | "dotnet" | "swift" | "flutter"
        | "dart" | "sbt" | "rebar3" | "lein" | "stack" | "cabal" | "bazel" | "invoke" | "meson" | "ninja" => by_word(),
        "cmake" | "tsc" | "gcc" | "g++" | "javac" | "webpack" | "rollup" | "vite" | "next" => {
            by_word().or(Some(Phase::Build))
        }
        "kubectl" | "helm" | "terraform" | "pulumi" | "cdk" | "ansible-playbook" | "gcloud" | "aws" | "az"
        | "firebase" | "vercel" | "netlify" | "heroku" | "flyctl" | "fly" | "wrangler" | "serverless" | "sls"
        | "gh" | "dpl" | "twine" => {
            let acts = [
                "apply", "upgrade", "install", "deploy", "rollout", "create", "up", "publish", "upload", "sync", "cp",
                "release", "promote", "replace", "patch", "push",
            ];
            (rest.is_empty() || rest.iter().any(|word| acts.contains(word))).then_some(Phase::Deploy)
        }
        // A check of the shell is for what the program within it is for.
        "test" | "[" | "[[" => {
            let inner = command.split_once("$(").map(|(_, inner)| inner.split(')').next().unwrap_or(inner));
            inner.and_then(phase_of_one)
        }
        "semantic-release" | "goreleaser" | "changeset" | "release-it" | "np" => Some(Phase::Deploy),
        _ => by_name(program),
    }
}

/// What the name of a script, target or program tells.
fn by_name(name: &str) -> Option<Phase> {
    let name = name.trim_start_matches([':', '.']).trim_end_matches(".sh").to_ascii_lowercase();
    let words = || name.split([':', '-', '_', '.', '/']);
    let has = |list: &[&str]| words().any(|word| list.contains(&word));
    if has(&["deploy", "publish", "release", "upload"]) {
        Some(Phase::Deploy)
    } else if has(&[
        "test",
        "tests",
        "spec",
        "specs",
        "e2e",
        "jest",
        "vitest",
        "mocha",
        "pytest",
        "tox",
        "nox",
        "rspec",
        "phpunit",
        "pest",
        "ctest",
        "playwright",
        "cypress",
        "karma",
        "ava",
        "nosetests",
        "cucumber",
        "behat",
        "prove",
        "minitest",
        "coverage",
        "connectedcheck",
    ]) {
        Some(Phase::Test)
    } else if has(&[
        "lint",
        "eslint",
        "prettier",
        "ruff",
        "flake8",
        "black",
        "isort",
        "mypy",
        "pyright",
        "pylint",
        "rubocop",
        "golangci",
        "phpstan",
        "psalm",
        "shellcheck",
        "hadolint",
        "format",
        "fmt",
        "checkstyle",
        "ktlint",
        "detekt",
        "stylelint",
        "gofmt",
        "goimports",
        "tflint",
        "tfsec",
        "sqlfluff",
        "markdownlint",
        "yamllint",
        "semgrep",
        "lintian",
        "cpplint",
        "swiftlint",
        "swiftformat",
        "scalafmt",
        "rustfmt",
        "spotless",
        "biome",
        "oxlint",
        "hlint",
        "credo",
        "dialyzer",
        "pycodestyle",
        "pydocstyle",
        "bandit",
        "vale",
        "codespell",
    ]) {
        Some(Phase::Lint)
    } else if has(&["build", "compile", "typecheck", "bundle", "assemble", "classes"]) {
        Some(Phase::Build)
    } else if has(&["install", "setup", "checkout", "bootstrap", "cache"]) {
        Some(Phase::Setup)
    } else {
        None
    }
}

/// What an action of GitHub Actions is for, by its name.
pub(super) fn phase_of_action(name: &str) -> Option<Phase> {
    let action = name.split('@').next().unwrap_or(name);
    let (owner, action) = action.split_once('/')?;
    if owner == "actions" && !action.contains("upload") && !action.contains("deploy") {
        return Some(Phase::Setup);
    }
    let action = action.to_ascii_lowercase();
    if action.contains("build-push") || action.contains("upload-artifact") {
        return None;
    }
    by_name(&action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn housekeeping_is_told_from_work() {
        for command in
            ["echo done", "cd app && ls -la", "node --version", "docker compose down", "FOO=1 export X", "df"]
        {
            assert!(is_idle(command), "{command}");
        }
        for command in ["./x.sh", "node check.js", "cd app && ./gate", "git push", "docker compose up", "make it"] {
            assert!(!is_idle(command), "{command}");
        }
    }

    #[test]
    fn echoes_are_told_from_diffs() {
        assert_eq!(echoed("$ npm ci"), Some("npm ci"));
        assert_eq!(echoed("+ make test"), Some("make test"));
        assert_eq!(echoed("++ date +%s"), Some("date +%s"));
        assert_eq!(echoed("+ FOO=1 make"), Some("FOO=1 make"));
        for text in ["+ actual - expected", "+ Received", "+import x", "$", "$  x", "+ 12", "a + b", "+++ b/x", "+"] {
            assert_eq!(echoed(text), None, "{text}");
        }
    }

    #[test]
    fn commands_tell_their_phase() {
        for (command, expected) in [
            ("npm ci", Some(Phase::Setup)),
            ("yarn", Some(Phase::Setup)),
            ("npm run test:unit -- --ci", Some(Phase::Test)),
            ("cd web && npm test", Some(Phase::Test)),
            ("npm ci && npm publish", None),
            ("sudo apt-get install -y libpq-dev", Some(Phase::Setup)),
            ("python -m pytest -q", Some(Phase::Test)),
            ("bundle exec rspec", Some(Phase::Test)),
            ("cargo clippy --all-targets", Some(Phase::Lint)),
            ("mvn -B clean package", None),
            ("mvn -B deploy", Some(Phase::Deploy)),
            ("docker push acme/web:1", Some(Phase::Deploy)),
            ("kubectl get pods", None),
            ("kubectl apply -f k8s/", Some(Phase::Deploy)),
            ("./deploy.sh", Some(Phase::Deploy)),
            ("./gradlew build check test", Some(Phase::Build)),
            ("echo hello", None),
        ] {
            assert_eq!(phase(command), expected, "{command}");
        }
        assert_eq!(phase_of_action("actions/checkout@v4"), Some(Phase::Setup));
    }

    #[test]
    fn tolerance_is_read() {
        assert!(is_tolerated("npm audit || true"));
        assert!(is_tolerated("make lint || echo 'lint failed'"));
        assert!(!is_tolerated("make lint || exit 1"));
        assert!(!is_tolerated("make test"));
    }
}
