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

const cluster = [_]tidegate.Endpoint{ .{}, .{}, .{ .weight = 200 }, .{}, .{}, .{} };

test "the least busy for its weight wins, by its id" {
    configure("null", &cluster);

    try std.testing.expectEqual(5, pick(&.{ 3, 5 }, &.{ 4, 1 }, null));
    try std.testing.expectEqual(2, pick(&.{ 0, 2 }, &.{ 1, 2 }, null));
    try std.testing.expectEqual(0, pick(&.{ 0, 2 }, &.{ 0, 2 }, null));
}

test "equals take turns, also if the last one is gone" {
    configure("{}", &cluster);

    for ([_]u32{ 3, 5, 3 }) |expected| {
        try std.testing.expectEqual(expected, pick(&.{ 3, 5 }, &.{ 0, 0 }, null));
    }
    try std.testing.expectEqual(4, pick(&.{ 1, 4 }, &.{ 0, 0 }, null));
}

test "a configuration that it does not have is refused" {
    configure("{\"limit\":3}", &cluster);

    const refused = tidegate.refused();
    try std.testing.expectEqual(1, refused.len);
    try std.testing.expectStringStartsWith(refused[0].message.slice(), "this plugin takes no configuration");
}
