//! Envoy: `LEAST_REQUEST`.

use std::process::Command;

use super::{Ports, WORKERS};
use crate::scene::BOTH;
use crate::stage::Stage;

pub(super) fn configure(command: &mut Command, stage: &Stage, ports: Ports) -> anyhow::Result<()> {
    let folder = stage.folder().display();
    let tls = format!(
        ", transport_socket: {{name: tls, typed_config: {{\"@type\": {TYPE}.transport_sockets.tls.v3.DownstreamTlsContext, \
         common_tls_context: {{alpn_protocols: [h2, http/1.1], tls_certificates: [{{certificate_chain: \
         {{filename: {folder}/cert.pem}}, private_key: {{filename: {folder}/key.pem}}}}]}}}}}}"
    );
    let listener = |name: &str, port: u16, tls: &str| {
        format!(
            "  - {{name: {name}, address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}, \
             filter_chains: [{{filters: [{{name: hcm, typed_config: {{\"@type\": \
             {TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: x, \
             http2_protocol_options: {{allow_connect: true}}, upgrade_configs: [{{upgrade_type: websocket}}], \
             route_config: {{virtual_hosts: [{{name: a, domains: [\"*\"], routes: [{{match: {{prefix: \"{BOTH}\"}}, \
             route: {{cluster: both, timeout: 0s}}}}, {{match: {{prefix: \"/\"}}, route: {{cluster: b, timeout: \
             0s}}}}]}}]}}, http_filters: [{{name: router, typed_config: {{\"@type\": \
             {TYPE}.filters.http.router.v3.Router}}}}]}}}}]{tls}}}]}}\n"
        )
    };
    let addresses = stage.endpoints.iter().map(|endpoint| {
        let (ip, port) = (endpoint.ip(), endpoint.port());
        format!("{{endpoint: {{address: {{socket_address: {{address: {ip}, port_value: {port}}}}}}}}}")
    });
    let addresses = addresses.collect::<Vec<_>>().join(", ");
    let cluster = |name: &str, more: &str| {
        format!(
            "  - {{name: {name}, type: STATIC, lb_policy: LEAST_REQUEST, circuit_breakers: {{thresholds: \
             [{{max_connections: 100000, max_requests: 100000, max_pending_requests: 100000}}]}}, load_assignment: \
             {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{addresses}]}}]}}{more}}}\n"
        )
    };
    let http2 = ", typed_extension_protocol_options: \
                 {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": \
                 type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, \
                 explicit_http_config: {http2_protocol_options: {}}}}";
    let text = format!(
        "static_resources:\n  listeners:\n{}{}{}  clusters:\n{}{}",
        listener("p", ports.plain, ""),
        listener("h", ports.http2, ""),
        listener("t", ports.tls, &tls),
        cluster("b", ""),
        cluster("both", http2),
    );
    let file = stage.write("envoy.yaml", &text)?;
    command.arg("-c").arg(file).args(["--concurrency", &WORKERS.to_string(), "-l", "error", "--disable-hot-restart"]);
    command.args(["--base-id", "7"]);
    Ok(())
}

/// What all extensions' types begin with.
const TYPE: &str = "type.googleapis.com/envoy.extensions";
