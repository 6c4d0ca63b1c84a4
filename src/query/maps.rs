//! Maps and sets of what the database numbers. Their keys are mixed with less than what strangers choose would need: ids and keys are looked up
//! hundreds of times a page.

use std::collections::{HashMap, HashSet};

pub(super) use foldhash::fast::RandomState as Mixer;

/// By ids, or places.
pub type Map<K, V> = HashMap<K, V, Mixer>;
/// Of ids, or places.
pub type Set<K> = HashSet<K, Mixer>;
