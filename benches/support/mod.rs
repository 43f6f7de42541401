//! What the benchmarks share.

use std::path::{Path, PathBuf};

/// The folder of the cases of the tests.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The logs among the cases of the tests, in the order of their names.
pub fn logs() -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![root()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the cases are at hand").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log" || extension == "txt") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
