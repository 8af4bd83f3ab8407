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
    error::AuditError,
    file::ChainFile,
    key::{AuditOutput, ChainKey},
    losses::LossCounters,
    stream::ChainStream,
};
use crate::{config, telemetry::AuditLogExporter};

/// A command for the writer thread.
#[derive(Debug)]
pub(super) enum WriterCommand {
    /// Write the record.
    Write(Box<Record>),
    /// Write and flush the record, then report the result.
    WriteAndFlush(Box<Record>, oneshot::Sender<Result<(), String>>),
    /// Write the chain head of the file to the log, then report completion.
    LogHead(Option<oneshot::Sender<()>>),
    /// Write all queued records, then stop.
    Stop(oneshot::Sender<()>),
}

/// The outputs of the audit log. A failing output does not affect the others.
#[derive(Debug)]
struct Sinks {
    file: Option<ChainFile>,
    collector: Option<(AuditLogExporter, ChainStream)>,
    stdout: Option<ChainStream>,
    /// Counters of lost records and failed writes.
    losses: Arc<LossCounters>,
    /// The sequence number of the last head that was written to the log.
    last_logged_head: u64,
    last_loss_log: Option<Instant>,
    unlogged_write_failures: u64,
    delivery_failures: u64,
}

/// The shortest interval between log messages about lost records.
const LOSS_LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Opens the configured outputs and starts the writer thread. Returns after all outputs are open.
pub(super) fn start(
    settings: &config::AuditSettings,
    jobs: mpsc::Receiver<WriterCommand>,
    losses: Arc<LossCounters>,
) -> Result<(), AuditError> {
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
    thread.map_err(AuditError::StartThread)?;
    opened.recv().map_err(|_| AuditError::ThreadEnded)?
}

impl Sinks {
    fn open(
        settings: &config::AuditSettings,
        losses: Arc<LossCounters>,
    ) -> Result<Self, AuditError> {
        let key = ChainKey::from_config(settings)?.map(Arc::new);
        let stream = |output| {
            let key = key.as_ref().map(|key| key.for_output(output)).transpose()?;
            Ok::<_, AuditError>(ChainStream::new(key.map(Arc::new)))
        };
        let file = settings.file.path.as_deref();
        let file =
            file.map(|path| ChainFile::open(path, &settings.file, key.clone())).transpose()?;
        let announced = file.as_ref().map_or(0, log_key_change);
        let collector = settings.otlp.endpoint.as_ref().map(|endpoint| {
            let logs = AuditLogExporter::start(&settings.otlp, endpoint, "octopus-mcp.audit")
                .map_err(AuditError::Collector)?;
            Ok::<_, AuditError>((logs, stream(AuditOutput::Collector)?))
        });
        Ok(Self {
            file,
            collector: collector.transpose()?,
            stdout: settings.stdout.then(|| stream(AuditOutput::Stdout)).transpose()?,
            losses,
            last_logged_head: announced,
            last_loss_log: None,
            unlogged_write_failures: 0,
            delivery_failures: 0,
        })
    }

    fn serve(mut self, mut jobs: mpsc::Receiver<WriterCommand>) {
        while let Some(job) = jobs.blocking_recv() {
            match job {
                WriterCommand::Write(record) => drop(self.write(&record)),
                WriterCommand::WriteAndFlush(record, result_sender) => {
                    let written = self.write(&record).and_then(|()| self.flush());
                    if let Err(error) = &written {
                        tracing::error!(
                            error,
                            "change rejected, because its audit record could not be written"
                        );
                    }
                    let _ = result_sender.send(written);
                }
                WriterCommand::LogHead(done_sender) => {
                    self.log_head();
                    if let Some(done_sender) = done_sender {
                        let _ = done_sender.send(());
                    }
                }
                WriterCommand::Stop(ended) => {
                    // Records queued during the stop are written too.
                    jobs.close();
                    while let Ok(job) = jobs.try_recv() {
                        match job {
                            WriterCommand::Write(record)
                            | WriterCommand::WriteAndFlush(record, _) => drop(self.write(&record)),
                            WriterCommand::LogHead(_) | WriterCommand::Stop(_) => {}
                        }
                    }
                    if let Some(file) = &self.file {
                        let _ = file.sync();
                    }
                    self.log_head();
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
        let lost = self.losses.take_unreported();
        let written = record.to_json();
        let mut result = Ok(());
        if let Some(stream) = &mut self.stdout {
            stream.lost += lost;
            result = stream.write(&written, write_stdout);
            self.count_failure_if(result.is_err());
        }
        if let Some((logs, stream)) = &mut self.collector {
            stream.lost += lost;
            let attributes = attributes(record);
            result = stream.write(&written, |lines| {
                for line in lines.lines() {
                    logs.emit("octopus_mcp.audit", line.to_owned(), &attributes);
                }
                Ok(())
            });
            let failures = logs.failures();
            self.losses.count_failures(failures.saturating_sub(self.delivery_failures));
            self.delivery_failures = failures;
        }
        if let Some(file) = &mut self.file {
            file.lost += lost;
            result = file.append(&written).map_err(|error| format!("audit.file.path: {error}"));
            self.count_failure_if(result.is_err());
        }
        self.log_losses(lost, result.as_ref().err());
        result
    }

    /// Writes the chain head of the file to the log and to the other outputs, if records were
    /// written since the last head.
    fn log_head(&mut self) {
        let Some((path, chain)) = self.file.as_ref().map(ChainFile::path_and_chain) else { return };
        if chain.seq == self.last_logged_head {
            return;
        }
        self.last_logged_head = chain.seq;
        let head = chain.head().to_string();
        tracing::info!(file = %path.display(), count = chain.seq, head, "audit head");
        let record = json!({ "kind": "head", "time": Timestamp::now(), "head": head }).to_string();
        if let Some(stream) = &mut self.stdout {
            let written = stream.write(&record, write_stdout);
            self.count_failure_if(written.is_err());
        }
        if let Some((logs, stream)) = &mut self.collector {
            let _ = stream.write(&record, |lines| {
                for line in lines.lines() {
                    logs.emit("octopus_mcp.audit.head", line.to_owned(), &[]);
                }
                Ok(())
            });
        }
    }

    fn count_failure_if(&mut self, failed: bool) {
        self.unlogged_write_failures += u64::from(failed);
        self.losses.count_failures(u64::from(failed));
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
    fn log_losses(&mut self, lost: u64, error: Option<&String>) {
        let nothing = lost == 0 && self.unlogged_write_failures == 0 && self.delivery_failures == 0;
        if nothing || self.last_loss_log.is_some_and(|last| last.elapsed() < LOSS_LOG_INTERVAL) {
            return;
        }
        let (unwritten, undelivered) = (self.unlogged_write_failures, self.delivery_failures);
        if error.is_some() || lost > 0 || unwritten > 0 {
            self.last_loss_log = Some(Instant::now());
            self.unlogged_write_failures = 0;
            let error = error.map_or("", String::as_str);
            tracing::error!(lost, unwritten, undelivered, error, "audit records lost");
        } else {
            self.last_loss_log = Some(Instant::now());
            tracing::warn!(undelivered, "audit records not delivered to the collector");
        }
    }
}

/// Logs a key change of the chain in a file. Returns the sequence number of its last record.
fn log_key_change(file: &ChainFile) -> u64 {
    let (path, chain) = file.path_and_chain();
    if let Some(rekeyed) = chain.pending_key_change() {
        let (from, to) = (rekeyed.from.as_deref(), rekeyed.to.as_deref());
        tracing::warn!(file = %path.display(), count = chain.seq, from, to, "audit key changed");
    }
    chain.seq
}

fn write_stdout(lines: &str) -> Result<(), String> {
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
    let caller = caller.map(|caller| crate::sanitize::sanitize(&caller.name).text.into_owned());
    [
        ("octopus_mcp.audit.id", Some(record.id.to_string())),
        ("octopus_mcp.audit.change", record.change.map(|change| change.to_string())),
        ("octopus_mcp.audit.kind", word(record.kind)),
        ("octopus_mcp.audit.result", word(record.result)),
        ("octopus_mcp.caller", caller),
        ("octopus_mcp.instance", record.target.instance.clone()),
        ("gen_ai.tool.name", record.tool.clone()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect()
}
