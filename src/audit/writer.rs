//! Writer thread: writes records one after the other. It is a separate thread because writing to
//! files and collectors blocks.

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

/// A command for the writer thread.
#[derive(Debug)]
pub(super) enum Job {
    /// Write the record.
    Keep(Box<Record>),
    /// Write and flush the record, then report the result.
    Ensure(Box<Record>, oneshot::Sender<Result<(), String>>),
    /// Write the chain head of the file to the log, then report completion.
    Head(Option<oneshot::Sender<()>>),
    /// Write all queued records, then stop.
    Stop(oneshot::Sender<()>),
}

/// The outputs of the audit log. A failing output does not affect the others.
#[derive(Debug)]
struct Sinks {
    file: Option<Keeping>,
    collector: Option<(Records, Stream)>,
    stdout: Option<Stream>,
    /// Counters of lost records and failed writes.
    losses: Arc<Losses>,
    /// The sequence number of the last head that was written to the log.
    announced: u64,
    complained: Option<Instant>,
    failures: u64,
    delivered_failures: u64,
}

/// The shortest interval between log messages about lost records.
const EVERY: Duration = Duration::from_mins(1);

/// Opens the configured outputs and starts the writer thread. Returns when all outputs are open.
pub(super) fn start(
    settings: &config::Audit,
    jobs: mpsc::Receiver<Job>,
    losses: Arc<Losses>,
) -> Result<(), String> {
    let (ready, opened) = std::sync::mpsc::sync_channel(1);
    let settings = settings.clone();
    let thread = thread::Builder::new().name("audit".to_owned()).spawn(move || {
        // The HTTP client of a collector blocks when it is created and dropped, so both happen on
        // this thread.
        match Sinks::open(&settings, losses) {
            Ok(sinks) => {
                let _ = ready.send(Ok(()));
                sinks.serve(jobs);
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    });
    thread.map_err(|error| format!("audit: cannot start the writer thread: {error}"))?;
    opened.recv().map_err(|_| "audit: the writer thread did not start".to_owned())?
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
                            "change rejected, because its audit record could not be written"
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
                    // Records queued during the stop are written too.
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

    /// Writes a record to all outputs. Returns the result of the most important configured output:
    /// the file, otherwise the collector, otherwise standard output.
    fn write(&mut self, record: &Record) -> Result<(), String> {
        let lost = self.losses.tell();
        let written = record.written();
        let mut result = Ok(());
        if let Some(stream) = &mut self.stdout {
            stream.lost += lost;
            result = stream.write(&written, print);
            self.failed(result.is_err());
        }
        if let Some((logs, stream)) = &mut self.collector {
            stream.lost += lost;
            let attributes = attributes(record);
            result = stream.write(&written, |lines| {
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
            result = file.add(&written).map_err(|error| format!("audit.file.path: {error}"));
            self.failed(result.is_err());
        }
        self.complain(lost, result.as_ref().err());
        result
    }

    /// Writes the chain head of the file to the log and to the other outputs, if records were
    /// written since the last head.
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

    /// Waits until the written records are durable.
    fn flush(&self) -> Result<(), String> {
        match (&self.file, &self.collector) {
            (Some(file), _) => file.sync().map_err(|error| format!("audit.file.path: {error}")),
            (None, Some((logs, _))) => {
                logs.flush().map_err(|error| format!("audit.otlp.endpoint: {error}"))
            }
            (None, None) => Ok(()),
        }
    }

    /// Logs lost records, at most once per interval.
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
            tracing::error!(lost, unwritten, undelivered, error, "audit records lost");
        } else {
            self.complained = Some(Instant::now());
            tracing::warn!(undelivered, "audit records not delivered to the collector");
        }
    }
}

/// Logs a key change of the chain in a file. Returns the sequence number of its last record.
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

/// Returns the attributes by which records can be searched in a collector.
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
