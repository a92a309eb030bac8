//! The blocks that were made last, so that the next reader of the same rows need not make them again.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::record::block::Block;

/// A few blocks, the one that was made or asked for last behind.
#[derive(Debug)]
pub(super) struct Kept<K> {
    most: usize,
    blocks: Mutex<VecDeque<(K, Arc<Block>)>>,
}

impl<K: Copy + Eq> Kept<K> {
    /// Keeps so many blocks at most.
    pub(super) fn new(most: usize) -> Self {
        Self { most, blocks: Mutex::new(VecDeque::new()) }
    }

    /// Returns a block that is kept, or makes it. Two who ask at once may both make it: neither waits for the other's disk.
    pub(super) fn get_or_load<E>(
        &self,
        key: K,
        load: impl FnOnce() -> Result<Arc<Block>, E>,
    ) -> Result<Arc<Block>, E> {
        if let Some(block) = self.take(key) {
            self.put(key, &block);
            return Ok(block);
        }
        let block = load()?;
        self.put(key, &block);
        Ok(block)
    }

    fn take(&self, key: K) -> Option<Arc<Block>> {
        let mut blocks = self.blocks.lock();
        let place = blocks.iter().position(|(each, _)| *each == key)?;
        blocks.remove(place).map(|(_, block)| block)
    }

    fn put(&self, key: K, block: &Arc<Block>) {
        let mut blocks = self.blocks.lock();
        blocks.push_back((key, Arc::clone(block)));
        if self.most < blocks.len() {
            blocks.pop_front();
        }
    }
}
