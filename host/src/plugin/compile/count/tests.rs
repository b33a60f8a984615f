//! Small files that stand for much, and how they are refused.

use super::*;

fn counted(text: &str) -> Result<InstanceCost, LoadErrorKind> {
    cost(&wat::parse_str(text).unwrap())
}

fn refusal(text: &str) -> String {
    counted(text).unwrap_err().to_string()
}

/// Components within each other, each of which instantiates the one before twice.
fn doubling(levels: usize) -> String {
    let innermost = "(component $z0 (core module $m) (core instance (instantiate $m)))".to_owned();
    let twice = |within: String, level: usize| {
        let one = format!("(instance (instantiate $z{}))", level - 1);
        format!("(component $z{level} {within} {one} {one})")
    };
    let whole = (1..=levels).fold(innermost, twice);
    format!("(component {whole} (instance (instantiate $z{levels})))")
}

#[test]
fn what_is_instantiated_often_counts_as_often() {
    for (levels, instances) in [(0, 1), (3, 8), (8, 256)] {
        let cost = counted(&doubling(levels)).unwrap();

        assert_eq!(cost.instances, instances, "{levels} levels");
        assert!(cost.held > instances * INSTANCE);
    }
    for levels in [9, 22, 28] {
        assert!(refusal(&doubling(levels)).contains("at most 256 core instances, components expanded"), "{levels}");
    }
}

#[test]
fn components_that_hold_no_instance_count_as_items() {
    let doubling = doubling(28).replace("(core module $m) (core instance (instantiate $m))", "");

    assert!(refusal(&doubling).contains("items, components expanded"));
}

#[test]
fn whatever_name_a_part_goes_by_it_costs_the_same() {
    let (globals, module) = ("(global i32 (i32.const 7))".repeat(100), "(core module $m");
    for part in [
        // Directly, from within, by an export's own index, and a component around it.
        format!("{module} {globals}) (core instance (instantiate $m))"),
        format!(
            "{module} {globals}) (component $c (alias outer 1 $m (core module $n)) (core instance (instantiate $n))) (instance (instantiate $c))"
        ),
        format!("{module} {globals}) (export $n \"n\" (core module $m)) (core instance (instantiate $n))"),
        format!(
            "(component $c {module} {globals}) (core instance (instantiate $m))) (component $d (alias outer 1 $c (component $e)) (instance (instantiate $e))) (instance (instantiate $d))"
        ),
        format!(
            "(component $c {module} {globals}) (core instance (instantiate $m))) (export $d \"d\" (component $c)) (instance (instantiate $d))"
        ),
    ] {
        let cost = counted(&format!("(component {part})")).unwrap();

        assert_eq!(cost.instances, 1, "{part:.40}");
        assert!(cost.held >= 100 * GLOBAL, "{part:.40}");
    }
}

#[test]
fn what_is_handed_in_cannot_be_counted_and_is_refused() {
    for text in [
        "(component (import \"m\" (core module $m)) (core instance (instantiate $m)))",
        "(component (import \"c\" (component $c)) (instance (instantiate $c)))",
        "(component (component $c (core module $m) (export \"m\" (core module $m)))
           (instance $i (instantiate $c)) (alias export $i \"m\" (core module $n)) (core instance (instantiate $n)))",
    ] {
        assert!(refusal(text).contains("handed in from outside"), "{text}");
    }
}

#[test]
fn globals_functions_and_segments_are_held_by_each_instance() {
    let one =
        |module: &str| counted(&format!("(component (core module $m {module}) (core instance (instantiate $m)))"));
    let bare = one("").unwrap().held;
    for (module, bytes) in [
        ("(global i32 (i32.const 7))".repeat(1000), 1000 * GLOBAL),
        ("(func)".repeat(1000), 1000 * FUNCTION),
        ("(import \"a\" \"b\" (func))".repeat(1000), 1000 * IMPORT),
        ("(table 0 funcref)".repeat(50), 50 * TABLE),
        (format!("(func $f) (elem func{})", " $f".repeat(1000)), 1000 * REFERENCE),
        (format!("(elem funcref{})", " (ref.null func)".repeat(1000)), 1000 * REFERENCE),
    ] {
        assert!(one(&module).unwrap().held >= bare + bytes, "{module:.30}");
    }
}

#[test]
fn functions_are_limited_in_number_size_and_locals() {
    for (functions, words) in [
        ("(func)".repeat(FUNCTIONS + 1), "at most 200000 functions"),
        (format!("(func {})", "nop ".repeat(BODY_BYTES + 1)), "bytes in one function"),
        (format!("(func (local{}))", " i32".repeat(LOCALS + 1)), "at most 10000 locals in one function"),
        (format!("(func (local{}))", " i32".repeat(LOCALS)).repeat(401), "at most 4000000 locals in all functions"),
    ] {
        let refused = refusal(&format!("(module {functions})"));

        assert!(refused.contains(words), "{refused}");
    }
}

#[test]
fn numbers_that_are_only_said_are_believed() {
    // A global section that says it has 2^32 - 1 of them, and ends there; and a function with so many locals, twice.
    let globals = b"\0asm\x01\0\0\0\x06\x05\xff\xff\xff\xff\x0f";
    let function = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x10\x01\x0e\x02";
    let locals = [&function[..], b"\xff\xff\xff\xff\x0f\x7f\xff\xff\xff\xff\x0f\x7f\x0b"].concat();

    assert_eq!(cost(globals).unwrap().held, INSTANCE + u64::from(u32::MAX) * GLOBAL);
    let refused = cost(&locals).unwrap_err().to_string();
    assert!(refused.contains("locals"), "{refused}");
}

#[test]
fn components_within_each_other_are_limited() {
    let nested = format!("{}{}", "(component ".repeat(DEPTH + 1), ")".repeat(DEPTH + 1));

    assert!(refusal(&nested).contains("components within each other"));
}
