//! One template, and the project that is made from it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugin-sdk/templates");

/// A folder of the templates: one language and role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Template {
    pub(crate) language: String,
    pub(crate) role: String,
}

impl Template {
    /// All that there are, by language.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for language in folders(Path::new(TEMPLATES))? {
            for role in folders(&Path::new(TEMPLATES).join(&language))? {
                if ["balancer", "router", "rewriter"].contains(&role.as_str()) {
                    all.push(Self { language: language.clone(), role });
                }
            }
        }
        all.sort();
        Ok(all)
    }
}

fn folders(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// A project that is made from `template` in a folder of `folder`, with the gateway's binary `tidegate`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Project<'t> {
    pub(crate) template: &'t Template,
    pub(crate) folder: &'t Path,
    pub(crate) tidegate: &'t Path,
}

impl Project<'_> {
    fn name(&self) -> String {
        format!("{}-{}", self.template.language, self.template.role)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(self.name())
    }

    /// Writes it; what is missing on this machine, if something is.
    pub(crate) fn begin(&self) -> anyhow::Result<Option<String>> {
        let mut new = Command::new(self.tidegate);
        new.args(["plugin", "new"]).arg(self.path());
        new.args(["--lang", &self.template.language, "--role", &self.template.role]);
        let printed = output(&mut new)?;
        if self.template.language == "rust" {
            // What all of them depend on is compiled once.
            let target = self.folder.join("rust-target");
            std::fs::create_dir_all(&target)?;
            std::os::unix::fs::symlink(target, self.path().join("target"))?;
        }
        Ok(printed.lines().find_map(|line| line.strip_prefix("Before that: ")).map(str::to_owned))
    }

    /// Runs one of its scripts.
    pub(crate) fn script(&self, name: &str) -> anyhow::Result<String> {
        output(Command::new("sh").arg(name).current_dir(self.path()).env("TIDEGATE", self.tidegate))
    }

    /// Builds the plugin, if it is built; its file.
    pub(crate) fn build(&self) -> anyhow::Result<PathBuf> {
        let end = if self.template.language == "wat" {
            "wat"
        } else {
            self.script("build.sh")?;
            "wasm"
        };
        let file = self.path().join(self.name()).with_extension(end);
        if !file.is_file() {
            bail!("build.sh made no {}", file.display());
        }
        Ok(file)
    }

    /// Runs the conformance battery; its last line.
    pub(crate) fn check(&self, file: &Path) -> anyhow::Result<String> {
        let printed = output(Command::new(self.tidegate).args(["plugin", "check", "--conformance"]).arg(file))?;
        Ok(printed.lines().last().unwrap_or_default().trim().to_owned())
    }
}

/// Runs a command to its end; what it printed. If it fails, all that it said is the error.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if !done.status.success() {
        bail!("{command:?}: {}\n{text}{}", done.status, String::from_utf8_lossy(&done.stderr));
    }
    Ok(text)
}

/// What `work` gave, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    (work(), started.elapsed())
}
