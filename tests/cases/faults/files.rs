//! Files that would end whoever reads or compiles them: a process of its own does, and the gateway says why it keeps what
//! it has.

use tidegate::gateway::shipped;
use tidegate_tests::{Gateway, Origin, Process};

use crate::running::{Running, guest, replace};

/// A cluster whose balancer is `mine.wat`.
const MINE: &str = "[[route]]
path = \"/\"
to = \"balancer://c\"
[cluster.c]
balancer = \"mine\"
endpoints = [\"ws://{a}\"]
[plugin.mine]
file = \"mine.wat\"
memory = \"8MiB\"
";

/// KiB by which a gateway may grow while such files are looked at: it holds the file itself, and what is said of it.
const GROWTH: u64 = 48 * 1024;

/// A component with the export of a balancer, and these items.
fn hollow(items: &str) -> Vec<u8> {
    format!("(component {items} (instance $x) (export \"tidegate:plugin/balancer@0.1.0\" (instance $x)))").into_bytes()
}

/// A plugin that ships, with two packages in its metadata that take types from each other: endless recursion for the
/// library that reads it.
fn endless() -> Vec<u8> {
    let (from, to) = (b"tidegate:plugin/balancer@0.1.0", b"wasi:abcdefghij/balancer@0.1.0");
    let mut bytes = shipped("byrequests").unwrap().to_vec();
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// Components within each other, each of which instantiates the one before twice.
fn doubling(levels: usize) -> Vec<u8> {
    let innermost = "(component $z0 (core module $m (memory 1)) (core instance (instantiate $m)))".to_owned();
    let whole = (1..=levels).fold(innermost, |within, level| {
        let one = format!("(instance (instantiate $z{}))", level - 1);
        format!("(component $z{level} {within} {one} {one})")
    });
    hollow(&format!("{whole} (instance (instantiate $z{levels}))"))
}

/// An unsigned number as wasm writes it (LEB128).
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        bytes.push(if number > 0 { low | 0x80 } else { low });
        if number == 0 {
            return bytes;
        }
    }
}

/// A core module of so many functions with this body.
fn functions(number: usize, body: &[u8]) -> Vec<u8> {
    let one = [leb(body.len()), body.to_vec()].concat();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // Types, functions, code.
    for (id, content) in [
        (1, b"\x01\x60\0\0".to_vec()),
        (3, [leb(number), vec![0; number]].concat()),
        (10, [leb(number), one.repeat(number)].concat()),
    ] {
        module.push(id);
        module.extend(leb(content.len()));
        module.extend(content);
    }
    module
}

fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let locals = [b"\x01".to_vec(), leb(49_999), b"\x7f\x0b".to_vec()].concat();
    let fat = format!("(core module $fat {})", "(global i32 (i32.const 7))".repeat(10_000));
    let many = "(core instance (instantiate $fat))".repeat(100);
    let handed = "(import \"c\" (component $c)) (instance (instantiate $c)) (instance (instantiate $c))";
    vec![
        ("endless recursion in the metadata", endless(), "the compiler overflowed its stack"),
        ("doubling components", doubling(26), "core instances, components expanded"),
        ("a million functions", functions(1_000_000, b"\0\x0b"), "at most 200000 functions"),
        ("50,000 locals in each of 100 functions", functions(100, &locals), "at most 10000 locals in one function"),
        ("a large function", functions(1, &[1; 3 << 20]), "bytes in one function"),
        ("a million globals in 100 instances", hollow(&(fat + &many)), "at most 8388608 bytes, found 16"),
        ("a component that others hand in", hollow(handed), "handed in from outside"),
    ]
}

/// The most memory that a process has held, in KiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_hostile_file_costs_the_gateway_neither_a_tunnel_nor_memory() {
    let a = Origin::named("a").start().await;
    let setup = Gateway::configure(MINE).origin(&a).file("mine.wat", guest("first"));
    let running = Running::start_thrifty(setup).await;
    let mut held = running.websocket("/").await;
    let file = running.folder().join("mine.wat");
    let before = peak(running.process.id());

    for (what, content, said) in hostile() {
        let line = running.refused_after(|| replace(&file, &content)).await;

        assert!(line.contains(said), "{what}: expected {said:?} in {line}");
        held.echo(what).await;
        assert_eq!(running.websocket("/").await.endpoint(), "a", "{what}: the old code goes on deciding");
    }

    let after = peak(running.process.id());
    assert!(after < before + GROWTH, "from {before} KiB to {after} KiB");
    running.swapped_by(|| replace(&file, guest("last").as_bytes())).await;
    held.echo("still there").await;
}

#[tokio::test]
async fn the_checks_of_operators_and_authors_refuse_what_would_end_them() {
    let a = Origin::named("a").start().await;
    let setup = Gateway::configure(MINE).origin(&a).file("mine.wat", endless());
    let (config, file) = (setup.write(), setup.folder().join("mine.wat"));

    for arguments in [vec!["check", config.to_str().unwrap()], vec!["plugin", "check", file.to_str().unwrap()]] {
        let mut process = Process::start(&arguments);
        let status = process.ended().await;

        assert_eq!(status.code(), Some(1), "{arguments:?}");
        let said = process.stderr().join("\n");
        assert!(said.contains("the compiler overflowed its stack"), "{said}");
    }
}
