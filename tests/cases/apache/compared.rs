//! `tidegate import apache --compare` beside a real Apache.

use std::fs;

use tidegate_tests::{Origin, Process};

use super::httpd::{self, Httpd};

#[tokio::test]
async fn an_import_is_compared_with_the_apache_that_runs() {
    let Some(program) = httpd::found() else { return };
    let origin = Origin::named("o")
        .answering(|seen| {
            let response = hyper::Response::builder()
                .status(302)
                .header("location", format!("http://{}/app/y", seen.header("host")?));
            Some(response.body(http_body_util::Full::default()).unwrap())
        })
        .start()
        .await;
    let directives = |to: &str| {
        let origin = origin.address();
        format!(
            "ProxyPass /pub http://{origin}{to}\nProxyPassReverse /pub http://{origin}/app\nProxyPass /gone http://127.0.0.1:1/\n"
        )
    };
    let apache = Httpd::start(program, &directives("/app")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.conf");
    let url = format!("http://{}", apache.address());
    let compared = async |site: String| {
        fs::write(
            &path,
            format!("Listen {0}\n<VirtualHost {0}>\nServerName localhost\n{site}</VirtualHost>\n", apache.address()),
        )
        .unwrap();
        let mut process = Process::start(&["import", "apache", path.to_str().unwrap(), "--compare", &url]);
        let code = process.ended().await.code();
        (code, process.stderr().join("\n"))
    };

    let (code, same) = compared(directives("/app")).await;
    assert_eq!(code, Some(0), "{same}");
    assert!(same.contains(" requests compared, 0 differences"), "{same}");

    let (code, other) = compared(directives("/app").replace("ProxyPass /pub", "ProxyPass /public")).await;
    assert_eq!(code, Some(1), "{other}");
    assert!(other.contains(&format!("differs: GET {url}/public: the status is 404 from Apache, 302 here")), "{other}");
}
