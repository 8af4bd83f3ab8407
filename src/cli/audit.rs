//! `octopus-mcp audit`: verifies audit records, prints chain heads and generates keys.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, BufReader, Error},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};

use super::Failure;
use crate::{
    app,
    audit::{
        self, AuditOutput, ChainHead, ChainKey, ExpectedChain, Finding, KeyRing, KeyRun,
        Verification,
    },
    config::Config,
};

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(super) enum Command {
    /// Check that no record was changed, removed, inserted or reordered.
    ///
    /// Hashes without a key can be recomputed by a user with write access to the file. Set
    /// `audit.chain_key` to prevent that; verification uses the configured key and those of
    /// --key-file. A file alone does not show that records were removed from its end: pass heads
    /// from the log with --head, or compare --count or --last with values stored elsewhere.
    Verify(Verify),
    /// Verify files and print their chain head: number and hash of the last record, signed with the
    /// key if there is one. Store it elsewhere, for `verify --head`.
    Head(Files),
    /// Generate a key for `audit.chain_key` and print it, or write it to a new file with mode 0600.
    NewKey {
        /// File to create, for `audit.chain_key_file`. Do not put it into the folder of the
        /// records.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    files: Files,
    /// Expected number of the last record.
    #[arg(long)]
    count: Option<u64>,
    /// Expected hash of the last record.
    #[arg(long, value_name = "HASH")]
    last: Option<String>,
    /// Head of this chain, or a file that contains heads, such as the log of the server. Can be
    /// repeated.
    #[arg(long, value_name = "HEAD|FILE")]
    head: Vec<String>,
    /// Report records without a key as errors. Implied by a configured key and by --key-file.
    #[arg(long)]
    keyed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Files {
    /// Audit files, oldest first: `audit.jsonl.* audit.jsonl`.
    #[arg(required = true, value_name = "FILES")]
    paths: Vec<PathBuf>,
    /// File with a key that the records were written with. Can be repeated.
    #[arg(long, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// Number of the last record that was written before `audit.chain_key` was set.
    #[arg(long, value_name = "NUMBER")]
    unkeyed_until: Option<u64>,
    /// Sink that the records were written to. Each sink has its own key, derived from the
    /// configured key.
    #[arg(long, value_enum, default_value_t)]
    output: SinkArgument,
}

/// An audit sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum SinkArgument {
    /// The file of `audit.file.path`.
    #[default]
    File,
    /// Standard output.
    Stdout,
    /// The collector of `audit.otlp.endpoint`.
    Collector,
}

/// Size of the read buffer, in bytes.
const READ_BUFFER_BYTES: usize = 256 * 1024;

pub(super) fn run(command: Command, config: &Config) -> Result<(), Failure> {
    match command {
        Command::Verify(verify) => verify_records(verify, config),
        Command::Head(files) => head(&files, config),
        Command::NewKey { file } => new_key(file.as_deref()),
    }
}

fn verify_records(verify: Verify, config: &Config) -> Result<(), Failure> {
    let Verify { files, count, last, head, keyed } = verify;
    let unkeyed_until = files.unkeyed_until;
    let (_, keys) = files.keys(config)?;
    let heads = parse_heads(&head)?;
    let expected = ExpectedChain { count, last, keys, is_keyed: keyed, unkeyed_until, heads };
    let found = files.read(&expected)?;
    let mut text = files.findings(&found);
    let _ = writeln!(text, "{} records read", found.records);
    if let Some((seq, hash)) = &found.last {
        let _ = writeln!(text, "last record: number {seq}, hash {hash}");
    }
    if found.after > 0 {
        let _ = writeln!(text, "{} earlier records are in files that were not given", found.after);
    }
    found.runs.iter().for_each(|run| text.push_str(&describe_run(run)));
    if !expected.heads.is_empty() {
        let _ = writeln!(text, "{} heads compared", expected.heads.len());
    }
    app::print(&text);
    check_findings(&found)
}

fn head(files: &Files, config: &Config) -> Result<(), Failure> {
    let (key, keys) = files.keys(config)?;
    let unkeyed_until = files.unkeyed_until;
    let found = files.read(&ExpectedChain { keys, unkeyed_until, ..ExpectedChain::default() })?;
    if let Err(failure) = check_findings(&found) {
        app::print(&files.findings(&found));
        return Err(failure);
    }
    let (count, last) = found.last.unwrap_or_default();
    app::print(&format!("{}\n", ChainHead::new(count, &last, key.as_ref())));
    Ok(())
}

fn new_key(file: Option<&Path>) -> Result<(), Failure> {
    let key = audit::generate_key().map_err(Failure::other)?;
    let Some(path) = file else {
        app::print(&format!("{key}\n"));
        return Ok(());
    };
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        io::Write::write_all(&mut file, format!("{key}\n").as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
    let id = ChainKey::new(&key).map_err(Failure::other)?.id().to_owned();
    app::print(&format!("created {} with key {id}\n", path.display()));
    Ok(())
}

impl From<SinkArgument> for AuditOutput {
    fn from(written: SinkArgument) -> Self {
        match written {
            SinkArgument::File => Self::File,
            SinkArgument::Stdout => Self::Stdout,
            SinkArgument::Collector => Self::Collector,
        }
    }
}

impl Files {
    /// Returns the key that signs heads, and all keys: the configured key and those of
    /// `--key-file`.
    ///
    /// The configured key signs; without it, the first key of `--key-file` signs.
    fn keys(&self, config: &Config) -> Result<(Option<ChainKey>, KeyRing), Failure> {
        let given = self.key_file.iter().map(|path| ChainKey::from_file(path));
        let given = given.map(|key| key.map_err(|error| format!("--key-file: {error}")));
        let mut keys = given.collect::<Result<Vec<_>, _>>().map_err(Failure::Other)?;
        keys.splice(..0, ChainKey::from_config(&config.audit).map_err(Failure::other)?);
        let output = self.output.into();
        let keys = keys.iter().map(|key| key.for_output(output));
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(Failure::other)?;
        Ok((keys.first().cloned(), KeyRing::new(keys)))
    }

    fn read(&self, expected: &ExpectedChain) -> Result<Verification, Failure> {
        let opened = self.paths.iter().map(|path| {
            let file = File::open(path);
            let file =
                file.map_err(|error| Error::other(format!("{}: {error}", path.display())))?;
            Ok(BufReader::with_capacity(READ_BUFFER_BYTES, file))
        });
        audit::verify(opened, expected).map_err(|error| Failure::Other(error.to_string()))
    }

    fn findings(&self, found: &Verification) -> String {
        let mut text = String::new();
        let mut add = |prefix: &str, Finding { file, line, message }: &Finding| {
            let path = self.paths.get(*file);
            let path = path.map(|path| path.display().to_string()).unwrap_or_default();
            let _ = writeln!(text, "{path}:{line}: {prefix}{message}");
        };
        found.findings.iter().for_each(|finding| add("", finding));
        found.notes.iter().for_each(|note| add("note: ", note));
        text
    }
}

/// Reads the values of `--head`: heads, or files that contain heads.
fn parse_heads(given: &[String]) -> Result<Vec<ChainHead>, Failure> {
    let mut heads = Vec::new();
    for one in given {
        let mut found = ChainHead::find_all(one);
        if found.is_empty() {
            let text = fs::read(one);
            let text = text.map_err(|error| {
                Failure::Other(format!(
                    "--head: {one} is neither a head nor a readable file: {error}"
                ))
            })?;
            found = ChainHead::find_all(&String::from_utf8_lossy(&text));
        }
        if found.is_empty() {
            return Err(Failure::Other(format!("--head: no head found in {one}")));
        }
        heads.append(&mut found);
    }
    Ok(heads)
}

/// Describes the verification of a run of records with the same key.
fn describe_run(run: &KeyRun) -> String {
    let KeyRun { first, last, key, is_checked } = run;
    match key {
        Some(key) if *is_checked => {
            format!("records {first} to {last} were checked with key {key}\n")
        }
        Some(key) => format!("records {first} to {last} have key {key}: NOT VERIFIED\n"),
        None => format!(
            "records {first} to {last} have no key: a user with write access to the file can \
             change them and recompute their hashes\n"
        ),
    }
}

fn check_findings(found: &Verification) -> Result<(), Failure> {
    match found.findings.len() {
        0 => Ok(()),
        1 => Err(Failure::Other("1 problem found in these records".to_owned())),
        many => Err(Failure::Other(format!("{many} problems found in these records"))),
    }
}
