//! The engine, and what outlives every artifact: compiled code while somebody uses it, counters, tables.
//!
//! ```text
//! bytes ─▶ digest ─▶ wrap ─▶ compile (cache) ─▶ surface: roles, imports ─▶ link ─▶ Artifact
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, OptLevel};

use super::artifact::Artifact;
use super::commons::Commons;
use super::host_state::HostState;
use super::limits::Limits;
use super::load::{LoadError, Problem, RuntimeError, told};
use super::pulse::Pulse;
use super::status::{Ledger, Refusal, RoleStatus};
use super::surface::{RoleKind, Surface};
use super::totals::RoleTotals;
use super::{capabilities, wasi, wrap};

/// A file to load.
#[derive(Clone, Copy, Debug)]
pub struct Spec<'a> {
    /// Name of the plugin, as configured. Counters and the table belong to it.
    pub name: &'a str,
    /// Where the bytes came from, for messages: a path, or "shipped".
    pub origin: &'a str,
    /// Component, core module or `.wat` text.
    pub bytes: &'a [u8],
    /// What it may use.
    pub limits: &'a Limits,
}

/// Compiles plugins and keeps what they share. One for the whole gateway.
pub struct Runtime {
    engine: Engine,
    linker: Linker<HostState>,
    pulse: Arc<Pulse>,
    compiled: Mutex<HashMap<[u8; 32], Weak<Compiled>>>,
    commons: Mutex<BTreeMap<Arc<str>, Arc<Commons>>>,
    ledgers: Mutex<Vec<Weak<Ledger>>>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// Code that is ready to run, shared by all artifacts of the same bytes.
pub(super) struct Compiled {
    pub(super) digest: Arc<str>,
    pub(super) surface: Surface,
    pub(super) pre: InstancePre<HostState>,
}

impl Runtime {
    /// Makes the engine and starts its clock. `cache` is the folder for compiled code; one that cannot be used only
    /// warns.
    ///
    /// # Errors
    /// If the compiler does not support this machine, or no thread can be started.
    pub fn new(cache: Option<&Path>) -> Result<Arc<Self>, RuntimeError> {
        let mut config = Config::new();
        config.wasm_component_model(true).epoch_interruption(true).cranelift_opt_level(OptLevel::Speed);
        config.cache(cache.and_then(open_cache));
        let engine = Engine::new(&config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        let mut linker = Linker::new(&engine);
        capabilities::link(&mut linker).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        let pulse = Arc::new(Pulse::start(&engine).map_err(RuntimeError::Clock)?);
        Ok(Arc::new(Self {
            engine,
            linker,
            pulse,
            compiled: Mutex::default(),
            commons: Mutex::default(),
            ledgers: Mutex::default(),
        }))
    }

    /// Makes a plugin ready for use. Blocks: a small one takes 10–50 ms to compile, an interpreter seconds; the same
    /// bytes again take no time while an artifact of them lives.
    ///
    /// # Errors
    /// If the file is refused; the reason is also kept for [`Self::refusals`].
    pub fn load(&self, spec: &Spec<'_>) -> Result<Arc<Artifact>, LoadError> {
        let commons = self.commons(spec.name);
        let loaded = self.compiled(spec.bytes).and_then(|compiled| {
            compiled.surface.check(&spec.limits.allow)?;
            Ok(compiled)
        });
        let origin: Arc<str> = spec.origin.into();
        let compiled = match loaded {
            Ok(compiled) => compiled,
            Err(problem) => {
                let error = LoadError { plugin: Arc::clone(&commons.name), origin, problem };
                *commons.refusal.lock() = Some(error.to_string());
                return Err(error);
            }
        };
        *commons.refusal.lock() = None;
        let ledgers = compiled
            .surface
            .roles
            .iter()
            .map(|role| {
                let (name, digest) = (Arc::clone(&commons.name), Arc::clone(&compiled.digest));
                Arc::new(Ledger::new(name, *role, digest, Arc::clone(&commons.estate)))
            })
            .collect::<Vec<_>>();
        let mut known = self.ledgers.lock();
        known.retain(|ledger| ledger.strong_count() > 0);
        known.extend(ledgers.iter().map(Arc::downgrade));
        drop(known);
        Ok(Arc::new(Artifact::new(origin, compiled, spec.limits, commons, Arc::clone(&self.pulse), ledgers)))
    }

    /// Replaces the table that the plugin of this name may read.
    pub fn set_table(&self, plugin: &str, table: BTreeMap<String, String>) {
        self.commons(plugin).set_table(table);
    }

    /// Numbers of every role of every artifact that lives.
    #[must_use]
    pub fn status(&self) -> Vec<RoleStatus> {
        self.ledgers.lock().iter().filter_map(Weak::upgrade).map(|ledger| ledger.snapshot()).collect()
    }

    /// What each plugin name has counted in each role since the start, whatever became of its files.
    #[must_use]
    pub fn totals(&self) -> Vec<RoleTotals> {
        // Held, so that none passes from the living to the dead in between.
        let living: Vec<_> = self.ledgers.lock().iter().filter_map(Weak::upgrade).collect();
        let mut totals: BTreeMap<(String, RoleKind), RoleTotals> = BTreeMap::new();
        let past = self.commons.lock().values().flat_map(|one| one.estate.all()).collect::<Vec<_>>();
        totals.extend(past.into_iter().map(|one| ((one.plugin.clone(), one.role), one)));
        for status in living.iter().map(|ledger| ledger.snapshot()) {
            let nothing = || RoleTotals::nothing(&status.plugin, status.role);
            totals.entry((status.plugin.clone(), status.role)).or_insert_with(nothing).add(&status);
        }
        totals.into_values().collect()
    }

    /// The last refusal for each plugin name whose latest file was refused.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        let commons = self.commons.lock();
        commons
            .values()
            .filter_map(|one| Some(Refusal { plugin: one.name.to_string(), reason: one.refusal.lock().clone()? }))
            .collect()
    }

    fn commons(&self, name: &str) -> Arc<Commons> {
        let mut commons = self.commons.lock();
        if let Some(found) = commons.get(name) {
            return Arc::clone(found);
        }
        let name: Arc<str> = name.into();
        let made = Arc::new(Commons::new(Arc::clone(&name)));
        commons.insert(name, Arc::clone(&made));
        made
    }

    fn compiled(&self, bytes: &[u8]) -> Result<Arc<Compiled>, Problem> {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        if let Some(found) = self.compiled.lock().get(&digest).and_then(Weak::upgrade) {
            return Ok(found);
        }
        let component = wrap::component(bytes)?;
        let component = Component::new(&self.engine, component)
            .map_err(|error| Problem::Invalid { message: told(format_args!("{error:#}")) })?;
        let surface = Surface::of(&component, &self.engine)?;
        let mut linker = self.linker.clone();
        let link = |linker: &mut Linker<HostState>| {
            if surface.wasi {
                wasi::link(linker, &component)?;
            }
            linker.instantiate_pre(&component)
        };
        let pre = link(&mut linker).map_err(|error| Problem::Signature { message: told(format_args!("{error:#}")) })?;
        let mut hex = String::with_capacity(64);
        for byte in digest {
            let _ = write!(hex, "{byte:02x}");
        }
        let compiled = Arc::new(Compiled { digest: hex.into(), surface, pre });
        let mut known = self.compiled.lock();
        known.retain(|_, compiled| compiled.strong_count() > 0);
        known.insert(digest, Arc::downgrade(&compiled));
        Ok(compiled)
    }

    /// Compiled plugins that somebody still uses.
    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.compiled.lock().values().filter(|compiled| compiled.strong_count() > 0).count()
    }

    #[cfg(test)]
    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }
}

fn open_cache(folder: &Path) -> Option<Cache> {
    let mut config = CacheConfig::new();
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let opened = std::fs::create_dir_all(&absolute).map_err(wasmtime::Error::from).and_then(|()| {
        config.with_directory(absolute);
        Cache::new(config)
    });
    opened
        .map_err(|error| {
            tracing::warn!(folder = %folder.display(), error = %format!("{error:#}"), "no cache for compiled plugins");
        })
        .ok()
}
