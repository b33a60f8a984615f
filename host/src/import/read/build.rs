//! Putting the tree together.

use crate::import::tree::{Node, Section, Tree};

/// The tree so far, with the sections that are open.
#[derive(Debug, Default)]
pub(super) struct Growth {
    nodes: Vec<Node>,
    open: Vec<Section>,
}

impl Growth {
    /// Adds `node` to the innermost section that is open.
    pub(super) fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(section) => section.children.push(node),
            None => self.nodes.push(node),
        }
    }

    /// Begins `section`.
    pub(super) fn open(&mut self, section: Section) {
        self.open.push(section);
    }

    /// Ends the innermost section.
    pub(super) fn close(&mut self) {
        if let Some(section) = self.open.pop() {
            self.add(Node::Section(section));
        }
    }

    /// The sections that are open, the innermost last.
    pub(super) fn around(&self) -> &[Section] {
        &self.open
    }

    /// All of it.
    pub(super) fn finish(mut self) -> Tree {
        while !self.open.is_empty() {
            self.close();
        }
        Tree { nodes: self.nodes }
    }
}
