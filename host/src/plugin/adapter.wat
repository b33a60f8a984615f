;; WASI preview 1 on top of `tidegate:plugin/system`: clocks and random are real, what is written to standard output and
;; standard error goes to the log, exit ends the call, and all the rest is empty: no arguments, no environment, no folder,
;; no file or socket beside the three streams (EBADF, 8). Functions that a module does not import are dropped when it is
;; wrapped.
;;
;; While the canonical ABI allocates in the guest (`cabi_realloc`) or frees (`cabi_post_*`), a component may not call
;; out, and the Go runtime reads the clock right there. `held` says so (see wrap/guard.rs); the clock then stands still,
;; and what is written is dropped.
(module
  (import "tidegate:plugin/system@0.1.0" "clock" (func $clock (param i32) (result i64)))
  (import "tidegate:plugin/system@0.1.0" "random" (func $random (result i64)))
  (import "tidegate:plugin/system@0.1.0" "write" (func $write (param i32 i32 i32)))
  (import "tidegate:plugin/system@0.1.0" "exit" (func $exit (param i32)))
  (import "__main_module__" "tidegate_held" (func $held (result i32)))
  (import "env" "memory" (memory 0))

  (global $wall (mut i64) (i64.const 1))
  (global $monotonic (mut i64) (i64.const 1))
  (global $seed (mut i64) (i64.const 88172645463325252))

  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $out i32) (result i32)
    (if (i32.eqz (call $held))
      (then
        (if (local.get $id)
          (then (global.set $monotonic (call $clock (i32.const 1))))
          (else (global.set $wall (call $clock (i32.const 0)))))))
    (i64.store (local.get $out)
      (select (global.get $monotonic) (global.get $wall) (local.get $id)))
    (i32.const 0))
  (func (export "clock_res_get") (param $id i32) (param $out i32) (result i32)
    (i64.store (local.get $out) (i64.const 1))
    (i32.const 0))

  ;; xorshift stands in where calling out is not allowed
  (func $word (result i64)
    (if (i32.eqz (call $held))
      (then (global.set $seed (i64.or (call $random) (i64.const 1))))
      (else
        (global.set $seed (i64.xor (global.get $seed) (i64.shl (global.get $seed) (i64.const 13))))
        (global.set $seed (i64.xor (global.get $seed) (i64.shr_u (global.get $seed) (i64.const 7))))
        (global.set $seed (i64.xor (global.get $seed) (i64.shl (global.get $seed) (i64.const 17))))))
    (global.get $seed))
  (func (export "random_get") (param $at i32) (param $length i32) (result i32)
    (local $word i64) (local $i i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $length)))
        (if (i32.eqz (i32.and (local.get $i) (i32.const 3)))
          (then (local.set $word (i64.shr_u (call $word) (i64.const 8)))))
        (i32.store8 (i32.add (local.get $at) (local.get $i)) (i32.wrap_i64 (local.get $word)))
        (local.set $word (i64.shr_u (local.get $word) (i64.const 8)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; no arguments, no environment
  (func $none (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $none))
  (export "environ_sizes_get" (func $none))
  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  ;; At most 64 KiB in one call: what the host does for it holds the worker. Whoever has more to write calls again.
  (func (export "fd_write") (param $fd i32) (param $parts i32) (param $count i32) (param $written i32) (result i32)
    (local $length i32) (local $sum i32)
    (if (i32.and (i32.ne (local.get $fd) (i32.const 1)) (i32.ne (local.get $fd) (i32.const 2)))
      (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $length (i32.load offset=4 (local.get $parts)))
        (if (i32.gt_u (local.get $length) (i32.sub (i32.const 65536) (local.get $sum)))
          (then (local.set $length (i32.sub (i32.const 65536) (local.get $sum)))))
        (if (i32.and (i32.ne (local.get $length) (i32.const 0)) (i32.eqz (call $held)))
          (then (call $write (local.get $fd) (i32.load (local.get $parts)) (local.get $length))))
        (local.set $sum (i32.add (local.get $sum) (local.get $length)))
        (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; standard input is at its end
  (func (export "fd_read") (param $fd i32) (param i32 i32) (param $read i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))

  ;; a call ends; where calling out is not allowed, by a trap
  (func (export "proc_exit") (param $code i32)
    (if (i32.eqz (call $held)) (then (call $exit (local.get $code))))
    unreachable)
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; The three streams are terminals (character devices, 2) without rights: C writes each line as it ends.
  (func $is_stream (param $fd i32) (result i32) (i32.lt_u (local.get $fd) (i32.const 3)))
  (func $stream (param $fd i32) (result i32)
    (select (i32.const 0) (i32.const 8) (call $is_stream (local.get $fd))))
  (func (export "fd_fdstat_get") (param $fd i32) (param $out i32) (result i32)
    (if (call $is_stream (local.get $fd))
      (then
        (i64.store (local.get $out) (i64.const 2))
        (i64.store offset=8 (local.get $out) (i64.const 0))
        (i64.store offset=16 (local.get $out) (i64.const 0))))
    (call $stream (local.get $fd)))
  (func (export "fd_filestat_get") (param $fd i32) (param $out i32) (result i32)
    (if (call $is_stream (local.get $fd))
      (then
        (memory.fill (local.get $out) (i32.const 0) (i32.const 64))
        (i64.store offset=16 (local.get $out) (i64.const 2))))
    (call $stream (local.get $fd)))
  (func (export "fd_fdstat_set_flags") (param $fd i32) (param i32) (result i32) (call $stream (local.get $fd)))
  (func (export "fd_close") (param $fd i32) (result i32) (call $stream (local.get $fd)))

  ;; a stream has no position (ESPIPE, 70)
  (func $position (param $fd i32) (result i32)
    (select (i32.const 70) (i32.const 8) (call $is_stream (local.get $fd))))
  (func (export "fd_seek") (param $fd i32) (param i64 i32 i32) (result i32) (call $position (local.get $fd)))
  (func (export "fd_tell") (param $fd i32) (param i32) (result i32) (call $position (local.get $fd)))
  (func (export "fd_pread") (param $fd i32) (param i32 i32 i64 i32) (result i32) (call $position (local.get $fd)))
  (func (export "fd_pwrite") (param $fd i32) (param i32 i32 i64 i32) (result i32) (call $position (local.get $fd)))

  ;; Nothing is waited for, which would hold a worker: each subscription is due at once. A subscription has 48 bytes
  ;; (user data 0, kind 8), an event 32 (user data 0, error 8, kind 10).
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $due i32) (result i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    (i32.store (local.get $due) (local.get $count))
    (loop $next
      (memory.fill (local.get $out) (i32.const 0) (i32.const 32))
      (i64.store (local.get $out) (i64.load (local.get $in)))
      (i32.store8 offset=10 (local.get $out) (i32.load8_u offset=8 (local.get $in)))
      (local.set $in (i32.add (local.get $in) (i32.const 48)))
      (local.set $out (i32.add (local.get $out) (i32.const 32)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (i32.const 0))

  ;; no folder is open (EBADF ends the search for them), and a path leads nowhere without one (ENOTCAPABLE, 76)
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 76))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 76))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 8))

  ;; there are no signals (ENOSYS, 52)
  (func (export "proc_raise") (param i32) (result i32) (i32.const 52))
)
