//! The file of records: added to, never changed, in turn with those before it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    chain::{Chain, Link, link},
    key::{ChainKey, KeyRing},
};
use crate::config::AuditFile;

/// The file that records are added to. It is this process's alone while it is open.
#[derive(Debug)]
pub(super) struct Keeping {
    path: PathBuf,
    rotate_bytes: u64,
    rotate_after: Duration,
    keep: usize,
    file: File,
    /// How many bytes of it are whole records.
    length: u64,
    born: SystemTime,
    key: Option<Arc<ChainKey>>,
    chain: Chain,
    /// Why the next record has a notice before it.
    begins: Option<&'static str>,
    /// What stands behind the last whole record.
    tail: Tail,
    /// How many records could not be written since the last one that was.
    pub(super) lost: u64,
}

/// What stands behind the last whole record of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Nothing,
    /// The record has no end of line yet.
    Open,
    /// This many bytes of one that was cut off.
    Torn(u64),
}

/// More than any record has.
const LONGEST_TAIL: u64 = 1024 * 1024;

impl Keeping {
    /// Opens the file, or makes it, and finds the end of its chain.
    pub(super) fn open(
        path: &Path,
        settings: &AuditFile,
        key: Option<Arc<ChainKey>>,
    ) -> Result<Self, String> {
        let said =
            |error: &dyn std::fmt::Display| format!("audit.file.path: {}: {error}", path.display());
        let file = opened(path).map_err(|error| said(&error))?;
        let mut keeping = Self {
            path: path.to_owned(),
            rotate_bytes: settings.rotate_bytes.0 as u64,
            rotate_after: settings.rotate_after.0,
            keep: settings.keep as usize,
            file,
            length: 0,
            born: SystemTime::now(),
            chain: Chain::new(key.clone()),
            key,
            begins: None,
            tail: Tail::Nothing,
            lost: 0,
        };
        keeping.resume().map_err(|error| said(&error))?;
        Ok(keeping)
    }

    /// Finds the end of the chain: in this file, or in the one before where this one has none.
    fn resume(&mut self) -> io::Result<()> {
        let about = self.file.metadata()?;
        if about.is_file() && about.len() > 0 {
            self.length = about.len();
            self.born = about.created().or_else(|_| about.modified())?;
            let (link, tail) = last(&mut self.file, about.len(), &self.key.clone().into())?;
            self.tail = tail;
            if let Some(link) = link {
                (self.chain, self.begins) = (self.after(link)?, Some("restarted"));
                return Ok(());
            }
        }
        let before = self.earlier()?.pop();
        (self.chain, self.begins) = match before {
            None => (Chain::new(self.key.clone()), Some("first")),
            Some(before) => {
                let mut file = File::open(&before)?;
                let length = file.metadata()?.len();
                let (link, _) = last(&mut file, length, &self.key.clone().into())?;
                let link = link.ok_or_else(|| io::Error::other(NO_END))?;
                (self.after(link)?, Some("rotated"))
            }
        };
        Ok(())
    }

    /// Continues the chain after a record. Rejects continuing a keyed chain without a key, because
    /// verification could not distinguish that from an attacker who removed the key.
    fn after(&self, link: Link) -> io::Result<Chain> {
        if link.key.is_some() && self.key.is_none() {
            return Err(io::Error::other(NO_KEY));
        }
        Ok(Chain::after(link, self.key.clone()))
    }

    /// The file, and the end of its chain.
    pub(super) fn end(&self) -> (&Path, &Chain) {
        (&self.path, &self.chain)
    }

    /// Adds a record. What fails leaves no part of it behind, as far as the system allows that.
    pub(super) fn add(&mut self, record: &str) -> io::Result<()> {
        let added = self.try_add(record);
        if added.is_err() {
            self.lost += 1;
            if self.file.set_len(self.length).is_err() {
                // Then the end is looked for anew, where that can be done at all.
                let _ = self.resume();
            }
        }
        added
    }

    fn try_add(&mut self, record: &str) -> io::Result<()> {
        let size = record.len() as u64 + 288;
        let is_old = self.born.elapsed().is_ok_and(|age| age >= self.rotate_after);
        let is_due = is_old || self.length + size > self.rotate_bytes;
        // What a crash left at the end is marked in this file, and its turn comes after that: in
        // another file, nothing would say why it does not read.
        if self.length > 0 && is_due && self.tail == Tail::Nothing {
            self.rotate()?;
        }
        let mut text = String::new();
        let mut torn = 0;
        match self.tail {
            Tail::Nothing => {}
            Tail::Open => text.push('\n'),
            Tail::Torn(bytes) => {
                torn = bytes;
                text.push('\n');
            }
        }
        let why = self.begins.or((self.lost > 0).then_some("lost"));
        let mut chain = self.chain.clone();
        if let Some(why) = why {
            let (line, next) = chain.notice(why, self.lost, torn);
            text.push_str(&line);
            chain = next;
        }
        let (line, chain) = chain.line(record);
        text.push_str(&line);
        self.file.write_all(text.as_bytes())?;
        self.length += text.len() as u64;
        (self.chain, self.begins, self.tail, self.lost) = (chain, None, Tail::Nothing, 0);
        Ok(())
    }

    /// Waits until what was added is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.file.sync_data() {
            // A device has nothing to wait for.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    /// Puts the file away under the number of its last record, and begins the next one.
    fn rotate(&mut self) -> io::Result<()> {
        if !self.file.metadata()?.is_file() {
            return Ok(());
        }
        self.sync()?;
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{:012}", self.chain.seq));
        let away = PathBuf::from(name);
        fs::rename(&self.path, &away)?;
        match opened(&self.path) {
            Ok(file) => self.file = file,
            Err(error) => {
                let _ = fs::rename(&away, &self.path);
                return Err(error);
            }
        }
        (self.length, self.born, self.begins) = (0, SystemTime::now(), Some("rotated"));
        let earlier = self.earlier()?;
        let gone = earlier.len().saturating_sub(self.keep);
        for old in earlier.iter().take(gone) {
            fs::remove_file(old)?;
        }
        Ok(())
    }

    /// The files before this one, oldest first.
    fn earlier(&self) -> io::Result<Vec<PathBuf>> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let begins = self.path.file_name().map(|name| format!("{}.", name.to_string_lossy()));
        let Some(begins) = begins else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix(&begins);
            let number = number.filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
            if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
                found.push((number, entry.path()));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }
}

fn opened(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        let file = options.open(path)?;
        let about = file.metadata()?;
        if about.is_file() && about.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        locked(file)
    }
    #[cfg(not(unix))]
    locked(options.open(path)?)
}

/// Two processes that add to one file would make two chains of it.
fn locked(file: File) -> io::Result<File> {
    if !file.metadata()?.is_file() {
        return Ok(file);
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            Err(io::Error::other("another process writes to it; give each a file of its own"))
        }
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// The last record of a file, and what stands behind it. `None` where the file holds no whole
/// record.
fn last(file: &mut File, length: u64, keys: &KeyRing) -> io::Result<(Option<Link>, Tail)> {
    let start = length.saturating_sub(LONGEST_TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.take(LONGEST_TAIL).read_to_end(&mut end)?;
    let (whole, rest) = match end.iter().rposition(|byte| *byte == b'\n') {
        Some(place) => end.split_at_checked(place + 1).unwrap_or((&end, &[][..])),
        None => (&[][..], end.as_slice()),
    };
    if !rest.is_empty()
        && let Ok(link) = link(rest, keys)
    {
        return Ok((Some(link), Tail::Open));
    }
    let tail = if rest.is_empty() { Tail::Nothing } else { Tail::Torn(rest.len() as u64) };
    let Some(lines) = whole.strip_suffix(b"\n") else { return Ok((None, tail)) };
    let place = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    match link(lines.get(place..).unwrap_or(lines), keys) {
        Ok(link) => Ok((Some(link), tail)),
        Err(_) => Err(io::Error::other(NO_END)),
    }
}

const NO_END: &str = "its last record does not read, so nothing can follow it; `octopus-mcp audit \
                      verify` says more. Move the file away to begin anew";
const NO_KEY: &str = "its last record was written with a key, and no key is configured; set \
                      audit.chain_key or audit.chain_key_file, or move the file and those before it \
                      away to begin anew without a key";
