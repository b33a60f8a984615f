//! Where a plugin was when it failed: its own functions, innermost first, by the names that its author gave them.

use std::borrow::Cow;
use std::path::Path;

use wasmtime::{FrameInfo, WasmBacktrace};

use super::text::printable;

/// Frames that are shown.
const FRAMES: usize = 16;

/// Functions of languages' runtimes: what they do on the way to a trap, and around the plugin.
const RUNTIME: [&str; 10] = [
    "rust_begin_unwind",
    "rust_panic",
    "__assert_fail",
    "abort",
    "exit",
    "_Exit",
    "__wasi_proc_exit",
    "cabi_realloc",
    // Go
    "wasm_pc_f_loop",
    "wasm_pc_f_loop_export",
];

/// Part of the names of what the Rust SDK's macro makes around a plugin.
const GLUE: &str = "::_::Exported::";

/// What names of such functions begin with.
const RUNTIME_PREFIXES: [&str; 17] = [
    // What leads to an import
    "indirect-",
    "std::",
    "core::",
    "alloc::",
    "<std::",
    "<core::",
    "<alloc::",
    "__rust_",
    "__rustc",
    "wit_bindgen::",
    "tidegate_plugin::",
    "cabi_post_",
    // C++
    "__cxa_",
    "__cxxabiv1::",
    "__wasm_call_",
    // Go
    "runtime.",
    // AssemblyScript
    "~lib/",
];

/// `, in inner (lib.rs:10) < outer (lib.rs:3)`; nothing if the plugin has no frame on the stack.
pub(super) fn frames(backtrace: &WasmBacktrace) -> String {
    let all = || backtrace.frames().iter();
    // What comes first without a name where others have one is what is put around a module to make it a component.
    let named = all().any(|frame| frame.func_name().is_some());
    let mut names: Vec<String> =
        all().skip_while(|frame| named && frame.func_name().is_none()).flat_map(names_at).collect();
    // Where all of it is the runtime's, that is better than nothing.
    if names.iter().any(|name| !is_runtime(name)) {
        names.retain(|name| !is_runtime(name));
    }
    if names.is_empty() {
        return String::new();
    }
    if names.len() > FRAMES {
        names.truncate(FRAMES);
        names.push("…".to_owned());
    }
    format!(", in {}", names.join(" < "))
}

/// What is at a frame: more than one function where some were inlined.
fn names_at(frame: &FrameInfo) -> Vec<String> {
    let symbols: Vec<String> = frame
        .symbols()
        .iter()
        .filter_map(|symbol| {
            let name = demangled(symbol.name()?);
            let file = symbol.file().and_then(|file| Some(Path::new(file).file_name()?.to_str()?.to_owned()));
            Some(match (file, symbol.line()) {
                (Some(file), Some(line)) => printable(&format!("{name} ({file}:{line})")).into_owned(),
                _ => printable(&name).into_owned(),
            })
        })
        .collect();
    if !symbols.is_empty() {
        return symbols;
    }
    vec![match frame.func_name() {
        Some(name) => printable(&demangled(name)).into_owned(),
        None => format!("function {}", frame.func_index()),
    }]
}

/// The name as it was written; Rust's without its hash and without the trait that a function is of.
fn demangled(name: &str) -> Cow<'_, str> {
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        return without_trait(&format!("{name:#}")).into();
    }
    // Nothing else begins like that; other text would be read as a type.
    if name.starts_with("_Z")
        && let Ok(symbol) = cpp_demangle::Symbol::new(name)
        && let Ok(name) = symbol.demangle()
    {
        return name.into();
    }
    name.into()
}

/// `Least::pick` of `<Least as Balancer>::pick`.
fn without_trait(name: &str) -> String {
    let inside = name.strip_prefix('<').and_then(|inside| inside.split_once(" as "));
    match (inside, end_of_trait(name)) {
        (Some((of, _)), Some(rest)) if !of.contains('<') => format!("{of}{rest}"),
        _ => name.to_owned(),
    }
}

/// What follows the angle bracket that closes the first one.
fn end_of_trait(name: &str) -> Option<&str> {
    let mut depth = 0_u32;
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if !name.get(..at).is_some_and(|before| before.ends_with('-')) => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return name.get(at + 1..);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_runtime(name: &str) -> bool {
    // Where the file says so, the place follows the name.
    let function = name.split_once(" (").map_or(name, |(function, _)| function);
    RUNTIME.contains(&function)
        || function.contains(GLUE)
        || RUNTIME_PREFIXES.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_were_written() {
        for (mangled, name) in [
            ("_ZN5least4pick17h0123456789abcdefE", "least::pick"),
            ("_RNvCskwGfYPst2Cb_3foo16example_function", "foo::example_function"),
            (
                "_ZN5Least4pickERKSt6vectorIjSaIjEE",
                "Least::pick(std::vector<unsigned int, std::allocator<unsigned int> > const&)",
            ),
            ("main.pick", "main.pick"),
            ("_Zonk", "_Zonk"),
        ] {
            assert_eq!(demangled(mangled), name);
        }
    }

    #[test]
    fn frames_of_runtimes_are_known() {
        for name in [
            "std::panicking::begin_panic",
            "core::slice::index::fail",
            "runtime.gopanic",
            "abort",
            "cabi_realloc",
            "__rust_start_panic",
            "exit (exit.c:50)",
            "least::_::Exported::pick::{{closure}} (export.rs:28)",
        ] {
            assert!(is_runtime(name), "{name}");
        }
        for name in ["least::pick", "main.pick", "pick", "runtimes", "abort_pick", "exit_zone (a.c:3)"] {
            assert!(!is_runtime(name), "{name}");
        }
    }
}
