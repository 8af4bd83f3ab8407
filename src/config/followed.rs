//! What files hold that the settings name, read again when they change.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// How soon files that could not be read are read again, where nothing of them changed since.
const AGAIN: Duration = Duration::from_secs(1);
/// How old a change is before it counts as the last one: within a tick of its clock, a file can
/// change twice and look the same.
const SETTLED: Duration = Duration::from_secs(2);

/// What files hold that the settings name, read again when they change. While they cannot be read,
/// it is what they held last.
pub struct Followed<T> {
    what: &'static str,
    files: Vec<PathBuf>,
    read: Box<dyn Fn() -> Result<T, String> + Send + Sync>,
    last: Mutex<Last<T>>,
}

struct Last<T> {
    value: T,
    /// The files as they were when this was read.
    stamp: Stamp,
    failed: Option<Failed>,
}

/// That the files could not be read when they were looked at last.
struct Failed {
    stamp: Stamp,
    reason: String,
    since: Instant,
    last: Instant,
}

/// Tells one state of the files from the next. Kubernetes replaces mounted secrets by switching a
/// link, which shows in the time of change.
type Stamp = Vec<Option<(SystemTime, u64)>>;

impl<T: Clone> Followed<T> {
    /// Reads the files for the first time. `what` they hold stands in the log, and so does what
    /// `read` says is wrong with them.
    pub fn open(
        what: &'static str,
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let stamp = stamp(&files);
        let last = Last { value: read()?, stamp, failed: None };
        Ok(Self { what, files, read: Box::new(read), last: Mutex::new(last) })
    }

    /// What the files hold now, as far as they can be read, and for how long they could not.
    pub fn now(&self) -> (T, Duration) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.files);
        let is_due = match &last.failed {
            Some(failed) => failed.stamp != stamp || failed.last.elapsed() >= AGAIN,
            None => last.stamp != stamp || !is_settled(&stamp),
        };
        if is_due {
            match (self.read)() {
                Ok(value) => {
                    if last.failed.is_some() || last.stamp != stamp {
                        tracing::info!(files = ?self.files, "{} was read again", self.what);
                    }
                    *last = Last { value, stamp, failed: None };
                }
                Err(reason) => last.failed = Some(self.failed(last.failed.take(), stamp, reason)),
            }
        }
        let stale = last.failed.as_ref().map_or(Duration::ZERO, |failed| failed.since.elapsed());
        (last.value.clone(), stale)
    }

    /// Takes down that the files cannot be read. The log has it once, until the reason is another.
    fn failed(&self, before: Option<Failed>, stamp: Stamp, reason: String) -> Failed {
        if before.as_ref().is_none_or(|before| before.reason != reason) {
            tracing::warn!(files = ?self.files, reason, "keeping what was {} before", self.what);
        }
        let now = Instant::now();
        Failed { stamp, reason, since: before.map_or(now, |before| before.since), last: now }
    }
}

/// The text of a file; a mistake names it.
pub fn text_of(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn stamp(files: &[PathBuf]) -> Stamp {
    let of = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(of).collect()
}

/// Whether what was read since is what the files hold, and goes on to be until the stamp changes.
fn is_settled(stamp: &Stamp) -> bool {
    let now = SystemTime::now();
    stamp.iter().all(|file| {
        file.is_some_and(|(at, _)| now.duration_since(at).is_ok_and(|age| age >= SETTLED))
    })
}

impl<T> fmt::Debug for Followed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Followed({:?})", self.files)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Writes a file as if it had been written at this second.
    fn write(path: &Path, text: &str, second: u64) {
        fs::write(path, text).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
    }

    /// A file that holds a number, how often it was read, and its folder.
    fn number(text: &str) -> (Followed<u32>, PathBuf, Arc<AtomicUsize>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        write(&path, text, 1);
        let (file, reads) = (path.clone(), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&reads);
        let read = move || {
            count.fetch_add(1, Ordering::Relaxed);
            text_of(&file)?.trim().parse().map_err(|_| "no number".to_owned())
        };
        (Followed::open("the number", vec![path.clone()], read).unwrap(), path, reads, folder)
    }

    #[test]
    fn a_file_is_read_when_it_changed_and_not_at_every_look() {
        let (followed, path, reads, _folder) = number("1");
        for _ in 0..5 {
            assert_eq!(followed.now(), (1, Duration::ZERO));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        write(&path, "2", 2);
        for _ in 0..5 {
            assert_eq!(followed.now(), (2, Duration::ZERO));
        }
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        // A link may lead to what is older.
        write(&path, "3", 1);
        assert_eq!(followed.now().0, 3);
    }

    #[test]
    fn two_changes_within_a_tick_of_the_clock_are_two() {
        let (followed, path, _reads, _folder) = number("1");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        for text in ["2", "3", "4"] {
            write(&path, text, now);
            assert_eq!(followed.now().0.to_string(), text);
        }
    }

    #[test]
    fn a_file_that_could_not_be_read_is_read_again_though_it_looks_the_same() {
        let (followed, path, reads, _folder) = number("1");
        write(&path, "x", 2);
        let broken = Instant::now();
        let (value, stale) = followed.now();
        assert_eq!(value, 1);
        assert!(stale <= broken.elapsed());
        let before = reads.load(Ordering::Relaxed);
        followed.now();
        assert!(broken.elapsed() >= AGAIN || reads.load(Ordering::Relaxed) == before);
        write(&path, "2", 2);
        while followed.now().0 == 1 {
            assert!(broken.elapsed() < 20 * AGAIN, "it is not read again");
            std::thread::yield_now();
        }
        assert_eq!(followed.now(), (2, Duration::ZERO));
    }

    #[test]
    fn what_is_away_is_stale_since_then_until_it_is_back() {
        let (followed, path, _reads, _folder) = number("1");
        fs::remove_file(&path).unwrap();
        let away = followed.now();
        assert_eq!(away.0, 1);
        let later = followed.now();
        assert!(later.1 > away.1, "{:?} {:?}", away.1, later.1);
        write(&path, "1", 1);
        assert_eq!(followed.now(), (1, Duration::ZERO));
    }
}
