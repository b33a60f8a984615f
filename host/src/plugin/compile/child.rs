//! The compiling process, seen from its parent: started, watched, and ended; how it ended is put into words.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::super::error::LoadErrorKind;
use super::super::limits::PluginLimits;
use super::super::text::one_line;
use super::{Bounds, CompiledCode, bounds, frames};

/// Between two looks at the memory of the process.
const CHECK_EVERY: Duration = Duration::from_millis(20);

/// Bytes of its standard error that are kept.
const TAIL: usize = 4096;

/// Threads that it compiles with at most. Each holds what one function takes (Python: 450 MiB with two, 680 MiB with
/// eight), and workers want the processors too.
const THREADS: usize = 4;

/// The signals of an abort, a kill, and processor time that is used up: the same numbers on every Unix.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// Has `bytes` compiled by a process of its own. Blocks, for seconds if it is an interpreter.
///
/// # Errors
/// If the file is refused, or the process ends without a result: both are reasons not to use the file.
pub(in super::super) fn compile(
    program: &Path,
    bounds: &Bounds,
    limits: &PluginLimits,
    bytes: &[u8],
) -> Result<CompiledCode, LoadErrorKind> {
    let unable = |error: std::io::Error| LoadErrorKind::NoCompiler { message: error.to_string() };
    let mut child = start(program, bounds).map_err(unable)?;
    let (Some(mut stdin), Some(mut stdout), Some(stderr)) =
        (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take())
    else {
        return Err(unable(std::io::Error::other("no pipes to it")));
    };
    std::thread::scope(|scope| {
        let (finished, result) = channel();
        let (wrote, stderr_tail) = channel();
        let talk = || {
            Builder::new().spawn_scoped(scope, move || wrote.send(tail_of(stderr)))?;
            // The handle of this thread holds the input of the process, which exits when that is closed.
            let input = Builder::new().spawn_scoped(scope, move || {
                let _gone = frames::write_job(&mut stdin, limits, bytes);
                stdin
            })?;
            Builder::new().spawn_scoped(scope, move || finished.send(frames::read_result(&mut stdout)))?;
            Ok(input)
        };
        let watched = talk().map(|_input| watch(&child.0, bounds, limits, &result));
        // Before this scope waits for the threads, which wait for it.
        let status = child.end();
        match watched.map_err(unable)? {
            ChildOutcome::Finished(result) => result,
            ChildOutcome::Unfinished => {
                Err(failed(bounds, &how_it_ended(bounds, status, &stderr_tail.recv().unwrap_or_default())))
            }
            ChildOutcome::TooLarge => Err(failed(bounds, &too_large(bounds))),
            ChildOutcome::TooLong => Err(failed(bounds, &format!("had not ended after {:?}", bounds.wall_clock()))),
        }
    })
}

/// A process that does not outlive this.
struct ChildProcess(Child);

impl ChildProcess {
    /// Ends it, whatever it does.
    fn end(&mut self) -> Option<ExitStatus> {
        // One that has ended by itself is not waited for twice, and keeps its status.
        let _ended = self.0.kill();
        self.0.wait().ok()
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.end();
    }
}

fn start(program: &Path, bounds: &Bounds) -> std::io::Result<ChildProcess> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let mut command = Command::new(program);
    command
        .arg0("tidegate")
        .arg("compile-plugin")
        .arg(bounds.memory.to_string())
        .arg(bounds.processor.as_secs().to_string())
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.to_string())
        .current_dir("/")
        // A Ctrl-C at the terminal is for the gateway, which drains.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().map(ChildProcess)
}

/// What became of the process.
enum ChildOutcome {
    Finished(Result<CompiledCode, LoadErrorKind>),
    /// It ended without a whole result.
    Unfinished,
    TooLarge,
    TooLong,
}

fn watch(
    child: &Child,
    bounds: &Bounds,
    limits: &PluginLimits,
    result: &Receiver<std::io::Result<Result<CompiledCode, LoadErrorKind>>>,
) -> ChildOutcome {
    let (began, most) = (Instant::now(), bounds.resident(limits.memory));
    loop {
        match result.recv_timeout(CHECK_EVERY) {
            Ok(Ok(result)) => return ChildOutcome::Finished(result),
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return ChildOutcome::Unfinished,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if bounds::resident(child.id()).is_some_and(|bytes| bytes > most) {
            return ChildOutcome::TooLarge;
        }
        if began.elapsed() > bounds.wall_clock() {
            return ChildOutcome::TooLong;
        }
    }
}

/// The end of what the process writes to standard error, read to the end so that it never waits for a reader.
fn tail_of(mut stderr: impl Read) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; TAIL]);
    while let Ok(count @ 1..) = stderr.read(&mut piece) {
        kept.extend_from_slice(piece.get(..count).unwrap_or_default());
        let excess = kept.len().saturating_sub(TAIL);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn failed(bounds: &Bounds, found: &str) -> LoadErrorKind {
    LoadErrorKind::Compiler { memory: bounds.memory, processor: bounds.processor, found: found.to_owned() }
}

/// How a process ended that gave no result, for people.
fn how_it_ended(bounds: &Bounds, status: Option<ExitStatus>, words: &str) -> String {
    let Some(status) = status else { return "ended in an unknown way".to_owned() };
    let lines = || words.lines().map(str::trim).filter(|line| !line.is_empty());
    // The message of a panic stands on the line behind its place.
    let panicked = lines().skip_while(|line| !line.contains("panicked at")).nth(1);
    let last = panicked.or_else(|| lines().next_back()).unwrap_or("without a word");
    if words.contains("has overflowed its stack") {
        return "overflowed its stack".to_owned();
    }
    match status.signal() {
        Some(SIGABRT) if words.contains("memory allocation of") => too_large(bounds),
        Some(SIGXCPU) => format!("was still at work after {:?} of processor time", bounds.processor),
        // Not by this process, which has seen its output end before.
        Some(SIGKILL) => "was killed, perhaps because the system has too little memory".to_owned(),
        Some(signal) => format!("ended by signal {signal}: {}", one_line(last)),
        None => format!("ended with {status}: {}", one_line(last)),
    }
}

fn too_large(bounds: &Bounds) -> String {
    format!("took more than {} MiB of memory", bounds.memory >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_end_is_put_into_words() {
        let bounds = Bounds { memory: 1 << 30, processor: Duration::from_secs(60) };
        for (status, words, told) in [
            (
                SIGABRT,
                "thread 'main' has overflowed its stack\nfatal runtime error: stack overflow",
                "overflowed its stack",
            ),
            (SIGABRT, "memory allocation of 4096 bytes failed", "took more than 1024 MiB of memory"),
            (SIGABRT, "", "ended by signal 6: without a word"),
            (SIGXCPU, "", "was still at work after 60s of processor time"),
            (SIGKILL, "", "was killed"),
            (11, "", "ended by signal 11"),
            (1 << 8, "one\ntwo\x1b[31m\n", "two"),
            (
                101 << 8,
                "thread 'plugin' panicked at a.rs:1:2:\nindex out of bounds\nnote: run with",
                "index out of bounds",
            ),
        ] {
            let found = how_it_ended(&bounds, Some(ExitStatus::from_raw(status)), words);

            assert!(found.contains(told) && !found.contains('\x1b'), "{status}: {found}");
        }
    }

    #[test]
    fn what_is_kept_of_standard_error_is_bounded() {
        let long = [vec![b'a'; 100_000], b"the end".to_vec()].concat();

        let words = tail_of(long.as_slice());

        assert!(words.len() <= TAIL && words.ends_with("the end"));
    }

    #[test]
    fn a_program_that_cannot_be_started_or_says_nothing_is_a_refusal() {
        let translate =
            |program: &str| compile(Path::new(program), &Bounds::default(), &PluginLimits::default(), b"bytes");

        let missing = translate("/nonexistent/tidegate").unwrap_err();
        assert!(
            matches!(&missing, LoadErrorKind::NoCompiler { message } if message.contains("os error 2")),
            "{missing}"
        );

        let silent = translate("/bin/false").unwrap_err();
        assert!(
            matches!(&silent, LoadErrorKind::Compiler { found, .. } if found.contains("exit status: 1")),
            "{silent}"
        );
    }
}
