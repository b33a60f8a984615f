//! The page shows the table that is played.

use super::table::{Pair, Situation, TESTS, cannot};

/// Columns of the page: version of the client, version of the endpoint.
const COLUMNS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

/// A row of the page.
fn row(situation: Situation, test: &str) -> String {
    let is_in = |pair: &Pair, column| (pair.client.is_http2(), pair.endpoint.is_http2()) == column;
    let cells = COLUMNS.map(|column| {
        let mut pairs = Pair::all().into_iter().filter(|pair| is_in(pair, column));
        if pairs.any(|pair| cannot(situation, pair).is_none()) { " yes |" } else { " – |" }
    });
    format!("| {} |{} `protocols::table::{test}` |", situation.name(), cells.concat())
}

#[test]
fn the_page_has_the_table() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocols.md")).unwrap();

    let rows: Vec<_> = Situation::ALL.iter().zip(TESTS).map(|(situation, test)| row(*situation, test)).collect();
    for row in &rows {
        assert!(page.contains(row), "docs/protocols.md, Pairs, has to have:\n{}", rows.join("\n"));
    }

    for situation in Situation::ALL {
        for pair in Pair::all() {
            let Some(why) = cannot(*situation, pair) else { continue };
            let row = format!("| {}, endpoint {} | {why} |", situation.name(), pair.endpoint.name());
            assert!(page.contains(&row), "docs/protocols.md, What cannot be, has to have:\n{row}");
        }
    }
}
