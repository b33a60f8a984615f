;; A balancer that is wrong in one way: its `pick` stands where it says so.
(module
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (global $picks (mut i32) (i32.const 0))
  (global $kept (mut i32) (i32.const -1))
  ;; where `configure` found the endpoints, in memory that is used again
  (global $endpoints (mut i32) (i32.const 0))
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
  (func (export "configure") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.const 1024))
    (global.set $endpoints (local.get 2))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))
  ;; the weight of an endpoint
  (func $weight (param $id i32) (result i32)
    (i32.load offset=8 (i32.add (global.get $endpoints) (i32.mul (local.get $id) (i32.const 36)))))
  (func $some (param $id i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20) (local.get $id))
    (i32.const 16))
  (func $none (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))
  ;; whether the self-test of an instance is over
  (func $late (result i32)
    (global.set $picks (i32.add (global.get $picks) (i32.const 1)))
    (i32.gt_u (global.get $picks) (i32.const 16)))
  (func (export "pick")
        (param $eligible i32) (param $count i32) (param $busy i32) (param $busy_count i32)
        (param $has_affinity i32) (param $affinity i32) (result i32)
    (local $last i32)
    (local.set $last
      (i32.load
        (i32.add (local.get $eligible) (i32.shl (i32.sub (local.get $count) (i32.const 1)) (i32.const 2)))))
    (global.set $top (i32.const 1024))
    ;; PICK
  )
)
