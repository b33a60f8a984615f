//! Tidegate as it comes: shipped plugins, default limits, one balancer over both endpoints; no access log, as nowhere.

use std::process::Command;

use super::{Ports, WORKERS};
use crate::stage::Stage;

/// `more` is added to the end: another plugin, an admin server.
pub(crate) fn configure(command: &mut Command, stage: &Stage, ports: Ports, more: &str) -> anyhow::Result<()> {
    let text = text(stage, ports, WORKERS, "", more);
    command.arg("run").arg(stage.write("tidegate.toml", &text)?);
    Ok(())
}

/// The configuration; `cluster` is added to the cluster, `more` to the end.
pub(crate) fn text(stage: &Stage, ports: Ports, workers: usize, cluster: &str, more: &str) -> String {
    let Ports { plain, tls } = ports;
    let cache = stage.path("tidegate-cache").display().to_string();
    let endpoints = stage.each_endpoint("\"http://{}\"", ", ");
    format!(
        "[gateway]\nworkers = {workers}\ncache = {cache:?}\n[log]\naccess = \"off\"\n\
         [[listen]]\naddress = \"127.0.0.1:{plain}\"\n\
         [[listen]]\naddress = \"127.0.0.1:{tls}\"\ntls = {{ certificate = \"cert.pem\", key = \"key.pem\" }}\n\
         [[route]]\npath = \"/\"\nto = \"balancer://bench\"\n\
         [cluster.bench]\nendpoints = [{endpoints}]\n{cluster}\n{more}"
    )
}
