//! Changes of a tree: put a key in, take a key out, with the splits and merges that keep the one shape.

use super::super::Cid;
use super::super::car::Car;
use super::MstError;
use super::node::{Heights, Link, Node, WRONG_HEIGHT};

/// A subtree that may be empty.
pub(super) type Slot<'a> = Option<Link<'a>>;

/// Brings in nodes of a partial tree when they are needed.
#[derive(Debug, Clone)]
pub(super) struct Loader<'a> {
    blocks: Option<&'a Car<'a>>,
    heights: Heights,
    /// Bytes of nodes that may still be read. In a tree that holds no node occurs twice, so all blocks together are enough; without this
    /// bound one node named in many places would be read as often.
    budget: usize,
}

impl<'a> Loader<'a> {
    /// Where there is nothing to bring in.
    pub(super) fn empty() -> Self {
        Self { blocks: None, heights: Heights::All, budget: 0 }
    }

    pub(super) fn new(blocks: &'a Car<'a>, heights: Heights) -> Self {
        Self { blocks: Some(blocks), heights, budget: blocks.blocks().map(|(_, block)| block.len()).sum() }
    }

    /// Reads one node; see [`Node::decode`].
    pub(super) fn read(&mut self, cid: &Cid, height: Option<u8>) -> Result<(Node<'a>, u8), MstError> {
        let block = self.blocks.and_then(|blocks| blocks.get(cid)).ok_or(MstError::Missing(*cid))?;
        self.budget = self.budget.checked_sub(block.len()).ok_or(MstError::Node("a node stands in several places"))?;
        Node::decode(*cid, block, height, self.heights)
    }

    /// The node in `slot`, read if it was known by name only.
    pub(super) fn open<'s>(&mut self, slot: &'s mut Slot<'a>, height: u8) -> Result<Option<&'s mut Node<'a>>, MstError> {
        if let Some(Link::Stub(cid)) = slot {
            let (node, _) = self.read(cid, Some(height))?;
            *slot = Some(Link::Node(Box::new(node)));
        }
        Ok(match slot {
            Some(Link::Node(node)) => Some(node),
            _ => None,
        })
    }

    fn take(&mut self, mut slot: Slot<'a>, height: u8) -> Result<Option<Node<'a>>, MstError> {
        self.open(&mut slot, height)?;
        Ok(match slot {
            Some(Link::Node(node)) => Some(*node),
            _ => None,
        })
    }
}

/// A key on its way into or out of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'k> {
    pub bytes: &'k [u8],
    pub height: u8,
}

/// Puts `key` into the subtree at `height` (not below the key's); the value that was there.
pub(super) fn insert<'a>(
    slot: &mut Slot<'a>,
    height: u8,
    key: Key<'_>,
    value: Cid,
    loader: &mut Loader<'a>,
) -> Result<Option<Cid>, MstError> {
    if slot.is_none() {
        *slot = Some(Link::Node(Box::default()));
    }
    let Some(node) = loader.open(slot, height)? else { return Err(WRONG_HEIGHT) };
    match node.entries.search(key.bytes) {
        Ok(_) if key.height != height => Err(WRONG_HEIGHT),
        Ok(at) => {
            node.cid = None;
            let entry = node.entries.get_mut(at).ok_or(WRONG_HEIGHT)?;
            Ok(Some(std::mem::replace(&mut entry.value, value)))
        }
        Err(gap) => {
            let child = node.child_mut(gap).ok_or(WRONG_HEIGHT)?;
            let old = if key.height == height {
                let (left, right) = split(child.take(), height, key.bytes, loader)?;
                *child = left;
                node.entries.insert(gap, key.bytes, value, right);
                None
            } else {
                insert(child, below(height)?, key, value, loader)?
            };
            node.cid = None;
            Ok(old)
        }
    }
}

/// Takes `key` out of the subtree at `height`; the value that was there. Nothing is changed where the key is absent.
pub(super) fn remove<'a>(slot: &mut Slot<'a>, height: u8, key: Key<'_>, loader: &mut Loader<'a>) -> Result<Option<Cid>, MstError> {
    let Some(node) = loader.open(slot, height)? else { return Ok(None) };
    let value = match node.entries.search(key.bytes) {
        Ok(_) if key.height != height => return Err(WRONG_HEIGHT),
        Ok(at) => {
            let Some(gone) = node.entries.remove(at) else { return Ok(None) };
            let child = node.child_mut(at).ok_or(WRONG_HEIGHT)?;
            *child = merge(child.take(), gone.right, height, loader)?;
            Some(gone.value)
        }
        Err(gap) if key.height < height => {
            let child = node.child_mut(gap).ok_or(WRONG_HEIGHT)?;
            remove(child, below(height)?, key, loader)?
        }
        Err(_) => None,
    };
    if value.is_some() {
        node.cid = None;
        if node.is_empty() {
            *slot = None;
        }
    }
    Ok(value)
}

/// Splits a subtree that hangs below `height` into the keys before and after `key`.
fn split<'a>(slot: Slot<'a>, height: u8, key: &[u8], loader: &mut Loader<'a>) -> Result<(Slot<'a>, Slot<'a>), MstError> {
    if slot.is_none() {
        return Ok((None, None));
    }
    let height = below(height)?;
    let Some(mut node) = loader.take(slot, height)? else { return Ok((None, None)) };
    let Err(gap) = node.entries.search(key) else { return Err(WRONG_HEIGHT) };
    let child = node.child_mut(gap).ok_or(WRONG_HEIGHT)?.take();
    let (left, right) = split(child, height, key, loader)?;
    let after = Node { left: right, entries: node.entries.split_off(gap), cid: None };
    *node.child_mut(gap).ok_or(WRONG_HEIGHT)? = left;
    node.cid = None;
    Ok((link(node), link(after)))
}

/// Puts a key above a tree whose root stands at `height`: the tree is split, and its halves are lifted to hang below the key.
pub(super) fn raise<'a>(root: Slot<'a>, height: u8, key: Key<'_>, value: Cid, loader: &mut Loader<'a>) -> Result<Slot<'a>, MstError> {
    let (mut left, mut right) = split(root, height + 1, key.bytes, loader)?;
    for _ in height + 1..key.height {
        left = left.and_then(|left| link(Node { left: Some(left), ..Node::default() }));
        right = right.and_then(|right| link(Node { left: Some(right), ..Node::default() }));
    }
    let mut top = Node { left, ..Node::default() };
    top.entries.insert(0, key.bytes, value, right);
    Ok(link(top))
}

/// Joins two neighbouring subtrees that hang below `height`.
fn merge<'a>(left: Slot<'a>, right: Slot<'a>, height: u8, loader: &mut Loader<'a>) -> Result<Slot<'a>, MstError> {
    if left.is_none() || right.is_none() {
        return Ok(left.or(right));
    }
    let height = below(height)?;
    let (Some(mut a), Some(mut b)) = (loader.take(left, height)?, loader.take(right, height)?) else { return Err(WRONG_HEIGHT) };
    let last = a.entries.len();
    let between = merge(a.child_mut(last).ok_or(WRONG_HEIGHT)?.take(), b.left.take(), height, loader)?;
    *a.child_mut(last).ok_or(WRONG_HEIGHT)? = between;
    if !a.entries.append(b.entries) {
        return Err(MstError::Node("subtrees whose keys are out of order"));
    }
    a.cid = None;
    Ok(link(a))
}

/// A subtree of this node; none where the node is empty, as a half after a split may be.
fn link(node: Node<'_>) -> Slot<'_> {
    (!node.is_empty()).then(|| Link::Node(Box::new(node)))
}

fn below(height: u8) -> Result<u8, MstError> {
    height.checked_sub(1).ok_or(MstError::Node("a subtree below height 0"))
}
