//! A disk in memory that keeps what programs see apart from what a crash leaves, for tests that crash.
//!
//! It is harder on a store than most disks are: a file may be lost though its bytes were synced, until its folder was; a
//! rename is two changes, and either may be lost; a file that is made where there was one is removed first, and a crash
//! may come in between. It is kinder in one thing: folders take no room.
#![allow(dead_code, reason = "each test binary takes what it needs of it")]

mod disk;
mod faults;
mod folder;
mod image;
mod inode;
mod loss;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use image::Image;
use loss::Loss;

/// A disk in memory; its clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct Simulated {
    image: Arc<Mutex<Image>>,
}

impl Simulated {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Returns how many steps were tried: changes of files, lengths and names, and syncs. The first is number 0.
    pub(crate) fn steps(&self) -> u64 {
        self.image.lock().faults.steps
    }

    /// Lets a step and all after it fail, with nothing of them done; reads go on.
    pub(crate) fn crash_at(&self, step: u64) {
        self.image.lock().faults.crash_at = Some(step);
    }

    /// Lets a sync fail, the first from this step on. What it was to make stable never will be, though programs see it
    /// and later syncs succeed: Linux marks it clean.
    pub(crate) fn fail_sync_at(&self, step: u64) {
        self.image.lock().faults.fail_sync_at = Some(step);
    }

    /// Lets files grow to so many bytes together; a write that goes beyond stops there and fails.
    pub(crate) fn full_after(&self, bytes: u64) {
        self.image.lock().faults.room_bytes = Some(bytes);
    }

    /// Returns the disk as the next process finds it when this one is killed: with all that was written, synced or not,
    /// and no faults.
    pub(crate) fn killed(&self) -> Self {
        Self::from(self.image.lock().killed())
    }

    /// Returns a disk as a machine may find it after it lost power: with all that was synced, and of each change since then
    /// all, nothing, or, of bytes, a part. First of all it is drawn how hard the loss is, so that everything or nothing of
    /// many changes survives now and then.
    pub(crate) fn survive(&self, rng: &mut impl FnMut() -> u64) -> Self {
        Self::from(self.image.lock().survive(&mut Loss::new(rng)))
    }

    /// Turns a bit of a file around, in both images.
    pub(crate) fn flip_bit(&self, path: &str, bit: u64) {
        let mut image = self.image.lock();
        let file = image.file(path).expect("the file is there");
        image.inode(file).flip_bit(bit);
    }

    /// Returns all files that programs see, by path, and their bytes.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let image = self.image.lock();
        let files = image.paths().into_iter();
        files.map(|(path, file)| (path, image.files[file.0].live().to_vec())).collect()
    }
}

impl From<Image> for Simulated {
    fn from(image: Image) -> Self {
        Self { image: Arc::new(Mutex::new(image)) }
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulated").finish_non_exhaustive()
    }
}

/// Random numbers for a seed: Vigna's splitmix64.
pub(crate) fn splitmix64(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
