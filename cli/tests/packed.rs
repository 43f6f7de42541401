//! What CI systems pack is read through.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const LOG: &str = "Error: Cannot find module 'express'\n";

/// The log as `zstd -c` packs it.
#[rustfmt::skip]
const ZSTD: [u8; 49] = [
    0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x24, 0x21, 0x01, 0x00, 0x45, 0x72, 0x72, 0x6f, 0x72, 0x3a, 0x20, 0x43, 0x61,
    0x6e, 0x6e, 0x6f, 0x74, 0x20, 0x66, 0x69, 0x6e, 0x64, 0x20, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65, 0x20, 0x27,
    0x65, 0x78, 0x70, 0x72, 0x65, 0x73, 0x73, 0x27, 0x0a, 0xd1, 0x5a, 0x6b, 0xce,
];

/// The log as `xz -c --check=crc32` packs it.
#[rustfmt::skip]
const XZ: [u8; 88] = [
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00,
    0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x23, 0x45, 0x72, 0x72, 0x6f, 0x72, 0x3a, 0x20, 0x43, 0x61,
    0x6e, 0x6e, 0x6f, 0x74, 0x20, 0x66, 0x69, 0x6e, 0x64, 0x20, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65, 0x20, 0x27,
    0x65, 0x78, 0x70, 0x72, 0x65, 0x73, 0x73, 0x27, 0x0a, 0x00, 0xd6, 0x3b, 0xcb, 0x7d, 0x00, 0x01, 0x38, 0x24,
    0x01, 0xed, 0x1a, 0x0b, 0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a,
];

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zip(path: &Path, files: &[(&str, &[u8])]) {
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("whyred-packed-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn whyred(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whyred"));
    command.current_dir(folder).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A process that needs no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn packed_files_are_read_as_what_they_hold() {
    let folder = folder("files");
    let twice = [gzip(LOG.as_bytes()), gzip(LOG.as_bytes())].concat();
    let frames = [ZSTD, ZSTD].concat();
    let files = [
        ("a.log.gz", gzip(LOG.as_bytes())),
        ("b.log.zst", ZSTD.to_vec()),
        ("c.xz", XZ.to_vec()),
        ("d.gz", twice),
        ("e.zst", frames),
    ];
    for (name, bytes) in &files {
        fs::write(folder.join(name), bytes).unwrap();
        let lines = if matches!(*name, "d.gz" | "e.zst") { 2 } else { 1 };
        for (input, fed) in [(*name, &[][..]), ("-", bytes.as_slice())] {
            let found = report(&whyred(&folder, &["--format", "json", input], fed));
            assert_eq!(found["causes"][0]["subject"], "express", "{name}");
            assert_eq!(found["causes"][0]["evidence"][0]["source"], input);
            assert_eq!(found["sources"][0]["lines"], lines, "{name}");
        }
    }
    let all = report(&whyred(&folder, &["--format", "json", "."], b""));
    assert_eq!(all["sources"].as_array().map(Vec::len), Some(files.len()));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_archive_gives_its_logs_and_reports() {
    let folder = folder("archive");
    let log = LOG.as_bytes();
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\0";
    // A job's log whole, and once more by steps, as GitHub packs it.
    zip(&folder.join("logs.zip"), &[("build/1_Set up job.txt", log), ("0_build.txt", log), ("shot.png", picture)]);
    for input in ["logs.zip", "."] {
        let found = report(&whyred(&folder, &["--format", "json", input], b""));
        let sources = found["sources"].as_array().unwrap();
        assert_eq!(sources.len(), 1, "{sources:?}");
        assert!(sources[0]["name"].as_str().unwrap().ends_with("logs.zip/0_build.txt"), "{sources:?}");
        assert_eq!(found["causes"][0]["count"], 1);
    }
    let piped = whyred(&folder, &["-"], &fs::read(folder.join("logs.zip")).unwrap());
    assert_eq!(piped.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&piped.stderr).contains("a zip archive can be read from a file"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_cut_keeps_what_came_and_is_never_accepted() {
    let folder = folder("cut");
    let passing = r#"<testsuite name="t" tests="1" failures="0"><testcase classname="a" name="b"/></testsuite>"#;
    let whole = gzip(passing.as_bytes());
    fs::write(folder.join("whole.xml.gz"), &whole).unwrap();
    fs::write(folder.join("cut.xml.gz"), &whole[..whole.len() - 6]).unwrap();
    let accepted = whyred(&folder, &["--format", "json", "whole.xml.gz"], b"");
    assert_eq!((accepted.status.code(), report(&accepted)["decision"]["action"].as_str()), (Some(0), Some("accept")));
    let cut = whyred(&folder, &["--format", "json", "cut.xml.gz"], b"");
    assert_eq!(cut.status.code(), Some(3));
    assert_ne!(report(&cut)["decision"]["action"], "accept");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_window_that_takes_too_much_memory_is_told() {
    let folder = folder("window");
    // The dictionaries of `xz -9` and of one twice as large, and the window of `zstd --long=26`.
    let mut xz_9 = XZ;
    xz_9[16] = 0x1c;
    xz_9[20..24].copy_from_slice(&[0x10, 0xcf, 0x58, 0xcc]);
    let mut huge = XZ;
    huge[16] = 0x1e;
    huge[20..24].copy_from_slice(&[0x9b, 0x07, 0x51, 0x66]);
    let mut long = ZSTD;
    long[4..6].copy_from_slice(&[0x04, 0x80]);
    let mut wide = ZSTD;
    wide[4..6].copy_from_slice(&[0x04, 0x78]);
    for (name, bytes, complaint) in [
        ("a.log.xz", &xz_9[..], None),
        ("b.log.xz", &huge, Some("too big")),
        ("c.log.zst", &long, Some("--long")),
        ("d.log.zst", &wide, None),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
        let output = whyred(&folder, &["--format", "json", name], b"");
        assert_eq!(output.status.code(), Some(if complaint.is_some() { 3 } else { 0 }), "{name}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(complaint.is_none_or(|complaint| told.contains(complaint)), "{name}: {told}");
    }
    // Wide windows wait for one another, on any number of cores.
    fs::remove_file(folder.join("b.log.xz")).unwrap();
    fs::remove_file(folder.join("c.log.zst")).unwrap();
    for copy in 0..20 {
        fs::write(folder.join(format!("{copy}.log.xz")), xz_9).unwrap();
    }
    let all = report(&whyred(&folder, &["--format", "json", "."], b""));
    assert_eq!(all["sources"].as_array().map(Vec::len), Some(22));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_archive_with_too_large_a_directory_is_not_read() {
    let folder = folder("directory");
    let name = "x".repeat(60_000);
    let names: Vec<String> = (0..80).map(|number| format!("{number}/{name}.log")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), LOG.as_bytes())).collect();
    zip(&folder.join("long.zip"), &files);
    zip(&folder.join("less.zip"), &files[..40]);
    let less = report(&whyred(&folder, &["--format", "json", "less.zip"], b""));
    assert_eq!(less["sources"].as_array().map(Vec::len), Some(40));
    let long = whyred(&folder, &["--format", "json", "long.zip"], b"");
    assert_eq!(long.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&long.stderr).contains("too much memory"));
    fs::remove_dir_all(folder).unwrap();
}
