//! Distinct keys as dense codes: short ones packed into one integer, long ones as bytes.

#![expect(
    clippy::cast_possible_truncation,
    reason = "halves of wide integers, lengths and codes are cut out on purpose"
)]

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::window::group::table::CodeTable;
use crate::window::group::table::Place;
use crate::window::vacancy::VACANT;

/// The longest key, in bytes, that is packed.
pub(super) const PACKED_BYTES_MAX: usize = 15;

/// How many codes of a tuple are packed.
const PACKED_PARTS_MAX: usize = 4;

#[derive(Clone, Debug, Eq, PartialEq)]
enum Key {
    Bytes(Box<[u8]>),
    Forgotten,
    Packed(u128),
}

/// Keys of one kind: bytes, integers or tuples, never mixed.
#[derive(Debug, Default)]
pub(super) struct Interner {
    table: CodeTable,
    keys: Vec<Key>,
    free: Vec<u32>,
    /// The bytes of long keys.
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

    /// Answers the code of a packed key; `VACANT` where it has none.
    #[inline]
    pub(super) fn find_packed(&self, packed: u128) -> u32 {
        self.table.find_packed(hash_packed(packed), packed)
    }

    #[inline]
    pub(super) fn intern_packed(&mut self, packed: u128) -> (u32, bool) {
        let found = self.find_packed(packed);
        if found == VACANT { (self.make_packed(packed), true) } else { (found, false) }
    }

    pub(super) fn intern_tuple(&mut self, codes: &[u32]) -> (u32, bool) {
        if codes.len() <= PACKED_PARTS_MAX {
            let packed = codes.iter().fold(0, |packed, &code| packed << 32 | u128::from(code));
            return self.intern_packed(packed);
        }
        let bytes: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
        self.intern_long(&bytes)
    }

    /// Makes a code that no key finds, for null.
    pub(super) fn make_unnamed(&mut self) -> u32 {
        self.make(Key::Forgotten)
    }

    /// Gives a code back.
    pub(super) fn forget(&mut self, code: u32) {
        let key = std::mem::replace(&mut self.keys[code as usize], Key::Forgotten);
        let hash = match &key {
            Key::Bytes(bytes) => {
                self.long_bytes -= bytes.len();
                hash_long(bytes)
            }
            Key::Packed(packed) => hash_packed(*packed),
            Key::Forgotten => return self.free.push(code),
        };
        let keys = &self.keys;
        self.table.remove(hash, code, |place| hash_of(keys, place));
        self.free.push(code);
    }

    /// The bytes of a key; `None` for null.
    pub(super) fn bytes_of<'a>(&'a self, code: u32, room: &'a mut [u8; 16]) -> Option<&'a [u8]> {
        match &self.keys[code as usize] {
            Key::Bytes(bytes) => Some(bytes),
            Key::Forgotten => None,
            Key::Packed(packed) => {
                *room = packed.to_le_bytes();
                Some(&room[..usize::from(room[PACKED_BYTES_MAX])])
            }
        }
    }

    /// A word that sorts short keys by their bytes and null last; `None` for a long key.
    pub(super) fn sort_word(&self, code: u32) -> Option<u128> {
        match self.keys[code as usize] {
            Key::Bytes(_) => None,
            Key::Forgotten => Some(u128::MAX),
            // The first byte comes to the top; the length, which tells bytes from what pads them, to the bottom.
            Key::Packed(packed) => Some(packed.swap_bytes()),
        }
    }

    /// The integer of a key; `None` for null.
    pub(super) fn packed_of(&self, code: u32) -> Option<u128> {
        match self.keys[code as usize] {
            Key::Packed(packed) => Some(packed),
            Key::Bytes(_) | Key::Forgotten => None,
        }
    }

    /// The codes of a tuple of `count`; `None` where it is forgotten.
    pub(super) fn parts(&self, code: u32, count: usize) -> Option<Vec<u32>> {
        match self.keys.get(code as usize)? {
            Key::Bytes(bytes) => {
                let words = bytes.chunks_exact(4);
                Some(
                    words
                        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
                        .collect(),
                )
            }
            Key::Forgotten => None,
            Key::Packed(packed) => Some(
                (0..count)
                    .rev()
                    .map(|part| (packed >> (32 * part) & u128::from(u32::MAX)) as u32)
                    .collect(),
            ),
        }
    }

    /// One more than the greatest code there ever was.
    #[cfg(test)]
    pub(super) fn code_count(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.table.bytes() + self.keys.capacity() * size_of::<Key>() + self.long_bytes
    }

    fn intern_long(&mut self, bytes: &[u8]) -> (u32, bool) {
        let hash = hash_long(bytes);
        let packed = prefix(bytes);
        let found = self.table.find(hash, |place| {
            place.packed == packed
                && matches!(&self.keys[place.code as usize], Key::Bytes(key) if **key == *bytes)
        });
        if found != VACANT {
            return (found, false);
        }
        self.long_bytes += bytes.len();
        let code = self.make(Key::Bytes(bytes.into()));
        self.insert(hash, Place { packed, code });
        (code, true)
    }

    #[cold]
    fn make_packed(&mut self, packed: u128) -> u32 {
        let code = self.make(Key::Packed(packed));
        self.insert(hash_packed(packed), Place { packed, code });
        code
    }

    fn make(&mut self, key: Key) -> u32 {
        if let Some(code) = self.free.pop() {
            self.keys[code as usize] = key;
            return code;
        }
        let code = u32::try_from(self.keys.len()).expect("memory ends before four billion keys");
        self.keys.push(key);
        code
    }

    fn insert(&mut self, hash: u64, place: Place) {
        let keys = &self.keys;
        self.table.insert(hash, place, |place| hash_of(keys, place));
    }
}

fn hash_of(keys: &[Key], place: &Place) -> u64 {
    match &keys[place.code as usize] {
        Key::Bytes(bytes) => hash_long(bytes),
        Key::Forgotten | Key::Packed(_) => hash_packed(place.packed),
    }
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
#[inline]
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
