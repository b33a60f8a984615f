//! The configuration as written: what serde takes, with unknown keys refused and spans where a later fault needs them.

mod cluster;
mod duplicate;
mod error_pages;
mod gateway;
mod health;
mod listen;
mod plugin;
mod read;
mod retry;
mod reverse;
mod rewrite;
mod route;
mod signals;
mod sticky;
mod stray;
mod values;
mod when;

pub(crate) use cluster::{AnswerLimitsTable, ClientTlsTable, ClusterSection, EndpointEntry, EndpointTable, PoolTable};
pub(crate) use error_pages::{ErrorPagesTable, PageEntry};
pub(crate) use gateway::{AdminSection, GatewaySection, LogSection, TimeoutsTable};
pub(crate) use health::{HealthTable, OutlierTable, PauseTable};
pub(crate) use listen::{LimitsTable, ListenSection, MoreTable, RedirectToTls, ServerTlsTable};
pub(crate) use plugin::{Json, PluginSection, RoleSection};
pub(crate) use read::{ConfigFile, read};
pub(crate) use retry::{OnEntry, RetryTable};
pub(crate) use reverse::{ReverseEntry, ReverseTable};
pub(crate) use rewrite::key;
pub(crate) use route::{BasicAuthTable, ForwardAuthTable, HeaderTable, RedirectTable, RespondTable, RouteSection};
pub(crate) use signals::{HeartbeatSection, SignalTable, SignalsTable};
pub(crate) use sticky::{AffinityEntry, AffinityTable, IssueTable, StickyEntry};
pub(crate) use values::{WrittenValue, WrittenValues};
pub(crate) use when::{ValueEntry, ValueTable, WhenTable};

/// Text with its place.
pub(crate) type Text = toml::Spanned<String>;
/// A duration with its place.
pub(crate) type Time = toml::Spanned<super::units::HumanDuration>;
pub(crate) type TimeOrOff = toml::Spanned<super::units::DurationOrOff>;
/// A whole number with its place.
pub(crate) type CountField = toml::Spanned<super::units::WholeNumber>;
/// A size with its place.
pub(crate) type Size = toml::Spanned<super::units::ByteSize>;
