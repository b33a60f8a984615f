//! As written → as used: every default filled in, every reference followed, all faults collected.

mod access;
mod action;
mod basic_auth;
mod client_tls;
mod cluster;
mod conditions;
mod effect;
mod endpoint;
mod error_pages;
mod file;
mod forward_auth;
mod gateway;
mod headers;
mod health;
mod listen;
mod loops;
mod matcher;
mod membership;
mod overlap;
mod pattern;
mod plugins;
mod protocol;
mod reach;
mod redirect_to;
mod retry;
mod reverse;
mod roles;
mod route;
mod route_plugins;
mod secrets;
mod signals;
mod sticky;
mod target;
mod timeouts;
mod tls_redirect;
mod url;

pub(crate) use cluster::{LONGEST_ROUTE, STATES, hundredths};
pub(crate) use endpoint::endpoint_from;
pub(crate) use file::resolve;
pub(crate) use membership::{DISCOVER, discovering, misfit};
pub(crate) use plugins::long_plugin_deadline;
pub(crate) use protocol::misfit as protocol_misfit;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::defaults;
use super::schema::{CountField, Size, Text, Time, WrittenValues};
use crate::diagnose::{FaultReport, Span, closest, one_of};
use crate::files;

/// What a file is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileUse {
    /// Serving alone: much can be checked without it.
    Serving,
    /// Checking as well.
    Checking,
}

/// What is said of files that are named and are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AbsentFiles {
    /// They are faults: it cannot run without them.
    Fault,
    /// They deserve a warning: it is to run elsewhere.
    Warning,
}

/// What every part of the resolving needs.
pub(crate) struct Resolver<'r, 't> {
    report: &'r mut FaultReport<'t>,
    /// Folder of the file: what relative paths start from.
    base: PathBuf,
    /// Whether files that are not there are faults.
    absent: AbsentFiles,
    /// Where the values of each `config` are.
    values: WrittenValues,
}

impl Resolver<'_, '_> {
    /// A duration that may not be zero.
    fn time(&mut self, key: &str, written: Option<&Time>, default: Duration) -> Duration {
        let Some(written) = written else { return default };
        let duration = written.get_ref().0;
        if duration.is_zero() {
            let message = format!("`{key}` is zero, expected a longer time");
            self.report.fault_hint(written.span(), message, "leave it out for the default");
        }
        duration
    }

    /// A whole number within limits.
    fn whole(&mut self, key: &str, written: Option<&CountField>, range: (u64, u64), default: usize) -> usize {
        let Some(written) = written else { return default };
        let number = written.get_ref().0;
        self.within(key, number, range, written.span());
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    /// A size of at least `least` bytes.
    fn size(&mut self, key: &str, written: Option<&Size>, least: u64, default: u64) -> usize {
        let bytes = written.map_or(default, |written| written.get_ref().0);
        if let Some(written) = written.filter(|_| bytes < least) {
            let message = format!("`{key}` is {bytes} bytes, expected at least {least} ({}KiB)", least >> 10);
            self.report.fault(written.span(), message);
        }
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Notes a fault if a number is out of range.
    fn within(&mut self, key: &str, number: u64, (low, high): (u64, u64), at: Span) {
        if (low..=high).contains(&number) {
            return;
        }
        let expected = if high == u64::MAX { format!("at least {low}") } else { format!("{low} to {high}") };
        self.report.fault(at, format!("`{key}` is {number}, expected {expected}"));
    }

    /// One of a few words.
    fn choice<T: Copy>(&mut self, key: &str, written: Option<&Text>, words: &[(&str, T)], default: T) -> T {
        let Some(written) = written else { return default };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == written.get_ref()) {
            return *value;
        }
        let names = || words.iter().map(|(word, _)| *word);
        let message = format!("`{key}` is \"{}\", expected {}", written.get_ref(), one_of(names()));
        self.report.fault_meant(written.span(), message, closest(written.get_ref(), names()));
        default
    }

    /// A file that must be there. `what` says what for.
    fn file(&mut self, what: &str, written: &Text) -> PathBuf {
        self.file_for(FileUse::Serving, what, written)
    }

    /// A file without which nothing can be checked either: of plugins, which are tried. `what` says what for.
    fn file_to_try(&mut self, what: &str, written: &Text) -> PathBuf {
        self.file_for(FileUse::Checking, what, written)
    }

    fn file_for(&mut self, purpose: FileUse, what: &str, written: &Text) -> PathBuf {
        let path = self.base.join(written.get_ref());
        let shown = path.display();
        let missing = match std::fs::metadata(&path) {
            _ if written.get_ref().is_empty() => "is empty, expected a path".to_owned(),
            Ok(found) => {
                if let Err(irregular) = files::is_regular(&found) {
                    self.report.fault(written.span(), format!("{what}: {shown}: {irregular}"));
                }
                return path;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => format!("{shown} does not exist"),
            Err(error) => format!("{shown} cannot be read: {error}"),
        };
        let is_path = !written.get_ref().is_empty() && !written.get_ref().contains("://");
        if self.absent == AbsentFiles::Warning && purpose == FileUse::Serving && is_path {
            self.report.warn(written.span(), format!("{what}: {missing}; checked without it"));
            return path;
        }
        let hint = if written.get_ref().contains("://") {
            "nothing is fetched from elsewhere: put the file on this machine and write its path"
        } else if self.absent == AbsentFiles::Warning && is_path {
            "plugins are tried, also without files: put it there, or leave the plugin out"
        } else if Path::new(written.get_ref()).is_absolute() && purpose == FileUse::Checking {
            "put the file there or correct its path"
        } else if Path::new(written.get_ref()).is_absolute() {
            "put the file there or correct its path; on another machine than the one that is to serve: `check --without-files`"
        } else {
            "paths are relative to the folder of this file"
        };
        self.report.fault_hint(written.span(), format!("{what}: {missing}"), hint);
        path
    }
}
