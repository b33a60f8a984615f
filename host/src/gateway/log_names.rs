//! Names in the filter of the log that nothing has.

use crate::config::Config;
use crate::plugin::SHIPPED;
use crate::telemetry::filter;

/// A warning for each name in `log.level` that is neither a target of the program nor a plugin of `config`.
#[must_use]
pub fn unknown_log_names(config: &Config) -> Vec<String> {
    let plugins = config.plugins.keys().map(String::as_str).chain(SHIPPED);
    filter::unknown_names(&config.log.level, plugins)
        .into_iter()
        .map(|name| {
            format!(
                "`level` of [log] names `{name}`, expected a target that begins with `tidegate` or a library's name, or \
                 a plugin: {}; nothing is logged by that name",
                config.plugins.keys().map(String::as_str).chain(SHIPPED).collect::<Vec<_>>().join(", ")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    #[test]
    fn a_name_in_the_filter_that_nothing_has_is_warned_of() {
        let warnings = |level: &str| {
            let text = format!(
                "[log]\nlevel = \"{level}\"\n[plugin.my-plugin]\nfile = \"Cargo.toml\"\n[[listen]]\naddress = \
                 \"127.0.0.1:8080\"\n[[route]]\npath = \"/\"\nto = \"ws://127.0.0.1:9000/\"\n"
            );
            unknown_log_names(&config::parse(&text, Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/x.toml"))).unwrap())
        };

        assert_eq!(warnings("warn,my-plugin=debug,prefix=info,tidegate::plugin=debug"), [""; 0]);
        let found = warnings("warn,my-plugln=debug");
        assert!(
            matches!(&found[..], [one] if one.contains("`my-plugln`") && one.contains(": my-plugin, ")),
            "{found:?}"
        );
    }
}
