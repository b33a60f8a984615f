//! What was named: a file, a folder, or what Apache printed.

use std::path::{Path, PathBuf};

use super::options::ReadOptions;
use super::reader::ConfReader;
use super::roots::ServerRoot;
use super::spent::{MOST_FILES, too_many_files};
use super::stop::{self, ReadStop};
use super::{dump, glob};
use crate::import::report::Report;
use crate::import::tree::{Place, Tree};

/// Main files of Apache's packages, below the folder that is its server root.
const MAIN: [&str; 3] = ["apache2.conf", "httpd.conf", "conf/httpd.conf"];
/// Where packages have the files of sites.
const SITES: [&str; 4] = ["sites-enabled", "conf.d", "vhosts.d", "sites-available"];
/// What to do where `-` is named.
const STANDARD_INPUT: &str =
    "standard input is not read: write it to a file, `apachectl -t -D DUMP_CONFIG > apache.txt`, and name that";

/// Reads `path`, whatever it is.
pub(super) fn read(path: &Path, options: &ReadOptions, report: &mut Report) -> Result<Tree, ReadStop> {
    if path.is_dir() { folder(path, options, report) } else { parse(&bytes(path)?, path, options, report) }
}

/// Reads `bytes` of a file at `path`.
pub(super) fn parse(bytes: &[u8], path: &Path, options: &ReadOptions, report: &mut Report) -> Result<Tree, ReadStop> {
    if dump::is_dump(bytes) {
        return dump::read(path, bytes, report);
    }
    let root = ServerRoot::new(options.server_root.as_deref(), path);
    let mut reader = ConfReader::new(options, root, report);
    reader.text(path, bytes)?;
    Ok(reader.finish())
}

fn folder(path: &Path, options: &ReadOptions, report: &mut Report) -> Result<Tree, ReadStop> {
    if let Some(main) = MAIN.iter().map(|main| path.join(main)).find(|main| main.is_file()) {
        // `/etc/httpd/conf` holds the main file of `/etc/httpd`.
        let is_conf = path.file_name().is_some_and(|name| name == "conf");
        let root = path.parent().filter(|_| is_conf).unwrap_or(path);
        let root = options.server_root.as_deref().unwrap_or(root);
        let mut reader = ConfReader::new(options, ServerRoot::new(Some(root), &main), report);
        reader.text(&main, &bytes(&main)?)?;
        return Ok(reader.finish());
    }
    let sites = sites(path)?;
    let Some(first) = sites.first() else {
        let what = format!("expected {} or files `*.conf` in this folder, found neither", MAIN.join(", "));
        return Err(ReadStop::new(&whole(path), what, "name the folder or the file that Apache reads"));
    };
    let root = ServerRoot::new(options.server_root.as_deref(), first);
    let mut reader = ConfReader::new(options, root, report);
    for site in &sites {
        reader.text(site, &bytes(site)?)?;
    }
    Ok(reader.finish())
}

/// Files of sites in `folder`, or else in a folder of it that packages have for them.
fn sites(folder: &Path) -> Result<Vec<PathBuf>, ReadStop> {
    let below = SITES.iter().map(|sites| folder.join(sites));
    for folder in std::iter::once(folder.to_owned()).chain(below) {
        let found = glob::files(&folder.join("*.conf"), MOST_FILES);
        let found = found.map_err(|glob::TooMany| too_many_files(&whole(&folder)))?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn bytes(path: &Path) -> Result<Vec<u8>, ReadStop> {
    glob::read(path).map_err(|error| {
        let remedy = if path == Path::new("-") { STANDARD_INPUT } else { stop::remedy(&error) };
        ReadStop::new(&whole(path), format!("it cannot be read: {error}"), remedy)
    })
}

fn whole(path: &Path) -> Place {
    Place { file: path.to_string_lossy().into(), line: 1 }
}
