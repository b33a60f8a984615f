mod files;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::import::report::Severity;
use crate::import::tree::Node;

/// Files in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// The tree of `path` as lines, and the report, both without this folder.
    fn read_with(&self, path: &str, options: &ReadOptions) -> (Option<Vec<String>>, String) {
        let mut report = Report::default();
        let tree = read(&self.path(path), options, &mut report);
        let folder = format!("{}/", self.0.path().display());
        let lines = tree.map(|tree| {
            let mut lines = Vec::new();
            shown(&tree.nodes, 0, &mut lines);
            lines.into_iter().map(|line| line.replace(&folder, "")).collect()
        });
        let report = report.text().replace(&folder, "");
        let report = report.lines().filter(|line| !line.contains("0 refused, 0 changed, 0 dropped, 0 notes"));
        (lines, report.collect::<Vec<_>>().join("\n"))
    }

    fn read(&self, path: &str) -> (Option<Vec<String>>, String) {
        self.read_with(path, &ReadOptions::default())
    }
}

/// `FILE:LINE name|word|word`, two blanks deeper in each section.
fn shown(nodes: &[Node], depth: usize, into: &mut Vec<String>) {
    for node in nodes {
        let (name, words) = match node {
            Node::Directive(directive) => (directive.name.clone(), &directive.words),
            Node::Section(section) => (format!("<{}", section.name), &section.words),
        };
        let words: String = words.iter().map(|word| format!("|{}", word.text)).collect();
        into.push(format!("{}{} {name}{words}", "  ".repeat(depth), node.place()));
        if let Node::Section(section) = node {
            shown(&section.children, depth + 1, into);
        }
    }
}

/// The tree of one file `a`, without places.
fn names(text: &str) -> Vec<String> {
    let (tree, report) = Files::new([("a", text)]).read("a");
    let lines = tree.unwrap_or_else(|| panic!("{report}"));
    lines.iter().map(|line| line.trim_start().split_once(' ').unwrap().1.to_owned()).collect()
}

/// What is said of one file `a`.
fn said(text: &str) -> String {
    Files::new([("a", text)]).read("a").1
}

#[test]
fn directives_and_sections_keep_their_places() {
    let files = Files::new([(
        "a",
        "Listen 80\n\n# none\n<VirtualHost *:80 [::1]:80>\n  ServerName \\\n    a.example\n  <location \"/a b\">\n\
         Require all denied\n  </Location>\n</virtualhost>\nTimeout 5",
    )]);

    let (tree, report) = files.read("a");

    assert_eq!(
        tree.unwrap(),
        [
            "a:1 Listen|80",
            "a:4 <VirtualHost|*:80|[::1]:80",
            "  a:5 ServerName|a.example",
            "  a:7 <location|/a b",
            "    a:8 Require|all|denied",
            "a:11 Timeout|5",
        ]
    );
    assert_eq!(report, "");
}

#[test]
fn the_argument_of_a_section_ends_at_its_last_bracket() {
    let files = Files::new([("a", "<If \"%{HTTP_HOST} > 'a>b'\" >\n</If>\n<Else>\n</Else>\n")]);
    let tree = read(&files.path("a"), &ReadOptions::default(), &mut Report::default()).unwrap();

    let [Node::Section(condition), Node::Section(otherwise)] = &tree.nodes[..] else { panic!("{tree:?}") };
    assert_eq!((condition.raw.as_str(), otherwise.raw.as_str()), ("\"%{HTTP_HOST} > 'a>b'\"", ""));
    assert_eq!(condition.words[0].text, "%{HTTP_HOST} > 'a>b'");
}

#[test]
fn variables_come_before_quotes_and_words() {
    let text = "Define P /d\nDefine HC \"hcmethod=GET hcuri=/ping\"\nBalancerMember http://a ${HC} status=+H\n\
                RewriteRule ^\\${P}/?(.*) \"ws://b${p}/$1\" [P]\nUnDefine P\nSetEnv x ${APACHE_LOG_DIR}\n";

    assert_eq!(
        names(text),
        [
            "BalancerMember|http://a|hcmethod=GET|hcuri=/ping|status=+H",
            r"RewriteRule|^\/d/?(.*)|ws://b/d/$1|[P]",
            "SetEnv|x|/var/log/apache2"
        ]
    );
}

#[test]
fn values_come_from_the_command_line_and_the_environment() {
    let files = Files::new([("a", "<IfDefine TLS>\nListen ${PORT}\n</IfDefine>\nServerName ${NAME}\n")]);
    let options = ReadOptions {
        defines: vec![("TLS".to_owned(), None), ("PORT".to_owned(), Some("443".to_owned()))],
        environment: BTreeMap::from([("NAME".to_owned(), "a.example".to_owned())]),
        ..ReadOptions::default()
    };

    assert_eq!(files.read_with("a", &options).0.unwrap(), ["a:2 Listen|443", "a:4 ServerName|a.example"]);
}

#[test]
fn a_variable_that_stands_for_nothing_is_told_once_with_the_way_to_give_it() {
    assert_eq!(
        said("ServerName ${HOST}\nServerAlias www.${HOST}\nErrorLog ${LOGS}/a\nRewriteCond ${map:x} y\n"),
        "a:1: refused: `${HOST}` stands for nothing: neither a Define nor the environment has it\n  do: give it: \
         `-D HOST=VALUE`, or set HOST in the environment\n1 refused, 0 changed, 0 dropped, 0 notes"
    );
}

#[test]
fn conditions_leave_out_what_does_not_count() {
    let text = "<IfModule mod_ssl.c>\nListen 1\n<IfDefine !X>\nListen 2\n</IfDefine>\n<IfDefine X>\n<Anything>\n\
                <IfModule y>\nListen 3\n</IfModule>\n</Anything>\n</IfDefine>\n</IfModule>\n\
                <IfModule !mod_ssl.c>\nListen 4\n</IfModule>\n<IfVersion < 2.4>\nListen 5\n</IfVersion>\n\
                <IfFile /dev/null>\nListen 6\n</IfFile>\n<IfFile \"!/dev/null\">\nListen 7\n</IfFile>\n\
                <VirtualHost *>\n<IfSection VirtualHost>\nListen 8\n</IfSection>\n</VirtualHost>\n\
                <IfDirective Listen>\nListen 9\n</IfDirective>\n<IfModule mpm_prefork_module>\nListen 10\n</IfModule>\n";
    let expected = ["Listen|1", "Listen|2", "Listen|6", "<VirtualHost|*", "Listen|8", "Listen|9"];

    assert_eq!(names(text), expected);
    let said = said(text);
    assert!(said.contains("a:14: note: `<IfModule !mod_ssl.c>` is left out"), "{said}");
    assert!(said.contains("a:20: note: whether `/dev/null` is there was decided here: it is"), "{said}");
}

#[test]
fn what_counts_may_end_with_its_file_and_what_does_not_may_not() {
    assert_eq!(names("<IfModule mod_ssl.c>\nListen 1\n"), ["Listen|1"]);
    assert_eq!(
        said("<IfDefine X>\nListen 1\n"),
        "a:1: refused: expected `</IfDefine>` before the end of the file, found none\n  do: end the section with \
         `</IfDefine>`\n1 refused, 0 changed, 0 dropped, 0 notes"
    );
}

#[test]
fn macros_are_their_lines_with_arguments_at_the_place_of_their_definition() {
    let files = Files::new([(
        "a",
        "<Macro Site $name $port>\n# not $name\n<VirtualHost *:$port>\nServerName $name\n</VirtualHost>\n</Macro>\n\
         use site a.example 80\nUse SITE \"b.example\" 81\nUndefMacro Site\n",
    )]);

    assert_eq!(
        files.read("a").0.unwrap(),
        ["a:3 <VirtualHost|*:80", "  a:4 ServerName|a.example", "a:3 <VirtualHost|*:81", "  a:4 ServerName|b.example",]
    );
}

#[test]
fn a_macro_that_is_not_there_stays_and_is_refused_once() {
    let text = "<Location /a>\nUse AuthOpenIDConnect\n</Location>\n<Location /b>\nUse AuthOpenIDConnect\n</Location>\n";

    assert_eq!(names(text), ["<Location|/a", "Use|AuthOpenIDConnect", "<Location|/b", "Use|AuthOpenIDConnect"]);
    let said = said(text);
    assert!(
        said.starts_with("a:2: refused: Use: macro `AuthOpenIDConnect` is not defined") && said.contains("1 refused"),
        "{said}"
    );
}

#[test]
fn what_apache_refuses_is_refused_with_line_and_remedy() {
    for (text, expected) in [
        ("\n<VirtualHost *:80>\n", "a:2: refused: expected `</VirtualHost>` before the end of the file, found none"),
        ("</Location>", "a:1: refused: `</Location>` ends no section of this file"),
        (
            "<VirtualHost *:80>\n<Location />\n</VirtualHost>",
            "a:3: refused: expected `</Location>`, found `</VirtualHost>`\n  do: end the section that begins at a:2 first",
        ),
        (
            "<IfModule x>\n<Location />\n</IfModule>\n</Location>",
            "a:3: refused: expected `</Location>`, found `</IfModule>`",
        ),
        ("<VirtualHost *:80\n</VirtualHost>", "a:1: refused: expected `>` at the end of `<VirtualHost`, found none"),
        ("<Location />\n</Location >", "a:2: refused: expected `>` at the end of `</Location`, found none"),
        ("< Location />", "a:1: refused: expected the name of a section behind `<`, found none"),
        ("<IfDefine>\n</IfDefine>", "a:1: refused: <IfDefine>: expected a name, found none"),
        ("<IfVersion x>\n</IfVersion>", "a:1: refused: <IfVersion>: expected a version like `2.4.10`, found `x`"),
        ("Define", "a:1: refused: Define: expected a name and perhaps a value, found 0 words"),
        ("Define a b c", "a:1: refused: Define: expected a name and perhaps a value, found 3 words"),
        ("Define a:b c", "a:1: refused: Define: expected a name without `:`, found `a:b`"),
        ("Include", "a:1: refused: Include: expected one path, found 0 words"),
        ("Include a b", "a:1: refused: Include: expected one path, found 2 words"),
        ("Use", "a:1: refused: Use: expected the name of a macro, found none"),
        (
            "<Macro M $a>\n</Macro>\nUse M",
            "a:3: refused: Use: expected 1 arguments for macro `M` (defined at a:1), found 0",
        ),
        ("<Macro M>\n", "a:1: refused: expected `</Macro>` before the end of the file, found none"),
        ("<Macro>\n</Macro>\n", "a:1: refused: <Macro>: expected a name for the macro, found none"),
        ("Error \"set X\"", "a:1: refused: the configuration stops itself: set X"),
        ("<Perl>\n</Perl>", "a:1: refused: the file has a part that a program writes when Apache starts"),
        ("{% if x %}", "a:1: refused: expected a configuration, found a template of Jinja"),
    ] {
        let (tree, report) = Files::new([("a", text)]).read("a");

        assert!(report.starts_with(expected), "{text}: {report}");
        assert!(report.contains("\n  do: ") && tree.is_none(), "{text}: {report}");
    }
}

#[test]
fn what_apache_swallows_in_silence_is_told() {
    for (text, expected) in [
        (
            "<VirtualHost *:80> ServerName a\n</VirtualHost>",
            "a:1: dropped: Apache reads nothing of what stands behind `>`: `ServerName a`",
        ),
        (
            "<Location />\n</Location> Listen 1",
            "a:2: dropped: Apache reads nothing of what stands behind `>`: `Listen 1`",
        ),
        ("# off \\\nListen 80\n", "a:1: note: the comment ends with a backslash, so it goes on over the next line"),
        ("\u{feff}Listen 80", "a:1: changed: the file begins with a byte order mark"),
        ("Listen 80\0 81", "a:1: changed: the line holds a byte 0"),
    ] {
        let (tree, report) = Files::new([("a", text)]).read("a");

        assert!(report.starts_with(expected) && tree.is_some(), "{text}: {report}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_kept_as_marks_and_told_by_line() {
    let files = Files::new([]);
    fs::write(files.path("a"), b"Listen 80\nServerAdmin J\xfcrgen\n").unwrap();

    let (tree, report) = files.read("a");

    assert_eq!(tree.unwrap(), ["a:1 Listen|80", "a:2 ServerAdmin|J\u{fffd}rgen"]);
    assert!(report.starts_with("a:2: changed: the line is no UTF-8"), "{report}");
}

#[test]
fn a_placeholder_is_told_once_and_the_rest_is_read() {
    let text =
        "<VirtualHost <ip>:80>\nServerName <your-domain>\nServerAlias <your-domain>\n</VirtualHost>\nListen @PORT@\n";

    let said = said(text);

    assert!(said.contains("a:2: refused: ServerName: expected a name or an address, found `<your-domain>`"), "{said}");
    assert!(said.contains("a:1: refused: VirtualHost") && said.contains("found `@PORT@`"), "{said}");
    assert_eq!((said.matches("<your-domain>").count(), names(text).len()), (1, 4), "{said}");
}

#[test]
fn a_hundred_thousand_lines_are_read() {
    let text = "<VirtualHost *:80>\nServerName a.example\nProxyPass / http://127.0.0.1:80/ retry=1\n</VirtualHost>\n"
        .repeat(25_000);

    assert_eq!(names(&text).len(), 75_000);
}

#[test]
fn what_multiplies_itself_ends() {
    let doubled = (0..60)
        .fold("Define v0 xxxxxxxx\n".to_owned(), |text, n| text + &format!("Define v{} ${{v{n}}}${{v{n}}}\n", n + 1));
    let macros = (0..60).fold("<Macro m0>\nListen 1\n</Macro>\n".to_owned(), |text, n| {
        text + &format!("<Macro m{}>\nUse m{n}\nUse m{n}\n</Macro>\n", n + 1)
    }) + "Use m60\n";
    let nested = "<Location />\n".repeat(1_000);
    let conditions = "<IfModule a>\n".repeat(20_000);
    let files: Vec<_> = (0..60).map(|n| (format!("f{n}"), format!("Include f{0}\nInclude f{0}\n", n + 1))).collect();

    for (text, expected) in [
        (doubled.as_str(), "expected at most 32 MiB of text in all"),
        (&macros, "in all, found more"),
        (&nested, "expected sections at most 64 deep"),
    ] {
        let said = said(text);
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(names(&conditions), Vec::<String>::new());
    let files =
        Files::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())).chain([("f60", "Listen 1\n")]));
    let (tree, report) = files.read("f0");
    assert!(tree.is_none() && report.contains("expected at most 4000 files in all"), "{report}");
}
