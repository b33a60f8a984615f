//! Every template of `tidegate plugin new` whose toolchain is here: begun, tested, built, checked, and swapped in under
//! open websockets.
//!
//! ```text
//! plugin new ─▶ sh test.sh ─▶ sh build.sh ─▶ plugin check --conformance ─▶ live swap ─▶ a row of the table
//! ```

mod live;
mod project;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use project::{Project, Template};
use table::{Outcome, Row};

/// Builds the templates of `tidegate plugin new` and tries what comes out, in a gateway as well.
#[derive(Debug, Parser)]
struct Arguments {
    /// Languages to try; all of them without this
    #[arg(long, value_name = "LANG", value_delimiter = ',')]
    only: Vec<String>,
    /// The gateway's binary; without this it is built as this one was
    #[arg(long, value_name = "PATH")]
    tidegate: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { only, tidegate } = Arguments::parse();
    let tidegate = match tidegate {
        Some(path) => path.canonicalize().with_context(|| path.display().to_string())?,
        None => tidegate_tests::binary().to_owned(),
    };
    let templates = Template::all()?;
    if let Some(unknown) = only.iter().find(|name| !templates.iter().any(|template| template.language == **name)) {
        anyhow::bail!("there is no template in {unknown}");
    }
    let folder = tempfile::Builder::new().prefix("tidegate-languages-").tempdir()?;
    let mut rows = Vec::new();
    for template in templates {
        let outcome = if only.is_empty() || only.contains(&template.language) {
            eprintln!("{} {} …", template.language, template.role);
            run(Project { template: &template, folder: folder.path(), tidegate: &tidegate }).await
        } else {
            Outcome::NotRun("not asked for".to_owned())
        };
        if let Outcome::Failed { step, why, .. } = &outcome {
            eprintln!("{} {}: {step} FAILED\n{why}\n", template.language, template.role);
        }
        rows.push(Row { template, outcome });
    }
    print!("{}", table::text(&rows));
    let failed = rows.iter().any(|row| matches!(row.outcome, Outcome::Failed { .. }));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// All steps, up to the first that fails.
async fn run(project: Project<'_>) -> Outcome {
    let mut done = Vec::new();
    macro_rules! step {
        ($name:literal, $work:expr) => {
            match project::timed(|| $work) {
                (Ok(value), took) => {
                    done.push(($name, took));
                    value
                }
                (Err(error), _) => return Outcome::Failed { done, step: $name, why: format!("{error:#}") },
            }
        };
    }
    let missing = step!("new", project.begin());
    if let Some(missing) = missing {
        return Outcome::NotRun(missing);
    }
    step!("test", project.script("test.sh"));
    let file = step!("build", project.build());
    let conformance = step!("conformance", project.check(&file));
    let bytes = step!("read", std::fs::read(&file).map_err(anyhow::Error::from));
    // A failed expectation in there is a panic; so it has a task of its own.
    let started = std::time::Instant::now();
    let live = tokio::spawn(live::swap(project.tidegate.to_owned(), project.template.role.clone(), bytes.clone()));
    match live.await {
        Ok(Ok(())) => done.push(("swap", started.elapsed())),
        Ok(Err(error)) => return Outcome::Failed { done, step: "swap", why: format!("{error:#}") },
        Err(panicked) => return Outcome::Failed { done, step: "swap", why: panicked.to_string() },
    }
    Outcome::Good { done, size: bytes.len(), conformance }
}
