//! Wasm proposals: those that are not offered are named, those that are offered are taken.

use super::*;

#[test]
fn proposals_that_are_not_offered_are_named_with_their_switch() {
    let feature = "expected wasm without ";
    expect(&[
        (picking("", "(drop (i32.atomic.rmw.add (i32.const 32) (i32.const 1)))"), &[feature, "threads", "-pthread"]),
        (renamed(&[(MEMORY, "(memory (export \"memory\") 4 8 shared)")]), &[feature, "threads"]),
        (
            picking("(type $box (struct (field (mut i32))))", "(drop (struct.new $box (local.get $n)))"),
            &[feature, "garbage collection", "Kotlin, Dart, Java, OCaml"],
        ),
        (
            with("(import \"wasm:js-string\" \"length\" (func (param externref) (result i32)))"),
            &[feature, "externref", "Kotlin"],
        ),
        (picking("(tag $t (param i32))", "(throw $t (i32.const 1))"), &[feature, "exceptions", "-fno-exceptions"]),
        (picking("(tag $t)", "(try (do (throw $t)) (catch $t))"), &[feature, "exceptions"]),
        (
            picking("(type $box (struct)) (tag $t (param i32))", "(drop (struct.new $box)) (throw $t (i32.const 1))"),
            &["garbage collection and exceptions"],
        ),
        (
            "(module (memory (export \"memory\") i64 4)
               (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
               (func (export \"configure\") (param i32 i32 i32 i32) (result i32) (i32.const 16))
               (func (export \"pick\") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 16)))"
                .to_owned(),
            &[feature, "memory64", "wasm32"],
        ),
        (
            picking("", "(i64.add128 (i64.const 1) (i64.const 0) (i64.const 1) (i64.const 0)) drop drop"),
            &[feature, "wide arithmetic", "-mno-wide-arithmetic"],
        ),
        (
            renamed(&[(MEMORY, "(memory (export \"memory\") 262144 (pagesize 1))")]),
            &[feature, "custom page sizes", "64 KiB"],
        ),
        (
            picking(
                "(type $f (func)) (type $c (cont $f)) (elem declare func $z) (func $z)",
                "(drop (cont.new $c (ref.func $z)))",
            ),
            &["expected wasm without stack switching, found"],
        ),
        (
            "(component (core func (canon task.cancel)))".to_owned(),
            &[feature, "component-model async", "componentize-qjs: `--sync`"],
        ),
        (
            "(component (type (future u32)) (core module (type $s (struct))))".to_owned(),
            &["garbage collection and component-model async"],
        ),
    ]);
}

#[test]
fn proposals_that_are_offered_are_taken() {
    let runtime = Runtime::new(None).unwrap();
    for text in [
        picking("", "(drop (i32x4.splat (local.get $n)))"),
        picking("", "(drop (i8x16.relaxed_swizzle (i32x4.splat (local.get $n)) (i32x4.splat (local.get $n))))"),
        picking("", "(memory.fill (i32.const 64) (i32.const 0) (i32.const 8))"),
        picking("(global i32 (i32.add (i32.const 1) (i32.const 2)))", ""),
        with("").replace(MEMORY, &format!("{MEMORY} (memory 1)")),
        picking(
            "(type $f (func (param i32) (result i32))) (elem declare func $p) (func $p (type $f) (local.get 0))",
            "(drop (call_ref $f (i32.const 1) (ref.func $p)))",
        ),
        picking(
            "(func $p (result i32) (i32.store8 (i32.const 16) (i32.const 0)) (i32.const 16))",
            "(if (i32.eq (local.get $n) (i32.const 77)) (then (return_call $p)))",
        ),
    ] {
        assert_eq!(pick(&mut *balancer(&runtime, text.as_bytes()), false).unwrap(), Some(1), "{text}");
    }
}
