//! A balancer of the contract tidegate:plugin@0.1.0 (wit/balancer.wit) in Zig.
//!
//! Write `configure` and `pick`, and name them in `exportBalancer`. In tests nothing is exported, and log lines go to
//! standard error.

const std = @import("std");
const builtin = @import("builtin");

/// Whether this is the plugin, and not a test of it: imports are there in the plugin alone.
pub const is_wasm = builtin.cpu.arch == .wasm32;

/// UTF-8 or a list, as the canonical ABI lays it out.
pub fn List(comptime T: type) type {
    return extern struct {
        at: [*]const T,
        len: usize,

        pub fn from(items: []const T) @This() {
            return .{ .at = items.ptr, .len = items.len };
        }

        pub fn slice(list: @This()) []const T {
            return if (list.len == 0) &.{} else list.at[0..list.len];
        }
    };
}

pub const Text = List(u8);

pub const Label = extern struct { key: Text, value: Text };

/// A member of the cluster. Its id is its index in the slice that `configure` is given.
pub const Endpoint = extern struct {
    /// "ws://10.0.0.7:8080"
    name: Text = .from(""),
    /// In hundredths: 100 is 1.0; 1 to 10,000.
    weight: u32 = 100,
    /// Lower groups are used first; the gateway sees to that.
    group: u32 = 0,
    /// Whether `route` is there.
    has_route: bool = false,
    /// Sticky route.
    route: Text = .from(""),
    labels: List(Label) = .from(&.{}),
};

/// What is wrong with the configuration.
pub const ConfigError = extern struct { path: Text, message: Text };

var errors: [8]ConfigError = undefined;
var error_count: usize = 0;

/// Says that the configuration is wrong. `path` points into it (RFC 6901: "/limits/0"), "" is the whole of it. Texts must
/// outlive `configure`. The first eight are reported.
pub fn refuse(path: []const u8, message: []const u8) void {
    if (error_count == errors.len) return;
    errors[error_count] = .{ .path = .from(path), .message = .from(message) };
    error_count += 1;
}

/// For tests: what was refused since the last time.
pub fn refused() []const ConfigError {
    defer error_count = 0;
    return errors[0..error_count];
}

pub const Level = enum(u32) { debug, info, warn, err };

const imports = struct {
    extern "tidegate" fn log(level: Level, at: [*]const u8, len: usize) void;
};

/// A line in the gateway's log, in UTF-8. It is cut after 1 KiB.
pub fn log(level: Level, comptime format: []const u8, values: anytype) void {
    var buffer: [1024]u8 = undefined;
    var writer: std.Io.Writer = .fixed(&buffer);
    const line = if (writer.print(format, values)) writer.buffered() else |_| cut(writer.buffered());
    if (is_wasm) imports.log(level, line.ptr, line.len) else std.debug.print("{s}: {s}\n", .{ @tagName(level), line });
}

/// `text` without the first bytes of a character at its end that lacks the others.
fn cut(text: []const u8) []const u8 {
    var last = text.len -| 1;
    while (last > 0 and text[last] & 0xC0 == 0x80) last -= 1;
    if (last == 0) return text;
    const length = std.unicode.utf8ByteSequenceLength(text[last]) catch 1;
    return if (last + length > text.len) text[0..last] else text;
}

/// For `std.log`: pub const std_options: std.Options = .{ .logFn = tidegate.logFn };
pub fn logFn(
    comptime level: std.log.Level,
    comptime scope: @Type(.enum_literal),
    comptime format: []const u8,
    values: anytype,
) void {
    const to: Level = switch (level) {
        .debug => .debug,
        .info => .info,
        .warn => .warn,
        .err => .err,
    };
    log(to, if (scope == .default) format else @tagName(scope) ++ ": " ++ format, values);
}

/// A panic becomes a line in the log. The gateway makes a fresh instance.
pub const panic = std.debug.FullPanic(struct {
    fn panic(message: []const u8, _: ?usize) noreturn {
        log(.err, "panic: {s}", .{message});
        @trap();
    }
}.panic);

/// Memory for good: what lives longer than a call. Free what you no longer need.
pub const allocator = if (is_wasm) std.heap.wasm_allocator else std.testing.allocator;

var arena: std.heap.ArenaAllocator = .init(allocator);

/// Memory until the end of this call of `pick`; for good in `configure`.
pub const scratch = arena.allocator();

/// Makes exports of the functions of `Balancer`:
///
///     /// Called once, before anything else. `config` is the operator's, as JSON text: "null" if there is none. All that
///     /// it is given stays valid for the life of the instance. Refuses the configuration by `refuse`.
///     pub fn configure(config: []const u8, endpoints: []const Endpoint) void
///
///     /// Chooses one of `eligible` (ids, ascending, never empty); null sends the client away with 503. `busy[i]` is
///     /// what `eligible[i]` holds now; `affinity` is a 31-bit hash of what the cluster keeps together, if it does.
///     pub fn pick(eligible: []const u32, busy: []const u32, affinity: ?u32) ?u32
pub fn exportBalancer(comptime Balancer: type) void {
    if (!is_wasm) return;
    const exports = struct {
        const Configured = extern struct { is_error: bool, errors: List(ConfigError) };
        const Picked = extern struct { is_some: bool, id: u32 };

        var configured: Configured = undefined;
        var picked: Picked = undefined;
        // What `configure` was given stays where it is: each pick has an arena of its own.
        var per_pick: std.heap.ArenaAllocator = .init(std.heap.wasm_allocator);

        fn configure(config: [*]const u8, len: usize, endpoints: [*]const Endpoint, count: usize) callconv(.c) *Configured {
            Balancer.configure(
                (Text{ .at = config, .len = len }).slice(),
                (List(Endpoint){ .at = endpoints, .len = count }).slice(),
            );
            std.mem.swap(std.heap.ArenaAllocator, &arena, &per_pick);
            const found = refused();
            configured = .{ .is_error = found.len > 0, .errors = .from(found) };
            return &configured;
        }

        fn pick(
            eligible: [*]const u32,
            count: usize,
            busy: [*]const u32,
            busy_count: usize,
            has_affinity: u32,
            affinity: u32,
        ) callconv(.c) *Picked {
            const id = Balancer.pick(eligible[0..count], busy[0..busy_count], if (has_affinity == 1) affinity else null);
            _ = arena.reset(.retain_capacity);
            picked = .{ .is_some = id != null, .id = id orelse 0 };
            return &picked;
        }

        /// The gateway asks for 0 bytes, too, and never frees.
        fn realloc(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
            if (size == 0) return @ptrFromInt(alignment);
            const fresh = scratch.rawAlloc(size, .fromByteUnits(alignment), @returnAddress()) orelse @panic("out of memory");
            if (old) |from| @memcpy(fresh[0..@min(old_size, size)], from[0..@min(old_size, size)]);
            return fresh;
        }
    };
    comptime {
        std.debug.assert(@sizeOf(Endpoint) == 36);
        std.debug.assert(@sizeOf(ConfigError) == 16);
    }
    @export(&exports.realloc, .{ .name = "cabi_realloc" });
    @export(&exports.configure, .{ .name = "configure" });
    @export(&exports.pick, .{ .name = "pick" });
}
