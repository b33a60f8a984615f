//! Cookies that endpoints set over https travel over https alone: `Secure` is added where it is missing.

use tidegate_plugin::{ConfigError, Context, Edit, Field, Rewriter, Scheme, config, export_rewriter, log};

struct SecureCookies;

impl Rewriter for SecureCookies {
    fn configure(config: &str) -> Result<Self, Vec<ConfigError>> {
        // Without a configuration of its own it is given the list of `[[route]]`, which it needs not.
        config::nothing_but_routes(config)?;
        log::info("securing cookies");
        Ok(Self)
    }

    fn interest(&self) -> Vec<String> {
        vec!["set-cookie".to_owned()]
    }

    fn rewrite(&mut self, context: &Context, _status: u32, headers: &[Field]) -> Vec<Edit> {
        if context.scheme != Scheme::Https {
            return Vec::new();
        }
        let is_secure = |cookie: &str| cookie.split(';').any(|part| part.trim().eq_ignore_ascii_case("secure"));
        let mut edits = Vec::new();
        for (index, (_, cookie)) in (0_u32..).zip(headers) {
            if !is_secure(cookie) {
                edits.push(Edit::Replace((index, [cookie, "; Secure"].concat())));
            }
        }
        edits
    }
}

export_rewriter!(SecureCookies);

#[cfg(test)]
mod tests {
    use tidegate_plugin::fake;

    use super::*;

    fn edits(scheme: Scheme, cookies: &[&str]) -> Vec<Edit> {
        let headers: Vec<_> = cookies.iter().map(|cookie| ("set-cookie".to_owned(), (*cookie).to_owned())).collect();
        SecureCookies::configure("null").unwrap().rewrite(&Context { scheme, ..fake::context() }, 200, &headers)
    }

    #[test]
    fn secure_is_added_where_it_is_missing() {
        let found = edits(Scheme::Https, &["a=1; secure", "b=secure; Path=/"]);

        assert_eq!(found, [Edit::Replace((1, "b=secure; Path=/; Secure".to_owned()))]);
    }

    #[test]
    fn a_client_without_tls_gets_its_cookies_as_they_are() {
        assert_eq!(edits(Scheme::Http, &["a=1"]), []);
    }

    #[test]
    fn a_configuration_is_refused() {
        assert!(SecureCookies::configure(r#"{"x":1}"#).is_err());
    }
}
