//! Tables of medians: to read, for the documentation, for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::compare::Results;
use crate::figures::{Column, Figures};
use crate::machine;
use crate::peer::{Peer, WORKERS};
use crate::scene::{Scene, Target};

/// What was measured.
#[derive(Debug)]
pub(crate) struct Tables<'r> {
    pub(crate) scenes: &'r [Scene],
    /// Who took part.
    pub(crate) peers: &'r [Peer],
    pub(crate) results: &'r Results,
}

/// The best of these is what Tidegate is compared with.
const RIVALS: [Peer; 2] = [Peer::Nginx, Peer::Haproxy];

impl Tables<'_> {
    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (scene, rows) in self.rows() {
            let _ = writeln!(text, "\n## {}: {}", scene.name, goal(scene.target));
            for row in rows {
                for (at, cell) in row.iter().enumerate() {
                    let _ = if at == 0 { write!(text, "{cell:12}") } else { write!(text, "{cell:>14}") };
                }
                text.push('\n');
            }
        }
        text
    }

    /// For docs/performance.md.
    pub(crate) fn markdown(&self, rounds: u32, seconds: f64) -> String {
        let mut text =
            format!("Median of {rounds} rounds of {seconds} s, {WORKERS} workers each. {}.\n", machine::shape());
        for (scene, rows) in self.rows() {
            let _ = writeln!(text, "\n### {}\n\n{}.\n", scene.name, capital(&goal(scene.target)));
            for (at, row) in rows.iter().enumerate() {
                let _ = writeln!(text, "| {} |", row.join(" | "));
                if at == 0 {
                    let _ = writeln!(text, "|---|{}", "---:|".repeat(row.len() - 1));
                }
            }
        }
        text
    }

    /// For programs: scene → proxy → column → number.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        let named = |figures: &BTreeMap<Peer, Figures>| -> BTreeMap<&'static str, Figures> {
            figures.iter().map(|(peer, figures)| (peer.name(), figures.clone())).collect()
        };
        let all: BTreeMap<_, _> = self.results.iter().map(|(scene, figures)| (scene, named(figures))).collect();
        serde_json::to_string_pretty(&all)
    }

    /// Each scene's rows, headings first.
    fn rows(&self) -> impl Iterator<Item = (&Scene, Vec<Vec<String>>)> {
        self.scenes.iter().filter_map(|scene| {
            let figures = self.results.get(scene.name)?;
            let mut columns: BTreeSet<Column> = figures.values().flat_map(Figures::columns).collect();
            columns.remove(&Column::Operations);
            let mut heading = vec![String::new()];
            heading.extend(columns.iter().map(|column| column.shown().0.to_owned()));
            heading.extend(["ratio", "target"].map(str::to_owned));
            let width = heading.len();
            let mut rows = vec![heading];
            for peer in self.peers {
                let Some(own) = figures.get(peer) else {
                    if let Some(why) = peer.cannot(scene) {
                        let mut row = vec![peer.name().to_owned(), why.to_owned()];
                        row.resize(width, String::new());
                        rows.push(row);
                    }
                    continue;
                };
                let mut row = vec![peer.name().to_owned()];
                row.extend(columns.iter().map(|column| cell(own, *column)));
                row.push(ratio(figures, own, scene.target).map_or("–".to_owned(), |ratio| format!("{ratio:.2}")));
                row.push(if *peer == Peer::Tidegate { verdict(figures, own, scene.target) } else { String::new() });
                rows.push(row);
            }
            Some((scene, rows))
        })
    }
}

fn cell(figures: &Figures, column: Column) -> String {
    let (_, digits) = column.shown();
    figures.get(column).map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

/// `own` beside the better of those that it is compared with, in the column that counts.
fn ratio(figures: &BTreeMap<Peer, Figures>, own: &Figures, target: Target) -> Option<f64> {
    let column = target.column();
    let rivals = match target {
        Target::Ahead(_) => &RIVALS[1..],
        Target::Bare(..) => &[Peer::Forwarder],
        _ => &RIVALS[..],
    };
    let theirs = rivals.iter().filter_map(|rival| figures.get(rival)?.get(column));
    let better = if column.more_is_better() { theirs.reduce(f64::max) } else { theirs.reduce(f64::min) };
    Some(own.get(column)? / better.filter(|better| *better > 0.0)?)
}

/// Whether Tidegate does what is asked of it.
fn verdict(figures: &BTreeMap<Peer, Figures>, own: &Figures, target: Target) -> String {
    let met = match target {
        Target::AtMost(_, most) | Target::Bare(_, most) => ratio(figures, own, target).map(|ratio| ratio <= most),
        Target::Limit(column, most) => own.get(column).map(|value| value <= most),
        Target::Ahead(_) => ratio(figures, own, target).map(|ratio| ratio >= 1.0),
    };
    let asked = match target {
        Target::AtMost(_, most) | Target::Bare(_, most) => format!("≤ {most:.2}"),
        Target::Limit(_, most) => format!("≤ {most}"),
        Target::Ahead(_) => "≥ 1.00".to_owned(),
    };
    match met {
        Some(true) => asked + " met",
        Some(false) => asked + " missed",
        None => asked,
    }
}

/// The target as a sentence without its full stop.
fn goal(target: Target) -> String {
    let name = target.column().shown().0;
    match target {
        Target::AtMost(_, most) => format!("{name} at most {most:.2} × the better of nginx and HAProxy"),
        Target::Bare(_, most) => format!("{name} at most {most:.2} × the forwarder"),
        Target::Limit(_, most) => format!("{name} at most {most}"),
        Target::Ahead(_) => format!("{name} ahead of HAProxy"),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(column: Column, values: [(Peer, f64); 3]) -> BTreeMap<Peer, Figures> {
        values.into_iter().map(|(peer, value)| (peer, Figures::default().with(column, value))).collect()
    }

    #[test]
    fn tidegate_is_compared_with_the_better_rival() {
        let cost = figures(Column::Cpu, [(Peer::Tidegate, 11.0), (Peer::Nginx, 10.0), (Peer::Haproxy, 20.0)]);
        let speed = figures(Column::Megabytes, [(Peer::Tidegate, 90.0), (Peer::Nginx, 10.0), (Peer::Haproxy, 100.0)]);
        for (figures, target, said) in [
            (&cost, Target::AtMost(Column::Cpu, 1.10), "≤ 1.10 met"),
            (&cost, Target::AtMost(Column::Cpu, 1.05), "≤ 1.05 missed"),
            (&cost, Target::Bare(Column::Cpu, 1.15), "≤ 1.15"),
            (&cost, Target::Limit(Column::Cpu, 12.0), "≤ 12 met"),
            (&speed, Target::Ahead(Column::Megabytes), "≥ 1.00 missed"),
            (&BTreeMap::new(), Target::AtMost(Column::Cpu, 1.10), "≤ 1.10"),
        ] {
            let own = figures.get(&Peer::Tidegate).cloned().unwrap_or_default();

            assert_eq!(verdict(figures, &own, target), said);
        }
    }

    #[test]
    fn who_cannot_play_a_scene_has_a_row_that_says_so() {
        let scenes: Vec<Scene> = ["wsh2-64", "http"].map(|name| name.parse().unwrap()).into();
        let played = figures(Column::Cpu, [(Peer::Forwarder, 8.0), (Peer::Tidegate, 9.0), (Peer::Haproxy, 7.0)]);
        let results = scenes.iter().map(|scene| (scene.name, played.clone())).collect();
        let peers = [Peer::Forwarder, Peer::Tidegate, Peer::Nginx, Peer::Haproxy];

        let text = Tables { scenes: &scenes, peers: &peers, results: &results }.text();

        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(lines.contains(&vec!["nginx", "cannot"]), "{text}");
        assert!(lines.contains(&vec!["tidegate", "9.0", "1.12", "≤", "1.15", "met"]), "beside the forwarder: {text}");
        assert_eq!(
            text.matches("nginx").count(),
            2,
            "in a goal, and in one row; no row for what merely failed: {text}"
        );
    }
}
