;; The endpoint that holds the least for its weight gets the next connection. Equals take turns.
;;
;; A balancer of the contract tidegate:plugin@0.1.0 (wit/balancer.wit) by hand: how its types lie in memory is in
;; docs/plugins/abi.md of the gateway.
(module
  (import "tidegate" "log" (func $log (param $level i32) (param $text i32) (param $length i32)))

  ;; 0 what a call returns · 16 texts · 1024 what configure was given, and behind it arguments of each pick
  (memory (export "memory") 1)
  (data (i32.const 16) "the least busy for its weight")
  (data (i32.const 128) "this plugin takes no configuration: leave it out")
  ;; One config-error: path (address, length), message (address, length).
  (data (i32.const 192) "\00\00\00\00" "\00\00\00\00" "\80\00\00\00" "\30\00\00\00")

  ;; Where the next argument goes, and where the arguments of a pick begin: behind what configure was given, which stays.
  (global $top (mut i32) (i32.const 1024))
  (global $bottom (mut i32) (i32.const 1024))
  (global $endpoints (mut i32) (i32.const 0))
  ;; The id that was chosen last; none is above every id.
  (global $last (mut i32) (i32.const -1))

  ;; Asked for 0 bytes, too. Nothing is freed: each pick starts over.
  (func $realloc (export "cabi_realloc")
    (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (loop $more
        (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        unreachable))
    (memory.copy (local.get $at) (local.get $old)
      (select (local.get $old_size) (local.get $size) (i32.lt_u (local.get $old_size) (local.get $size))))
    (local.get $at))

  ;; configure(config: string, endpoints: list<endpoint>) -> result<_, list<config-error>>
  ;; Refuses everything but `null` and `{}`.
  (func (export "configure")
    (param $config i32) (param $length i32) (param $given i32) (param $count i32) (result i32)
    (global.set $endpoints (local.get $given))
    (global.set $bottom (global.get $top))
    (if (i32.or (call $is_null (local.get $config) (local.get $length))
                (call $is_empty (local.get $config) (local.get $length)))
      (then
        (call $log (i32.const 1) (i32.const 16) (i32.const 29))
        (i32.store8 (i32.const 0) (i32.const 0))) ;; ok
      (else
        (i32.store8 (i32.const 0) (i32.const 1)) ;; error: a list of one
        (i32.store (i32.const 4) (i32.const 192))
        (i32.store (i32.const 8) (i32.const 1))))
    (i32.const 0))

  ;; Text is compared as the numbers that its bytes are, the first being the lowest.
  (func $is_null (param $at i32) (param $length i32) (result i32)
    (if (i32.ne (local.get $length) (i32.const 4)) (then (return (i32.const 0))))
    (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x6c6c756e))) ;; "null"

  (func $is_empty (param $at i32) (param $length i32) (result i32)
    (if (i32.ne (local.get $length) (i32.const 2)) (then (return (i32.const 0))))
    (i32.eq (i32.load16_u align=1 (local.get $at)) (i32.const 0x7d7b))) ;; "{}"

  ;; An endpoint has 36 bytes; its weight is at 8.
  (func $weight (param $id i32) (result i64)
    (i64.load32_u offset=8 (i32.add (global.get $endpoints) (i32.mul (local.get $id) (i32.const 36)))))

  ;; The number at index $i of a list.
  (func $at (param $list i32) (param $i i32) (result i32)
    (i32.load (i32.add (local.get $list) (i32.shl (local.get $i) (i32.const 2)))))

  ;; Whether the candidate at index $i holds less for its weight than the one at $best: (busy + 1) / weight, compared
  ;; without dividing. Both are below 2^31, so the products fit into 64 bits.
  (func $holds_less (param $eligible i32) (param $busy i32) (param $i i32) (param $best i32) (result i32)
    (i64.lt_u
      (i64.mul
        (i64.add (i64.extend_i32_u (call $at (local.get $busy) (local.get $i))) (i64.const 1))
        (call $weight (call $at (local.get $eligible) (local.get $best))))
      (i64.mul
        (i64.add (i64.extend_i32_u (call $at (local.get $busy) (local.get $best))) (i64.const 1))
        (call $weight (call $at (local.get $eligible) (local.get $i))))))

  ;; pick(eligible: list<u32>, busy: list<u32>, affinity: option<u32>) -> option<u32>
  (func (export "pick")
    (param $eligible i32) (param $count i32) (param $busy i32) (param $busy_count i32)
    (param $has_affinity i32) (param $affinity i32) (result i32)
    (local $first i32) (local $step i32) (local $i i32) (local $best i32)

    ;; Begin behind the endpoint that was chosen last, and go round: the first of equals wins.
    (block $found
      (loop $next
        (br_if $found (i32.ge_u (local.get $first) (local.get $count)))
        (br_if $found (i32.gt_u (call $at (local.get $eligible) (local.get $first)) (global.get $last)))
        (local.set $first (i32.add (local.get $first) (i32.const 1)))
        (br $next)))

    (local.set $best (i32.rem_u (local.get $first) (local.get $count)))
    (local.set $step (i32.const 1))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $step) (local.get $count)))
        (local.set $i
          (i32.rem_u (i32.add (local.get $first) (local.get $step)) (local.get $count)))
        (if (call $holds_less (local.get $eligible) (local.get $busy) (local.get $i) (local.get $best))
          (then (local.set $best (local.get $i))))
        (local.set $step (i32.add (local.get $step) (i32.const 1)))
        (br $next)))

    (global.set $last (call $at (local.get $eligible) (local.get $best)))
    (global.set $top (global.get $bottom))
    (i32.store8 (i32.const 0) (i32.const 1)) ;; some
    (i32.store (i32.const 4) (global.get $last))
    (i32.const 0))
)
