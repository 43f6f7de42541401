//! Counts pairs of bytes in logs and prints `src/scan/rarity.rs`, by which the scanner chooses rare fragments.
//!
//! `cargo bench --bench rarity -- LOG... > src/scan/rarity.rs`
#![allow(clippy::print_stdout, clippy::print_stderr)]

fn main() {
    let mut counts = vec![1_u64; 4096];
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for file in &files {
        let Ok(bytes) = std::fs::read(file) else {
            eprintln!("{file}: cannot be read");
            std::process::exit(3);
        };
        for pair in bytes.windows(2) {
            counts[(usize::from(class(pair[0])) << 6) | usize::from(class(pair[1]))] += 1;
        }
    }
    if files.is_empty() {
        println!("rarity: no logs given, nothing counted");
        return;
    }
    print!("{HEADER}");
    for row in counts.chunks(64) {
        let row: Vec<String> = row.iter().map(|count| ((*count as f64).log2() * 8.0).round().to_string()).collect();
        println!("    {},", row.join(", "));
    }
    println!("];");
}

/// As in `src/scan/rarity.rs`.
fn class(byte: u8) -> u8 {
    let byte = byte | 0x20;
    ((byte >> 1) & 0x20) | (byte & 0x1f)
}

const HEADER: &str = r#"//! How frequent pairs of bytes are in real logs. Made by `cargo bench --bench rarity`; not edited by hand.

/// A number that is higher the more frequent the four bytes are in logs: the logarithms of their three pairs, added.
pub(super) fn frequency(gram: u32) -> u32 {
    let bytes = gram.to_le_bytes();
    bytes.windows(2).map(|pair| u32::from(PAIRS[(class(pair[0]) << 6) | class(pair[1])])).sum()
}

/// Letters without their case, digits, punctuation: 64 classes.
fn class(byte: u8) -> usize {
    let byte = byte | 0x20;
    usize::from(((byte >> 1) & 0x20) | (byte & 0x1f))
}

/// Eight times the binary logarithm of how often one class follows another.
#[rustfmt::skip]
const PAIRS: [u8; 4096] = [
"#;
