//! `tidegate plugin dev`: from each edit to the version that serves.
//!
//! ```text
//! edit ─▶ sources ─▶ build ─▶ check ─▶ swap: demo | gateway with a configuration, both in this process | one that runs
//!                                                │
//!            one line for each decision ◀────────╯ traffic: our own for the demo, the author's otherwise
//! ```
//!
//! Whatever fails, the version before goes on.

mod build;
mod checked;
mod decisions;
mod lines;
mod local;
mod place;
mod project;
mod remote;
mod session;
mod sources;
mod traffic;

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::super::load::load;
use super::super::terminal::{FAILED, REFUSED, complain, say};
use super::given::GivenFiles;
use crate::config::{self, Config};
use crate::{gateway, telemetry};

use place::{DevPlace, PluginPlace};
use project::DevProject;
use session::DevSession;

/// What to develop, and where it is tried.
#[derive(Debug, Args)]
pub(in super::super) struct DevArguments {
    /// Folder of the plugin: it has a build.sh, a Cargo.toml, or one .wat or .wasm file; or such a file itself
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Serve this configuration with the plugin in it, instead of a demo of our own
    ///
    /// The plugin is the one of the configuration whose file is in DIR, or that has the folder's name. If a gateway
    /// with this configuration runs already, the plugin is swapped there.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["table", "secret"])]
    config: Option<PathBuf>,
    #[command(flatten)]
    files: GivenFiles,
    /// What is logged to standard error: a filter as in `[log] level`. Without it, the configuration's, or `warn`; and
    /// all that the plugin says
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

/// Swaps what is built, edit by edit, until a signal ends it.
pub(super) fn dev(arguments: &DevArguments) -> ExitCode {
    let code = match begin(arguments) {
        Ok(project) => {
            let place = match &arguments.config {
                Some(config) => DevPlace::Config(config.clone()),
                None => DevPlace::Demo(arguments.files.absolute()),
            };
            develop(project, place)
        }
        Err(code) => code,
    };
    telemetry::log::flush();
    code
}

/// What can be known before the first build. Says what is wrong.
fn begin(arguments: &DevArguments) -> Result<DevProject, ExitCode> {
    let refused = |why: &dyn std::fmt::Display| {
        complain(why);
        ExitCode::from(REFUSED)
    };
    let project = DevProject::find(&arguments.dir).map_err(|error| refused(&error))?;
    arguments.files.secrets().map_err(|error| refused(&error))?;
    let config = match &arguments.config {
        Some(path) if !path.exists() => Some(load(path)?),
        // It may be wrong only for want of a file that is still to be built.
        Some(path) => config::load(path).ok(),
        None => None,
    };
    let place = match &config {
        Some(config) => PluginPlace::find(config, &project).map_err(|error| refused(&error))?,
        None => PluginPlace::made_for(&project, Path::new(""), &GivenFiles::default()),
    };
    let level = level(arguments.log.as_deref(), config.as_ref(), &place.name);
    telemetry::log::init(&level, telemetry::LineFormat::Text).map_err(|error| refused(&error))?;
    Ok(project)
}

/// What is asked for; else what the configuration says, and everything of the plugin.
fn level(asked: Option<&str>, config: Option<&Config>, plugin: &str) -> String {
    let usual = config.map_or("warn", |config| config.log.level.as_str());
    asked.map_or_else(|| format!("{usual},{plugin}=debug"), str::to_owned)
}

fn develop(project: DevProject, place: DevPlace) -> ExitCode {
    let _raised = gateway::raise_descriptor_limit();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let ended = runtime.block_on(serve(project, place));
    // A check that still compiles must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn serve(project: DevProject, place: DevPlace) -> anyhow::Result<()> {
    let mut ends = DevEnds::listen()?;
    let mut entered = lines_of_standard_input();
    say(format_args!("watching {}; Enter sends requests or tries again, Ctrl-C ends", project.folder.display()));
    let mut session = DevSession::begin(project, place).await?;
    tokio::select! {
        () = ends.next() => {}
        () = rounds(&mut session, &mut entered) => {}
    }
    session.end().await;
    Ok(())
}

async fn rounds(session: &mut DevSession, entered: &mut UnboundedReceiver<()>) {
    let mut changed = Vec::new();
    loop {
        session.round(&changed).await;
        changed = loop {
            tokio::select! {
                changed = session.sources.changed() => break changed,
                Some(()) = entered.recv() => {
                    if !session.send().await {
                        break Vec::new();
                    }
                }
            }
        };
    }
}

/// Each line that is entered. The thread that reads ends with the process.
fn lines_of_standard_input() -> UnboundedReceiver<()> {
    let (line, lines) = unbounded_channel();
    std::thread::spawn(move || {
        let mut read = std::io::stdin().lock().lines();
        while let Some(Ok(_text)) = read.next()
            && line.send(()).is_ok()
        {}
    });
    lines
}

/// The signals that end it.
struct DevEnds {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl DevEnds {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    complain(format_args!("tidegate: {error:#}"));
    ExitCode::from(FAILED)
}
