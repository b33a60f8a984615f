//! What a plugin gets of WASI: clocks, randomness, and streams whose lines go to the log. All the rest is there and
//! empty, so that whatever a language's runtime looks for at its start is found: no environment, no arguments, no folder,
//! no socket. Nothing here waits: a call of a plugin holds a worker.
//!
//! ```text
//! module for preview 1 ─▶ adapter.wat ─▶ tidegate:plugin/system ─╮
//! component for 0.2 ────▶ clocks, random, cli, io ───────────────┼─▶ HostState
//!                         filesystem, sockets: nothing to open ──╯
//! ```

mod bindings;
mod cli;
mod clocks;
mod closed;
mod io;
mod random;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker};

use self::bindings::{cli as cli_wit, clocks as clocks_wit, filesystem, io as io_wit, random as random_wit, sockets};
use super::error::LoadErrorKind;
use super::host_state::HostState;
use super::text::one_line;

/// Stands under modules compiled for `wasi_snapshot_preview1`.
///
/// The standard adapter asks for half of WASI 0.2, and calls `cabi_realloc` before the Go runtime is up, which traps.
pub(super) const ADAPTER: &str = include_str!("../adapter.wat");

/// The import module that [`ADAPTER`] meets.
pub(super) const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Interfaces that are offered, in any version 0.2: the engine takes the newest for all of them.
const OFFERED: [&str; 27] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    closed::FILES,
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    closed::NETWORK,
    closed::TCP,
    "wasi:sockets/tcp-create-socket",
    closed::UDP,
    "wasi:sockets/udp-create-socket",
];

/// Meets the imports of `component` from `wasi:`.
///
/// # Errors
/// If it imports an interface that is not offered, or the engine refuses a definition.
pub(super) fn link(linker: &mut Linker<HostState>, component: &Component) -> Result<(), LoadErrorKind> {
    let engine = component.engine();
    for (name, item) in component.component_type().imports(engine).filter(|(name, _)| name.starts_with("wasi:")) {
        if !is_offered(name) {
            let remedy = remedy(name).to_owned();
            return Err(LoadErrorKind::UnknownImport { import: one_line(name), remedy });
        }
        if let ComponentItem::ComponentInstance(instance) = &item.ty {
            closed::link(linker, name, instance, engine).map_err(|error| refused(&error))?;
        }
    }
    link_offered(linker).map_err(|error| refused(&error))
}

fn refused(error: &wasmtime::Error) -> LoadErrorKind {
    LoadErrorKind::Signature { message: one_line(format_args!("{error:#}")) }
}

fn is_offered(import: &str) -> bool {
    import.split_once('@').is_some_and(|(interface, version)| {
        OFFERED.contains(&interface) && version.starts_with("0.2.") && !version.contains('-')
    })
}

/// What to do about an import that is not offered.
fn remedy(import: &str) -> &'static str {
    let version = import.split_once('@').map_or("", |(_, version)| version);
    if import.starts_with("wasi:http/") {
        "; a plugin makes no requests of its own: build without HTTP (componentize-js: `--disable http fetch-event`)"
    } else if !version.starts_with("0.2.") || version.contains('-') {
        "; of WASI, preview 1 and 0.2 are offered: build for one of these"
    } else {
        "; of WASI 0.2, that is not offered: build without what asks for it"
    }
}

fn link_offered(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    cli_wit::environment::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::exit::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::stdin::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::stdout::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::stderr::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::terminal_input::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::terminal_output::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::terminal_stdin::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::terminal_stdout::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli_wit::terminal_stderr::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    clocks_wit::monotonic_clock::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    clocks_wit::wall_clock::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    filesystem::preopens::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    io_wit::error::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    io_wit::poll::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    io_wit::streams::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    random_wit::insecure::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    random_wit::insecure_seed::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    random_wit::random::add_to_linker::<_, HasSelf<HostState>>(linker, HostState::asked)?;
    sockets::instance_network::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sockets::ip_name_lookup::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sockets::tcp_create_socket::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sockets::udp_create_socket::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)
}
