;; A balancer that takes turns, hands its position over to its successor, and counts what it is told.
(module
  (import "tidegate" "add" (func $add (param i32 i32 f64 i32)))
  (import "tidegate" "column" (func $column (param i32 i32)))
  ;; arguments are placed one behind the other; every export starts over when it is done
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param $old i32) (param $old_length i32) (param $align i32) (param $length i32)
        (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $top (i32.add (local.get $at) (local.get $length)))
    (block $fits
      (loop $more
        (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        unreachable))
    (local.get $at))
  (global $turn (mut i32) (i32.const 0))
  (data (i32.const 64) "opened")
  (data (i32.const 72) "closed")

  ;; configure(config, endpoints) -> ok
  (func (export "configure") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.const 1024))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))

  (func (export "pick")
        (param $eligible i32) (param $count i32) (param $busy i32) (param $busy_count i32)
        (param $has_affinity i32) (param $affinity i32) (result i32)
    ;; the column `picks` must have a number for each of the eligible
    (call $column (i32.const 0) (i32.const 32))
    (if (i32.ne (i32.load (i32.const 36)) (local.get $count)) (then unreachable))
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20)
      (i32.load
        (i32.add
          (local.get $eligible)
          (i32.mul (i32.const 4) (i32.rem_u (global.get $turn) (local.get $count))))))
    (global.set $turn (i32.add (global.get $turn) (i32.const 1)))
    (global.set $top (i32.const 1024))
    (i32.const 16))

  ;; feedback
  (func (export "opened") (param i32)
    (call $add (i32.const 64) (i32.const 6) (f64.const 1) (i32.const 104)))
  (func (export "closed") (param i32 i32 i32 i32 f64 i32 f64 f64 f64)
    (call $add (i32.const 72) (i32.const 6) (f64.const 1) (i32.const 104)))

  ;; handover: the position, four bytes
  (func (export "save") (result i32)
    (i32.store (i32.const 48) (global.get $turn))
    (i32.store (i32.const 16) (i32.const 48))
    (i32.store (i32.const 20) (i32.const 4))
    (i32.const 16))
  (data (i32.const 80) "expected four bytes")
  (func (export "restore") (param $state i32) (param $length i32) (result i32)
    (global.set $top (i32.const 1024))
    (i32.store8 (i32.const 16) (i32.ne (local.get $length) (i32.const 4)))
    (i32.store (i32.const 20) (i32.const 80))
    (i32.store (i32.const 24) (i32.const 19))
    (if (i32.eq (local.get $length) (i32.const 4))
      (then (global.set $turn (i32.load (local.get $state)))))
    (i32.const 16))
)
