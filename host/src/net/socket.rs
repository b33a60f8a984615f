//! Listening sockets that workers share, and the process's descriptor limit.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::num::NonZeroUsize;

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted, per worker. The kernel cuts it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Binds `count` listening sockets to one address with `SO_REUSEPORT`, one for each worker.
///
/// With port 0 the first socket takes a free port and the others join it.
///
/// # Errors
/// What the kernel said: address in use, not permitted, no such address.
pub fn bind_shared(address: SocketAddr, count: NonZeroUsize) -> io::Result<Vec<TcpListener>> {
    let first = bind(address)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..count.get() {
        listeners.push(bind(address)?);
    }
    Ok(listeners)
}

/// What to do about an address that cannot be bound, to be put behind the error; empty if that is not known. `sockets`
/// is how `ss` shows sockets of that protocol: `-ltnp` or `-lunp`.
#[must_use]
pub fn bind_hint(error: &io::Error, sockets: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("; another process listens there: `ss {sockets}` shows which"),
        io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE: `setcap \
                                            cap_net_bind_service=+ep` on the binary, or a higher port"
            .to_owned(),
        io::ErrorKind::AddrNotAvailable => "; no interface of this machine has that address".to_owned(),
        _ => String::new(),
    }
}

/// Says whether `address` could be bound by this process alone, without listening on it.
///
/// `SO_REUSEPORT` would let a second gateway join the port of the first unnoticed, and take half of its
/// connections. A socket that does not ask for it gets an error.
///
/// # Errors
/// What the kernel said.
pub fn probe(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

/// Binds a socket for datagrams, which no other socket shares. A multicast group is joined, on the interface that the
/// system chooses; other processes may listen to it too.
///
/// # Errors
/// What the kernel said.
pub fn bind_datagrams(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    if address.ip().is_multicast() {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    match address.ip() {
        IpAddr::V4(group) if group.is_multicast() => socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)?,
        IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, 0)?,
        _ => {}
    }
    Ok(socket.into())
}

/// Whether an accepted connection has `TCP_NODELAY` from its listener, as on Linux (`tcp_create_openreq_child` copies
/// it): one system call less for each.
pub const ACCEPTED_SEND_AT_ONCE: bool = cfg!(target_os = "linux");

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Whether `address` is one of this machine.
#[must_use]
pub fn is_own(address: IpAddr) -> bool {
    // Only who has an address can be sent datagrams there; nothing is sent.
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// Raises the soft limit of open files to the hard one and returns what holds now. A tunnel takes two descriptors.
#[must_use]
pub fn raise_descriptor_limit() -> Option<u64> {
    rlimit::increase_nofile_limit(u64::MAX).ok()
}

/// Files that this process may have open at a time, if the system says.
#[must_use]
pub fn descriptor_limit() -> Option<u64> {
    rlimit::Resource::NOFILE.get_soft().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_sends_at_once() {
        let listeners = bind_shared("127.0.0.1:0".parse().unwrap(), NonZeroUsize::MIN).unwrap();
        let listener = &listeners[0];
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();

        let (accepted, _) = listener.accept().unwrap();

        assert_eq!(accepted.nodelay().unwrap(), ACCEPTED_SEND_AT_ONCE);
    }
}
