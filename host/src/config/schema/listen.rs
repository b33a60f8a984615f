//! `[[listen]]` as written.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};
use toml::Spanned;

use super::{CountField, Size, Text, Time};

/// `[[listen]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenSection {
    pub(crate) address: Text,
    pub(crate) name: Option<Text>,
    pub(crate) protocol: Option<Text>,
    pub(crate) tls: Option<ServerTlsTable>,
    #[serde(default)]
    pub(crate) limits: LimitsTable,
    pub(crate) half_close: Option<bool>,
    pub(crate) redirect_to_tls: Option<Spanned<RedirectToTls>>,
}

/// `redirect_to_tls`: whether, or with the port that clients know.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RedirectToTls {
    Wanted(bool),
    Port(u64),
}

/// `tls = { … }` of a listener.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerTlsTable {
    pub(crate) certificate: Text,
    pub(crate) key: Text,
    #[serde(default)]
    pub(crate) more: Vec<MoreTable>,
    pub(crate) client_ca: Option<Text>,
    pub(crate) client_certificate: Option<Text>,
    pub(crate) min_version: Option<Text>,
    pub(crate) cipher_order: Option<Text>,
}

/// One more certificate, for these names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoreTable {
    pub(crate) names: Spanned<Vec<Text>>,
    pub(crate) certificate: Text,
    pub(crate) key: Text,
    pub(crate) client_ca: Option<Text>,
    pub(crate) client_certificate: Option<Text>,
}

/// `limits = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    pub(crate) connections: Option<CountField>,
    pub(crate) connections_per_client: Option<CountField>,
    pub(crate) head: Option<Size>,
    pub(crate) head_fields: Option<CountField>,
    pub(crate) head_timeout: Option<Time>,
    pub(crate) idle_timeout: Option<Time>,
    pub(crate) body_timeout: Option<Time>,
    pub(crate) linger: Option<Time>,
    pub(crate) linger_bytes: Option<Size>,
    pub(crate) streams: Option<CountField>,
}

impl<'de> Deserialize<'de> for RedirectToTls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BooleanOrPort;
        impl Visitor<'_> for BooleanOrPort {
            type Value = RedirectToTls;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or the port that clients reach TLS at")
            }

            fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<RedirectToTls, E> {
                Ok(RedirectToTls::Wanted(wanted))
            }

            fn visit_i64<E: de::Error>(self, port: i64) -> Result<RedirectToTls, E> {
                let port = u64::try_from(port);
                port.map(RedirectToTls::Port).map_err(|_| E::invalid_value(Unexpected::Other("below zero"), &self))
            }
        }
        deserializer.deserialize_any(BooleanOrPort)
    }
}
