//! The endpoint that holds the least for its weight gets the next connection. Equals take turns.

const std = @import("std");
const tidegate = @import("tidegate.zig");

pub const panic = tidegate.panic;

comptime {
    tidegate.exportBalancer(@This());
}

var endpoints: []const tidegate.Endpoint = &.{};
var last: ?u32 = null;

pub fn configure(config: []const u8, given: []const tidegate.Endpoint) void {
    if (!std.mem.eql(u8, config, "null") and !std.mem.eql(u8, config, "{}")) {
        return tidegate.refuse("", "this plugin takes no configuration: leave it out");
    }
    endpoints = given;
    last = null;
    tidegate.log(.info, "the least busy of {d} endpoints, for its weight", .{given.len});
}

pub fn pick(eligible: []const u32, busy: []const u32, affinity: ?u32) ?u32 {
    _ = affinity;
    // Begin behind the endpoint that was chosen last, and go round: the first of equals wins.
    const first = for (eligible, 0..) |id, i| {
        if (last == null or id > last.?) break i;
    } else 0;

    var best = first;
    for (1..eligible.len) |step| {
        const i = (first + step) % eligible.len;
        // (busy + 1) / weight, compared without dividing. Both are below 2^31, so the products fit.
        const here = (@as(u64, busy[i]) + 1) * endpoints[eligible[best]].weight;
        const there = (@as(u64, busy[best]) + 1) * endpoints[eligible[i]].weight;
        if (here < there) best = i;
    }
    last = eligible[best];
    return last;
}
