//! Traefik and Caddy. Both take as many threads as there are cores.

use std::process::Command;

use super::Ports;
use crate::stage::Stage;

/// Traefik: two random choices, the less busy one of them.
pub(super) fn traefik(command: &mut Command, stage: &Stage, ports: Ports) -> anyhow::Result<()> {
    let folder = stage.folder().display();
    let servers = stage.endpoints.iter().map(|endpoint| format!("{{url: \"http://{endpoint}\"}}"));
    let servers = servers.collect::<Vec<_>>().join(", ");
    let rules = stage.write(
        "traefik-rules.yml",
        &format!(
            "http:
  routers:
    a: {{rule: \"PathPrefix(`/`)\", service: b, entryPoints: [p]}}
    t: {{rule: \"PathPrefix(`/`)\", service: b, entryPoints: [t], tls: {{}}}}
  services:
    b: {{loadBalancer: {{strategy: p2c, servers: [{servers}]}}}}
tls: {{certificates: [{{certFile: {folder}/cert.pem, keyFile: {folder}/key.pem}}]}}
"
        ),
    )?;
    let Ports { plain, tls, .. } = ports;
    let text = format!(
        "global: {{checkNewVersion: false, sendAnonymousUsage: false}}
log: {{level: ERROR}}
entryPoints: {{p: {{address: \"127.0.0.1:{plain}\"}}, t: {{address: \"127.0.0.1:{tls}\"}}}}
providers: {{file: {{filename: {}}}}}
",
        rules.display()
    );
    command.arg(format!("--configFile={}", stage.write("traefik.yml", &text)?.display()));
    Ok(())
}

/// Caddy: `least_conn`.
pub(super) fn caddy(command: &mut Command, stage: &Stage, ports: Ports) -> anyhow::Result<()> {
    let Ports { plain, tls, .. } = ports;
    let folder = stage.folder().display();
    let proxy = format!("reverse_proxy {} {{\n    lb_policy least_conn\n  }}", stage.each_endpoint("{}", " "));
    let text = format!(
        "{{
  admin off
  auto_https off
  persist_config off
  default_bind 127.0.0.1
}}
http://:{plain} {{
  {proxy}
}}
https://:{tls} {{
  tls {folder}/cert.pem {folder}/key.pem
  {proxy}
}}
"
    );
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(stage.write("Caddyfile", &text)?);
    Ok(())
}
