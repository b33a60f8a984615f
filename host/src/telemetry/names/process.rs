//! The process and its logs.

use super::Family;

/// Log lines lost.
pub static LOG_LINES_DROPPED: Family =
    Family::counter("tidegate_log_lines_dropped", "Log lines lost because the reader was too slow");
/// Access lines lost.
pub static ACCESS_LINES_DROPPED: Family =
    Family::counter("tidegate_access_lines_dropped", "Access lines lost because the reader was too slow");
/// When the process started.
pub static PROCESS_START: Family =
    Family::gauge("tidegate_process_start_time_seconds", "Start of the process, in seconds since 1970");
/// Memory of the process.
pub static PROCESS_MEMORY: Family =
    Family::gauge("tidegate_process_resident_memory_bytes", "Memory that the process has in RAM");
/// Descriptors of the process.
pub static PROCESS_FDS: Family = Family::gauge("tidegate_process_open_fds", "File descriptors that are open");
