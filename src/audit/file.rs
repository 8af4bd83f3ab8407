//! The audit file: append-only, with rotation and recovery after a crash.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    chain::{Chain, ChainLink, parse_link},
    error::AuditError,
    key::{ChainKey, KeyRing},
};
use crate::config::AuditFileSettings;

/// The file that records are appended to. It is locked while it is open, so that no other process
/// appends to it.
#[derive(Debug)]
pub(super) struct ChainFile {
    path: PathBuf,
    rotate_bytes: u64,
    rotate_after: Duration,
    keep: usize,
    file: File,
    /// The number of bytes in complete records.
    length: u64,
    created_at: SystemTime,
    key: Option<Arc<ChainKey>>,
    chain: Chain,
    /// The reason for a notice before the next record, if one is due.
    notice_reason: Option<&'static str>,
    /// The state of the file after the last complete record.
    tail: Tail,
    /// The number of records that could not be written since the last successful write.
    pub(super) lost: u64,
}

/// The state of a file after its last complete record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Clean,
    /// The last record lacks its line break.
    MissingLineBreak,
    /// A truncated record of this many bytes.
    Truncated(u64),
}

/// The number of bytes read to find the last record. Records are shorter.
const MAX_TAIL_BYTES: u64 = 1024 * 1024;

impl ChainFile {
    /// Opens or creates the file and finds the end of its chain.
    pub(super) fn open(
        path: &Path,
        settings: &AuditFileSettings,
        key: Option<Arc<ChainKey>>,
    ) -> Result<Self, AuditError> {
        let failed = |error| AuditError::File { path: path.to_owned(), error };
        let file = open_file(path).map_err(failed)?;
        let mut keeping = Self::at_start(path, settings, key, file);
        keeping.resume().map_err(failed)?;
        Ok(keeping)
    }

    /// Checks that [`open`](Self::open) would succeed, without changing the audit file. A running
    /// server may have the file open. If the file does not exist, creates and removes another file
    /// in its folder.
    pub(super) fn check(
        path: &Path,
        settings: &AuditFileSettings,
        key: Option<Arc<ChainKey>>,
    ) -> Result<(), AuditError> {
        let failed = |error| AuditError::File { path: path.to_owned(), error };
        let mut options = OpenOptions::new();
        options.append(true).read(true);
        match options.open(path) {
            Ok(file) => Self::at_start(path, settings, key, file).resume().map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let probe = path.with_file_name(format!(".octopus-mcp-{}", std::process::id()));
                let file = options.create_new(true).open(&probe).map_err(failed)?;
                let resumed = Self::at_start(path, settings, key, file).resume();
                let _ = fs::remove_file(probe);
                resumed.map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn at_start(
        path: &Path,
        settings: &AuditFileSettings,
        key: Option<Arc<ChainKey>>,
        file: File,
    ) -> Self {
        Self {
            path: path.to_owned(),
            rotate_bytes: settings.rotate_bytes.0 as u64,
            rotate_after: settings.rotate_after.0,
            keep: settings.keep as usize,
            file,
            length: 0,
            created_at: SystemTime::now(),
            chain: Chain::new(key.clone()),
            key,
            notice_reason: None,
            tail: Tail::Clean,
            lost: 0,
        }
    }

    /// Finds the end of the chain in this file or, if it has no record, in the most recent rotated
    /// file.
    fn resume(&mut self) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        if metadata.is_file() && metadata.len() > 0 {
            self.length = metadata.len();
            self.created_at = metadata.created().or_else(|_| metadata.modified())?;
            let (link, tail) =
                read_last_link(&mut self.file, metadata.len(), &self.key.clone().into())?;
            self.tail = tail;
            if let Some(link) = link {
                (self.chain, self.notice_reason) = (self.continue_after(link)?, Some("restarted"));
                return Ok(());
            }
        }
        let newest = self.rotated_files()?.pop();
        (self.chain, self.notice_reason) = match newest {
            None => (Chain::new(self.key.clone()), Some("first")),
            Some(newest) => {
                let mut file = File::open(&newest)?;
                let length = file.metadata()?.len();
                let (link, _) = read_last_link(&mut file, length, &self.key.clone().into())?;
                let link = link.ok_or_else(|| io::Error::other(UNREADABLE_END))?;
                (self.continue_after(link)?, Some("rotated"))
            }
        };
        Ok(())
    }

    /// Continues the chain after a record. Rejects continuing a keyed chain without a key, because
    /// verification could not distinguish that from an attacker who removed the key.
    fn continue_after(&self, link: ChainLink) -> io::Result<Chain> {
        if link.key.is_some() && self.key.is_none() {
            return Err(io::Error::other(MISSING_KEY));
        }
        Ok(Chain::resume_after(link, self.key.clone()))
    }

    /// Returns the path of the file and the end of its chain.
    pub(super) fn path_and_chain(&self) -> (&Path, &Chain) {
        (&self.path, &self.chain)
    }

    /// Appends a record. If that fails, tries to remove a partial record.
    pub(super) fn append(&mut self, record: &str) -> io::Result<()> {
        let added = self.try_append(record);
        if added.is_err() {
            self.lost += 1;
            if self.file.set_len(self.length).is_err() {
                // The partial record stays, so find the end of the chain again. If that fails too,
                // the next append starts from the previous state.
                let _ = self.resume();
            }
        }
        added
    }

    fn try_append(&mut self, record: &str) -> io::Result<()> {
        let size = record.len() as u64 + 288;
        let is_old = self.created_at.elapsed().is_ok_and(|age| age >= self.rotate_after);
        let is_due = is_old || self.length + size > self.rotate_bytes;
        // A truncated record is followed by a notice in the same file. Rotation waits for that
        // notice, because in another file nothing would explain the truncated record.
        if self.length > 0 && is_due && self.tail == Tail::Clean {
            self.rotate()?;
        }
        let mut text = String::new();
        let mut torn = 0;
        match self.tail {
            Tail::Clean => {}
            Tail::MissingLineBreak => text.push('\n'),
            Tail::Truncated(bytes) => {
                torn = bytes;
                text.push('\n');
            }
        }
        let reason = self.notice_reason.or((self.lost > 0).then_some("lost"));
        let mut chain = self.chain.clone();
        if let Some(reason) = reason {
            let (line, next) = chain.append_notice(reason, self.lost, torn);
            text.push_str(&line);
            chain = next;
        }
        let (line, chain) = chain.append(record);
        text.push_str(&line);
        self.file.write_all(text.as_bytes())?;
        self.length += text.len() as u64;
        (self.chain, self.notice_reason, self.tail, self.lost) = (chain, None, Tail::Clean, 0);
        Ok(())
    }

    /// Waits until the appended records are on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.file.sync_data() {
            // Devices do not support this operation and need no flush.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    /// Renames the file to include the sequence number of its last record, and opens a new file.
    /// Deletes the oldest rotated files beyond `audit.file.keep`.
    fn rotate(&mut self) -> io::Result<()> {
        if !self.file.metadata()?.is_file() {
            return Ok(());
        }
        self.sync()?;
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{:012}", self.chain.seq));
        let rotated = PathBuf::from(name);
        fs::rename(&self.path, &rotated)?;
        match open_file(&self.path) {
            Ok(file) => self.file = file,
            Err(error) => {
                let _ = fs::rename(&rotated, &self.path);
                return Err(error);
            }
        }
        (self.length, self.created_at, self.notice_reason) =
            (0, SystemTime::now(), Some("rotated"));
        let earlier = self.rotated_files()?;
        let excess = earlier.len().saturating_sub(self.keep);
        for old in earlier.iter().take(excess) {
            fs::remove_file(old)?;
        }
        Ok(())
    }

    /// Returns the rotated files, oldest first.
    fn rotated_files(&self) -> io::Result<Vec<PathBuf>> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let prefix = self.path.file_name().map(|name| format!("{}.", name.to_string_lossy()));
        let Some(prefix) = prefix else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix(&prefix);
            let number = number.filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
            if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
                found.push((number, entry.path()));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        let file = options.open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        lock_file(file)
    }
    #[cfg(not(unix))]
    lock_file(options.open(path)?)
}

/// Locks the file. Two processes that append to the same file would create two interleaved chains.
fn lock_file(file: File) -> io::Result<File> {
    if !file.metadata()?.is_file() {
        return Ok(file);
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            Err(io::Error::other("locked by another process; give each process its own file"))
        }
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Returns the last record of a file and the state after it. Returns `None` for the record if the
/// file has no complete record.
fn read_last_link(
    file: &mut File,
    length: u64,
    keys: &KeyRing,
) -> io::Result<(Option<ChainLink>, Tail)> {
    let start = length.saturating_sub(MAX_TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.take(MAX_TAIL_BYTES).read_to_end(&mut end)?;
    let (whole, rest) = match end.iter().rposition(|byte| *byte == b'\n') {
        Some(position) => end.split_at_checked(position + 1).unwrap_or((&end, &[][..])),
        None => (&[][..], end.as_slice()),
    };
    if !rest.is_empty()
        && let Ok(link) = parse_link(rest, keys)
    {
        return Ok((Some(link), Tail::MissingLineBreak));
    }
    let tail = if rest.is_empty() { Tail::Clean } else { Tail::Truncated(rest.len() as u64) };
    let Some(lines) = whole.strip_suffix(b"\n") else { return Ok((None, tail)) };
    let position = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    match parse_link(lines.get(position..).unwrap_or(lines), keys) {
        Ok(link) => Ok((Some(link), tail)),
        Err(_) => Err(io::Error::other(UNREADABLE_END)),
    }
}

const UNREADABLE_END: &str = "the last record cannot be parsed, so the chain cannot continue; run \
                      `octopus-mcp audit verify` for details, or move the file away to start a new \
                      chain";
const MISSING_KEY: &str = "the last record was written with a key, but no key is configured; set \
                      audit.chain_key or audit.chain_key_file, or move the file and its rotated \
                      files away to start a new chain without a key";
