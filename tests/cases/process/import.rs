//! `tidegate import apache` and `tidegate check --without-files`, as a person runs them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tidegate_tests::Process;

const SITE: &str = "<VirtualHost *:443>\n    ServerName chat.example.org\n    SSLEngine on\n    SSLCertificateFile /no/such/chat.pem\n    \
                    SSLCertificateKeyFile /no/such/chat.key\n    ProxyPass / http://127.0.0.1:9000/\n    \
                    ProxyPassReverse / http://127.0.0.1:9000/\n</VirtualHost>\n";

/// A folder with a file of a site.
struct Machine(TempDir);

impl Machine {
    fn with(site: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("site.conf"), site).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `tidegate ARGUMENTS`, with `@NAME` for the path of a file in the folder.
    async fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let path = |name: &str| self.path(name).display().to_string();
        let arguments: Vec<_> =
            arguments.iter().map(|word| word.strip_prefix('@').map_or_else(|| (*word).to_owned(), path)).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut process = Process::start(&arguments);
        let code = process.ended().await.code().expect("an exit code");
        (code, process.stdout().join("\n"), process.stderr().join("\n"))
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn what_is_imported_elsewhere_passes_a_check_without_files() {
    let machine = Machine::with(SITE);

    let (code, _, report) = machine.run(&["import", "apache", "@site.conf", "-o", "@tidegate.toml"]).await;
    assert_eq!(code, 0, "{report}");
    assert!(report.ends_with("notes") || report.ends_with("note"), "the report ends with its counts: {report}");
    let written = text(&machine.path("tidegate.toml"));
    assert!(written.contains("/no/such/chat.pem") && written.contains("127.0.0.1:9000"), "{written}");

    let (code, said, warnings) = machine.run(&["check", "--without-files", "@tidegate.toml"]).await;
    assert_eq!(code, 0, "{warnings}");
    assert!(
        said.contains("good: ") && warnings.contains("/no/such/chat.pem does not exist; checked without it"),
        "{warnings}"
    );
    assert_eq!(machine.run(&["check", "@tidegate.toml"]).await.0, 1, "it cannot run without them");
}

#[tokio::test]
async fn the_configuration_goes_to_standard_output_and_the_report_beside_it() {
    let machine = Machine::with(&format!("{SITE}ServerName ${{HOST}}\n"));

    let (code, written, report) = machine.run(&["import", "apache", "@site.conf"]).await;
    assert_eq!(code, 1);
    assert!(written.contains("127.0.0.1:9000"), "{written}");
    assert!(
        report.contains("site.conf:9: refused: `${HOST}` stands for nothing") && report.contains("\n  do: "),
        "{report}"
    );

    let (code, _, report) = machine.run(&["import", "apache", "@site.conf", "-D", "HOST=www.example.org"]).await;
    assert_eq!(code, 0, "{report}");
}

#[tokio::test]
async fn a_report_in_json_has_a_finding_on_each_line() {
    let machine = Machine::with("<Location />\nInclude auth.conf\n</Location>\n");

    let (code, _, report) = machine.run(&["import", "apache", "@site.conf", "--json"]).await;

    let findings: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let missing = findings.iter().find(|finding| finding["line"] == 2).unwrap_or_else(|| panic!("{report}"));
    assert_eq!((code, missing["severity"].as_str()), (1, Some("refused")), "{report}");
    assert!(missing["remedy"].as_str().is_some_and(|remedy| remedy.contains("--server-root")), "{report}");
}

#[tokio::test]
async fn what_apache_refuses_leaves_no_file() {
    let machine = Machine::with("<VirtualHost *:80>\n");

    let (code, written, report) = machine.run(&["import", "apache", "@site.conf", "-o", "@tidegate.toml"]).await;

    assert_eq!((code, written.as_str()), (1, ""));
    assert!(report.contains("site.conf:1: refused: expected `</VirtualHost>`"), "{report}");
    assert!(!machine.path("tidegate.toml").exists());
}

#[tokio::test]
async fn a_file_is_written_over_only_where_that_is_wanted() {
    let machine = Machine::with(SITE);
    fs::write(machine.path("tidegate.toml"), "mine").unwrap();

    let (code, _, said) = machine.run(&["import", "apache", "@site.conf", "-o", "@tidegate.toml"]).await;
    assert_eq!((code, text(&machine.path("tidegate.toml")).as_str()), (2, "mine"));
    assert!(
        said.contains("there is such a file already\n  hint: name another, or write over it with --force"),
        "{said}"
    );

    let (code, _, said) = machine.run(&["import", "apache", "@site.conf", "-o", "@tidegate.toml", "--force"]).await;
    assert_eq!(code, 0, "{said}");
    assert!(text(&machine.path("tidegate.toml")).contains("127.0.0.1:9000"));
}

#[tokio::test]
async fn what_cannot_be_written_is_said() {
    let machine = Machine::with(SITE);

    let (code, _, said) = machine.run(&["import", "apache", "@site.conf", "-o", "@none/tidegate.toml"]).await;

    assert!(code == 3 && said.contains("none/tidegate.toml: cannot be written: "), "{code} {said}");
    assert!(said.contains("hint: make its folder first"), "{said}");

    let (code, _, said) = machine.run(&["import", "apache", "@site.conf", "-o", "@."]).await;
    assert!(code == 2 && said.contains("it is a folder") && said.contains("hint: name a file in it"), "{code} {said}");
}

#[tokio::test]
async fn wrong_usage_is_told_from_a_refusal() {
    let machine = Machine::with(SITE);

    for arguments in [
        &["import"][..],
        &["import", "apache"],
        &["import", "nginx", "@site.conf"],
        &["import", "apache", "@site.conf", "--force"],
        &["import", "apache", "@site.conf", "-D", "=x"],
        &["import", "apache", "@site.conf", "--server-root", "@none"],
        &["import", "apache", "@site.conf", "--missing-include", "maybe"],
    ] {
        assert_eq!(machine.run(arguments).await.0, 2, "{arguments:?}");
    }
    let (code, written, said) = machine.run(&["import", "apache", "@none.conf"]).await;
    assert!(code == 1 && written.is_empty() && said.contains("none.conf:1: refused: it cannot be read"), "{said}");
}

#[tokio::test]
async fn a_check_without_files_says_where_it_needs_a_plugin() {
    let machine = Machine::with("");
    let text =
        "[[listen]]\naddress = \"127.0.0.1:0\"\n[router]\nplugin = \"mine\"\n[plugin.mine]\nfile = \"none.wasm\"\n";
    fs::write(machine.path("tidegate.toml"), text).unwrap();

    let (code, _, said) = machine.run(&["check", "--without-files", "@tidegate.toml"]).await;

    assert!(
        code == 1 && said.contains("tidegate.toml:6:8: `file`: ") && said.contains("none.wasm does not exist"),
        "{said}"
    );
    assert!(
        said.contains("hint: plugins are tried, also without files") && !said.contains("checked without it"),
        "{said}"
    );
}

#[tokio::test]
async fn a_check_without_files_still_finds_other_faults() {
    let machine = Machine::with("");
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = { certificate = \"none.pem\", key = \"https://none/key\" }\n\
                [[route]]\npath = \"/\"\nto = \"http://127.0.0.1:9\"\nerror_pages = { 502 = \"none.html\" }\n\
                [cluster.c]\nendpoints = [\"https://127.0.0.1:9\"]\ntls = { ca = \"none-ca.pem\" }\n";
    fs::write(machine.path("tidegate.toml"), text).unwrap();

    let (code, _, said) = machine.run(&["check", "--without-files", "@tidegate.toml"]).await;
    assert!(code == 1 && said.contains("nothing is fetched from elsewhere"), "{said}");

    fs::write(machine.path("tidegate.toml"), text.replace("https://none/key", "none.key")).unwrap();
    let (code, _, said) = machine.run(&["check", "--without-files", "@tidegate.toml"]).await;
    assert_eq!(code, 0, "{said}");
    fs::write(
        machine.path("elsewhere.toml"),
        text.replace("127.0.0.1:0", "192.0.2.1:80").replace("https://none/key", "none.key"),
    )
    .unwrap();
    let (code, _, elsewhere) = machine.run(&["check", "--without-files", "@elsewhere.toml"]).await;
    assert!(code == 0 && elsewhere.contains("cannot listen on 192.0.2.1:80: "), "{elsewhere}");
    for file in ["none.pem", "none.key", "none.html", "none-ca.pem"] {
        assert!(said.contains(&format!("{file} does not exist; checked without it")), "{file}: {said}");
    }
}
