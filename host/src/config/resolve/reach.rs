//! Routes that no request reaches, by the listeners that there are.

use super::super::model::{GatewayConfig, ListenerConfig};
use super::super::schema::{ConfigFile, Text};
use super::Resolver;
use super::action::Action;
use super::conditions::ClientScheme;
use super::redirect_to::leads_to_tls_alone;
use super::route::ResolvedRoute;
use crate::diagnose::{closest, one_of};

impl Resolver<'_, '_> {
    /// Reports listeners of routes that there are not, and warns of routes whose `listen` and `scheme` let nothing in.
    pub(super) fn unreached(
        &mut self,
        file: &ConfigFile,
        gateway: &GatewayConfig,
        listeners: &[ListenerConfig],
        routes: &[ResolvedRoute],
    ) {
        let named = file.route.iter().filter_map(|route| route.get_ref().listen.as_ref());
        let unknown = named.flat_map(|names| names.get_ref()).filter(|name| !listeners.iter().any(|one| is(one, name)));
        for name in unknown {
            self.unknown_listener(name, listeners);
        }
        // A trusted proxy says itself how its clients came.
        let is_told = !gateway.forwarded.trusted.is_empty();
        for route in routes {
            let written = route.listeners.as_ref();
            let comes_by = |listener: &&ListenerConfig| {
                written.is_none_or(|names| names.get_ref().iter().any(|name| is(listener, name)))
            };
            let all: Vec<_> = listeners.iter().filter(comes_by).collect();
            let mut open = all.iter().filter(|listener| listener.redirect_to_tls.is_none() || is_told).peekable();
            if all.is_empty() {
                continue;
            }
            let name = &route.used.name;
            let shows_passwords = |listener: &&&ListenerConfig| {
                listener.tls.is_none() && !listener.address.ip().is_loopback() && listener.redirect_to_tls.is_none()
            };
            if route.used.access.basic.is_some()
                && !is_told
                && route.conditions.scheme() != Some(ClientScheme::Https)
                && let Some(listener) = all.iter().find(shows_passwords)
            {
                let message = format!(
                    "route {name} asks for passwords, and whoever is between can read them: the [[listen]] at {} has no \
                     `tls`; give it `redirect_to_tls`, name another one in `listen` of the route, or name the proxy that \
                     speaks TLS in `trusted` of [gateway.forwarded]",
                    listener.address
                );
                self.report.warn(route.span.clone(), message);
            }
            if let Action::Redirect { to, .. } = &route.action
                && leads_to_tls_alone(to)
                && route.conditions.scheme() != Some(ClientScheme::Http)
                && all.iter().any(|listener| listener.tls.is_some())
            {
                let message = format!(
                    "route {name} sends clients with TLS to where they are: they would come round in a circle; add \
                     scheme = \"http\""
                );
                self.report.warn(route.span.clone(), message);
            }
            if open.peek().is_none() {
                let message =
                    format!("route {name} never matches: every [[listen]] that it is for has `redirect_to_tls`");
                self.report.warn(route.span.clone(), message);
            } else if let Some(scheme) = route.conditions.scheme().filter(|_| !is_told)
                && !open.any(|listener| listener.tls.is_some() == (scheme == ClientScheme::Https))
            {
                let kind = if scheme == ClientScheme::Https { "with" } else { "without" };
                let message = format!(
                    "route {name} never matches: its `scheme` is \"{}\", and no request comes to it by a [[listen]] {kind} \
                     `tls`; what a proxy in front says of its clients counts if it is in `trusted` of [gateway.forwarded]",
                    scheme.as_str()
                );
                self.report.warn(route.span.clone(), message);
            }
        }
    }

    fn unknown_listener(&mut self, name: &Text, listeners: &[ListenerConfig]) {
        let text = name.get_ref();
        let names = || listeners.iter().filter_map(|listener| listener.name.as_deref());
        let message = match names().next() {
            Some(_) => format!("unknown listener `{text}`, expected {}", one_of(names())),
            None => format!("unknown listener `{text}`: no [[listen]] has a `name`"),
        };
        match closest(text, names()) {
            Some(meant) => self.report.fault_meant(name.span(), message, Some(meant)),
            None => self.report.fault_hint(name.span(), message, format!("add name = \"{text}\" to a [[listen]]")),
        }
    }
}

fn is(listener: &ListenerConfig, name: &Text) -> bool {
    listener.name.as_ref() == Some(name.get_ref())
}
