;; A balancer compiled for WASI preview 1, as Go does it: it reads the clock even while arguments are placed.
;; It refuses (none) if the clock is not past 2020, or if two random numbers are the same.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param $old i32) (param $old_length i32) (param $align i32) (param $length i32)
        (result i32)
    (local $at i32)
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 56)))
    (local.set $at
      (i32.and
        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $top (i32.add (local.get $at) (local.get $length)))
    (if (i32.gt_u (global.get $top) (i32.const 65536)) (then unreachable))
    (local.get $at))

  ;; configure(config, endpoints) -> ok
  (func (export "configure") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.const 1024))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))

  (func (export "pick")
        (param $eligible i32) (param $count i32) (param $busy i32) (param $busy_count i32)
        (param $has_affinity i32) (param $affinity i32) (result i32)
    (local $good i32)
    (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 48)))
    (drop (call $random (i32.const 32) (i32.const 16)))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 60)))
    (local.set $good
      (i32.and
        (i64.gt_u (i64.load (i32.const 48)) (i64.const 1577836800000000000))
        (i64.ne (i64.load (i32.const 32)) (i64.load (i32.const 40)))))
    (global.set $top (i32.const 1024))
    (i32.store8 (i32.const 16) (local.get $good))
    (i32.store (i32.const 20) (i32.load (local.get $eligible)))
    (i32.const 16))
)
