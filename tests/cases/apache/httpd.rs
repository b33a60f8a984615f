//! A real Apache httpd at a loopback address and in a folder of its own.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use tempfile::TempDir;
use tidegate_tests::LIMIT;

/// Where Debian puts modules.
const MODULES: &str = "/usr/lib/apache2/modules";

const NEEDED: [&str; 20] = [
    "mpm_event",
    "authz_core",
    "headers",
    "proxy",
    "proxy_http",
    "proxy_balancer",
    "lbmethod_byrequests",
    "lbmethod_bybusyness",
    "slotmem_shm",
    "status",
    "alias",
    "rewrite",
    "setenvif",
    "proxy_wstunnel",
    "authz_host",
    "access_compat",
    "authn_core",
    "authn_file",
    "auth_basic",
    "authz_user",
];

/// A running Apache. Ended when dropped.
#[derive(Debug)]
pub(crate) struct Httpd {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

/// The program, if it and all modules are here; else it says what is missing.
pub(crate) fn found() -> Option<PathBuf> {
    found_with(&NEEDED)
}

/// The program, if it and these modules are here; else it says what is missing.
pub(crate) fn found_with(modules: &[&str]) -> Option<PathBuf> {
    let programs = ["/usr/sbin/apache2", "/usr/sbin/httpd"].map(PathBuf::from);
    let program = programs.into_iter().find(|program| program.exists());
    let missing: Vec<_> = modules.iter().filter(|module| !module_file(module).exists()).collect();
    match program {
        Some(program) if missing.is_empty() => Some(program),
        Some(program) => say(&format!("{} has no modules {missing:?} in {MODULES}", program.display())),
        None => say("no apache2 in /usr/sbin"),
    }
}

/// Says that nothing is compared, past the capture of test output.
fn say(why: &str) -> Option<PathBuf> {
    use std::io::Write;
    _ = writeln!(std::io::stderr(), "note: not compared with Apache httpd: {why}");
    None
}

pub(crate) fn module_file(name: &str) -> PathBuf {
    Path::new(MODULES).join(format!("mod_{name}.so"))
}

/// A loopback address that nobody else uses, in this process or another: where a port that is given up for a moment is
/// still there afterwards.
pub(crate) fn loopback() -> Ipv4Addr {
    static TAKEN: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let taken = TAKEN.fetch_add(1, Relaxed);
    assert!(taken != 0, "out of loopback addresses");
    Ipv4Addr::new(127, high | 128, low, taken)
}

impl Httpd {
    /// Starts it with these directives, in a virtual host of its own.
    ///
    /// # Panics
    /// If it does not come up.
    pub(crate) async fn start(program: PathBuf, directives: &str) -> Self {
        Self::start_with(program, &[], directives).await
    }

    /// The same with more modules.
    ///
    /// # Panics
    /// If it does not come up.
    pub(crate) async fn start_with(program: PathBuf, more: &[&str], directives: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-apache-").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // Apache takes no port 0. One that was free a moment ago, at an address of its own, is free.
        let address = std::net::TcpListener::bind((loopback(), 0)).unwrap().local_addr().unwrap();
        let config = folder.path().join("httpd.conf");
        std::fs::write(&config, configuration(folder.path(), address, more, directives)).unwrap();
        let child = Command::new(program)
            .arg("-f")
            .arg(&config)
            .arg("-DFOREGROUND")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut httpd = Self { child, address, _folder: folder };
        let limit = std::time::Instant::now() + LIMIT;
        while std::net::TcpStream::connect(address).is_err() {
            let ended = httpd.child.try_wait().unwrap();
            if ended.is_some() || std::time::Instant::now() > limit {
                let said = ["stderr", "error.log"].map(|name| std::fs::read_to_string(config.with_file_name(name)));
                panic!("Apache does not come up: {ended:?} {said:?}");
            }
            tokio::task::yield_now().await;
        }
        httpd
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Httpd {
    fn drop(&mut self) {
        // SIGTERM ends its children and removes its shared memory, SIGKILL would leave both behind.
        let _told = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ended = self.child.wait();
    }
}

fn configuration(folder: &Path, address: SocketAddr, more: &[&str], directives: &str) -> String {
    let mut text = String::new();
    for module in NEEDED.iter().chain(more) {
        _ = writeln!(text, "LoadModule {module}_module {}", module_file(module).display());
    }
    if is_root() {
        text.push_str("User www-data\nGroup www-data\n");
    }
    let folder = folder.display();
    _ = write!(
        text,
        r#"
ServerRoot "{folder}"
DefaultRuntimeDir "{folder}"
PidFile "{folder}/pid"
ErrorLog "{folder}/error.log"
Mutex posixsem
ServerName localhost
Listen {address}
StartServers 1
ServerLimit 1
ThreadsPerChild 128
MaxRequestWorkers 128
KeepAlive Off
ExtendedStatus On
ProxyStatus On
<VirtualHost {address}>
ServerName localhost
ProxyTimeout 600
<Location /server-status>
SetHandler server-status
</Location>
<Location /balancer-manager>
SetHandler balancer-manager
</Location>
ProxyPass /server-status !
ProxyPass /balancer-manager !
{directives}
</VirtualHost>
"#
    );
    text
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}
