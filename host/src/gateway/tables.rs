//! The tables of plugins, as long as their plugins serve: looked at when their files change.
//!
//! A table is no part of a generation: another version of it makes no instance and no generation.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::generation::Generation;
use crate::plugin::PluginTable;
use crate::watch::Watcher;

/// The tables that are watched: those of the generation that serves.
#[derive(Debug, Default)]
pub(super) struct PluginTables {
    followed: Mutex<Vec<FollowedTable>>,
    others: Notify,
}

#[derive(Clone, Debug)]
struct FollowedTable {
    plugin: String,
    table: Arc<PluginTable>,
}

impl PluginTables {
    /// Watches the tables of `generation`, and no others.
    pub(super) fn follow(&self, generation: &Generation) {
        let tables = generation.artifacts().iter().filter_map(|(plugin, artifact)| {
            Some(FollowedTable { plugin: plugin.clone(), table: Arc::clone(artifact.table()?) })
        });
        let tables: Vec<_> = tables.collect();
        let mut followed = self.followed.lock();
        let is_same = |(one, other): (&FollowedTable, &FollowedTable)| Arc::ptr_eq(&one.table, &other.table);
        if followed.len() == tables.len() && followed.iter().zip(&tables).all(is_same) {
            return;
        }
        *followed = tables;
        self.others.notify_one();
    }

    /// Takes what is in the files of the tables whenever they change. Never ends.
    pub(super) async fn watch(&self) {
        let mut watcher = Watcher::new(self.files());
        // What changed between the reading and this is what the watcher takes for granted.
        watcher.invalidate();
        loop {
            tokio::select! {
                () = self.others.notified() => {
                    watcher.watch(self.files());
                    watcher.invalidate();
                }
                files = watcher.changed() => {
                    let followed = self.followed.lock().clone();
                    let changed = followed.into_iter().filter(|one| files.iter().any(|file| file == one.table.path()));
                    for one in changed {
                        reread(one).await;
                    }
                }
            }
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        self.followed.lock().iter().map(|one| one.table.path().to_owned()).collect()
    }
}

/// Off this thread: millions of lines take a second.
async fn reread(FollowedTable { plugin, table }: FollowedTable) {
    let before = table.status().refusal;
    let read = tokio::task::spawn_blocking({
        let table = Arc::clone(&table);
        move || table.reread()
    });
    match read.await {
        Ok(Ok(true)) => log_taken(&plugin, &table),
        Ok(Ok(false)) if before.is_some() => {
            tracing::info!(plugin, "the file of the table is again what it was read as");
        }
        Ok(Ok(false)) => {}
        Ok(Err(error)) => {
            let error = error.to_string();
            if before.as_ref() != Some(&error) {
                tracing::error!(plugin, "table refused, the version before stays: {error}");
            }
        }
        Err(error) => tracing::error!(plugin, %error, "the table could not be read"),
    }
}

pub(super) fn log_taken(plugin: &str, table: &PluginTable) {
    let status = table.status();
    let file = status.path.display();
    tracing::info!(plugin, %file, entries = status.entries, version = status.version(), "table is live");
}
