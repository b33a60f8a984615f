;; A rewriter that sets content-length on every response with a location, but for the host of self-tests, which has 17
;; bytes: self-test.invalid.
(module
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

  (data (i32.const 64) "location")
  (data (i32.const 80) "content-length")
  (data (i32.const 96) "0")

  ;; configure(config) -> ok(["location"])
  (func (export "configure") (param i32 i32) (result i32)
    (global.set $top (i32.const 1024))
    (i32.store (i32.const 32) (i32.const 64))
    (i32.store (i32.const 36) (i32.const 8))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (i32.const 32))
    (i32.store (i32.const 24) (i32.const 1))
    (i32.const 16))

  ;; rewrite(context, status, headers) -> [add(("content-length", "0"))]
  (func (export "rewrite") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (global.set $top (i32.const 1024))
    (i32.store8 (i32.const 128) (i32.const 2))
    (i32.store (i32.const 132) (i32.const 80))
    (i32.store (i32.const 136) (i32.const 14))
    (i32.store (i32.const 140) (i32.const 96))
    (i32.store (i32.const 144) (i32.const 1))
    (i32.store (i32.const 16) (i32.const 128))
    (i32.store (i32.const 20) (i32.ne (local.get 2) (i32.const 17)))
    (i32.const 16))
)
