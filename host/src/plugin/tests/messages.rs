//! What authors read when a file is none of the gateway's: each says what it is, and what to do.

mod proposals;

use super::*;

const MEMORY: &str = "(memory (export \"memory\") 4)";
const REALLOC: &str = "(global $top (mut i32) (i32.const 1024))
  (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get 2))))
    (global.set $top (i32.add (local.get $at) (local.get 3))) (local.get $at))";
const CONFIGURE: &str = "(func (export \"configure\") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.const 1024)) (i32.store8 (i32.const 16) (i32.const 0)) (i32.const 16))";
const PICK: &str = "(func (export \"pick\") (param $e i32) (param $n i32) (param i32 i32 i32 i32) (result i32) (;body;)
    (global.set $top (i32.const 1024)) (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20) (i32.load (local.get $e))) (i32.const 16))";

/// A balancer by hand that takes the first, with something before it.
fn with(import: &str) -> String {
    format!("(module {import} {MEMORY} {REALLOC} {CONFIGURE} {PICK})")
}

/// The same with something at the beginning of `pick`.
pub(super) fn picking(items: &str, body: &str) -> String {
    with("").replace(MEMORY, &format!("{items} {MEMORY}")).replace("(;body;)", body)
}

/// The same under other names, and with another memory.
fn renamed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(with(""), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

fn import(module: &str, name: &str) -> String {
    with(&format!("(import \"{module}\" \"{name}\" (func))"))
}

/// Each refusal has all of the words.
fn expect(table: &[(String, &[&str])]) {
    let runtime = Runtime::new(None).unwrap();
    for (text, words) in table {
        let made = load(&runtime, text.as_bytes()).and_then(|artifact| balancer_of(&artifact, None).map(drop));
        let Err(refused) = made else { panic!("accepted, not refused with {words:?}:\n{text}") };
        let refused = refused.to_string();
        for word in *words {
            assert!(refused.contains(word), "`{word}` is not in: {refused}\n{text}");
        }
    }
}

#[test]
fn what_was_made_for_another_host_is_named_with_what_to_do() {
    expect(&[
        (import("env", "proxy_log"), &["proxy-wasm", "tidegate plugin new"]),
        (
            "(module (func (export \"proxy_abi_version_0_2_1\")) (func (export \"proxy_on_request_headers\")))"
                .to_owned(),
            &["proxy-wasm"],
        ),
        (import("__wbindgen_placeholder__", "__wbindgen_throw"), &["wasm-bindgen", "getrandom", "chrono", "uuid"]),
        (import("__wbindgen_externref_xform__", "__wbindgen_externref_table_grow"), &["wasm-bindgen"]),
        (import("./plugin_bg.js", "__wbg_now_1"), &["wasm-bindgen"]),
        (import("wbg", "__wbg_now_1"), &["wasm-bindgen"]),
        (import("gojs", "runtime.wasmExit"), &["GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared"]),
        (import("go", "syscall/js.valueGet"), &["GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared"]),
        (import("env", "emscripten_resize_heap"), &["-sSTANDALONE_WASM --no-entry"]),
        (import("env", "invoke_vii"), &["-sSTANDALONE_WASM"]),
        (import("a", "b"), &["-sSTANDALONE_WASM"]),
        (import("env", "__cxa_throw"), &["-fno-exceptions"]),
        (import("wasi_unstable", "fd_write"), &["wasi_snapshot_preview1", "wasm32-wasip1"]),
        (import("wasi_snapshot_preview1", "fd_teleport"), &["WASI preview 1 has no such function"]),
        (import("wasi_snapshot_preview1", "fd_writ"), &["did you mean `fd_write`"]),
        (import("wasi", "thread-spawn"), &["threads are not offered"]),
        (import("wasix_32v1", "fd_dup"), &["WASIX"]),
        (import("javascript_kit", "swjs_get_prop"), &["JavaScriptKit"]),
        (import("wasm:js-string", "length"), &["Kotlin", "garbage collection"]),
        (import("teavm", "currentTimeMillis"), &["Java", "garbage collection"]),
        (import("extism:host/env", "input_length"), &["another host"]),
        (import("fermyon:spin/key-value", "open"), &["another host"]),
        (import("env", "mono_wasm_bind_js"), &["Blazor"]),
        (import("./main.mjs", "log"), &["tidegate"]),
        (import("./support.js", "table"), &["built for JavaScript"]),
        (import("env", "seed"), &["Math.random"]),
        (import("env", "console.log"), &["contract's `log`"]),
        (import("env", "abort"), &["--use abort="]),
        (import("env", "foo"), &["link it in", "wasi-libc"]),
        (import("env", "log"), &["import_module(\"tidegate\")"]),
        (import("env", "__stack_pointer"), &["object file"]),
        (import("wasi_snapshot_preview2", "x"), &["draft of WASI 0.2"]),
    ]);
}

#[test]
fn functions_that_the_contract_does_not_have_are_answered_with_those_it_has() {
    expect(&[
        (import("tidegate", "lgo"), &["did you mean `log`?", "`now`"]),
        (import("tidegate", "busy"), &["the short names are", "`log`", "`column`"]),
        (import("tidegate:plugin/request@0.1.0", "cookie"), &["its functions are `header`, `values`, `client`, `sni`"]),
        (import("tidegate:plugin/log@0.1.0", "header"), &["`header` is of tidegate:plugin/request@0.1.0"]),
        (import("tidegate:plugin/logs@0.1.0", "x"), &["did you mean tidegate:plugin/log@0.1.0"]),
        (import("tidegate:plugin/log", "log"), &["the version is missing: `tidegate:plugin/log@0.1.0`"]),
        (
            import("tidgate", "x"),
            &["did you mean the module `tidegate`?", "log, request, columns, counters", "or body"],
        ),
    ]);
}

#[test]
fn exports_that_are_nearly_a_role_are_recognised() {
    let full = |interface: &str| {
        renamed(&[
            ("\"configure\"", &format!("\"{interface}#configure\"")),
            ("\"pick\"", &format!("\"{interface}#pick\"")),
        ])
    };
    let component = |export: &str| format!("(component (instance $i) (export \"{export}\" (instance $i)))");
    expect(&[
        (renamed(&[("\"pick\"", "\"Pick\"")]), &["did you mean `pick` instead of `Pick`?"]),
        (renamed(&[("\"pick\"", "\"picks\"")]), &["did you mean `pick` instead of `picks`?"]),
        (renamed(&[("\"pick\"", "\"_pick\"")]), &["did you mean `pick` instead of `_pick`?"]),
        (renamed(&[("\"pick\"", "\"main.pick\"")]), &["did you mean `pick` instead of `main.pick`?"]),
        (renamed(&[("\"pick\"", "\"decide\"")]), &["`configure` alone makes no role", "`pick`, `choose`, `route`"]),
        (renamed(&[("\"configure\"", "\"configur\"")]), &["did you mean that by `configur`?"]),
        (full("tidegate:plugin/balancer"), &["the version is missing: `tidegate:plugin/balancer@0.1.0#configure`"]),
        (full("tidegate:plugin/balancr@0.1.0"), &["did you mean `tidegate:plugin/balancer@0.1.0`?"]),
        (
            full("acme:plugin/balancer@0.1.0"),
            &["of another package: the contract's is `tidegate:plugin/balancer@0.1.0`"],
        ),
        (full("tidegate:plugin/balancer@0.2.0"), &["expected version 0.1.0", "tidegate plugin wit"]),
        ("(module (global (export \"pick\") i32 (i32.const 0)))".to_owned(), &["it is no function"]),
        (
            "(module (func (export \"_start\")) (memory (export \"memory\") 1))".to_owned(),
            &["this is a program", "cdylib", "-mexec-model=reactor"],
        ),
        ("(module (memory (export \"memory\") 1))".to_owned(), &["export_balancer!", "export_name(\"pick\")"]),
        (
            "(module (@custom \"go:buildid\" \"x\") (func (export \"_initialize\")))".to_owned(),
            &["//go:wasmexport pick"],
        ),
        (component("tidegate:plugin/balancr@0.1.0"), &["did you mean `tidegate:plugin/balancer@0.1.0`?"]),
        (component("acme:thing/balancer@1.0.0"), &["of another package"]),
        (component("wasi:cli/run@0.2.6"), &["this is a program"]),
        (component("wasi:http/incoming-handler@0.2.6"), &["HTTP component"]),
        (
            "(component)".to_owned(),
            &["let its world `export tidegate:plugin/balancer@0.1.0;`", "add `export_balancer!(Least);`"],
        ),
        (
            "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
               (func (export \"pick\") (canon lift (core func $i \"f\"))))"
                .to_owned(),
            &["a component exports `pick` in an interface", "tidegate:plugin/balancer@0.1.0"],
        ),
    ]);
}

#[test]
fn a_go_program_is_refused_before_its_runtime_traps() {
    let program =
        with("(@custom \"go:buildid\" \"x\")").replace("(memory (export", "(func (export \"_start\")) (memory (export");

    expect(&[(program.clone(), &["found the program `_start`", "-buildmode=c-shared"])]);

    let runtime = Runtime::new(None).unwrap();
    let library = program.replace("_start", "_initialize");
    assert_eq!(pick(&mut *balancer(&runtime, library.as_bytes()), false).unwrap(), Some(1));
}

#[test]
fn files_that_are_no_wasm_are_recognised() {
    let runtime = Runtime::new(None).unwrap();
    let tar = [&[b'x'; 257][..], b"ustar\0"].concat();
    for (bytes, words) in [
        (&b"\x7fELF\x02\x01"[..], "ELF"),
        (b"\x7fELF\x02\x01 .wasmtime.engine", ".cwasm"),
        (b"\xcf\xfa\xed\xfe\x07", "Mach-O"),
        (b"MZ\x90\0", "Windows"),
        (b"BC\xc0\xde5", "LLVM bitcode"),
        (b"!<arch>\n", "archive of object files"),
        (b"PK\x03\x04\x14", "zip archive"),
        (b"\x1f\x8b\x08", "gzip"),
        (&tar, "tar archive"),
        (b"\xff\xfe(\0m\0", "UTF-16"),
        (b"\0\0\0\0\0\0\0\0", "begins with zeros"),
        (b"\x01\x02\x03\xff", "bytes [01, 02, 03, ff]"),
        (b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n", "the download went wrong"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"//! Takes turns\nuse tidegate_plugin::Balancer;\n", "Rust source"),
        (b"(function(){ return 1 })()\n", "JavaScript source"),
        (b"(() => 1)()\n", "JavaScript source"),
        (b"// takes turns\nexport function pick(eligible, busy) {}\n", "source"),
        (b"export const balancer = { pick(eligible, busy) {} };\n", "JavaScript source"),
        (b"interface A {}\nexport const balancer: A = {};\n", "source"),
        (b"import json\n\nclass Balancer:\n    def pick(self): pass\n", "Python source"),
        (b"package main\n\nimport \"unsafe\"\n", "Go source"),
        (b"#include <stdint.h>\n", "C source"),
        (b"#include <vector>\n", "C++ source"),
        (b"const std = @import(\"std\");\n", "Zig source"),
        (b"package tidegate:plugin@0.1.0;\n", "WIT"),
        (b"[package]\nname = \"x\"\n", "TOML"),
        (b"{\"a\": 1}", "JSON"),
        (b"hello", "text that does not begin as .wat"),
    ] {
        let refused = problem(load(&runtime, bytes));

        assert!(matches!(refused, LoadErrorKind::NotWasm { .. }), "{refused}");
        assert!(refused.to_string().contains(words), "`{words}` is not in: {refused}");
    }
}

#[test]
fn text_that_does_not_parse_is_shown_by_its_place() {
    expect(&[
        (
            "(module (func (export \"pick\") (param i32) (result i32)\n  i32.const))\n".to_owned(),
            &["at line 2, column 12: `))`"],
        ),
        ("(module (func (export \"pick\")\n".to_owned(), &["expected `)`, at line 2, column 1: the end of the line"]),
        ("(modul (func))".to_owned(), &["at line 1, column 2: `modul (func))`"]),
    ]);
}

#[test]
fn what_is_missing_or_has_other_types_is_said_in_one_sentence() {
    expect(&[
        (renamed(&[("(memory (export \"memory\")", "(memory ")]), &["found no `memory`", "addresses of arguments"]),
        (renamed(&[("(export \"cabi_realloc\")", "")]), &["found no `cabi_realloc`", "docs/plugins/abi.md"]),
        (
            renamed(&[("(param i32 i32 i32 i32) (result i32) (;body;)", "(result i32)")]),
            &["found: type mismatch for function `pick`: expected", "docs/plugins/abi.md"],
        ),
    ]);
    let cut = &wat::parse_str(with("")).unwrap()[..60];
    let refused = problem(load(&Runtime::new(None).unwrap(), cut)).to_string();
    assert!(refused.contains("it is cut off"), "{refused}");
}

#[test]
fn granting_nothing_is_said_so() {
    let runtime = Runtime::new(None).unwrap();
    let limits = PluginLimits { allow: Allow::Only(Vec::new()), ..PluginLimits::default() };
    let text = with("(import \"tidegate\" \"log\" (func (param i32 i32 i32)))");

    let refused = runtime.load(&PluginFile {
        name: "guest",
        origin: "x.wat",
        bytes: text.as_bytes(),
        limits: &limits,
        table: None,
    });

    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("expected imports that `allow` grants: it grants nothing, found `log`"), "{refused}");
}

#[test]
fn an_allocator_that_hands_out_nonsense_is_refused_with_what_it_returned() {
    let realloc = |returned: &str| {
        renamed(&[(
            "(global.set $top (i32.add (local.get $at) (local.get 3))) (local.get $at))",
            &format!("{returned})"),
        )])
    };
    let allocated = "(global.set $top (i32.add (local.get $at) (local.get 3)))";
    expect(&[
        (realloc("(i32.const 99999999)"), &["inside memory", "0x5f5e0ff for 0 bytes aligned to 1", "also for 0 bytes"]),
        (
            realloc(&format!("{allocated} (select (local.get $at) (i32.const -16) (local.get 3))")),
            &["also for 0 bytes it must be inside", "0xfffffff0 for 0 bytes"],
        ),
        (
            realloc(&format!("{allocated} (select (i32.const -16) (local.get $at) (local.get 3))")),
            &["inside memory", "0xfffffff0 for 5 bytes aligned to 1"],
        ),
        (realloc("(i32.const 0)"), &["a place of its own: 0x0 was handed out before", "0x0 for 16 bytes aligned to 4"]),
        (realloc("(i32.const 1025)"), &["a multiple of 4", "0x401 for 0 bytes aligned to 4"]),
        (
            renamed(&[
                ("(param i32 i32 i32 i32) (result i32) (local $at", "(param i32 i32 i32) (result i32) (local $at"),
                ("(local.get 3)", "(local.get 2)"),
            ]),
            &["type mismatch for function `cabi_realloc`: expected `[I32, I32, I32, I32] -> [I32]`"],
        ),
    ]);
    let null_for_nothing = realloc(&format!("{allocated} (select (local.get $at) (i32.const 0) (local.get 3))"));
    let runtime = Runtime::new(None).unwrap();
    assert_eq!(pick(&mut *balancer(&runtime, null_for_nothing.as_bytes()), false).unwrap(), Some(1), "null is inside");
}

#[test]
fn results_that_break_the_abi_are_put_into_words() {
    let returning = |from: &str, to: &str| renamed(&[(from, to)]);
    expect(&[
        (
            returning("(i32.store8 (i32.const 16) (i32.const 1))", "(i32.store8 (i32.const 16) (i32.const 7))"),
            &["neither 0 (none) nor 1 (some)"],
        ),
        (
            returning("(local.get $e))) (i32.const 16)", "(local.get $e))) (i32.const 17)"),
            &["`pick` trapped: the address of its result is not aligned"],
        ),
        (
            returning("(local.get $e))) (i32.const 16)", "(local.get $e))) (i32.const 99999996)"),
            &["the address of its result is outside memory"],
        ),
    ]);
}

#[test]
fn arguments_that_break_the_abi_are_put_down_to_the_function_they_were_given_to() {
    let log = "(import \"tidegate\" \"log\" (func $log (param i32 i32 i32)))";
    let column = "(import \"tidegate\" \"column\" (func $column (param i32 i32)))";
    let header = "(import \"tidegate\" \"header\" (func $header (param i32 i32 i32)))";
    let calling = |import: &str, call: &str| {
        picking(&format!("{import} (data (i32.const 64) \"\\ff\\fe a\\c3\")"), call).replace(
            &format!("(data (i32.const 64) \"\\ff\\fe a\\c3\") {MEMORY}"),
            &format!("{MEMORY} (data (i32.const 64) \"\\ff\\fe a\\c3\")"),
        )
    };
    expect(&[
        (
            calling(log, "(call $log (i32.const 1) (i32.const 64) (i32.const 2))"),
            &["`pick` trapped: a string given to `log` is not UTF-8", "in pick"],
        ),
        (
            calling(log, "(call $log (i32.const 1) (i32.const 66) (i32.const 3))"),
            &["a string given to `log` is not UTF-8 (cut inside a character?)"],
        ),
        (
            calling(log, "(call $log (i32.const 1) (i32.const 64) (i32.const -1))"),
            &["a string given to `log` is outside memory"],
        ),
        (
            calling(log, "(call $log (i32.const 5) (i32.const 64) (i32.const 0))"),
            &["`log`: expected a level of 0 (debug) to 3 (error), found 5; see docs/plugins/abi.md"],
        ),
        (
            calling(header, "(call $header (i32.const 64) (i32.const 2) (i32.const 128))"),
            &["a string given to `header` is not UTF-8"],
        ),
        (
            calling(column, "(call $column (i32.const 6) (i32.const 128))"),
            &["`column`: expected a metric of 0 (picks) to 5 (latest), found 6"],
        ),
    ]);
}

#[test]
fn a_start_that_prints_is_to_be_called_initialize() {
    let print = "(call $write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 520))";
    let import = "(import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))";
    let prints = |entry: &str| {
        with("")
            .replacen("(module", &format!("(module {import}"), 1)
            .replace(MEMORY, &format!("{MEMORY} (func $begin (drop {print})) {entry}"))
    };

    expect(&[(prints("(start $begin)"), &["the start of the plugin trapped", "export it as `_initialize`"])]);

    let runtime = Runtime::new(None).unwrap();
    let remedied = prints("(export \"_initialize\" (func $begin))");
    load(&runtime, remedied.as_bytes()).and_then(|artifact| balancer_of(&artifact, None).map(drop)).unwrap();
}

#[test]
fn functions_of_a_bare_module_go_by_the_names_of_their_exports() {
    let named = |body: &str| picking("(func $deep unreachable)", body);
    let stripped = {
        let mut module = wasm_encoder::Module::new();
        let text = picking("", "unreachable");
        let binary = wat::parse_str(text).unwrap();
        for payload in wasmparser::Parser::new(0).parse_all(&binary) {
            let payload = payload.unwrap();
            if let Some((id, range)) = payload.as_section().filter(|(id, _)| *id != 0) {
                module.section(&wasm_encoder::RawSection { id, data: &binary[range] });
            }
        }
        module.finish()
    };
    let runtime = Runtime::new(None).unwrap();
    for (bytes, words) in [
        (named("unreachable").into_bytes(), "pick"),
        (named("(call $deep)").into_bytes(), "deep < pick"),
        (stripped, "pick"),
    ] {
        let refused = problem(balancer_of(&load(&runtime, &bytes).unwrap(), None)).to_string();

        assert!(refused.contains(&format!("in {words}")) && !refused.contains("function "), "{refused}");
    }
}
