//! Odd configurations are read as Apache reads them: the same directives, sections and words, and the same refusals.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use tidegate::import::{Node, ReadOptions, Report, read};

use super::httpd;

/// What is read with these modules, on both sides.
const MODULES: [&str; 6] = ["mpm_event", "info", "macro", "env", "authz_core", "alias"];

/// Texts that Apache takes.
const TAKEN: &[&str] = &[
    "SetEnv first \\\n 2\nSetEnv k \\\n\\\n3\n",
    "# comment \\\nSetEnv swallowed 1\nSetEnv k 2\n",
    "#\\\n<Nothing\nSetEnv k 2\n",
    "SetEnv a b\\ \nSetEnv e f\n",
    "SetEnv a\tb\r\nSetEnv c d \\\r\n\r\nSetEnv e f",
    "  seTenV a b   \n\n\n   # c\n\x0bSetEnv\x0c e f\n",
    "SetEnv a b\\\\\n",
    "\"SetEnv\" a 'b c'\n'SetEnv' d\n",
    "SetEnv a \"unclosed value\nSetEnv b 1\n",
    "SetEnv a \"x\\\"y\\\\z\\w\"\nSetEnv b 'q\"r\\'s'\nSetEnv c x\"y\nSetEnv d\\\\e \"f\"\n",
    "PassEnv a \"b\"c\n",
    "SetEnv a#b c\nSetEnv '#a' #b\n",
    "SetEnv x \0 y\nSetEnv z z\n",
    "PassEnv a\u{a0}b \u{e4}\n",
    "<VirtualHost *:80> ServerName foo\nServerName bar\n</VirtualHost> trailing\n",
    "<VirtualHost *:80 >\n</virtualHOST>\n",
    "<VirtualHost *:80>\n<Location /a>\n<If true>\n</If>\n</Location>\n<Location /b>\n</Location>\n</VirtualHost>\n\
     <Location /c>\n</Location>\nSetEnv a b\n",
    "<Location \"/a>b\">\nSetEnv x y\n</Location>\n",
    "<Location /a>b>\nSetEnv x y\n</Location>\n",
    "<If \"%{HTTP_HOST} > 'x'\">\nSetEnv x y\n</If>\n<Else>\nSetEnv x z\n</Else>\n",
    "<IfDefine !A> SetEnv a b\nSetEnv c d\n</IfDefine>\n",
    "<IfModule info_module>\nSetEnv c d\n",
    "<IfModule info_module>\n<Location />\n<IfModule env_module>\nSetEnv c d\n</IfModule>\n</Location>\n</IfModule>\n",
    "<IfDefine A>\n<Anything \"goes\n</Anything>\n<!>\n</!>\n</IfDefine>\n<IfDefine !A>\nSetEnv a b\n</IfDefine>\n",
    "<IfDefine A >\nSetEnv a b\n</IfDefine>\n<IfDefine \"A\">\nSetEnv c d\n</IfDefine>\n",
    "Define A\nSetEnv x ${A}\n<IfDefine A>\nSetEnv y z\n</IfDefine>\nUnDefine A\n<IfDefine A>\nSetEnv z z\n</IfDefine>\n",
    "Define A 1\nDefine a 2\nSetEnv x ${A}\n<IfDefine a>\nSetEnv y z\n</IfDefine>\nUndefine A\nSetEnv z ${a}\n",
    "Define V \"one two\"\nPassEnv ${V}\nDefine W a\\\\b\nSetEnv w ${W}\nSetEnv q \"${V}\"\nSetEnv v ${x:y}\n",
    "Define N SetEnv\n${N} a b\nDefine O <Location\n${O} /a>\n</Location>\n",
    "Define A ${B}\nDefine B x\nSetEnv a ${A}\nSetEnv b ${${B}}\nPassEnv c $${B}$ ${B ${\n",
    "<IfVersion >= 2.4>\nSetEnv a b\n</IfVersion>\n<IfVersion !> 2.3.9>\nSetEnv c d\n</IfVersion>\n",
    "<IfVersion < 2.4>\nSetEnv a b\n</IfVersion>\n<IfVersion ~ ^2\\.4\\.>\nSetEnv c d\n</IfVersion>\n",
    "<IfVersion /^2\\.4\\./>\nSetEnv a b\n</IfVersion>\n<IfVersion = /^2\\.2/>\nSetEnv c d\n</IfVersion>\n",
    "<IfFile /dev/null>\nSetEnv a b\n</IfFile>\n<IfFile \"!/dev/null\">\nSetEnv c d\n</IfFile>\n",
    "<IfFile !\"/no/such\">\nSetEnv a b\n</IfFile>\n<IfFile \"/dev/null\" >\nSetEnv c d\n</IfFile>\n",
    "<IfDirective SetEnv>\nSetEnv a b\n</IfDirective>\n<IfDirective !SetEnv>\nSetEnv n b\n</IfDirective>\n",
    "<IfSection VirtualHost>\nSetEnv any 1\n</IfSection>\n<VirtualHost *:1>\n<IfSection !Location>\nSetEnv in 1\n\
     </IfSection>\n</VirtualHost>\n",
    "<Macro M $a $ab>\nPassEnv [$a] [$ab] x$a$ab\n</Macro>\nUse M \"x\\\"y\\\\z\\w\" 'q\"r\\'s'\nUse M $ab 2\nUse M \"a b\" ''\n",
    "<Macro M $a>\n# SetEnv $a 0\n<Location /$a>\nSetEnv $a \\\n 1\n</Location>\n</Macro>\n<VirtualHost *:80>\nuse m X\n\
     </VirtualHost>\nUndefMacro M\n",
    "<Macro M>\nSetEnv a ${A}\n</Macro>\nDefine A 1\nUse M\nDefine A 2\nUse M\n",
    "<Macro M>\nSetEnv a 1\n</Macro>\n<Macro M>\nSetEnv a 2\n</Macro>\nUse M\n",
    "<Macro M $n>\n<Macro $n>\nSetEnv a $n\n</Macro>\n</Macro>\nUse M inner\nUse inner\n",
    "<Macro M>\nDefine X 1\n</Macro>\nUse M\n<IfDefine X>\nSetEnv a b\n</IfDefine>\n",
    "Include part.conf\nIncludeOptional \"part.conf\"\nIncludeOptional none.conf\nIncludeOptional none/*.conf\n",
    "Include sites/*.conf\nInclude sites\nInclude sites/[ab]*\nInclude sit*/?.conf\n",
    "<VirtualHost *:80>\nInclude part.conf\n</VirtualHost>\n",
];

/// Texts that Apache refuses while it reads them.
const REFUSED: &[&str] = &[
    "<VirtualHost *:80>\nServerName bar\n",
    "</VirtualHost>\n",
    "<VirtualHost *:80>\n</Directory>\n",
    "<VirtualHost *:80\n</VirtualHost>\n",
    "<VirtualHost *:80>\n</VirtualHost >\n",
    "<VirtualHost *:80>\nServerName bar </VirtualHost>\n",
    "< Location />\n</Location>\n",
    "<IfModule nope>\n<Foo a>\n</IfModule>\n",
    "<IfModule info_module>\n<Location />\n</IfModule>\n</Location>",
    "<Location />\n<IfModule info_module>\n</Location>\n</IfModule>\n",
    "<IfDefine nope>\nSetEnv c d\n",
    "<IfDefine>\n</IfDefine>\n",
    "<IfDefine !>\n</IfDefine>\n",
    "<IfVersion x>\n</IfVersion>\n",
    "<IfVersion => 2.4>\n</IfVersion>\n",
    "Define\n",
    "Define a b c\n",
    "Define a:b c\n",
    "Include\n",
    "Include a b\n",
    "Include self.conf\n",
    "Include unclosed.conf\n</Location>\n",
    "<Location />\nInclude close.conf\n",
    "Use\n",
    "<Macro M $a>\n</Macro>\nUse M\n",
    "<Macro M $a>\n</Macro>\nUse M 1 2\n",
    "<Macro M>\nUse M\n</Macro>\nUse M\n",
    "<Macro M>\n",
    "<Macro>\n</Macro>\n",
    "<Macro M $a $a>\n</Macro>\n",
    "Error \"stop here\"\n",
];

/// Files beside the text.
const BESIDE: [(&str, &str); 7] = [
    ("part.conf", "SetEnv part 1\n"),
    ("sites/a.conf", "SetEnv a 1\n"),
    ("sites/b.conf", "SetEnv b 1\n"),
    ("sites/below/c.conf", "SetEnv c 1\n"),
    ("self.conf", "Include self.conf\n"),
    ("unclosed.conf", "<Location />\n"),
    ("close.conf", "</Location>\n"),
];

/// A server root with a text to read.
struct Folder {
    folder: tempfile::TempDir,
    program: std::path::PathBuf,
}

impl Folder {
    fn new(program: std::path::PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-apache-").tempdir().unwrap();
        for (path, text) in BESIDE {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = folder.path().display();
        let mut main = format!("ServerRoot \"{root}\"\nDefaultRuntimeDir \"{root}\"\nErrorLog \"{root}/log\"\n");
        for module in MODULES {
            _ = writeln!(main, "LoadModule {module}_module {}", httpd::module_file(module).display());
        }
        _ = write!(main, "Listen 127.0.0.1:1\nServerName localhost\nInclude text.conf\n");
        std::fs::write(folder.path().join("main.conf"), main).unwrap();
        Self { folder, program }
    }

    /// What Apache prints of `text`; its error if it refuses it.
    fn apache(&self, text: &str) -> Result<Vec<String>, String> {
        std::fs::write(self.folder.path().join("text.conf"), text).unwrap();
        let mut run = Command::new(&self.program);
        let printed =
            run.args(["-t", "-D", "DUMP_CONFIG", "-f"]).arg(self.folder.path().join("main.conf")).output().unwrap();
        if !printed.status.success() {
            return Err(String::from_utf8_lossy(&printed.stderr).into_owned());
        }
        let path = self.folder.path().join("printed");
        std::fs::write(&path, printed.stdout).unwrap();
        self.ours(&path)
    }

    /// What is read from `path`, without what the main file says.
    fn ours(&self, path: &Path) -> Result<Vec<String>, String> {
        let options = ReadOptions { server_root: Some(self.folder.path().to_owned()), ..ReadOptions::default() };
        let mut report = Report::default();
        let tree = read(path, &options, &mut report).ok_or_else(|| report.text())?;
        let mut lines = Vec::new();
        let main = self.folder.path().join("main.conf");
        let nodes = tree.nodes.iter().filter(|node| Path::new(&*node.place().file) != main);
        nodes.for_each(|node| shown(node, 0, &mut lines));
        Ok(lines)
    }
}

/// Names as upper case, as Apache prints those that it knows as it knows them.
fn shown(node: &Node, depth: usize, into: &mut Vec<String>) {
    let (name, raw, words) = match node {
        Node::Directive(directive) => (directive.name.clone(), &directive.raw, &directive.words),
        Node::Section(section) => (format!("<{}", section.name), &section.raw, &section.words),
    };
    into.push(format!("{}{} {raw} {words:?}", "  ".repeat(depth), name.to_uppercase()));
    if let Node::Section(section) = node {
        section.children.iter().for_each(|node| shown(node, depth + 1, into));
    }
}

#[test]
fn odd_configurations_are_read_as_apache_reads_them() {
    let Some(program) = httpd::found_with(&MODULES) else { return };
    let folder = Folder::new(program);
    let mut differences = Vec::new();

    for text in TAKEN {
        let apache = folder.apache(text);
        let ours = folder.ours(&folder.folder.path().join("text.conf"));
        if apache != ours {
            differences.push(format!("{text}\napache: {apache:#?}\nours: {ours:#?}"));
        }
    }

    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_apache_refuses_while_reading_is_refused() {
    let Some(program) = httpd::found_with(&MODULES) else { return };
    let folder = Folder::new(program);

    for text in REFUSED {
        let apache = folder.apache(text);
        let ours = folder.ours(&folder.folder.path().join("text.conf"));

        assert!(apache.is_err() && ours.is_err(), "{text}\napache: {apache:#?}\nours: {ours:#?}");
    }
}
