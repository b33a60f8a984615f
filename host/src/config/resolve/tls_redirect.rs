//! `redirect_to_tls` of a `[[listen]]`: which port its clients are sent to.

use std::net::SocketAddr;

use toml::Spanned;

use super::super::model::ServerTls;
use super::super::schema::{ListenSection, RedirectToTls};
use super::{Resolver, defaults};

impl Resolver<'_, '_> {
    /// The port that clients of the listener on `address` are sent to, if they are. `secured` are the listeners with TLS.
    pub(super) fn redirect_to_tls(
        &mut self,
        written: &Spanned<RedirectToTls>,
        address: SocketAddr,
        tls: Option<&ServerTls>,
        secured: &[SocketAddr],
    ) -> Option<u16> {
        let port = match *written.get_ref() {
            RedirectToTls::Wanted(false) => return None,
            RedirectToTls::Wanted(true) => None,
            RedirectToTls::Port(number) => {
                self.within("redirect_to_tls", number, (1, u64::from(u16::MAX)), written.span());
                u16::try_from(number).ok()
            }
        };
        if tls.is_some() {
            self.report.fault_hint(
                written.span(),
                "`redirect_to_tls` of a [[listen]] with `tls`: its clients would be sent to where they are",
                "write it in the [[listen]] that clients without TLS come to",
            );
            return None;
        }
        match (port, nearest(address, secured)) {
            (Some(port), _) => Some(port),
            (None, Some(0)) => {
                let message = format!(
                    "`redirect_to_tls` is true, and the [[listen]] with `tls` takes any free port: clients are sent to \
                     port {}",
                    defaults::HTTPS_PORT
                );
                self.report.warn(written.span(), format!("{message}; write the port that they reach it at"));
                Some(defaults::HTTPS_PORT)
            }
            (None, Some(port)) => Some(port),
            (None, None) => {
                let message = format!(
                    "`redirect_to_tls` is true, and no [[listen]] has `tls`: clients are sent to port {}, which is not \
                     this gateway's; write the port that they reach TLS at, for example redirect_to_tls = {0}",
                    defaults::HTTPS_PORT
                );
                self.report.warn(written.span(), message);
                Some(defaults::HTTPS_PORT)
            }
        }
    }
}

/// Where TLS is spoken, in the order of the file.
pub(super) fn secured(written: &[Spanned<ListenSection>]) -> Vec<SocketAddr> {
    let sections = written.iter().map(Spanned::get_ref).filter(|section| section.tls.is_some());
    sections.filter_map(|section| section.address.get_ref().parse().ok()).collect()
}

/// The port of the first of `secured` that clients of `address` reach at the same host; of the first, if there is no such.
fn nearest(address: SocketAddr, secured: &[SocketAddr]) -> Option<u16> {
    let near = |other: &&SocketAddr| other.ip() == address.ip() || other.ip().is_unspecified();
    secured.iter().find(near).or(secured.first()).map(SocketAddr::port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_at_the_same_host_is_meant() {
        let table: [(&str, &[&str], Option<u16>); 5] = [
            ("0.0.0.0:80", &["0.0.0.0:443"], Some(443)),
            ("10.0.0.1:80", &["10.0.0.2:8443", "10.0.0.1:443"], Some(443)),
            ("10.0.0.1:80", &["10.0.0.2:8443", "[::]:444"], Some(444)),
            ("127.0.0.1:80", &["10.0.0.2:8443", "10.0.0.1:443"], Some(8443)),
            ("127.0.0.1:80", &[], None),
        ];

        for (address, secured, expected) in table {
            let parsed: Vec<_> = secured.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(nearest(address.parse().unwrap(), &parsed), expected, "{address} {secured:?}");
        }
    }
}
