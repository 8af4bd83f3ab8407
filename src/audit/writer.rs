//! Writes records, one after the other, on a thread of its own: files and collectors block.

use std::{
    io::{self, Write},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{
    Record,
    file::Keeping,
    key::{ChainKey, Output},
    losses::Losses,
    stream::Stream,
};
use crate::{config, telemetry::Records};

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Job {
    /// Write this when its turn comes.
    Keep(Box<Record>),
    /// Write this, wait until it is kept, and say so.
    Ensure(Box<Record>, oneshot::Sender<Result<(), String>>),
    /// Write the head of the file into the log, and say when that is done.
    Head(Option<oneshot::Sender<()>>),
    /// Write what came so far, and end.
    Stop(oneshot::Sender<()>),
}

/// Where records go. One that fails does not keep the others from theirs.
#[derive(Debug)]
struct Sinks {
    file: Option<Keeping>,
    collector: Option<(Records, Stream)>,
    stdout: Option<Stream>,
    /// What is not kept.
    losses: Arc<Losses>,
    /// The number of the last record whose head was written into the log.
    announced: u64,
    complained: Option<Instant>,
    failures: u64,
    delivered_failures: u64,
}

/// How often the log says that records are lost.
const EVERY: Duration = Duration::from_mins(1);

/// Opens what the settings name, and begins to write. Returns once everything is open.
pub(super) fn start(
    settings: &config::Audit,
    jobs: mpsc::Receiver<Job>,
    losses: Arc<Losses>,
) -> Result<(), String> {
    let (ready, opened) = std::sync::mpsc::sync_channel(1);
    let settings = settings.clone();
    let begun = thread::Builder::new().name("audit".to_owned()).spawn(move || {
        // The client of a collector is made and dropped here, where it may block.
        match Sinks::open(&settings, losses) {
            Ok(sinks) => {
                let _ = ready.send(Ok(()));
                sinks.serve(jobs);
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    });
    begun.map_err(|error| format!("audit: no thread: {error}"))?;
    opened.recv().map_err(|_| "audit: the writer did not start".to_owned())?
}

impl Sinks {
    fn open(settings: &config::Audit, losses: Arc<Losses>) -> Result<Self, String> {
        let key = ChainKey::from_config(settings)?.map(Arc::new);
        let stream = |output| {
            let key = key.as_ref().map(|key| key.for_output(output)).transpose()?;
            Ok::<_, String>(Stream::new(key.map(Arc::new)))
        };
        let file = settings.file.path.as_deref();
        let file = file.map(|path| Keeping::open(path, &settings.file, key.clone())).transpose()?;
        let announced = file.as_ref().map_or(0, begun);
        let collector = settings.otlp.endpoint.as_ref().map(|endpoint| {
            let logs = Records::start(&settings.otlp, endpoint, "octopus-mcp.audit")
                .map_err(|error| format!("audit.otlp.{error}"))?;
            Ok::<_, String>((logs, stream(Output::Collector)?))
        });
        Ok(Self {
            file,
            collector: collector.transpose()?,
            stdout: settings.stdout.then(|| stream(Output::Stdout)).transpose()?,
            losses,
            announced,
            complained: None,
            failures: 0,
            delivered_failures: 0,
        })
    }

    fn serve(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            match job {
                Job::Keep(record) => drop(self.write(&record)),
                Job::Ensure(record, kept) => {
                    let written = self.write(&record).and_then(|()| self.flush());
                    if let Err(error) = &written {
                        tracing::error!(
                            error,
                            "a change is refused, because no record can be kept"
                        );
                    }
                    let _ = kept.send(written);
                }
                Job::Head(done) => {
                    self.announce();
                    if let Some(done) = done {
                        let _ = done.send(());
                    }
                }
                Job::Stop(ended) => {
                    // What came while it stopped is written too.
                    jobs.close();
                    while let Ok(job) = jobs.try_recv() {
                        match job {
                            Job::Keep(record) | Job::Ensure(record, _) => drop(self.write(&record)),
                            Job::Head(_) | Job::Stop(_) => {}
                        }
                    }
                    if let Some(file) = &self.file {
                        let _ = file.sync();
                    }
                    self.announce();
                    drop(self);
                    let _ = ended.send(());
                    return;
                }
            }
        }
    }

    /// Writes a record everywhere. The answer is that of the sink that decides: the file, else the
    /// collector, else standard output.
    fn write(&mut self, record: &Record) -> Result<(), String> {
        let lost = self.losses.tell();
        let written = record.written();
        let mut decided = Ok(());
        if let Some(stream) = &mut self.stdout {
            stream.lost += lost;
            decided = stream.write(&written, print);
            self.failed(decided.is_err());
        }
        if let Some((logs, stream)) = &mut self.collector {
            stream.lost += lost;
            let attributes = attributes(record);
            decided = stream.write(&written, |lines| {
                for line in lines.lines() {
                    logs.add("octopus_mcp.audit", line.to_owned(), &attributes);
                }
                Ok(())
            });
            let failures = logs.failures();
            self.losses.fail(failures.saturating_sub(self.delivered_failures));
            self.delivered_failures = failures;
        }
        if let Some(file) = &mut self.file {
            file.lost += lost;
            decided = file.add(&written).map_err(|error| format!("audit.file.path: {error}"));
            self.failed(decided.is_err());
        }
        self.complain(lost, decided.as_ref().err());
        decided
    }

    /// Writes the head of the file into the log and to the other places of records, where records
    /// were added since the last head.
    fn announce(&mut self) {
        let Some((path, chain)) = self.file.as_ref().map(Keeping::end) else { return };
        if chain.seq == self.announced {
            return;
        }
        self.announced = chain.seq;
        let head = chain.head().to_string();
        tracing::info!(file = %path.display(), count = chain.seq, head, "audit head");
        let record = json!({ "kind": "head", "time": Timestamp::now(), "head": head }).to_string();
        if let Some(stream) = &mut self.stdout {
            let written = stream.write(&record, print);
            self.failed(written.is_err());
        }
        if let Some((logs, stream)) = &mut self.collector {
            let _ = stream.write(&record, |lines| {
                for line in lines.lines() {
                    logs.add("octopus_mcp.audit.head", line.to_owned(), &[]);
                }
                Ok(())
            });
        }
    }

    fn failed(&mut self, failed: bool) {
        self.failures += u64::from(failed);
        self.losses.fail(u64::from(failed));
    }

    /// Waits until what was written is kept.
    fn flush(&self) -> Result<(), String> {
        match (&self.file, &self.collector) {
            (Some(file), _) => file.sync().map_err(|error| format!("audit.file.path: {error}")),
            (None, Some((logs, _))) => {
                logs.flush().map_err(|error| format!("audit.otlp.endpoint: {error}"))
            }
            (None, None) => Ok(()),
        }
    }

    /// Says in the log what is lost, once a while.
    fn complain(&mut self, lost: u64, error: Option<&String>) {
        let nothing = lost == 0 && self.failures == 0 && self.delivered_failures == 0;
        if nothing || self.complained.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        let (unwritten, undelivered) = (self.failures, self.delivered_failures);
        if error.is_some() || lost > 0 || unwritten > 0 {
            self.complained = Some(Instant::now());
            self.failures = 0;
            let error = error.map_or("", String::as_str);
            tracing::error!(lost, unwritten, undelivered, error, "records of the audit are lost");
        } else {
            self.complained = Some(Instant::now());
            tracing::warn!(undelivered, "the collector does not take the records of the audit");
        }
    }
}

/// Logs how the key of the chain in a file changes. Returns the number of its last record.
fn begun(file: &Keeping) -> u64 {
    let (path, chain) = file.end();
    if let Some(rekeyed) = chain.rekeyed() {
        let (from, to) = (rekeyed.from.as_deref(), rekeyed.to.as_deref());
        tracing::warn!(file = %path.display(), count = chain.seq, from, to, "audit key changed");
    }
    chain.seq
}

fn print(lines: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| format!("audit.stdout: {error}"))
}

/// What a collector can look for.
fn attributes(record: &Record) -> Vec<(&'static str, String)> {
    fn word(value: impl serde::Serialize) -> Option<String> {
        serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
    }
    let caller = record.caller.as_ref();
    let caller = caller.map(|caller| crate::text::door(&caller.name).text.into_owned());
    [
        ("octopus_mcp.audit.id", Some(record.id.to_string())),
        ("octopus_mcp.audit.change", record.change.map(|change| change.to_string())),
        ("octopus_mcp.audit.kind", word(record.kind)),
        ("octopus_mcp.audit.result", word(record.result)),
        ("octopus_mcp.caller", caller),
        ("octopus_mcp.instance", record.place.instance.clone()),
        ("gen_ai.tool.name", record.tool.clone()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect()
}
