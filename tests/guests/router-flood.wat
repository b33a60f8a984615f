;; A router whose answer has 4,096 fields, all of them the same 64 KiB of memory.
;; Only for a request with the header `x-misbehave`; otherwise everything goes to the first cluster.
(module
  (import "tidegate" "header" (func $header (param i32 i32 i32)))
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

  (data (i32.const 64) "x-misbehave")
  (func $misbehave (result i32)
    (call $header (i32.const 64) (i32.const 11) (i32.const 32))
    (i32.load8_u (i32.const 32)))

  (func $flood (result i32)
    (local $i i32) (local $field i32)
    (drop (memory.grow (i32.const 2)))
    (loop $next
      (local.set $field (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 16))))
      (i32.store (local.get $field) (i32.const 65536))
      (i32.store offset=4 (local.get $field) (i32.const 65536))
      (i32.store offset=8 (local.get $field) (i32.const 65536))
      (i32.store offset=12 (local.get $field) (i32.const 65536))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 4096))))
    (i32.store8 (i32.const 128) (i32.const 1))
    (i32.store (i32.const 132) (i32.const 200))
    (i32.store (i32.const 136) (i32.const 131072))
    (i32.store (i32.const 140) (i32.const 4096))
    (i32.store (i32.const 144) (i32.const 0))
    (i32.store (i32.const 148) (i32.const 0))
    (i32.const 128))

  ;; configure(config, endpoints) -> ok
  (func (export "configure") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.const 1024))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))

  ;; route(method, scheme, host, path, query, upgrade) -> forward({ cluster: 0, path: none, route: none })
  (func (export "route") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 128) (i32.const 0))
    (i32.store (i32.const 132) (i32.const 0))
    (i32.store8 (i32.const 136) (i32.const 0))
    (i32.store8 (i32.const 148) (i32.const 0))
    (if (call $misbehave) (then (return (call $flood))))
    (global.set $top (i32.const 1024))
    (i32.const 128))
)
