//! What the balancer chooses. The tests are those of the sample: write your own with the logic.

const std = @import("std");
const balancer = @import("balancer.zig");
const tidegate = @import("tidegate.zig");

const cluster = [_]tidegate.Endpoint{ .{}, .{}, .{ .weight = 200 }, .{}, .{}, .{} };

test "the least busy for its weight wins, by its id" {
    balancer.configure("null", &cluster);

    try std.testing.expectEqual(5, balancer.pick(&.{ 3, 5 }, &.{ 4, 1 }, null));
    try std.testing.expectEqual(2, balancer.pick(&.{ 0, 2 }, &.{ 1, 2 }, null));
    try std.testing.expectEqual(0, balancer.pick(&.{ 0, 2 }, &.{ 0, 2 }, null));
}

test "equals take turns, also if the last one is gone" {
    balancer.configure("{}", &cluster);

    for ([_]u32{ 3, 5, 3 }) |expected| {
        try std.testing.expectEqual(expected, balancer.pick(&.{ 3, 5 }, &.{ 0, 0 }, null));
    }
    try std.testing.expectEqual(4, balancer.pick(&.{ 1, 4 }, &.{ 0, 0 }, null));
}

test "a configuration that it does not have is refused" {
    balancer.configure("{\"limit\":3}", &cluster);

    const refused = tidegate.refused();
    try std.testing.expectEqual(1, refused.len);
    try std.testing.expectStringStartsWith(refused[0].message.slice(), "this plugin takes no configuration");
}
