//! Imports that no plugin gets, by whom they belong to.

use super::super::contract::{PACKAGE, VERSION};
use crate::diagnose::{closest, list};

/// The import module of short names.
pub(in super::super) const SHORT: &str = "tidegate";

/// The interface that each function of the contract comes from.
pub(in super::super) const IMPORTS: [(&str, &str); 27] = [
    ("log", "log"),
    ("header", "request"),
    ("values", "request"),
    ("client", "request"),
    ("sni", "request"),
    ("line", "request"),
    ("listener", "request"),
    ("certificate", "request"),
    ("column", "columns"),
    ("signal", "columns"),
    ("add", "counters"),
    ("take", "limit"),
    ("now", "clock"),
    ("wall", "clock"),
    ("chance", "chance"),
    ("count", "metrics"),
    ("level", "metrics"),
    ("observe", "metrics"),
    ("get", "table"),
    ("set", "edits"),
    ("append", "edits"),
    ("remove", "edits"),
    ("note", "notes"),
    ("noted", "notes"),
    ("field", "body"),
    ("blocks", "body"),
    ("first", "body"),
];

/// Who an import belongs to. A `*` stands for any ending of the module's name, and of its own.
struct Owner {
    module: &'static str,
    name: &'static str,
    remedy: &'static str,
}

const fn owner(module: &'static str, name: &'static str, remedy: &'static str) -> Owner {
    Owner { module, name, remedy }
}

const PROXY_WASM: &str = "this is a proxy-wasm filter, for Envoy and the like; Tidegate has a contract of its own: \
                          start from `tidegate plugin new` and port what the filter decides";
const WASM_BINDGEN: &str = "a dependency uses wasm-bindgen, which is for browsers: turn off its feature (`js` or \
                            `wasm_js` of getrandom, `wasmbind` of chrono, `js` of uuid, `wasm-bindgen` of instant); \
                            `cargo tree -i wasm-bindgen` names the dependency";
const GO_JS: &str = "it was built for a browser: build with `GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared` \
                     (TinyGo: `-target=wasip1 -buildmode=c-shared`)";
const EMSCRIPTEN: &str = "it was built by emscripten for its JavaScript: link with `-sSTANDALONE_WASM --no-entry`, \
                          without `setjmp`, exceptions and file system";
const GC_LANGUAGE: &str = "Kotlin, Dart, Java, Scala and OCaml need a JavaScript host and wasm proposals (garbage \
                           collection, exceptions) that are not offered; take another language";
const DOTNET: &str = "this is .NET for browsers (Blazor), which needs its JavaScript; take another language";
const SWIFT: &str = "JavaScriptKit is for browsers: build without it, for wasm32-unknown-wasip1";
const OTHER_HOST: &str = "this was made for another host, with a contract of its own; start from `tidegate plugin new`";
const OBJECT: &str = "this is an object file or a shared library: link it into a module of its own (clang: without \
                      `-c`, `-shared` and `-fPIC`; Rust: `crate-type = [\"cdylib\"]`)";
const THREADS: &str = "threads are not offered: build for `wasm32-wasip1` instead of its `-threads` form";
const NO_COMPONENT: &str = "this is not a component yet: `wasm-tools component embed WIT_FOLDER --world WORLD MODULE -o \
                            EMBEDDED`, then `wasm-tools component new EMBEDDED`; or build for `wasm32-wasip1`, which \
                            needs neither";

/// In this order: the first that fits speaks.
static OWNERS: &[Owner] = &[
    owner("env", "proxy_*", PROXY_WASM),
    owner("env", "emscripten_*", EMSCRIPTEN),
    owner("env", "_emscripten_*", EMSCRIPTEN),
    owner("env", "__syscall_*", EMSCRIPTEN),
    owner("env", "_abort_js", EMSCRIPTEN),
    owner("env", "_tzset_js", EMSCRIPTEN),
    owner("env", "invoke_*", EMSCRIPTEN),
    owner("env", "__cxa_*", "C++ exceptions are not offered: build with `-fno-exceptions`, and link the C++ library"),
    owner("env", "_Unwind_*", "exceptions are not offered: build with `-fno-exceptions`"),
    owner("env", "mono_*", DOTNET),
    owner("env", "__wbindgen*", WASM_BINDGEN),
    owner("env", "swjs_*", SWIFT),
    owner("env", "__linear_memory", OBJECT),
    owner("env", "__stack_pointer", OBJECT),
    owner("env", "__memory_base", OBJECT),
    owner("env", "__table_base", OBJECT),
    owner("env", "__indirect_function_table", OBJECT),
    owner("env", "abort", "with AssemblyScript, compile with `--use abort=`; in C, link it in or use `__builtin_trap`"),
    owner("env", "trace", "with AssemblyScript, compile with `--use trace=` and call the contract's `log`"),
    owner("env", "seed", "with AssemblyScript, `Math.random` asks the host for its seed: use a generator of your own"),
    owner("env", "console.*", "with AssemblyScript, call the contract's `log`: `@external(\"tidegate\", \"log\")`"),
    owner("env", "Date.*", "with AssemblyScript, call the contract's `now`: `@external(\"tidegate\", \"now\")`"),
    owner("env", "performance.*", "with AssemblyScript, call the contract's `now`: `@external(\"tidegate\", \"now\")`"),
    owner("GOT.*", "*", OBJECT),
    owner("__wbindgen*", "*", WASM_BINDGEN),
    owner("wbg", "*", WASM_BINDGEN),
    owner("*", "__wbindgen*", WASM_BINDGEN),
    owner("*", "__wbg_*", WASM_BINDGEN),
    owner("gojs", "*", GO_JS),
    owner("go", "runtime.*", GO_JS),
    owner("go", "syscall/js.*", GO_JS),
    owner("go", "debug", GO_JS),
    owner("env", "runtime.*", GO_JS),
    owner("env", "syscall/js.*", GO_JS),
    owner("env", "main.*", "a Go function without a body: give it one, or `//go:wasmimport tidegate NAME` above it"),
    owner("a", "*", EMSCRIPTEN),
    owner(
        "wasi_unstable",
        "*",
        "that is WASI before preview 1: build for `wasi_snapshot_preview1` (target \
                                `wasm32-wasip1`), with a newer toolchain",
    ),
    owner("wasi_snapshot_preview2", "*", "that is a draft of WASI 0.2: build a component for `wasm32-wasip2`"),
    owner("wasi", "thread*", THREADS),
    owner("wasix*", "*", "WASIX is not offered: build for `wasm32-wasip1`"),
    owner("wasi_ephemeral*", "*", "that interface of WASI is not offered: take it out"),
    // A component may import all of WASI 0.2, so whoever is asked here has a module with the imports of one.
    owner("wasi:*", "*", NO_COMPONENT),
    owner("cm32p2*", "*", NO_COMPONENT),
    owner("[export]*", "*", NO_COMPONENT),
    owner("$root", "*", NO_COMPONENT),
    owner("javascript_kit", "*", SWIFT),
    owner("wasm:*", "*", GC_LANGUAGE),
    owner("dart*", "*", GC_LANGUAGE),
    owner("js_code", "*", GC_LANGUAGE),
    owner("intrinsics", "*", GC_LANGUAGE),
    owner("teavm*", "*", GC_LANGUAGE),
    owner("__scalaJS*", "*", GC_LANGUAGE),
    owner("OCaml*", "*", GC_LANGUAGE),
    owner("extism:*", "*", OTHER_HOST),
    owner("fermyon:*", "*", OTHER_HOST),
    owner("spin*", "*", OTHER_HOST),
    owner("wasmcloud:*", "*", OTHER_HOST),
    owner("fastly*", "*", OTHER_HOST),
    owner("shopify*", "*", OTHER_HOST),
    owner("wapc*", "*", OTHER_HOST),
    owner("http_handler", "*", OTHER_HOST),
    owner("redisgears", "*", OTHER_HOST),
    owner("vm_hooks", "*", OTHER_HOST),
];

/// What an author does who finds that `module`.`name` is no import that a plugin gets. Starts with "; ".
pub(in super::super) fn import_remedy(module: &str, name: &str) -> String {
    // `./x_bg.js`: what wasm-bindgen writes for bundlers.
    if module.ends_with("_bg.js") {
        return format!("; {WASM_BINDGEN}");
    }
    if let Some(owner) = OWNERS.iter().find(|owner| fits(module, owner.module) && fits(name, owner.name)) {
        return format!("; {}", owner.remedy);
    }
    if IMPORTS.iter().any(|(known, _)| *known == name) {
        return format!(
            "; if the contract's `{name}` is meant, import it from the module `{SHORT}` (C: \
             `__attribute__((import_module(\"{SHORT}\"), import_name(\"{name}\")))`), otherwise link it in"
        );
    }
    match (module, name) {
        ("env", "memory") => "; export the memory instead of importing it".to_owned(),
        ("env", _) => "; link it in: the linker left an undefined symbol open (for a function of C's library link \
                       wasi-libc: target `wasm32-wasi`)"
            .to_owned(),
        _ if module.ends_with(".js") || module.ends_with(".mjs") || module.starts_with("./") => {
            "; it was built for JavaScript: build for a host without it, such as `wasm32-wasip1`".to_owned()
        }
        _ => match closest(module, [SHORT, "wasi_snapshot_preview1"]) {
            Some(meant) => format!("; did you mean the module `{meant}`?"),
            None => "; take the import out".to_owned(),
        },
    }
}

/// What an author does who imports a function that the contract does not have. Starts with "; ".
pub(in super::super) fn contract_remedy(module: &str, name: &str) -> String {
    let interface = module.strip_prefix(PACKAGE).and_then(|rest| rest.split('@').next());
    if let Some((_, home)) = IMPORTS.iter().find(|(known, of)| *known == name && interface != Some(*of))
        && interface.is_some()
    {
        return format!("; `{name}` is of {PACKAGE}{home}@{VERSION}");
    }
    let known: Vec<&str> =
        IMPORTS.iter().filter(|(_, of)| interface.is_none_or(|is| is == *of)).map(|(name, _)| *name).collect();
    if known.is_empty() {
        let interfaces = IMPORTS.map(|(_, interface)| interface);
        return match interface.and_then(|interface| closest(interface, interfaces)) {
            Some(meant) => format!("; did you mean {PACKAGE}{meant}@{VERSION}?"),
            None => "; the contract has no such interface".to_owned(),
        };
    }
    let meant = closest(name, known.iter().copied());
    let meant = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    let of = if interface.is_some() { "its functions are" } else { "the short names are" };
    format!("; {meant}{of} {}", list(known))
}

fn fits(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}
