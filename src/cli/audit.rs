//! `octopus-mcp audit`.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufReader, Error},
    path::PathBuf,
};

use clap::Subcommand;

use super::Failure;
use crate::{
    app,
    audit::{self, Expected, Finding},
};

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(super) enum Command {
    /// Check that no record was changed, removed, inserted or put in another order. Nobody sees in
    /// a file that its end is gone: compare --count or --last with what is known from elsewhere,
    /// such as the collector or an earlier check.
    Verify {
        /// The files, oldest first: `audit.jsonl.* audit.jsonl`.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The number that the last record must have.
        #[arg(long)]
        count: Option<u64>,
        /// The hash that the last record must have.
        #[arg(long, value_name = "HASH")]
        last: Option<String>,
    },
}

/// How large the pieces are in which a file is read.
const PIECE: usize = 256 * 1024;

pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command::Verify { files, count, last } = command;
    let opened = files.iter().map(|path| {
        let file = File::open(path);
        let file = file.map_err(|error| Error::other(format!("{}: {error}", path.display())))?;
        Ok(BufReader::with_capacity(PIECE, file))
    });
    let found = audit::verify(opened, &Expected { count, last });
    let found = found.map_err(|error| Failure::Other(error.to_string()))?;
    let mut text = String::new();
    let mut tell = |word: &str, Finding { file, line, what }: &Finding| {
        let path = files.get(*file).map(|path| path.display().to_string()).unwrap_or_default();
        let _ = writeln!(text, "{path}:{line}: {word}{what}");
    };
    found.findings.iter().for_each(|finding| tell("", finding));
    found.notes.iter().for_each(|note| tell("note: ", note));
    let _ = writeln!(text, "{} records read", found.records);
    if found.after > 0 {
        let _ = writeln!(text, "{} records came before, in files that were not given", found.after);
    }
    if let Some((seq, hash)) = &found.last {
        let _ = writeln!(text, "the last one is number {seq}, with the hash {hash}");
    }
    app::print(&text);
    match found.findings.len() {
        0 => Ok(()),
        1 => Err(Failure::Other("1 thing is wrong with these records".to_owned())),
        many => Err(Failure::Other(format!("{many} things are wrong with these records"))),
    }
}
