//! HAProxy: `leastconn`, connections to endpoints shared.

use std::process::Command;

use super::{Ports, WORKERS};
use crate::scene::BOTH;
use crate::stage::Stage;

pub(super) fn configure(command: &mut Command, stage: &Stage, ports: Ports) -> anyhow::Result<()> {
    let Ports { plain, http2, tls } = ports;
    let certificate = stage.path("both.pem");
    let servers = |more: &str| -> String {
        (1..).zip(&stage.endpoints).map(|(number, endpoint)| format!("  server s{number} {endpoint}{more}\n")).collect()
    };
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
  bind 127.0.0.1:{http2} proto h2
  bind 127.0.0.1:{tls} ssl crt {} alpn h2,http/1.1 no-tls-tickets
  use_backend both if {{ path_beg {BOTH} }}
  default_backend b
backend b
  balance leastconn
  http-reuse always
{}backend both
  balance leastconn
  http-reuse always
{}",
        certificate.display(),
        servers(""),
        servers(" proto h2"),
    );
    command.arg("-db").arg("-f").arg(stage.write("haproxy.cfg", &text)?);
    Ok(())
}
