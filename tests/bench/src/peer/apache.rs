//! Apache httpd: event MPM, `bybusyness`.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::Ports;
use crate::scene::BOTH;
use crate::stage::Stage;

/// Where distributions keep the modules. `APACHE_MODULES` names another place.
const FOLDERS: [&str; 4] =
    ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules", "/usr/local/apache2/modules"];

const MODULES: [&str; 13] = [
    "mpm_event",
    "authz_core",
    "proxy",
    "proxy_http",
    "proxy_wstunnel",
    "proxy_balancer",
    "lbmethod_byrequests",
    "lbmethod_bybusyness",
    "slotmem_shm",
    "socache_shmcb",
    "ssl",
    "http2",
    "proxy_http2",
];

pub(super) fn configure(command: &mut Command, stage: &Stage, ports: Ports) -> anyhow::Result<()> {
    let Ports { plain, http2, tls } = ports;
    let named = std::env::var("APACHE_MODULES").ok();
    let found = FOLDERS.into_iter().find(|folder| Path::new(folder).is_dir()).map(str::to_owned);
    let modules = named.or(found).context("no folder of modules; APACHE_MODULES names it")?;
    let load: String =
        MODULES.iter().map(|name| format!("LoadModule {name}_module {modules}/mod_{name}.so\n")).collect();
    let folder = stage.folder().display();
    let members = stage.each_endpoint("  BalancerMember http://{} upgrade=websocket\n", "");
    let both = stage.each_endpoint("  BalancerMember h2c://{}\n", "");
    let text = format!(
        "ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.err
DefaultRuntimeDir {folder}
{load}ServerLimit 64
ThreadLimit 512
ThreadsPerChild 256
MaxRequestWorkers 8192
StartServers 2
MaxKeepAliveRequests 0
KeepAliveTimeout 60
Listen 127.0.0.1:{plain}
Listen 127.0.0.1:{http2}
Listen 127.0.0.1:{tls}
H2WebSockets on
<Proxy balancer://b>
{members}  ProxySet lbmethod=bybusyness
</Proxy>
<Proxy balancer://both>
{both}  ProxySet lbmethod=bybusyness
</Proxy>
ProxyTimeout 3600
<VirtualHost 127.0.0.1:{plain}>
  ProxyPass / balancer://b/
</VirtualHost>
<VirtualHost 127.0.0.1:{http2}>
  Protocols h2c http/1.1
  ProxyPass {BOTH} balancer://both{BOTH}
  ProxyPass / balancer://b/
</VirtualHost>
<VirtualHost 127.0.0.1:{tls}>
  SSLEngine on
  SSLCertificateFile {folder}/cert.pem
  SSLCertificateKeyFile {folder}/key.pem
  Protocols h2 http/1.1
  ProxyPass / balancer://b/
</VirtualHost>
"
    );
    command.arg("-f").arg(stage.write("apache.conf", &text)?).arg("-DFOREGROUND");
    Ok(())
}
