//! Tidegate as it comes: shipped plugins, default limits, one balancer over both endpoints; no access log, as nowhere.

use std::process::Command;

use super::{Ports, WORKERS};
use crate::scene::BOTH;
use crate::stage::Stage;

/// What a measurement wants otherwise.
pub(crate) struct Setup<'a> {
    pub(crate) workers: usize,
    /// `off`, or `stdout` as the gateway has it by default.
    pub(crate) access_log: &'a str,
    /// Lines for the cluster.
    pub(crate) cluster: &'a str,
    /// Tables for the end: another plugin, an admin server.
    pub(crate) tables: &'a str,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { workers: WORKERS, access_log: "off", cluster: "", tables: "" }
    }
}

/// Writes its configuration, and has `command` run with it.
pub(crate) fn configure(command: &mut Command, stage: &Stage, ports: Ports, setup: &Setup<'_>) -> anyhow::Result<()> {
    command.arg("run").arg(stage.write("tidegate.toml", &text(stage, ports, setup))?);
    Ok(())
}

fn text(stage: &Stage, ports: Ports, setup: &Setup<'_>) -> String {
    let Ports { plain, http2, tls } = ports;
    let Setup { workers, access_log, cluster, tables } = setup;
    let cache = stage.path("tidegate-cache").display().to_string();
    let endpoints = stage.each_endpoint("\"http://{}\"", ", ");
    format!(
        "[gateway]\nworkers = {workers}\ncache = {cache:?}\n[log]\naccess = {access_log:?}\n\
         [[listen]]\naddress = \"127.0.0.1:{plain}\"\n\
         [[listen]]\naddress = \"127.0.0.1:{http2}\"\n\
         [[listen]]\naddress = \"127.0.0.1:{tls}\"\ntls = {{ certificate = \"cert.pem\", key = \"key.pem\" }}\n\
         [[route]]\npath = {BOTH:?}\nto = \"balancer://both\"\n\
         [[route]]\npath = \"/\"\nto = \"balancer://bench\"\n\
         [cluster.bench]\nendpoints = [{endpoints}]\n{cluster}\n\
         [cluster.both]\nprotocol = \"h2\"\nendpoints = [{endpoints}]\n{tables}"
    )
}
