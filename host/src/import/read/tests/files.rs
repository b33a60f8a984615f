//! Includes, folders, and what Apache printed.

use super::*;

#[test]
fn files_are_included_by_name_below_the_server_root() {
    let files = Files::new([
        (
            "apache2.conf",
            "ServerRoot /etc/apache2\nInclude ports.conf\nIncludeOptional sites-enabled/*.conf\nIncludeOptional none/*.conf\nIncludeOptional none.conf\nInclude /etc/apache2/extra\n",
        ),
        ("ports.conf", "Listen 80\n"),
        ("sites-enabled/b.conf", "ServerName b\n"),
        ("sites-enabled/a.conf", "ServerName a\n"),
        ("sites-enabled/c.txt", "ServerName c\n"),
        ("extra/x/one", "Timeout 1\n"),
        ("extra/two", "Timeout 2\n"),
    ]);
    let expected = [
        "apache2.conf:1 ServerRoot|/etc/apache2",
        "ports.conf:1 Listen|80",
        "sites-enabled/a.conf:1 ServerName|a",
        "sites-enabled/b.conf:1 ServerName|b",
        "extra/two:1 Timeout|2",
        "extra/x/one:1 Timeout|1",
    ];

    let (tree, report) = files.read("");

    assert_eq!((tree.unwrap(), report.as_str()), (expected.map(str::to_owned).to_vec(), ""));
    let options = ReadOptions { server_root: Some(files.path("")), ..ReadOptions::default() };
    let lines = files.read_with("apache2.conf", &options).0.unwrap();
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
}

#[test]
fn a_folder_of_sites_is_read_by_name() {
    let sites = Files::new([("b.conf", "ServerName b"), ("a.conf", "ServerName a"), ("README", "{% none %}")]);
    assert_eq!(sites.read("").0.unwrap(), ["a.conf:1 ServerName|a", "b.conf:1 ServerName|b"]);

    let within = Files::new([("conf.d/a.conf", "ServerName a")]);
    assert_eq!(within.read("").0.unwrap(), ["conf.d/a.conf:1 ServerName|a"]);

    let httpd = Files::new([("conf/httpd.conf", "Include conf.d/*.conf"), ("conf.d/a.conf", "ServerName a")]);
    assert_eq!(httpd.read("").0.unwrap(), ["conf.d/a.conf:1 ServerName|a"]);
    assert_eq!(httpd.read("conf").0.unwrap(), ["conf.d/a.conf:1 ServerName|a"]);

    let (tree, report) = Files::new([("README", "")]).read("");
    assert!(tree.is_none() && report.contains("files `*.conf` in this folder, found neither"), "{report}");
}

#[test]
fn an_include_that_is_there_and_cannot_be_read_is_refused_if_optional_too() {
    let files = Files::new([("a", "IncludeOptional sites/*.conf\nListen 80\n"), ("sites/b.conf", "")]);
    let path = files.path("sites/b.conf");
    std::fs::remove_file(&path).unwrap();
    std::os::unix::net::UnixListener::bind(&path).unwrap();

    let (tree, report) = files.read("a");

    assert_eq!(tree.unwrap().len(), 2, "{report}");
    assert!(report.starts_with("a:1: refused: Include: `") && report.contains("b.conf` cannot be read: "), "{report}");
    assert!(report.contains("may be who may come in"), "{report}");
}

#[test]
fn standard_input_is_told_to_be_made_a_file() {
    let mut report = Report::default();

    assert!(crate::import::read(Path::new("-"), &ReadOptions::default(), &mut report).is_none());
    assert!(report.text().contains("do: standard input is not read: write it to a file"), "{}", report.text());
}

#[test]
fn an_include_that_is_not_there_is_told_and_stays_or_ends_it() {
    let text = "Include /no/such/tls.conf\n<Location />\nInclude auth.conf\n</Location>\nInclude none/*.conf\n";
    let files = Files::new([("a", text)]);

    let (tree, report) = files.read("a");
    assert_eq!(tree.unwrap().len(), 4);
    assert!(
        report.contains("a:1: changed: Include: `/no/such/tls.conf` is not there: what it says is not"),
        "{report}"
    );
    assert!(report.contains("a:3: refused: Include: `auth.conf` is not there: it may say who may come in"), "{report}");
    assert!(report.contains("a:5: changed: Include: no file matches `none/*.conf`"), "{report}");
    assert_eq!(report.matches("do: give the folder that it is in: `--server-root`").count(), 3, "{report}");

    let options = ReadOptions { missing_include: MissingInclude::Error, ..ReadOptions::default() };
    let (tree, report) = files.read_with("a", &options);
    assert!(tree.is_none() && report.starts_with("a:1: refused: Include: `/no/such/tls.conf`"), "{report}");
}

#[test]
fn includes_and_macros_that_lead_back_to_themselves_are_refused() {
    let (tree, report) = Files::new([("a", "Include b"), ("b", "\nInclude a\nInclude a\n")]).read("a");
    assert!(tree.is_none() && report.contains("refused: expected Includes at most 128 deep in each other"), "{report}");
    assert!(report.contains("leads back to itself"), "{report}");

    let report = said("<Macro M>\nUse N\n</Macro>\n<Macro N>\nUse M\n</Macro>\nUse M\n");
    assert!(report.starts_with("a:5: refused: Use: macro `m` leads back to itself"), "{report}");
}

#[test]
fn what_apache_printed_is_read_with_the_places_that_it_names() {
    let printed = "AH00558: apache2: Could not determine\n# In file: /etc/apache2/a.conf\n#   3:\n<VirtualHost *:80>\n\
                   # In file: macro 'm' (defined on line 7 of \"/etc/apache2/m.conf\") used on line 4 of \"/etc/apache2/a.conf\"\n\
                   \x20 #   2:\n  SetEnv X ${NONE}\\\n# In file: /etc/apache2/a.conf\n</VirtualHost>\nSyntax OK\n";
    let files = Files::new([("dump", printed)]);

    let (tree, report) = files.read("dump");

    assert_eq!(
        tree.unwrap(),
        ["/etc/apache2/a.conf:3 <VirtualHost|*:80", "  /etc/apache2/m.conf:9 SetEnv|X|${NONE}\\"]
    );
    assert_eq!(report, "");
}

#[test]
fn a_print_that_is_not_whole_is_refused() {
    for (printed, expected) in [
        (
            "# In file: a\n#   1:\n<Location />\n  #   2:\n  Require all granted\n",
            "a:1: refused: expected `</Location>` before the end, found none",
        ),
        (
            "# In file: a\n#   1:\n<Location />\nRequire all granted\n</Location>\n",
            "dump:5: refused: `</Location>` ends no",
        ),
        ("# In file: a\n</Location>\n", "dump:2: refused: `</Location>` ends no section"),
        (
            "# In file: a\n#  1:\nListen 80\nAH00526: Syntax error on line 1 of /a.conf:\nInvalid command",
            "dump:4: refused: Apache refuses the configuration: Syntax error on line 1 of /a.conf:",
        ),
    ] {
        let (_, report) = Files::new([("dump", printed)]).read("dump");

        assert!(report.starts_with(expected), "{report}");
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let files = Files::new([]);

    let (tree, report) = files.read("none.conf");

    assert!(tree.is_none() && report.starts_with("none.conf:1: refused: it cannot be read: No such file"), "{report}");
    let mut report = Report::default();
    assert!(read(Path::new("/dev/zero"), &ReadOptions::default(), &mut report).is_none());
    assert_eq!(report.count(Severity::Refused), 1);
}
