//! `tidegate check`: everything that `run` would do before serving, and nothing else.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use super::load::{explain, load, load_without_files};
use super::terminal::{REFUSED, complain, say};
use crate::config::Config;
use crate::gateway::{self, Gateway};
use crate::net;

/// What is said of files that are not there, and of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilesChecked {
    /// They are faults.
    All,
    /// They are warnings: it is to run on another machine.
    ThatAreThere,
}

/// Checks `path` and says what was found.
pub(super) fn check(path: &Path, files: FilesChecked) -> ExitCode {
    let config = match files {
        FilesChecked::All => load(path),
        FilesChecked::ThatAreThere => load_without_files(path),
    };
    let mut config = match config {
        Ok(config) => config,
        Err(code) => return code,
    };
    if files == FilesChecked::ThatAreThere {
        listen_where_it_may(&mut config);
    }
    // As when it runs.
    let _raised = gateway::raise_descriptor_limit();
    let (shortage, names) = (gateway::shortage_of_descriptors(&config), gateway::unknown_log_names(&config));
    for warning in config.warnings.iter().chain(&shortage).chain(&names) {
        complain(format_args!("warning: {warning}"));
    }
    match Gateway::check(config, gateway::own_compiler()) {
        Ok(checked) => {
            for warning in &checked.warnings {
                complain(format_args!("warning: {}: {warning}", path.display()));
            }
            say(format_args!("{}: {}", path.display(), checked.summary));
            ExitCode::SUCCESS
        }
        Err(error) => {
            explain(path, &error);
            ExitCode::from(REFUSED)
        }
    }
}

/// Has listeners elsewhere whose address is not one of this machine or may not be taken, and warns of it.
fn listen_where_it_may(config: &mut Config) {
    let source = config.source.display().to_string();
    for listener in &mut config.listeners {
        match net::probe(listener.address) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                let address = std::mem::replace(&mut listener.address, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
                complain(format_args!("warning: {source}: cannot listen on {address}: {error}; checked without it"));
            }
            _ => {}
        }
    }
}
