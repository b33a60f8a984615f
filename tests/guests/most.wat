;; A balancer that chooses whoever reports most of the signal `free`: the first of equals, the first if nobody reports.
(module
  (import "tidegate" "signal" (func $signal (param i32 i32 i32)))
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
  (data (i32.const 64) "free")

  ;; configure(config, endpoints) -> ok
  (func (export "configure") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.const 1024))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))

  (func (export "pick")
        (param $eligible i32) (param $count i32) (param $busy i32) (param $busy_count i32)
        (param $has_affinity i32) (param $affinity i32) (result i32)
    (local $at i32) (local $best i32) (local $most f64) (local $value f64)
    ;; one number for each of the eligible
    (call $signal (i32.const 64) (i32.const 4) (i32.const 32))
    (if (i32.ne (i32.load (i32.const 36)) (local.get $count)) (then unreachable))
    (local.set $most (f64.const -inf))
    (loop $next
      (local.set $value
        (f64.load (i32.add (i32.load (i32.const 32)) (i32.mul (i32.const 8) (local.get $at)))))
      ;; NaN, which is unknown, is greater than nothing
      (if (f64.gt (local.get $value) (local.get $most))
        (then
          (local.set $most (local.get $value))
          (local.set $best (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $count))))
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20)
      (i32.load (i32.add (local.get $eligible) (i32.mul (i32.const 4) (local.get $best)))))
    (global.set $top (i32.const 1024))
    (i32.const 16))
)
