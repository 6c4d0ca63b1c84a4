//! A tree to read and change: whole, for those who build repositories, or a slice of one, for those who check what hosts built.

use std::collections::BTreeMap;

use super::super::Cid;
use super::super::car::Car;
use super::edit::{self, Key, Loader, Slot};
use super::node::{Heights, Link, Node, WRONG_HEIGHT, height, is_valid_key};
use super::{EMPTY_NODE, EMPTY_ROOT, MstError};

/// A repo's tree. After an error of a change it is in no defined state and must be let go.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    root: Slot<'a>,
    /// Where the root stands; 0 for the empty tree.
    height: u8,
    loader: Loader<'a>,
}

impl Default for Tree<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Tree<'a> {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self { root: None, height: 0, loader: Loader::empty() }
    }

    /// The tree of this root, whose nodes are read from `blocks` when they are needed.
    ///
    /// # Errors
    /// The root's node is missing or malformed.
    pub fn open(blocks: &'a Car<'a>, root: &Cid) -> Result<Self, MstError> {
        Self::start(Loader::new(blocks, Heights::First), root)
    }

    fn start(mut loader: Loader<'a>, root: &Cid) -> Result<Self, MstError> {
        if *root == *EMPTY_ROOT {
            return Ok(Self { root: None, height: 0, loader });
        }
        let (node, height) = loader.read(root, None)?;
        Ok(Self { root: Some(Link::Node(Box::new(node))), height, loader })
    }

    /// The whole tree of this root, every node read and checked, the order of keys over all nodes too.
    ///
    /// # Errors
    /// A node is missing or malformed, or keys are out of order.
    pub fn load(blocks: &'a Car<'a>, root: &Cid) -> Result<Self, MstError> {
        let mut tree = Self::start(Loader::new(blocks, Heights::All), root)?;
        load(&mut tree.root, tree.height, &mut tree.loader)?;
        let mut last = String::new();
        let mut ascending = true;
        each(tree.root.as_ref(), &mut |key, _| {
            ascending &= *last < *key;
            key.clone_into(&mut last);
        });
        if ascending { Ok(tree) } else { Err(MstError::Node("keys of different nodes are out of order")) }
    }

    /// The record under `key`.
    ///
    /// # Errors
    /// No valid key, or a node on the way is missing or malformed.
    pub fn get(&mut self, key: &str) -> Result<Option<Cid>, MstError> {
        let key = valid(key)?;
        let (mut slot, mut height) = (&mut self.root, self.height);
        while let Some(node) = self.loader.open(slot, height)? {
            match node.entries.search(key.bytes) {
                Ok(_) if height != key.height => return Err(WRONG_HEIGHT),
                Ok(at) => return Ok(node.entries.get_mut(at).map(|entry| entry.value)),
                // Below its own height no key stands: a slice proves absence without the nodes there.
                Err(_) if height <= key.height => return Ok(None),
                Err(gap) => match node.child_mut(gap) {
                    Some(child) => slot = child,
                    None => return Ok(None),
                },
            }
            height = height.saturating_sub(1);
        }
        Ok(None)
    }

    /// Puts a record under `key`; what was there before.
    ///
    /// # Errors
    /// No valid key, or a node that is needed is missing or malformed.
    pub fn insert(&mut self, key: &str, value: Cid) -> Result<Option<Cid>, MstError> {
        let key = valid(key)?;
        if self.root.is_none() {
            self.height = key.height;
        }
        if key.height > self.height {
            self.root = edit::raise(self.root.take(), self.height, key, value, &mut self.loader)?;
            self.height = key.height;
            return Ok(None);
        }
        edit::insert(&mut self.root, self.height, key, value, &mut self.loader)
    }

    /// Takes the record under `key` out; what was there.
    ///
    /// # Errors
    /// No valid key, or a node that is needed is missing or malformed.
    pub fn remove(&mut self, key: &str) -> Result<Option<Cid>, MstError> {
        let gone = edit::remove(&mut self.root, self.height, valid(key)?, &mut self.loader)?;
        while let Some(top) = self.loader.open(&mut self.root, self.height)? {
            if !top.entries.is_empty() {
                return Ok(gone);
            }
            self.root = top.left.take();
            self.height = self.height.saturating_sub(1);
        }
        self.height = 0;
        Ok(gone)
    }

    /// The root's CID.
    pub fn root(&mut self) -> Cid {
        self.seal(|_, _| {})
    }

    /// The root's CID; the bytes of every node that changed since the last call of this or [`Tree::root`] go to `sink`, children first.
    pub fn seal(&mut self, mut sink: impl FnMut(Cid, Vec<u8>)) -> Cid {
        if let Some(root) = &mut self.root {
            return match root {
                Link::Stub(cid) => *cid,
                Link::Node(node) => node.seal(&mut sink),
            };
        }
        *EMPTY_ROOT
    }

    /// All records in the order of their keys, as far as nodes were read: all of a tree that was loaded or built here.
    #[must_use]
    pub fn entries(&self) -> Vec<(String, Cid)> {
        let mut entries = Vec::new();
        each(self.root.as_ref(), &mut |key, cid| entries.push((key.to_owned(), *cid)));
        entries
    }

    /// The nodes that a commit carries so that operations on `keys` can be checked against this tree, the one after them: on the way to
    /// each key, and to the keys next to it.
    ///
    /// # Errors
    /// A node on these ways is missing or malformed.
    pub fn proof(&mut self, keys: &[&str]) -> Result<Vec<(Cid, Vec<u8>)>, MstError> {
        self.root();
        let mut nodes = BTreeMap::new();
        let mut keep = |node: &Node<'a>| {
            if let Some(cid) = node.cid {
                nodes.entry(cid).or_insert_with(|| node.encode());
            }
        };
        for key in keys {
            cover(&mut self.root, self.height, key.as_bytes(), &mut self.loader, &mut keep)?;
        }
        if self.root.is_none() {
            nodes.insert(*EMPTY_ROOT, EMPTY_NODE.to_vec());
        }
        Ok(nodes.into_iter().collect())
    }
}

/// The way to `key`; where it is found, on to the keys next to it.
fn cover<'a>(
    mut slot: &mut Slot<'a>,
    mut height: u8,
    key: &[u8],
    loader: &mut Loader<'a>,
    keep: &mut impl FnMut(&Node<'a>),
) -> Result<(), MstError> {
    while let Some(node) = loader.open(slot, height)? {
        keep(node);
        height = height.saturating_sub(1);
        match node.entries.search(key) {
            Ok(at) => {
                if let Some(before) = node.child_mut(at) {
                    spine(before, height, Side::Last, loader, keep)?;
                }
                return node.child_mut(at + 1).map_or(Ok(()), |after| spine(after, height, Side::First, loader, keep));
            }
            Err(gap) => match node.child_mut(gap) {
                Some(child) => slot = child,
                None => return Ok(()),
            },
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Side {
    First,
    Last,
}

/// The way to the first or last key of a subtree.
fn spine<'a>(
    mut slot: &mut Slot<'a>,
    mut height: u8,
    side: Side,
    loader: &mut Loader<'a>,
    keep: &mut impl FnMut(&Node<'a>),
) -> Result<(), MstError> {
    while let Some(node) = loader.open(slot, height)? {
        keep(node);
        height = height.saturating_sub(1);
        let gap = match side {
            Side::First => 0,
            Side::Last => node.entries.len(),
        };
        let Some(child) = node.child_mut(gap) else { break };
        slot = child;
    }
    Ok(())
}

/// Reads all nodes below.
fn load<'a>(slot: &mut Slot<'a>, height: u8, loader: &mut Loader<'a>) -> Result<(), MstError> {
    let Some(node) = loader.open(slot, height)? else { return Ok(()) };
    for gap in 0..=node.entries.len() {
        if let Some(child) = node.child_mut(gap) {
            load(child, height.saturating_sub(1), loader)?;
        }
    }
    Ok(())
}

/// Visits the records of all nodes in memory, in order.
fn each(link: Option<&Link<'_>>, visit: &mut impl FnMut(&str, &Cid)) {
    let Some(Link::Node(node)) = link else { return };
    each(node.left.as_ref(), visit);
    let mut key = Vec::new();
    for entry in node.entries.iter() {
        key.truncate(entry.shared);
        key.extend_from_slice(&entry.rest);
        visit(std::str::from_utf8(&key).unwrap_or_default(), &entry.value);
        each(entry.right.as_ref(), visit);
    }
}

fn valid(key: &str) -> Result<Key<'_>, MstError> {
    let bytes = key.as_bytes();
    if is_valid_key(bytes) { Ok(Key { bytes, height: height(bytes) }) } else { Err(MstError::Key) }
}
