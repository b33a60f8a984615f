//! A configuration that changes while it is served.

mod certificate;
mod files;
mod generation;
mod listeners;
