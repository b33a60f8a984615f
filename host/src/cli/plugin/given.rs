//! Files that a plugin's section would name, as options of a command.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

/// What a plugin is given beside its configuration.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct GivenFiles {
    /// The file of the plugin's table: lines of a key, a TAB and a value. Without it, the table is empty
    #[arg(long, value_name = "FILE")]
    pub(super) table: Option<PathBuf>,
    /// A secret: the key that the plugin's configuration gets it under, and its file; may be repeated
    #[arg(long, value_name = "KEY=FILE", value_parser = secret)]
    pub(super) secret: Vec<(String, PathBuf)>,
}

impl GivenFiles {
    /// The files of the secrets, by key.
    ///
    /// # Errors
    /// If two are given for one key.
    pub(super) fn secrets(&self) -> Result<BTreeMap<String, PathBuf>, String> {
        let mut files = BTreeMap::new();
        for (key, file) in &self.secret {
            if files.insert(key.clone(), file.clone()).is_some() {
                return Err(format!("two files are given for the secret `{key}`, expected one; leave one of them out"));
            }
        }
        Ok(files)
    }

    /// The same files for who stands in another folder.
    pub(super) fn absolute(&self) -> Self {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Self {
            table: self.table.as_ref().map(absolute),
            secret: self.secret.iter().map(|(key, path)| (key.clone(), absolute(path))).collect(),
        }
    }
}

fn secret(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        // As in a configuration.
        Some(("routes", _)) => {
            Err("a secret `routes` would take the place of the [[route]] list; give it another key".to_owned())
        }
        Some((key, file)) if !key.is_empty() && !file.is_empty() => Ok((key.to_owned(), file.into())),
        _ => Err("expected the key of a secret, = and the name of its file, as in key=/run/secrets/key".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_secret_is_a_key_and_a_file_and_each_key_is_given_once() {
        let given = |texts: &[&str]| GivenFiles {
            table: None,
            secret: texts.iter().map(|text| secret(text).unwrap()).collect(),
        };

        assert_eq!(given(&["key=a=b"]).secrets().unwrap()["key"], Path::new("a=b"));
        assert!(given(&["a=b", "c=b"]).absolute().secrets().unwrap().values().all(|file| file.is_absolute()));
        assert!(given(&["a=b", "a=c"]).secrets().unwrap_err().starts_with("two files are given for the secret `a`"));
        for text in ["key", "=file", "key="] {
            assert!(secret(text).unwrap_err().starts_with("expected the key of a secret"), "{text}");
        }
    }
}
