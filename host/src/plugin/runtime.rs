//! Loads plugins, and keeps what outlives an artifact: compiled code while it is in use, counters, refusals.
//!
//! ```text
//! bytes ─▶ digest ─┬─ in use: the same again ─────────────────────────────────────╮
//!                  ├─ cache: compiled at an earlier start ─▶ link ────────────────┼─▶ Artifact
//!                  ╰─ compiler: count, wrap, compile, link, try (mostly a child) ─╯
//! ```

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::artifact::Artifact;
use super::compile::{self, Bounds, CodeCache, CompiledCode, Compiler, LinkedPlugin, Measured};
use super::compiled::CompiledPlugin;
use super::counters::RoleCounters;
use super::engine::PluginEngine;
use super::error::{LoadError, LoadErrorKind, RuntimeError};
use super::limits::PluginLimits;
use super::role::RoleName;
use super::shared::PluginShared;
use super::status::{LastRefusal, PluginMeasured, RoleStatus, RoleTotals};
use super::table::{PluginTable, TableError};
#[cfg(test)]
use super::ticker::EpochTicker;
use super::{roles, shipped};
use crate::clock::Clock;
use crate::text;

/// A file to load.
#[derive(Clone, Copy, Debug)]
pub struct PluginFile<'a> {
    /// Name of the plugin, as configured. Its counters belong to this name.
    pub name: &'a str,
    /// Where the bytes came from, for messages: a path, or "shipped".
    pub origin: &'a str,
    /// Component, core module or `.wat` text.
    pub bytes: &'a [u8],
    /// What it may use.
    pub limits: &'a PluginLimits,
    /// What it looks things up in; none if the operator gives it nothing.
    pub table: Option<&'a Arc<PluginTable>>,
}

/// Compiles plugins and keeps what they share. One for the whole gateway.
pub struct Runtime {
    engine: PluginEngine,
    compiler: Compiler,
    cache: Option<CodeCache>,
    compiled: Mutex<HashMap<[u8; 32], Weak<CompiledPlugin>>>,
    shared: Mutex<BTreeMap<Arc<str>, Arc<PluginShared>>>,
    clock: Clock,
    counters: Mutex<Vec<Weak<RoleCounters>>>,
    /// By the name of the plugin and the path of the file.
    tables: Mutex<BTreeMap<(String, PathBuf), Weak<PluginTable>>>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runtime").finish_non_exhaustive()
    }
}

impl Runtime {
    /// [`Self::with_compiler`] that compiles in this process, with the machine's clock.
    ///
    /// # Errors
    /// As there.
    pub fn new(cache: Option<&Path>) -> Result<Arc<Self>, RuntimeError> {
        Self::with_compiler(Compiler::InProcess, cache, Clock::System)
    }

    /// Makes the engine and starts its clock. `cache` is the folder for compiled code; one that cannot be used, or that
    /// others may write to, only warns. `clock` is what plugins read.
    ///
    /// # Errors
    /// If the compiler does not support this machine, or no thread can be started.
    pub fn with_compiler(compiler: Compiler, cache: Option<&Path>, clock: Clock) -> Result<Arc<Self>, RuntimeError> {
        let engine = PluginEngine::new(roles::contracts())?;
        let cache = cache.and_then(|folder| CodeCache::open(folder, &engine.wasmtime));
        Ok(Self::of(engine, compiler, cache, clock))
    }

    /// One whose plugins count the fuel that they use, some one unit for each instruction of wasm, whatever the machine.
    /// It compiles in this process.
    ///
    /// # Errors
    /// As [`Self::with_compiler`].
    pub fn metered(clock: Clock) -> Result<Arc<Self>, RuntimeError> {
        Ok(Self::of(PluginEngine::metered(roles::contracts())?, Compiler::InProcess, None, clock))
    }

    fn of(engine: PluginEngine, compiler: Compiler, cache: Option<CodeCache>, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            cache,
            compiler,
            engine,
            compiled: Mutex::default(),
            shared: Mutex::default(),
            clock,
            counters: Mutex::default(),
            tables: Mutex::default(),
        })
    }

    /// Makes a plugin ready for use. Blocks: a small one takes 10–50 ms to compile, an interpreter seconds; the same
    /// bytes again take no time while an artifact of them lives.
    ///
    /// # Errors
    /// If the file is refused; the reason is also kept for [`Self::refusals`].
    pub fn load(&self, file: &PluginFile<'_>) -> Result<Arc<Artifact>, LoadError> {
        let shared = self.shared(file.name);
        let loaded = self.compiled(file.bytes, file.limits).and_then(|compiled| {
            compiled.interface.check(&file.limits.allow)?;
            compiled.measured.check(file.limits)?;
            Ok(compiled)
        });
        let origin: Arc<str> = file.origin.into();
        let compiled = match loaded {
            Ok(compiled) => compiled,
            Err(problem) => {
                let error = LoadError { plugin: Arc::clone(&shared.name), origin, problem };
                *shared.refusal.lock() = Some(error.to_string());
                return Err(error);
            }
        };
        *shared.refusal.lock() = None;
        let counters = self.counters_of(&compiled, &shared);
        let artifact = Artifact::new(origin, compiled, file.limits, shared, Arc::clone(&self.engine.ticker), counters);
        Ok(Arc::new(artifact.with_table(file.table.cloned())))
    }

    /// The table of a plugin name that is read from `path`: the one that is in use, or one that is read now. Blocks.
    ///
    /// # Errors
    /// [`TableError`]: there is none in use, and the file gives none.
    pub fn table(&self, plugin: &str, path: &Path) -> Result<Arc<PluginTable>, TableError> {
        let key = (plugin.to_owned(), path.to_owned());
        if let Some(known) = self.tables.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let table = Arc::new(PluginTable::open(path)?);
        let mut tables = self.tables.lock();
        tables.retain(|_, table| table.strong_count() > 0);
        tables.insert(key, Arc::downgrade(&table));
        Ok(table)
    }

    /// Numbers of every role of every artifact that lives.
    #[must_use]
    pub fn status(&self) -> Vec<RoleStatus> {
        self.counters.lock().iter().filter_map(Weak::upgrade).map(|counters| counters.snapshot()).collect()
    }

    /// What each plugin name has counted in each role since the start, whatever became of its files.
    #[must_use]
    pub fn totals(&self) -> Vec<RoleTotals> {
        // Held, so that none of them retires between the two readings.
        let living: Vec<_> = self.counters.lock().iter().filter_map(Weak::upgrade).collect();
        let mut totals: BTreeMap<(String, RoleName), RoleTotals> = BTreeMap::new();
        let past = self.shared.lock().values().flat_map(|one| one.retired.all()).collect::<Vec<_>>();
        totals.extend(past.into_iter().map(|one| ((one.plugin.clone(), one.role), one)));
        for status in living.iter().map(|counters| counters.snapshot()) {
            let nothing = || RoleTotals::nothing(&status.plugin, status.role);
            totals.entry((status.plugin.clone(), status.role)).or_insert_with(nothing).add(&status);
        }
        totals.into_values().collect()
    }

    /// What each plugin name measures itself, whatever became of its files; and how many of its measurements were not
    /// kept, for those that measure anything.
    #[must_use]
    pub fn measured(&self) -> Vec<PluginMeasured> {
        let shared = self.shared.lock();
        let measured = shared.values().map(|one| (one, one.measured()));
        let measured = measured.filter(|(_, (series, dropped))| !series.is_empty() || *dropped > 0);
        measured
            .map(|(one, (series, dropped))| PluginMeasured { plugin: one.name.to_string(), series, dropped })
            .collect()
    }

    /// The last refusal for each plugin name whose latest file was refused.
    #[must_use]
    pub fn refusals(&self) -> Vec<LastRefusal> {
        let shared = self.shared.lock();
        shared
            .values()
            .filter_map(|one| Some(LastRefusal { plugin: one.name.to_string(), reason: one.refusal.lock().clone()? }))
            .collect()
    }

    /// Counters of each role of a new artifact.
    fn counters_of(&self, compiled: &CompiledPlugin, shared: &PluginShared) -> Vec<Arc<RoleCounters>> {
        let counters = compiled.interface.roles.iter().map(|role| {
            let (name, digest) = (Arc::clone(&shared.name), Arc::clone(&compiled.digest));
            Arc::new(RoleCounters::new(name, *role, digest, Arc::clone(&shared.retired)))
        });
        let counters: Vec<_> = counters.collect();
        let mut known = self.counters.lock();
        known.retain(|counters| counters.strong_count() > 0);
        known.extend(counters.iter().map(Arc::downgrade));
        counters
    }

    fn shared(&self, name: &str) -> Arc<PluginShared> {
        let mut shared = self.shared.lock();
        if let Some(found) = shared.get(name) {
            return Arc::clone(found);
        }
        let name: Arc<str> = name.into();
        let made = Arc::new(PluginShared::new(Arc::clone(&name), self.clock.clone()));
        shared.insert(name, Arc::clone(&made));
        made
    }

    fn compiled(&self, bytes: &[u8], limits: &PluginLimits) -> Result<Arc<CompiledPlugin>, LoadErrorKind> {
        compile::check_size(bytes)?;
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        if let Some(found) = self.compiled.lock().get(&digest).and_then(Weak::upgrade) {
            return Ok(found);
        }
        let (LinkedPlugin { interface, pre }, measured) = self.linked(bytes, digest, limits)?;
        let compiled = Arc::new(CompiledPlugin { digest: text::hex(&digest).into(), interface, pre, measured });
        let mut known = self.compiled.lock();
        known.retain(|_, compiled| compiled.strong_count() > 0);
        known.insert(digest, Arc::downgrade(&compiled));
        Ok(compiled)
    }

    /// From the cache, or by the compiler, which fills the cache.
    fn linked(
        &self,
        bytes: &[u8],
        digest: [u8; 32],
        limits: &PluginLimits,
    ) -> Result<(LinkedPlugin, Measured), LoadErrorKind> {
        let entry = self.cache.as_ref().map(|cache| (cache, cache.key(digest)));
        if let Some((cache, key)) = &entry
            && let Some(found) = cache.find(key)
        {
            match self.load_compiled(&found) {
                Ok(revived) => return Ok(revived),
                // The file may be good all the same: it is compiled anew, and the entry replaced.
                Err(error) => tracing::warn!(%error, "a file in the cache for compiled plugins is of no use"),
            }
        }
        let keep = |code: &CompiledCode| {
            if let Some((cache, key)) = &entry {
                cache.keep(key, code);
            }
        };
        match &self.compiler {
            Compiler::Child { program, bounds } if !shipped::is_shipped(bytes) => {
                let code = compile::in_child(program, bounds, limits, bytes)?;
                let revived = self.load_compiled(&code)?;
                keep(&code);
                Ok(revived)
            }
            Compiler::Child { .. } | Compiler::InProcess => {
                let (component, linked, measured) = self.engine.compile(bytes, limits, || {})?;
                if entry.is_some() {
                    keep(&CompiledCode::of(&component, measured)?);
                }
                Ok((linked, measured))
            }
        }
    }

    fn load_compiled(&self, code: &CompiledCode) -> Result<(LinkedPlugin, Measured), LoadErrorKind> {
        let component = compile::component(&self.engine.wasmtime, code)?;
        Ok((self.engine.link(&component)?, code.measured))
    }

    /// Compiled plugins that are still in use.
    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.compiled.lock().values().filter(|compiled| compiled.strong_count() > 0).count()
    }

    #[cfg(test)]
    pub(super) fn ticker(&self) -> &EpochTicker {
        &self.engine.ticker
    }
}

/// Compiles one plugin for the process that started this one: reads the file from standard input, writes code or a
/// refusal to standard output. Ends the process when standard input ends, because then its parent has ended.
///
/// # Errors
/// If the limits cannot be imposed or the pipes fail. That the file is refused is a result, not an error.
pub fn compile_for_parent(bounds: &Bounds) -> io::Result<()> {
    compile::work(bounds, roles::contracts())
}
