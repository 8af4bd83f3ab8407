//! The command line.

mod audit;
mod healthcheck;
mod policy;
mod settings;
mod token;
mod tools;
mod welcome;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    app::{self, SettingsFile},
    config::{self, Config, Flags, Loaded, Mistakes},
    telemetry::{self, Telemetry},
};

/// A remote MCP server for Octopus Deploy.
///
/// Without a command it serves. Settings come from a file, from environment variables
/// (`OCTOPUS_MCP_HTTP__LISTEN` is http.listen) and from these flags, the last winning;
/// config/reference.toml lists them all.
#[derive(Debug, Parser)]
#[command(name = "octopus-mcp", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP clients over HTTP.
    Serve,
    /// Serve one local client over standard input and output.
    Stdio,
    /// List the tools that are offered, with the Octopus version that each needs.
    Tools {
        /// As JSON, with their schemas.
        #[arg(long)]
        json: bool,
        /// By the version of Octopus that they need.
        #[arg(long, conflicts_with = "json")]
        by_version: bool,
    },
    /// Print the settings in force and where each came from. Secrets are masked.
    Config,
    /// Tokens of callers, for auth.mode = "tokens".
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Ask a running server whether it is ready; for containers without a shell.
    Healthcheck,
    /// Look into the records of the audit.
    Audit {
        #[command(subcommand)]
        command: audit::Command,
    },
    /// Look at the rules of the policy.
    #[command(subcommand)]
    Policy(policy::Policy),
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum TokenCommand {
    /// Make a token, and print it this one time, with its hash for the settings.
    New {
        /// What its caller is called, in records and rules.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Options {
    /// Serve the embedded sample instance of Octopus instead of a real one.
    #[arg(long, global = true)]
    sample: bool,
    /// The address to listen on [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<String>,
    /// A file with settings.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where Octopus answers, for example `https://octopus.example.com`.
    #[arg(long, global = true, value_name = "URL")]
    server_url: Option<String>,
    /// The API key that calls use. Visible in the process list; better is `OCTOPUS_API_KEY`, or
    /// `OCTOPUS_API_KEY_FILE` with the path of a file.
    #[arg(long, global = true, value_name = "KEY")]
    api_key: Option<String>,
    /// The toolsets that are on, with commas, or `all` [default: all].
    #[arg(long, global = true, value_name = "LIST|all")]
    toolsets: Option<String>,
    /// Whether tools that change anything are left out [default: true].
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    read_only: Option<bool>,
    /// How log lines are written [default: text].
    #[arg(long, global = true)]
    log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Options {
    fn flags(&self) -> Flags {
        let mut flags = Flags::default();
        flags.file.clone_from(&self.config);
        flags.set("--sample", "sample.enabled", self.sample.then_some(true));
        flags.set("--listen", "http.listen", self.listen.as_ref());
        flags.set("--server-url", "octopus.url", self.server_url.as_ref());
        flags.set("--api-key", "octopus.api_key", self.api_key.as_ref());
        flags.set("--toolsets", "tools.toolsets", self.toolsets.as_ref());
        flags.set("--read-only", "tools.read_only", self.read_only);
        let log_format = self.log_format.map(|format| match format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        });
        flags.set("--log-format", "telemetry.log_format", log_format);
        flags
    }
}

/// Why a command failed.
enum Failure {
    /// The settings are wrong: exit code 2, as for a wrong flag.
    Settings(Mistakes),
    /// Anything else: exit code 1.
    Other(String),
    /// What was asked for was answered, and this is the exit code that says how.
    Code(u8),
}

/// Runs the command.
pub async fn run(cli: Cli) -> ExitCode {
    let file = SettingsFile::before_reading(cli.options.config.clone());
    let mut loaded = config::load(&cli.options.flags());
    app::check(&mut loaded);
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => Box::pin(serve(loaded, file, &cli.options)).await,
        Command::Stdio => Box::pin(stdio(loaded, &cli.options)).await,
        Command::Tools { json, by_version } => list(loaded, json, by_version),
        Command::Config => settings::show(loaded),
        Command::Token { command: TokenCommand::New { name } } => token::new(&name),
        Command::Healthcheck => healthcheck::ask(loaded.config()),
        Command::Audit { command } => audit::run(command, loaded.config()),
        Command::Policy(policy::Policy::Test(call)) => policy::test(loaded, &call),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Settings(mistakes)) => {
            complain(&mistakes.to_string());
            ExitCode::from(2)
        }
        Err(Failure::Code(code)) => ExitCode::from(code),
        Err(Failure::Other(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place that speaks to whoever typed the command")]
fn complain(message: &str) {
    eprintln!("octopus-mcp: {message}");
}

fn begin(loaded: Loaded, options: &Options) -> Result<(Config, Telemetry), Failure> {
    let config = loaded.finish().map_err(Failure::Settings)?;
    let telemetry = telemetry::start(&config.telemetry).map_err(Failure::Other)?;
    if options.api_key.is_some() {
        tracing::warn!(
            "a key given with --api-key is visible in the process list; set OCTOPUS_API_KEY, or \
             OCTOPUS_API_KEY_FILE to a file that holds it"
        );
    }
    for risk in config.risks() {
        tracing::warn!("{risk}");
    }
    if config.octopus.allow_http {
        tracing::warn!("credentials may travel to Octopus in clear text (octopus.allow_http)");
    }
    Ok((config, telemetry))
}

async fn serve(loaded: Loaded, file: SettingsFile, options: &Options) -> Result<(), Failure> {
    let (config, telemetry) = begin(loaded, options)?;
    let told_to_stop = app::signalled();
    let asked_again = app::hangups();
    app::prepare();
    let running = app::start(config.clone()).await.map_err(Failure::Other)?.delivering(telemetry);
    let endpoint = running.endpoint(config.http.tls.certificate.is_some());
    app::print(&welcome::text(&config, &endpoint));
    tracing::info!(endpoint, version = env!("CARGO_PKG_VERSION"), "serving");
    let flags = options.flags();
    let load = move || {
        let mut loaded = config::load(&flags);
        app::check(&mut loaded);
        loaded.finish().map_err(|mistakes| mistakes.to_string())
    };
    tokio::select! {
        () = told_to_stop => {}
        () = app::follow(running.live.clone(), file, load, asked_again) => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

async fn stdio(loaded: Loaded, options: &Options) -> Result<(), Failure> {
    let (config, telemetry) = begin(loaded, options)?;
    Box::pin(app::serve_stdio(config, telemetry)).await.map_err(Failure::Other)
}

fn list(mut loaded: Loaded, json: bool, by_version: bool) -> Result<(), Failure> {
    // What is offered does not depend on where Octopus is, or on who may listen.
    loaded.forgive(|key| !key.starts_with("tools."));
    let config = loaded.finish().map_err(Failure::Settings)?;
    let catalog = app::catalog();
    let policy = app::policy(&config).map_err(Failure::Other)?;
    let text = match (json, by_version) {
        (true, _) => tools::json(&catalog, &policy),
        (_, true) => tools::by_version(&catalog, &policy),
        _ => tools::table(&catalog, &policy),
    };
    app::print(&text);
    Ok(())
}
