//! HAProxy: `leastconn`, connections to endpoints shared.

use std::process::Command;

use super::{Ports, WORKERS};
use crate::stage::Stage;

pub(super) fn configure(command: &mut Command, stage: &Stage, ports: Ports) -> anyhow::Result<()> {
    let Ports { plain, tls } = ports;
    let certificate = stage.path("both.pem");
    let servers: String =
        (1..).zip(&stage.endpoints).map(|(number, endpoint)| format!("  server s{number} {endpoint}\n")).collect();
    let text = format!(
        "global
  maxconn 9500
  nbthread {WORKERS}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  option http-keep-alive
frontend f
  bind 127.0.0.1:{plain}
  bind 127.0.0.1:{tls} ssl crt {} alpn h2,http/1.1 no-tls-tickets
  default_backend b
backend b
  balance leastconn
  http-reuse always
{servers}",
        certificate.display()
    );
    command.arg("-db").arg("-f").arg(stage.write("haproxy.cfg", &text)?);
    Ok(())
}
