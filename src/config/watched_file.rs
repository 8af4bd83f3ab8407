//! Values from files that are read again when the files change.

use parking_lot::Mutex;
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// Retry interval for unreadable files that have not changed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Minimum age of the last modification for final content. A file can change twice within one tick
/// of its timestamp, and the second change does not change the timestamp.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// A value that is read from files and updated when they change. While the files are unreadable, it
/// keeps the last value.
pub struct WatchedFile<T> {
    description: &'static str,
    files: Vec<PathBuf>,
    read: Box<dyn Fn() -> Result<T, String> + Send + Sync>,
    last: Mutex<LastRead<T>>,
}

struct LastRead<T> {
    value: T,
    /// State of the files when the value was read.
    stamp: Stamp,
    failed: Option<FailedRead>,
}

/// The last attempt to read the files, which failed.
struct FailedRead {
    stamp: Stamp,
    reason: String,
    failing_since: Instant,
    last_attempt: Instant,
}

/// State of the files.
type Stamp = Vec<Option<FileStamp>>;

/// State of a file: modification time and size in bytes. Kubernetes updates mounted files by
/// switching a symbolic link, which changes the modification time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    modified: SystemTime,
    size: u64,
}

impl FileStamp {
    /// Returns the current state, or `None` if the file cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self { modified: metadata.modified().ok()?, size: metadata.len() })
    }
}

impl<T: Clone> WatchedFile<T> {
    /// Reads the files for the first time. `description` names the value in log messages.
    ///
    /// # Errors
    /// Returns the message of `read`.
    pub fn open(
        description: &'static str,
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let stamp = stamp(&files);
        let last = LastRead { value: read()?, stamp, failed: None };
        Ok(Self { description, files, read: Box::new(read), last: Mutex::new(last) })
    }

    /// Returns the current value, and the time for which the files have been unreadable.
    pub fn current(&self) -> (T, Duration) {
        let mut last = self.last.lock();
        let stamp = stamp(&self.files);
        let is_due = match &last.failed {
            Some(failed) => {
                failed.stamp != stamp || failed.last_attempt.elapsed() >= RETRY_INTERVAL
            }
            None => last.stamp != stamp || !is_settled(&stamp),
        };
        if is_due {
            match (self.read)() {
                Ok(value) => {
                    if last.failed.is_some() || last.stamp != stamp {
                        tracing::info!(files = ?self.files, "reloaded {}", self.description);
                    }
                    *last = LastRead { value, stamp, failed: None };
                }
                Err(reason) => {
                    last.failed = Some(self.record_failure(last.failed.take(), stamp, reason));
                }
            }
        }
        let stale =
            last.failed.as_ref().map_or(Duration::ZERO, |failed| failed.failing_since.elapsed());
        (last.value.clone(), stale)
    }

    /// Records a failed read. Logs a warning if the reason has changed.
    fn record_failure(
        &self,
        previous: Option<FailedRead>,
        stamp: Stamp,
        reason: String,
    ) -> FailedRead {
        if previous.as_ref().is_none_or(|previous| previous.reason != reason) {
            tracing::warn!(
                files = ?self.files,
                reason,
                "failed to reload {}, keeping the previous value",
                self.description
            );
        }
        let now = Instant::now();
        FailedRead {
            stamp,
            reason,
            failing_since: previous.map_or(now, |previous| previous.failing_since),
            last_attempt: now,
        }
    }
}

/// Reads a file as text.
///
/// # Errors
/// Returns a message that contains the path.
pub fn read_text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn stamp(files: &[PathBuf]) -> Stamp {
    files.iter().map(|file| FileStamp::of(file)).collect()
}

/// Returns whether the files are old enough for every further change to alter the stamp.
fn is_settled(stamp: &Stamp) -> bool {
    let now = SystemTime::now();
    stamp.iter().all(|file| {
        file.is_some_and(|file| {
            now.duration_since(file.modified).is_ok_and(|age| age >= SETTLE_TIME)
        })
    })
}

impl<T> fmt::Debug for WatchedFile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchedFile({:?})", self.files)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Writes a file with a modification time of this second.
    fn write(path: &Path, text: &str, second: u64) {
        fs::write(path, text).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
    }

    /// Creates a file that contains a number, and returns its watcher, path, read counter and
    /// folder.
    fn watched_number(
        text: &str,
    ) -> (WatchedFile<u32>, PathBuf, Arc<AtomicUsize>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        write(&path, text, 1);
        let (file, reads) = (path.clone(), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&reads);
        let read = move || {
            count.fetch_add(1, Ordering::Relaxed);
            read_text(&file)?.trim().parse().map_err(|_| "not a number".to_owned())
        };
        (WatchedFile::open("the number", vec![path.clone()], read).unwrap(), path, reads, folder)
    }

    #[test]
    fn rereads_a_file_only_after_a_change() {
        let (watched, path, reads, _folder) = watched_number("1");
        for _ in 0..5 {
            assert_eq!(watched.current(), (1, Duration::ZERO));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        write(&path, "2", 2);
        for _ in 0..5 {
            assert_eq!(watched.current(), (2, Duration::ZERO));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        // The new target of a link may have an older modification time.
        write(&path, "3", 1);
        assert_eq!(watched.current().0, 3);
    }

    #[test]
    fn detects_two_changes_within_one_timestamp_tick() {
        let (watched, path, _reads, _folder) = watched_number("1");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        for text in ["2", "3", "4"] {
            write(&path, text, now);
            assert_eq!(watched.current().0.to_string(), text);
        }
    }

    #[test]
    fn retries_an_unreadable_file_that_looks_unchanged() {
        let (watched, path, reads, _folder) = watched_number("1");
        write(&path, "x", 2);
        let broken = Instant::now();
        let (value, stale) = watched.current();
        assert_eq!(value, 1);
        assert!(stale <= broken.elapsed());
        let before = reads.load(Ordering::Relaxed);
        watched.current();
        assert!(broken.elapsed() >= RETRY_INTERVAL || reads.load(Ordering::Relaxed) == before);
        write(&path, "2", 2);
        while watched.current().0 == 1 {
            assert!(broken.elapsed() < 20 * RETRY_INTERVAL, "the file was not read again");
            std::thread::yield_now();
        }
        assert_eq!(watched.current(), (2, Duration::ZERO));
    }

    #[test]
    fn missing_file_is_stale_until_it_returns() {
        let (watched, path, _reads, _folder) = watched_number("1");
        fs::remove_file(&path).unwrap();
        let missing = watched.current();
        assert_eq!(missing.0, 1);
        let later = watched.current();
        assert!(later.1 > missing.1, "{:?} {:?}", missing.1, later.1);
        write(&path, "1", 1);
        assert_eq!(watched.current(), (1, Duration::ZERO));
    }
}
