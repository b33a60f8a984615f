//! nginx: `least_conn`, connections to endpoints kept open. A body of 16 KiB stays in memory: by default, what is above
//! 8 KiB goes into a file and then out in two writes, the second of which waits 40 ms for the first's acknowledgement.

use std::process::Command;

use super::{Ports, WORKERS};
use crate::stage::Stage;

pub(super) fn configure(command: &mut Command, stage: &Stage, ports: Ports) -> anyhow::Result<()> {
    let Ports { plain, http2, tls } = ports;
    let folder = stage.folder().display();
    let servers = stage.each_endpoint("server {};", " ");
    let text = format!(
        "worker_processes {WORKERS}; pid {folder}/nginx.pid; error_log {folder}/nginx.err crit; daemon off;
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_buffer_size 32k;
  map $http_upgrade $conn_up {{ default upgrade; \"\" \"\"; }}
  upstream b {{ least_conn; {servers} keepalive 256; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{http2} http2; listen 127.0.0.1:{tls} ssl http2;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; ssl_session_tickets off;
    location / {{
      proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $conn_up; proxy_set_header Host $host; proxy_read_timeout 1h;
    }}
  }}
}}
"
    );
    command.arg("-c").arg(stage.write("nginx.conf", &text)?).arg("-e").arg(stage.path("nginx.err"));
    Ok(())
}
