use super::super::super::Severity;
use super::{becomes, imported, says};

const ROOTED: &str = "DocumentRoot /srv/www\nProxyPass /sorry !\nProxyPass /a http://127.0.0.1:1/\n";

fn pages(lines: &str) -> Vec<String> {
    let (text, _findings) = imported(&format!("{ROOTED}{lines}\n"));
    text.lines().filter(|line| line.contains("error_pages")).map(str::to_owned).collect()
}

#[test]
fn a_page_that_apache_has_itself_is_a_page_of_the_gateway() {
    assert_eq!(
        pages("ErrorDocument 503 /sorry/503.html\nErrorDocument 502 /sorry.html?x"),
        [r#"error_pages = { 502 = "/srv/www/sorry.html", 503 = "/srv/www/sorry/503.html" }"#]
    );
    assert_eq!(
        pages("Alias /sorry /var/pages\nErrorDocument 503 /sorry/503.html\nProxyErrorOverride On"),
        [r#"error_pages = { 503 = "/var/pages/503.html", intercept = true }"#]
    );
    assert_eq!(pages("ErrorDocument 503 /sorry/1.html\nErrorDocument 503 default"), [""; 0]);
}

#[test]
fn pages_of_a_location_are_those_of_its_routes() {
    becomes(
        "ProxyPass /pages !\nDocumentRoot /srv\nProxyPass / http://127.0.0.1:1/\n\
         <Location /a>\nErrorDocument 503 /pages/503.html\n</Location>\n",
        r#"
            [[route]]
            path = "/pages"
            to = "!"
            [[route]]
            path = "/a"
            to = "http://127.0.0.1:1/a"
            error_pages = { 503 = "/srv/pages/503.html" }
            [[route]]
            path = "/"
            to = "http://127.0.0.1:1"
        "#,
    );
}

#[test]
fn what_is_no_page_is_told() {
    for (page, words) in [
        ("\"Sorry, later\"", "is text"),
        ("https://status.example.org/", "sent elsewhere"),
        ("/a/503.html", "as a client would"),
        ("/sorry/503.php", "no page that can be shown"),
    ] {
        let lines = format!("{ROOTED}ErrorDocument 503 {page}\n");
        says(&lines, 4, Severity::Refused, words);
        assert_eq!(pages(&format!("ErrorDocument 503 {page}")), [""; 0]);
    }
    says("ProxyPass / http://127.0.0.1:1/\nErrorDocument 200 /x.html\n", 2, Severity::Refused, "from 400 to 599");
    says(&format!("{ROOTED}ProxyErrorOverride On\n"), 4, Severity::Changed, "goes through as it is");
    let some = format!("{ROOTED}ErrorDocument 503 /sorry/1.html\nProxyErrorOverride On 502\n");
    says(&some, 5, Severity::Changed, "responses with 503 show the page");
}
