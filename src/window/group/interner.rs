//! Distinct keys as dense codes: short ones packed into one integer, long ones as bytes.

#![expect(
    clippy::cast_possible_truncation,
    reason = "halves of wide integers, lengths and codes are cut out on purpose"
)]

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::window::group::table::CodeTable;
use crate::window::group::table::tag;
use crate::window::vacancy::VACANT;
use crate::window::vacancy::has_vacancy;

/// The longest key, in bytes, that is packed.
pub(super) const PACKED_BYTES_MAX: usize = 15;

/// How many codes of a tuple are packed.
pub(super) const PACKED_PARTS_MAX: usize = 4;

/// How many keys are looked for together.
pub(super) const LOOKED_MAX: usize = 1_024;

/// So many keys, and their places, lie in the nearer caches.
const NEAR_KEYS_MAX: usize = 4_096;

/// What is packed in place of a row that has no packed key: no key is equal to it.
pub(super) const UNPACKED: u128 = 0xFD << 120;

/// A key that is none: forgotten, or null's.
const FORGOTTEN: u128 = 0xFE << 120;

/// A key too long to be packed; the lower bits are its index among the long ones.
const LONG: u128 = 0xFF << 120;

/// Codes stay below this: what the packed keys of tuples begin with is no mark of the above.
const CODES_MAX: usize = 0xFD00_0000;

/// Keys of one kind: bytes, integers or tuples, never mixed.
#[derive(Debug, Default)]
pub(super) struct Interner {
    table: CodeTable,
    /// The packed key of each code, or what stands for it.
    keys: Vec<u128>,
    free: Vec<u32>,
    /// Keys that are not packed, and which of these places are free.
    long: Vec<Box<[u8]>>,
    free_long: Vec<usize>,
    long_bytes: usize,
}

impl Interner {
    /// Answers the code of a key, and whether it was made for it.
    #[inline]
    pub(super) fn intern_bytes(&mut self, bytes: &[u8]) -> (u32, bool) {
        match pack(bytes) {
            Some(packed) => self.intern_packed(packed),
            None => self.intern_long(bytes),
        }
    }

    /// Whether keys and places lie near, so that looks need not wait for each other's memory.
    #[inline]
    pub(super) fn is_near(&self) -> bool {
        self.keys.len() <= NEAR_KEYS_MAX
    }

    /// Answers the code of a packed key; `VACANT` where it has none, and for a few that have.
    #[inline]
    pub(super) fn find_near(&self, packed: u128) -> u32 {
        let code = self.table.first(tag_packed(packed));
        // A vacancy has no key: none is right there.
        match self.keys.get(code as usize) {
            Some(&key) if key == packed => code,
            _ => VACANT,
        }
    }

    /// Answers the codes of packed keys, `LOOKED_MAX` at most; `VACANT` for one that has none, and for a few that have.
    ///
    /// Far memory is slow and patient: each pass has as many looks under way as there can be.
    pub(super) fn find_far(&self, packed: &[u128], codes: &mut [u32]) {
        let Some(last) = self.keys.len().checked_sub(1) else {
            return codes.fill(VACANT);
        };
        let mut tags = [0; LOOKED_MAX];
        let tags = &mut tags[..packed.len()];
        for (tag, &packed) in tags.iter_mut().zip(packed) {
            *tag = tag_packed(packed);
        }
        self.table.guess(tags, codes);
        for (code, &packed) in codes.iter_mut().zip(packed) {
            let key = self.keys[(*code as usize).min(last)];
            *code |= u32::from(key == packed).wrapping_sub(1);
        }
    }

    /// Answers the codes of keys, `LOOKED_MAX` at most; `intern` is asked for those that are not found at first sight, by row.
    pub(super) fn intern_all(
        &mut self,
        packed: &[u128],
        codes: &mut [u32],
        intern: impl FnMut(&mut Self, usize) -> u32,
    ) {
        self.find_far(packed, codes);
        self.intern_rest(codes, intern);
    }

    /// Has those interned that have no code yet.
    pub(super) fn intern_rest(
        &mut self,
        codes: &mut [u32],
        mut intern: impl FnMut(&mut Self, usize) -> u32,
    ) {
        if !has_vacancy(codes) {
            return;
        }
        // They are listed first, as no guess foretells which they are.
        let mut rows = [0; LOOKED_MAX];
        let mut count = 0;
        for (row, &code) in (0_u16..).zip(&*codes) {
            rows[count] = row;
            count += usize::from(code == VACANT);
        }
        for row in rows[..count].iter().map(|&row| usize::from(row)) {
            codes[row] = intern(self, row);
        }
    }

    /// Answers the code of a packed key, and whether it was made for it.
    #[inline]
    pub(super) fn intern_packed(&mut self, packed: u128) -> (u32, bool) {
        let tag = tag_packed(packed);
        let keys = &self.keys;
        let found = self.table.find(tag, |code| keys[code as usize] == packed);
        if found != VACANT {
            return (found, false);
        }
        let code = self.make(packed);
        self.table.insert(tag, code);
        (code, true)
    }

    /// The same for a tuple of codes.
    pub(super) fn intern_tuple(&mut self, codes: &[u32]) -> (u32, bool) {
        if codes.len() <= PACKED_PARTS_MAX {
            return self.intern_packed(pack_tuple(codes.iter().copied()));
        }
        let bytes: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
        self.intern_long(&bytes)
    }

    /// Makes a code that no key finds, for null.
    pub(super) fn make_unnamed(&mut self) -> u32 {
        self.make(FORGOTTEN)
    }

    /// Gives a code back.
    pub(super) fn forget(&mut self, code: u32) {
        let key = std::mem::replace(&mut self.keys[code as usize], FORGOTTEN);
        if let Some(index) = long_index(key) {
            let bytes = std::mem::take(&mut self.long[index]);
            self.free_long.push(index);
            self.long_bytes -= bytes.len();
            self.table.remove(tag(hash_long(&bytes)), code);
        } else if key != FORGOTTEN {
            self.table.remove(tag_packed(key), code);
        }
        self.free.push(code);
    }

    /// The bytes of a key; `None` for null.
    #[inline]
    pub(super) fn bytes_of<'a>(&'a self, code: u32, room: &'a mut [u8; 16]) -> Option<&'a [u8]> {
        let key = self.keys[code as usize];
        if key == FORGOTTEN {
            return None;
        }
        if let Some(index) = long_index(key) {
            return Some(&self.long[index]);
        }
        *room = key.to_le_bytes();
        Some(&room[..usize::from(room[PACKED_BYTES_MAX]).min(PACKED_BYTES_MAX)])
    }

    /// A word that sorts keys by their bytes, as far as it reaches; `None` for null.
    ///
    /// Long keys that begin alike have one word; a packed key has its own.
    #[inline]
    pub(super) fn sort_word(&self, code: u32) -> Option<u128> {
        match self.keys[code as usize] {
            FORGOTTEN => None,
            // The first byte comes to the top; the length, which tells bytes from what pads them, to the bottom.
            key => Some(match long_index(key) {
                Some(index) => prefix(&self.long[index]).swap_bytes(),
                None => key.swap_bytes(),
            }),
        }
    }

    /// The bytes of a key that is not packed.
    pub(super) fn long_bytes_of(&self, code: u32) -> Option<&[u8]> {
        long_index(self.keys[code as usize]).map(|index| &*self.long[index])
    }

    /// Whether there is a key that is not packed.
    pub(super) fn has_long(&self) -> bool {
        self.free_long.len() < self.long.len()
    }

    /// The packed key of a code; `None` for null and for a key that is not packed.
    #[inline]
    pub(super) fn packed_of(&self, code: u32) -> Option<u128> {
        Some(self.keys[code as usize]).filter(|key| *key < UNPACKED)
    }

    /// The codes of a tuple of `count`; `None` where it is forgotten.
    pub(super) fn parts(&self, code: u32, count: usize) -> Option<Vec<u32>> {
        let key = self.keys.get(code as usize).copied().filter(|key| *key != FORGOTTEN)?;
        Some(match long_index(key) {
            Some(index) => {
                let words = self.long[index].chunks_exact(4);
                words.map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect()
            }
            None => (0..count)
                .rev()
                .map(|part| (key >> (32 * part) & u128::from(u32::MAX)) as u32)
                .collect(),
        })
    }

    /// One more than the greatest code there ever was.
    #[cfg(test)]
    pub(super) fn code_count(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.table.bytes()
            + self.keys.capacity() * size_of::<u128>()
            + self.long.capacity() * size_of::<Box<[u8]>>()
            + self.long_bytes
    }

    fn intern_long(&mut self, bytes: &[u8]) -> (u32, bool) {
        let tag = tag(hash_long(bytes));
        let is_it = |code: u32| self.long_bytes_of(code).is_some_and(|key| key == bytes);
        let found = self.table.find(tag, is_it);
        if found != VACANT {
            return (found, false);
        }
        self.long_bytes += bytes.len();
        let index = self.free_long.pop().unwrap_or_else(|| {
            self.long.push(Box::default());
            self.long.len() - 1
        });
        self.long[index] = bytes.into();
        let code = self.make(LONG | index as u128);
        self.table.insert(tag, code);
        (code, true)
    }

    #[inline]
    fn make(&mut self, key: u128) -> u32 {
        if let Some(code) = self.free.pop() {
            self.keys[code as usize] = key;
            return code;
        }
        assert!(self.keys.len() < CODES_MAX, "memory ends before four billion keys");
        self.keys.push(key);
        (self.keys.len() - 1) as u32
    }
}

/// Where the bytes of a key are that is not packed.
#[inline]
fn long_index(key: u128) -> Option<usize> {
    (LONG <= key).then_some(key as usize)
}

/// Packs a tuple of a few codes.
#[inline]
pub(super) fn pack_tuple(codes: impl Iterator<Item = u32>) -> u128 {
    codes.fold(0, |packed, code| packed << 32 | u128::from(code))
}

#[inline]
fn tag_packed(packed: u128) -> u32 {
    tag(hash_packed(packed))
}

/// Packs short bytes with their length, little end first.
#[inline]
pub(super) fn pack(bytes: &[u8]) -> Option<u128> {
    if PACKED_BYTES_MAX < bytes.len() {
        return None;
    }
    let mut room = [0; 16];
    room[..bytes.len()].copy_from_slice(bytes);
    room[PACKED_BYTES_MAX] = bytes.len() as u8;
    Some(u128::from_le_bytes(room))
}

/// The beginning of long bytes, with a length that no packed key has.
fn prefix(bytes: &[u8]) -> u128 {
    let mut room = [u8::MAX; 16];
    room[..PACKED_BYTES_MAX].copy_from_slice(&bytes[..PACKED_BYTES_MAX]);
    u128::from_le_bytes(room)
}

/// Mixes both halves into all bits of one product.
#[inline]
fn hash_packed(packed: u128) -> u64 {
    let low = packed as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let high = (packed >> 64) as u64 ^ 0xC2B2_AE3D_27D4_EB4F;
    let product = u128::from(low) * u128::from(high);
    let folded = product as u64 ^ (product >> 64) as u64;
    folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ folded >> 32
}

#[inline]
fn hash_long(bytes: &[u8]) -> u64 {
    FixedState::default().hash_one(bytes)
}
