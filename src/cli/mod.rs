//! The command line: parses flags, loads the settings and runs a command.

mod audit;
mod check;
mod healthcheck;
mod policy;
mod settings;
mod startup_message;
mod token;
mod tools;

use std::{env, ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::{
    app::{self, SettingsFile},
    config::{self, Config, ConfigErrors, Flags, LoadedConfig},
    telemetry::{self, Telemetry},
};

/// A remote MCP server for Octopus Deploy.
#[derive(Debug, Parser)]
#[command(name = "octopus-mcp", version, after_help = ABOUT_SETTINGS)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

const ABOUT_SETTINGS: &str = "\
Without a command, the server starts (serve). Settings come from a file, from environment variables
(OCTOPUS_MCP_HTTP__LISTEN is http.listen) and from flags; later sources override earlier ones.
config/reference.toml lists all settings.";

/// The settings flags that each command uses. Commands accept the other flags too, so that a
/// wrapper can pass the same flags to every command, but their help does not list them.
const USED_FLAGS: &[(&str, &[&str])] = &[
    (
        "stdio",
        &["sample", "config", "server_url", "api_key", "toolsets", "read_only", "log_format"],
    ),
    ("tools", &["sample", "config", "toolsets", "read_only"]),
    ("token", &[]),
    ("check", &["sample", "config", "server_url", "api_key", "read_only"]),
    ("healthcheck", &["config", "listen"]),
    ("audit", &["config"]),
    ("policy", &["sample", "config", "server_url", "toolsets", "read_only"]),
];

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP clients over HTTP.
    Serve,
    /// Serve one local MCP client over standard input and output.
    Stdio,
    /// List the enabled tools with the Octopus version that each one needs.
    Tools {
        /// Print JSON with the schemas of the tools.
        #[arg(long)]
        json: bool,
        /// Group the tools by the Octopus version that they need.
        #[arg(long, conflicts_with = "json")]
        by_version: bool,
    },
    /// Print the effective settings and the source of each. Secrets are masked.
    Config {
        /// Print only the settings that differ from their defaults.
        #[arg(long)]
        changed: bool,
    },
    /// Verify each configured Octopus instance and credential: URL, TLS, version, permissions and
    /// expiry. Exit code: 0 valid, 1 calls would fail, 2 invalid settings.
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Manage tokens of callers (auth.mode = "tokens").
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Check whether the running server is ready. For probes in containers without a shell.
    Healthcheck,
    /// Verify audit records and manage their keys.
    Audit {
        #[command(subcommand)]
        command: audit::Command,
    },
    /// Test the rules of the policy.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum TokenCommand {
    /// Generate a token and print it once, with its hash for the settings.
    New {
        /// Name of the caller in audit records and policy rules: 1 to 64 letters, digits, hyphens
        /// and underscores.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Options {
    /// Use the embedded sample instance of Octopus instead of a real one.
    #[arg(long, global = true)]
    sample: bool,
    /// Address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<String>,
    /// Path of the settings file (TOML).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// URL of the Octopus server, for example `https://octopus.example.com`.
    #[arg(long, global = true, value_name = "URL")]
    server_url: Option<String>,
    /// Octopus API key for all calls. It is visible in the process list; prefer `OCTOPUS_API_KEY`,
    /// or `OCTOPUS_API_KEY_FILE` with the path of a file.
    #[arg(long, global = true, value_name = "KEY")]
    api_key: Option<String>,
    /// Enabled toolsets, separated by commas, or `all` [default: all].
    #[arg(long, global = true, value_name = "LIST|all")]
    toolsets: Option<String>,
    /// Hide all tools that make changes [default: true].
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "true|false")]
    read_only: Option<bool>,
    /// Format of log lines [default: text].
    #[arg(long, global = true)]
    log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Cli {
    /// Parses the arguments of the process. Prints help or an error and exits if requested or if
    /// they are invalid.
    pub fn from_process() -> Self {
        let matches = command().get_matches_from(join_read_only(env::args_os()));
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Joins `--read-only` with a following `true` or `false`, because the flag also works without a
/// value and could otherwise not take a separate one.
fn join_read_only(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    for argument in arguments {
        match joined.last_mut() {
            Some(flag) if flag == "--read-only" && (argument == "true" || argument == "false") => {
                flag.push("=");
                flag.push(argument);
            }
            _ => joined.push(argument),
        }
    }
    joined
}

/// Returns the command line, in which the help of a command lists only the flags that it uses.
fn command() -> clap::Command {
    let command = Cli::command();
    let flags: Vec<Arg> =
        command.get_arguments().filter(|flag| flag.is_global_set()).cloned().collect();
    USED_FLAGS.iter().fold(command, |command, (name, used)| {
        let unused = flags.iter().filter(|flag| !used.contains(&flag.get_id().as_str()));
        // A flag of the command itself replaces the global flag.
        let unused: Vec<Arg> = unused.map(|flag| flag.clone().hide(true)).collect();
        command.mut_subcommand(*name, |command| with_flags(command, &unused))
    })
}

fn with_flags(command: clap::Command, flags: &[Arg]) -> clap::Command {
    command.args(flags).mut_subcommands(|command| with_flags(command, flags))
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

/// Reason of a non-zero exit code.
enum Failure {
    /// The settings are invalid: exit code 2, as for an invalid flag.
    Settings(ConfigErrors),
    /// A part cannot be built from the settings: exit code 2.
    InvalidSettings(String),
    /// Anything else: exit code 1.
    Other(String),
    /// The command succeeded; its result is this exit code.
    Code(u8),
}

impl Failure {
    /// Returns a failure with exit code 1 and the text of this error.
    fn other(error: impl std::error::Error) -> Self {
        Self::Other(error.to_string())
    }

    /// Returns a failure with exit code 2 if the settings must be corrected, otherwise 1.
    fn start(error: app::StartError) -> Self {
        if error.is_settings_error() {
            Self::InvalidSettings(error.to_string())
        } else {
            Self::other(error)
        }
    }
}

/// Runs the command and returns its exit code: 0 for success, 1 for an error, 2 for invalid
/// settings.
///
/// Commands that use all settings report the mistakes of all parts. The others report only mistakes
/// in the settings that they use.
/// `policy test` also returns 3 and 4.
pub async fn run(cli: Cli) -> ExitCode {
    let file = SettingsFile::snapshot(cli.options.config.clone());
    let mut loaded = config::load(&cli.options.flags());
    app::check_settings(&mut loaded);
    let command = cli.command.unwrap_or(Command::Serve);
    let uses_all_settings = matches!(
        command,
        Command::Serve | Command::Stdio | Command::Config { .. } | Command::Check { .. }
    );
    if uses_all_settings {
        app::check_startable(&mut loaded).await;
    }
    let done = match command {
        Command::Serve => Box::pin(serve(loaded, file, &cli.options)).await,
        Command::Stdio => Box::pin(stdio(loaded, &cli.options)).await,
        Command::Tools { json, by_version } => list_tools(loaded, json, by_version),
        Command::Config { changed } => settings::show(loaded, changed),
        Command::Token { command: TokenCommand::New { name } } => token::new(&name),
        Command::Check { json } => Box::pin(check::run(loaded, json)).await,
        Command::Healthcheck => {
            let used = ["http.listen", "http.admin_listen"];
            config_for(loaded, &used).and_then(|config| healthcheck::run(&config))
        }
        Command::Audit { command } => {
            let used = ["audit.chain_key", "audit.chain_key_file"];
            config_for(loaded, &used).and_then(|config| audit::run(command, &config))
        }
        Command::Policy(policy::PolicyCommand::Test(call)) => policy::test(loaded, &call),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Settings(errors)) => {
            print_error(&errors.to_string());
            ExitCode::from(2)
        }
        Err(Failure::InvalidSettings(message)) => {
            print_error(&message);
            ExitCode::from(2)
        }
        Err(Failure::Code(code)) => ExitCode::from(code),
        Err(Failure::Other(message)) => {
            print_error(&message);
            ExitCode::FAILURE
        }
    }
}

/// Returns the settings for a command that uses only these keys. Mistakes in others are ignored.
fn config_for(mut loaded: LoadedConfig, keys: &[&str]) -> Result<Config, Failure> {
    loaded.drop_errors(|key| !keys.contains(&key));
    loaded.into_config().map_err(Failure::Settings)
}

#[expect(clippy::print_stderr, reason = "the only output to standard error")]
fn print_error(message: &str) {
    eprintln!("octopus-mcp: {message}");
}

/// Finishes the settings, starts telemetry and logs warnings about insecure settings.
fn start_telemetry(
    loaded: LoadedConfig,
    options: &Options,
) -> Result<(Config, Telemetry), Failure> {
    let config = loaded.into_config().map_err(Failure::Settings)?;
    let telemetry =
        telemetry::start(&config.telemetry).map_err(|error| Failure::start(error.into()))?;
    if options.api_key.is_some() {
        tracing::warn!(
            "the value of --api-key is visible in the process list; set OCTOPUS_API_KEY, or \
             OCTOPUS_API_KEY_FILE with the path of a file that contains the key"
        );
    }
    for risk in config.warnings() {
        tracing::warn!("{risk}");
    }
    if config.octopus.allow_http {
        tracing::warn!(
            "octopus.allow_http is set: with an http URL, credentials are sent to Octopus in clear text"
        );
    }
    Ok((config, telemetry))
}

async fn serve(loaded: LoadedConfig, file: SettingsFile, options: &Options) -> Result<(), Failure> {
    let (config, telemetry) = start_telemetry(loaded, options)?;
    let stop_requested = app::shutdown_signal();
    let reload_requests = app::reload_signals();
    app::warm_up();
    let running =
        app::start(config.clone()).await.map_err(Failure::start)?.with_telemetry(telemetry);
    let endpoint = running.endpoint(config.http.tls.certificate.is_some());
    let message = startup_message::text(&config, &endpoint);
    match (config.audit.stdout, config.telemetry.log_format) {
        (false, _) => app::print(&message),
        // Standard output has audit records only.
        (true, config::LogFormat::Text) => app::print_to_stderr(&message),
        (true, config::LogFormat::Json) => {}
    }
    tracing::info!(endpoint, version = env!("CARGO_PKG_VERSION"), "server started");
    running.verify_instances();
    let flags = options.flags();
    let load = move || {
        let mut loaded = config::load(&flags);
        app::check_settings(&mut loaded);
        loaded.into_config()
    };
    tokio::select! {
        () = stop_requested => {}
        () = app::watch(running.live.clone(), file, load, reload_requests) => {}
    }
    tracing::info!("server stopping");
    running.stop().await;
    Ok(())
}

async fn stdio(loaded: LoadedConfig, options: &Options) -> Result<(), Failure> {
    let (config, telemetry) = start_telemetry(loaded, options)?;
    Box::pin(app::serve_stdio(config, telemetry)).await.map_err(Failure::start)
}

fn list_tools(mut loaded: LoadedConfig, json: bool, by_version: bool) -> Result<(), Failure> {
    // Only the `tools` settings are used, so errors in other settings are ignored.
    loaded.drop_errors(|key| !key.starts_with("tools."));
    let config = loaded.into_config().map_err(Failure::Settings)?;
    let catalog = app::catalog_for(&config);
    let policy = app::tool_access(&config).map_err(Failure::other)?;
    let text = match (json, by_version) {
        (true, _) => tools::json(&catalog, &policy),
        (_, true) => tools::by_version(&catalog, &policy),
        _ => tools::table(&catalog, &policy, tools::terminal_width()),
    };
    app::print(&text);
    Ok(())
}
