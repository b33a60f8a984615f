//! `wasi:filesystem` and `wasi:sockets`: there is no folder to begin with, and no socket is made.
//!
//! So a plugin never holds a file, a folder or a socket, and what is done with one is never called. These functions are
//! defined by the type that the plugin imports, whichever version that is of.

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime::{Engine, bail};

use super::bindings::filesystem::preopens;
use super::bindings::filesystem::types::{Descriptor, DirectoryEntryStream};
use super::bindings::io::error::Error;
use super::bindings::io::poll::Pollable;
use super::bindings::io::streams::{InputStream, OutputStream};
use super::bindings::sockets::ip_name_lookup::ResolveAddressStream;
use super::bindings::sockets::network::{ErrorCode, IpAddress, IpAddressFamily, Network};
use super::bindings::sockets::tcp::TcpSocket;
use super::bindings::sockets::udp::{IncomingDatagramStream, OutgoingDatagramStream, UdpSocket};
use super::bindings::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};
use super::io::ready;
use crate::plugin::host_state::HostState;

pub(super) const FILES: &str = "wasi:filesystem/types";
pub(super) const NETWORK: &str = "wasi:sockets/network";
pub(super) const TCP: &str = "wasi:sockets/tcp";
pub(super) const UDP: &str = "wasi:sockets/udp";

/// Defines what `import` has if it is one of these: its resources, of which there are none to be had, and what is done with one.
pub(super) fn link(
    linker: &mut Linker<HostState>,
    import: &str,
    interface: &ComponentInstance,
    engine: &Engine,
) -> wasmtime::Result<()> {
    if !import.split_once('@').is_some_and(|(name, _)| [FILES, NETWORK, TCP, UDP].contains(&name)) {
        return Ok(());
    }
    let mut instance = linker.instance(import)?;
    for (name, item) in interface.exports(engine) {
        match item.ty {
            ComponentItem::Resource(_) => {
                if let Some(resource) = resource(name) {
                    instance.resource(name, resource, |_, _| Ok(()))?;
                }
            }
            ComponentItem::ComponentFunc(_) => {
                instance.func_new(name, |_, _, _, _| bail!("expected a handle of a file or a socket, found none"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn resource(name: &str) -> Option<ResourceType> {
    Some(match name {
        "descriptor" => ResourceType::host::<Descriptor>(),
        "directory-entry-stream" => ResourceType::host::<DirectoryEntryStream>(),
        "tcp-socket" => ResourceType::host::<TcpSocket>(),
        "udp-socket" => ResourceType::host::<UdpSocket>(),
        "incoming-datagram-stream" => ResourceType::host::<IncomingDatagramStream>(),
        "outgoing-datagram-stream" => ResourceType::host::<OutgoingDatagramStream>(),
        // What these take from other interfaces.
        "network" => ResourceType::host::<Network>(),
        "pollable" => ResourceType::host::<Pollable>(),
        "input-stream" => ResourceType::host::<InputStream>(),
        "output-stream" => ResourceType::host::<OutputStream>(),
        "error" => ResourceType::host::<Error>(),
        _ => return None,
    })
}

impl preopens::Host for HostState {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        Ok(Vec::new())
    }
}

impl instance_network::Host for HostState {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Network>> {
        Ok(Resource::new_own(0))
    }
}

impl tcp_create_socket::Host for HostState {
    fn create_tcp_socket(
        &mut self,
        _family: IpAddressFamily,
    ) -> wasmtime::Result<Result<Resource<TcpSocket>, ErrorCode>> {
        Ok(Err(ErrorCode::AccessDenied))
    }
}

impl udp_create_socket::Host for HostState {
    fn create_udp_socket(
        &mut self,
        _family: IpAddressFamily,
    ) -> wasmtime::Result<Result<Resource<UdpSocket>, ErrorCode>> {
        Ok(Err(ErrorCode::AccessDenied))
    }
}

impl ip_name_lookup::Host for HostState {
    fn resolve_addresses(
        &mut self,
        _network: Resource<Network>,
        _name: String,
    ) -> wasmtime::Result<Result<Resource<ResolveAddressStream>, ErrorCode>> {
        Ok(Err(ErrorCode::AccessDenied))
    }
}

impl ip_name_lookup::HostResolveAddressStream for HostState {
    fn resolve_next_address(
        &mut self,
        _stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Result<Option<IpAddress>, ErrorCode>> {
        Ok(Ok(None))
    }

    fn subscribe(&mut self, _stream: Resource<ResolveAddressStream>) -> wasmtime::Result<Resource<Pollable>> {
        Ok(ready())
    }

    fn drop(&mut self, _stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}
