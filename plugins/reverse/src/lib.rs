//! The rewriter that Tidegate starts with: what endpoints say of themselves becomes what the client knows, as Apache's
//! `ProxyPassReverse` and its cookie directives, but on path boundaries and with `ws` and `http` as one.

pub mod cookie;
pub mod mapping;
pub mod origin;

use tidegate_plugin::{About, ConfigError, Context, Describe, Edit, Field, Rewriter, Scheme, config, export_rewriter};

use mapping::{BLANKS, Client, Mapping, Written};

/// Fields that hold one URL, as in Apache.
const URLS: [&str; 4] = ["location", "content-location", "uri", "destination"];
const COOKIE: &str = "set-cookie";

/// The plugin: one mapping per route.
#[derive(Debug)]
pub struct Reverse(Vec<Option<Mapping>>);

impl Rewriter for Reverse {
    fn configure(config: &str) -> Result<Self, Vec<ConfigError>> {
        let written: Written = config::parse_or_default(config)?;
        let (mut mappings, mut errors) = (Vec::new(), Vec::new());
        for (number, route) in written.routes.into_iter().enumerate() {
            match route.map(|route| Mapping::new(route, &format!("/routes/{number}"))).transpose() {
                Ok(mapping) => mappings.push(mapping),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self(mappings)) } else { Err(errors) }
    }

    fn interest(&self) -> Vec<String> {
        if self.0.iter().all(Option::is_none) {
            return Vec::new();
        }
        URLS.into_iter().chain([COOKIE]).map(str::to_owned).collect()
    }

    fn rewrite(&mut self, context: &Context, _status: u32, headers: &[Field]) -> Vec<Edit> {
        let route = context.route.and_then(|route| usize::try_from(route).ok());
        let Some(Some(mapping)) = route.and_then(|route| self.0.get(route)) else { return Vec::new() };
        let client = Client { secure: context.scheme == Scheme::Https, host: &context.host };
        let edits = (0_u32..).zip(headers).filter_map(|(index, (name, value))| {
            let new = if name.eq_ignore_ascii_case(COOKIE) {
                cookie::mapped(value, mapping, client, &context.endpoint)
            } else if URLS.iter().any(|url| name.eq_ignore_ascii_case(url)) {
                mapping.location(value.trim_matches(BLANKS), client, &context.endpoint)
            } else {
                None
            };
            Some(Edit::Replace((index, new?)))
        });
        edits.collect()
    }
}

impl Describe for Reverse {
    fn description() -> About {
        About {
            name: "reverse".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Maps Location, Set-Cookie and the like back to what the client may see.".to_owned(),
            schema: None,
        }
    }
}

export_rewriter!(Reverse + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"routes":[null,{"path":"/pub","to_path":"/app","origins":["ws://10.0.0.1:8080"]}]}"#;

    fn context(route: Option<u32>) -> Context {
        Context {
            scheme: Scheme::Https,
            host: "front.example".to_owned(),
            path: "/pub".to_owned(),
            route,
            endpoint: "ws://10.0.0.1:8080".to_owned(),
        }
    }

    fn field(name: &str, value: &str) -> Field {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn only_what_leads_to_an_endpoint_is_edited() {
        let mut reverse = Reverse::configure(CONFIG).unwrap();
        let headers = [
            field("location", "http://10.0.0.1:8080/app/x"),
            field("destination", "https://elsewhere.example/app"),
            field("set-cookie", "a=b; Path=/app"),
            field("link", "http://10.0.0.1:8080/app"),
        ];

        let edits = reverse.rewrite(&context(Some(1)), 302, &headers);

        let expected = [(0, "https://front.example/pub/x"), (2, "a=b; Path=/pub")];
        assert_eq!(edits, expected.map(|(index, value)| Edit::Replace((index, value.to_owned()))));
        for route in [None, Some(0), Some(7)] {
            assert!(reverse.rewrite(&context(route), 302, &headers).is_empty(), "route {route:?} maps nothing");
        }
    }

    #[test]
    fn it_wants_to_see_nothing_if_nothing_is_mapped() {
        assert!(Reverse::configure(r#"{"routes":[null]}"#).unwrap().interest().is_empty());
        assert!(Reverse::configure(CONFIG).unwrap().interest().contains(&"set-cookie".to_owned()));
    }

    #[test]
    fn faults_name_their_place() {
        let wrong = r#"{"routes":[null,{"path":"/","to_path":"/","origins":["10.0.0.1"]}]}"#;

        assert_eq!(Reverse::configure(wrong).unwrap_err()[0].path, "/routes/1/origins/0");
    }
}
