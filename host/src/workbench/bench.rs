//! What decisions of a plugin cost, beside the shipped plugin of its role and native code.
//!
//! Times are those of warm instances that are used again, as in a gateway. Fuel is counted by code of its own, compiled
//! to count: the same on every machine and at every time, for time and chance are made up there.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::check::CheckError;
use super::file;
use super::made_up::{self, ConfiguredPlugin};
use super::settings::{TrialSettings, lonely_table};
use super::times::CallTimes;
use super::{json, printed};
use crate::clock::{Clock, Simulation};
use crate::plugin::{
    Compiler, LoadError, MADE_UP_CLUSTER, PluginFile, PluginLimits, RoleKind, RoleName, Runtime, TrialInputs,
    role_kind, shipped,
};
use crate::policy::{Balancer, EndpointId, EndpointIds, Fault, LeastBusy, PickRequest, RequestFacts, Rewriter, Router};

/// Calls whose fuel is counted.
const METERED: u64 = 200;

/// Instances whose start is timed; the fastest counts.
const STARTS: usize = 5;

/// With what a plugin is measured.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// What it is given.
    pub settings: TrialSettings,
    /// Endpoints of the clusters that a balancer is measured in.
    pub endpoints: Vec<usize>,
}

/// What was measured of a plugin.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    /// From bytes to linked code, nothing taken from a cache.
    #[serde(rename = "compiled_in_nanoseconds", serialize_with = "json::nanoseconds")]
    pub compiled_in: Duration,
    /// Each of its roles.
    pub roles: Vec<RoleBench>,
}

/// What was measured of a plugin in one role.
#[derive(Debug, Serialize)]
pub struct RoleBench {
    /// Which.
    #[serde(serialize_with = "json::role_name")]
    pub role: RoleName,
    /// The shipped plugin beside it.
    pub shipped: &'static str,
    /// The native code beside both, in a sentence; none where there is none.
    pub native: Option<&'static str>,
    /// From nothing to an instance that is configured.
    #[serde(rename = "start_nanoseconds", serialize_with = "json::nanoseconds")]
    pub start: Duration,
    /// The most bytes that one instance held, after all calls.
    pub memory_bytes: usize,
    /// One for each kind of call.
    pub rows: Vec<BenchRow>,
    /// What the numbers do not say: one sentence each.
    pub notes: Vec<String>,
}

/// What one kind of call costs.
#[derive(Debug, Serialize)]
pub struct BenchRow {
    /// What is called, with what.
    pub what: String,
    /// By the plugin.
    pub plugin: CallCost,
    /// By the shipped one.
    pub shipped: CallCost,
    /// In native code.
    pub native: Option<CallTimes>,
}

/// What one call costs in wasm.
#[derive(Debug, Serialize)]
pub struct CallCost {
    /// On this machine.
    #[serde(flatten)]
    pub nanoseconds: CallTimes,
    /// Instructions of wasm, about; none if they cannot be counted.
    pub fuel: Option<u64>,
    /// Why they are not counted.
    #[serde(skip)]
    uncounted: Option<String>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A gateway would refuse the plugin.
    #[error("{0}")]
    Check(#[from] CheckError),
    /// It failed in a call.
    #[error("it failed while it was measured: {}", .0.detail)]
    Call(#[from] Fault),
}

impl From<LoadError> for BenchError {
    fn from(error: LoadError) -> Self {
        Self::Check(CheckError::refused(error, None))
    }
}

/// Measures the plugin in `path`, loaded by way of `compiler`, and compiled once more in this process to count fuel.
/// Blocks, for some seconds.
///
/// # Errors
/// If a gateway would refuse the plugin, or it fails in a call.
pub fn bench(path: &Path, options: &BenchOptions, compiler: Compiler) -> Result<BenchReport, BenchError> {
    let bytes = file::read(path).map_err(CheckError::from)?;
    let (name, origin) = (file::name(path), path.display().to_string());
    let (inputs, table) = options.settings.read().map_err(CheckError::from)?;
    let limits = &options.settings.limits;
    let plugin = PluginFile { name: &name, origin: &origin, bytes: &bytes, limits, table: table.as_ref() };
    let runtimes = Runtimes {
        timed: Runtime::with_compiler(compiler, None, Clock::System).map_err(CheckError::from)?,
        metered: Runtime::metered(Clock::Simulated(Simulation::new(1, Duration::from_secs(1_000_000_000))))
            .map_err(CheckError::from)?,
    };
    // What it prints is of no interest, but must not be written in the middle of measurements.
    printed::collect(&name, || measured(&runtimes, &plugin, &inputs, &options.endpoints)).0
}

fn measured(
    runtimes: &Runtimes,
    file: &PluginFile<'_>,
    inputs: &TrialInputs,
    endpoints: &[usize],
) -> Result<BenchReport, BenchError> {
    let began = Instant::now();
    let artifact = runtimes.timed.load(file)?;
    let compiled_in = began.elapsed();
    artifact.mask(&inputs.secrets);
    let mut roles = Vec::new();
    for role in artifact.roles() {
        artifact.try_out(*role, inputs).map_err(|error| CheckError::refused(error, Some(*role)))?;
        let mine = Pair::of(runtimes, file, inputs)?;
        let mut bench = match role_kind(*role) {
            Some(RoleKind::Balancer) => of_balancer(*role, runtimes, &mine, endpoints)?,
            Some(RoleKind::Router) => of_router(*role, runtimes, &mine)?,
            Some(RoleKind::Rewriter) => of_rewriter(*role, runtimes, &mine)?,
            None => continue,
        };
        bench.notes.extend(lonely_table(&artifact));
        roles.push(bench);
    }
    Ok(BenchReport { compiled_in, roles })
}

struct Runtimes {
    timed: Arc<Runtime>,
    metered: Arc<Runtime>,
}

/// One plugin in both runtimes.
struct Pair {
    timed: ConfiguredPlugin,
    /// Why not, if it cannot be compiled so.
    metered: Result<ConfiguredPlugin, String>,
}

impl Pair {
    fn of(runtimes: &Runtimes, file: &PluginFile<'_>, inputs: &TrialInputs) -> Result<Self, BenchError> {
        let timed = ConfiguredPlugin { artifact: runtimes.timed.load(file)?, inputs: inputs.clone() };
        let metered = match runtimes.metered.load(file) {
            Ok(artifact) => Ok(ConfiguredPlugin { artifact, inputs: inputs.clone() }),
            Err(error) => Err(error.problem.to_string()),
        };
        Ok(Self { timed, metered })
    }

    fn shipped(runtimes: &Runtimes, name: &str, config: Option<Value>) -> Result<Self, BenchError> {
        let (bytes, limits) = (shipped(name).unwrap_or_default(), PluginLimits::default());
        let inputs = TrialInputs { config, ..TrialInputs::default() };
        Self::of(runtimes, &PluginFile { name, origin: "shipped", bytes, limits: &limits, table: None }, &inputs)
    }

    /// What a call costs of what `make` makes. Fuel is what more calls use beyond fewer.
    fn cost<D>(
        &self,
        role: RoleName,
        make: impl Fn(&ConfiguredPlugin) -> Result<D, LoadError>,
        call: impl Fn(&mut D, u64) -> Result<(), Fault>,
    ) -> Result<CallCost, BenchError> {
        let mut decider = make(&self.timed)?;
        let nanoseconds = CallTimes::measure(|number| call(&mut decider, number))?;
        let used = |plugin: &ConfiguredPlugin, calls: u64| -> Result<u64, String> {
            let fuel = || plugin.artifact.role_status(role).map_or(0, |status| status.fuel);
            let before = fuel();
            let mut decider = make(plugin).map_err(|error| error.problem.to_string())?;
            (0..calls).try_for_each(|number| call(&mut decider, number)).map_err(|fault| fault.detail)?;
            drop(decider);
            Ok(fuel().saturating_sub(before))
        };
        let counted = self.metered.as_ref().map_err(Clone::clone).and_then(|plugin| {
            let (few, many) = (used(plugin, METERED)?, used(plugin, 2 * METERED)?);
            Ok(many.saturating_sub(few) / METERED)
        });
        let (fuel, uncounted) = match counted {
            Ok(fuel) => (Some(fuel), None),
            Err(why) => (None, Some(why)),
        };
        Ok(CallCost { nanoseconds, fuel, uncounted })
    }

    /// The shortest of some starts.
    fn start<D>(
        &self,
        role: RoleName,
        make: impl Fn(&ConfiguredPlugin) -> Result<D, LoadError>,
    ) -> Result<Duration, BenchError> {
        let mut shortest = Duration::MAX;
        for _ in 0..STARTS {
            make(&self.timed)?;
            shortest =
                shortest.min(self.timed.artifact.role_status(role).map_or(Duration::MAX, |status| status.started));
        }
        Ok(shortest)
    }

    fn memory(&self, role: RoleName) -> usize {
        self.timed.artifact.role_status(role).map_or(0, |status| status.memory)
    }
}

/// Why fuel is missing, if it is.
fn uncounted(rows: &[BenchRow]) -> Vec<String> {
    let why = rows.iter().find_map(|row| row.plugin.uncounted.as_ref());
    why.map(|why| format!("fuel is not counted: in code that counts, it fails: {why}")).into_iter().collect()
}

fn of_balancer(role: RoleName, runtimes: &Runtimes, mine: &Pair, counts: &[usize]) -> Result<RoleBench, BenchError> {
    const SHIPPED: &str = "bybusyness";
    let beside = Pair::shipped(runtimes, SHIPPED, None)?;
    let (mut rows, chose) = (Vec::new(), Cell::new(false));
    for count in counts.iter().copied() {
        let eligible: EndpointIds = EndpointId::each(&vec![(); count]).map(|(id, ())| id).collect();
        // Who is least busy changes from pick to pick.
        let busy: Vec<Vec<u32>> = (0..4)
            .map(|round| {
                eligible
                    .iter()
                    .map(|id| (id.0.wrapping_mul(2_654_435_761) >> 28) + u32::from(id.0 % 4 == round))
                    .collect()
            })
            .collect();
        let pick = |balancer: &mut dyn Balancer, number: u64| {
            let at = usize::try_from(number % 4).unwrap_or(0);
            let affinity = u32::try_from(number & 0x7fff_ffff).ok();
            let busy = busy.get(at).map_or(&[][..], Vec::as_slice);
            balancer.pick(&PickRequest { eligible: &eligible, busy, affinity, request: None })
        };
        let made = made_up::endpoints(count);
        let make = |plugin: &ConfiguredPlugin| plugin.balancer(&made);
        rows.push(BenchRow {
            what: if count == 1 { "1 endpoint".to_owned() } else { format!("{count} endpoints") },
            plugin: mine.cost(role, make, |balancer, number| {
                pick(&mut **balancer, number).map(|chosen| chose.set(chose.get() || chosen.endpoint().is_some()))
            })?,
            shipped: beside.cost(role, make, |balancer, number| pick(&mut **balancer, number).map(drop))?,
            native: Some(CallTimes::measure(|number| {
                pick(std::hint::black_box(&mut LeastBusy), number).map(|chosen| _ = std::hint::black_box(chosen))
            })?),
        });
    }
    let start = mine.start(role, |plugin| plugin.balancer(&made_up::endpoints(16)))?;
    let native = Some("the gateway's own stand-in for a balancer that failed: least busy, the first of equals");
    let mut notes = uncounted(&rows);
    if !chose.get() {
        notes.push("chose nobody in any of these picks: they took so long to refuse, not to choose".to_owned());
    }
    Ok(RoleBench { role, shipped: SHIPPED, native, start, memory_bytes: mine.memory(role), rows, notes })
}

fn of_router(role: RoleName, runtimes: &Runtimes, mine: &Pair) -> Result<RoleBench, BenchError> {
    const SHIPPED: &str = "prefix";
    const PATHS: usize = 16_384;
    let rule = |number: usize| json!({ "path": format!("/app{number}/"), "action": { "forward": { "cluster": MADE_UP_CLUSTER, "path": "/" } } });
    let routes = json!({ "routes": (0..16).map(rule).collect::<Vec<_>>() });
    let beside = Pair::shipped(runtimes, SHIPPED, Some(routes))?;
    let make = |plugin: &ConfiguredPlugin| plugin.router(1, 0);
    let mut rows = Vec::new();
    for length in [8, 1000] {
        // Paths that differ, far more than are remembered: a decision that is remembered is not asked for.
        let model = made_up::request("/");
        let path = |number: usize| format!("/app{}/{number:0length$}", number % 16);
        let requests: Vec<_> = (0..PATHS).map(|number| RequestFacts { path: path(number), ..model.clone() }).collect();
        let route = |router: &mut Box<dyn Router>, number: u64| {
            let at = usize::try_from(number).unwrap_or(0) % PATHS;
            requests.get(at).map_or(Ok(()), |request| router.route(request).map(drop))
        };
        rows.push(BenchRow {
            what: format!("path of {} bytes", length + 7),
            plugin: mine.cost(role, make, route)?,
            shipped: beside.cost(role, make, route)?,
            native: None,
        });
    }
    let start = mine.start(role, make)?;
    let notes = uncounted(&rows);
    Ok(RoleBench { role, shipped: SHIPPED, native: None, start, memory_bytes: mine.memory(role), rows, notes })
}

fn of_rewriter(role: RoleName, runtimes: &Runtimes, mine: &Pair) -> Result<RoleBench, BenchError> {
    const SHIPPED: &str = "reverse";
    let routes = json!({ "routes": [{ "path": "/", "to_path": "/", "origins": ["http://192.0.2.1:8000"] }] });
    let beside = Pair::shipped(runtimes, SHIPPED, Some(routes))?;
    let make = |plugin: &ConfiguredPlugin| {
        let rewriter = plugin.rewriter()?;
        let name = rewriter.interest().first().cloned().unwrap_or(HeaderName::from_static("location"));
        Ok((rewriter, name))
    };
    let mut rows = Vec::new();
    for count in [1, 16] {
        let value = HeaderValue::from_static("http://192.0.2.1:8000/elsewhere");
        let rewrite = |(rewriter, name): &mut (Box<dyn Rewriter>, HeaderName), _: u64| {
            let fields = vec![(name.clone(), value.clone()); count];
            rewriter.rewrite(&made_up::exchange(), StatusCode::FOUND, &fields).map(drop)
        };
        rows.push(BenchRow {
            what: format!("{count} fields"),
            plugin: mine.cost(role, make, rewrite)?,
            shipped: beside.cost(role, make, rewrite)?,
            native: None,
        });
    }
    let start = mine.start(role, make)?;
    let notes = uncounted(&rows);
    Ok(RoleBench { role, shipped: SHIPPED, native: None, start, memory_bytes: mine.memory(role), rows, notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str) -> BenchReport {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), shipped(name).unwrap()).unwrap();
        let options = BenchOptions { settings: TrialSettings::default(), endpoints: vec![1, 16] };
        bench(file.path(), &options, Compiler::InProcess).unwrap()
    }

    #[test]
    fn fuel_is_the_same_each_time_and_grows_with_the_work() {
        let fuel = |report: &BenchReport| -> Vec<_> {
            report.roles[0].rows.iter().map(|row| row.plugin.fuel.unwrap()).collect()
        };
        let (first, second) = (report("bybusyness"), report("bybusyness"));

        assert_eq!(fuel(&first), fuel(&second));
        assert!(fuel(&first)[0] < fuel(&first)[1], "{first:#?}");
        assert_eq!(first.roles[0].rows[1].plugin.fuel, first.roles[0].rows[1].shipped.fuel, "the same plugin");
        assert!(first.roles[0].memory_bytes > 0 && first.roles[0].start > Duration::ZERO);
    }

    #[test]
    fn routers_and_rewriters_are_measured_too() {
        for name in ["prefix", "reverse"] {
            let report = report(name);

            assert_eq!(report.roles[0].shipped, name);
            assert!(report.roles[0].rows.iter().all(|row| row.shipped.fuel > Some(0)), "{report:#?}");
        }
    }
}
