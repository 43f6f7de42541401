//! Counts fragments of four bytes in logs and writes `src/scan/rarity.bin`, by which the scanner chooses rare fragments.
//!
//! `cargo bench --bench rarity -- LOG...`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::HashMap;

#[path = "../src/scan/rarity.rs"]
#[allow(dead_code, reason = "the table that is at hand is not asked")]
mod rarity;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if files.is_empty() {
        println!("rarity: no logs given, nothing counted");
        return;
    }
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for file in &files {
        let Ok(bytes) = std::fs::read(file) else {
            eprintln!("{file}: cannot be read");
            std::process::exit(3);
        };
        for gram in bytes.windows(4) {
            let gram = gram.try_into().expect("a window has four bytes");
            *counts.entry(rarity::fold(u32::from_le_bytes(gram))).or_default() += 1;
        }
    }
    let mut table = [0_u8; rarity::SIZE];
    for (gram, count) in counts {
        let cost = &mut table[rarity::slot(gram)];
        *cost = (*cost).max((f64::from(count).log2() * 8.0) as u8);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scan/rarity.bin");
    std::fs::write(path, table).expect("the table can be written");
}
