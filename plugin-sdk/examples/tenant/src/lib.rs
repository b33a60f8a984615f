//! A table says which cluster a tenant's requests go to. The tenant is named by a header, or by the host name.
//!
//! A router for the `plugins` of a route. The gateway holds the table and changes it whole, while instances live on.

mod settings;

use std::collections::HashMap;

use tidegate_plugin::{
    About, Config, ConfigError, Decision, Describe, RequestLine, Response, Router, Target, export_router, log, metrics,
    notes, table,
};

use settings::{Settings, Unknown, Witness};

/// Longest note that a gateway takes, in bytes.
const LONGEST_NOTE: usize = 256;

/// The plugin.
#[derive(Debug)]
pub struct ByTenant {
    witness: Witness,
    unknown: Unknown,
    clusters: HashMap<String, u32>,
}

impl Router for ByTenant {
    fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        let clusters: HashMap<String, u32> = clusters.into_iter().zip(0..).collect();
        let (witness, unknown) = Settings::read(config)?.understood(&clusters)?;
        Ok(Self { witness, unknown, clusters })
    }

    fn route(&mut self, line: &RequestLine) -> Decision {
        let tenant = self.witness.tenant(line);
        let Some((tenant, name)) = tenant.and_then(|tenant| table::get(&tenant).map(|name| (tenant, name))) else {
            metrics::count("requests", "unknown", 1.0);
            return match self.unknown {
                Unknown::Respond(status) => answer(status, "no such tenant\n"),
                Unknown::Forward(cluster) => forward(cluster),
            };
        };
        let Some(cluster) = self.clusters.get(&name) else {
            // The table is wrong, or newer than the configuration. The cluster of others would be worse than an error.
            metrics::count("requests", "misled", 1.0);
            log::error(format!("the table has {name:?} for tenant {tenant:?}, and there is no such cluster"));
            return answer(503, "this tenant cannot be served now\n");
        };
        metrics::count("requests", "known", 1.0);
        if tenant.len() <= LONGEST_NOTE {
            notes::note("tenant", &tenant);
        }
        forward(*cluster)
    }
}

/// To a cluster, with path and settings as the route has them.
fn forward(cluster: u32) -> Decision {
    Decision::Forward(Target { cluster, path: None, route: None })
}

fn answer(status: u32, text: &str) -> Decision {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    Decision::Respond(Response { status, headers, body: text.into() })
}

impl Describe for ByTenant {
    fn description() -> About {
        About {
            name: "tenant".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "A table says which cluster a tenant's requests go to.".to_owned(),
            schema: Some(Settings::schema()),
        }
    }
}

export_router!(ByTenant + Describe);

#[cfg(test)]
mod tests;
