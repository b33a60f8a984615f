//! The `tidegate` binary: arguments in, exit code out.

use std::process::ExitCode;

/// Measured: fewer instructions per request than the system's allocator, and less memory held after a storm.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tidegate::cli::main()
}
