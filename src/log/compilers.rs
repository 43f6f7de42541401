//! Words of compilers that put a place in front of what they say, and no word for an error.

/// Words of the compiler of Java before its seventh version, which had no `error:` in front.
pub(super) fn is_javac(rest: &str) -> bool {
    const BEGINS: &[&str] = &[
        "cannot find symbol",
        "incompatible types",
        "illegal start of ",
        "not a statement",
        "missing return statement",
        "missing method body",
        "reached end of file while parsing",
        "unclosed ",
        "unreachable statement",
        "unreported exception ",
        "invalid method declaration",
        "operator ",
        "possible loss of precision",
        "orphaned case",
        "non-static ",
        "duplicate class: ",
    ];
    const ENDS: &[&str] = &[
        " does not exist",
        "' expected",
        " expected",
        "might not have been initialized",
        "might already have been assigned",
        "has private access",
        "cannot be dereferenced",
        "cannot be instantiated",
    ];
    const WITHIN: &[&str] = &[
        " is already defined in ",
        " cannot be applied to ",
        " does not override abstract method ",
        " has private access in ",
        " has protected access in ",
    ];
    BEGINS.iter().any(|words| rest.starts_with(words))
        || ENDS.iter().any(|words| rest.ends_with(words))
        || WITHIN.iter().any(|words| rest.contains(words))
}

/// Words of the compiler of Erlang, whose errors have no word in front, unlike its warnings.
pub(super) fn is_erlc(rest: &str) -> bool {
    rest.starts_with("syntax error before: ")
        || rest.ends_with(" undefined")
        || rest.ends_with(" is unbound")
        || rest.ends_with(" already defined")
        || rest.starts_with("can't find include ")
        || rest.starts_with("undefined macro ")
        || rest.starts_with("illegal ")
        || rest.starts_with("head mismatch")
}
