//! Hash keys of many partition keys at once.

use crate::hash_key::HashKey;
use crate::hash_key::lanes::BLOCK;
use crate::hash_key::lanes::Hashes;
use crate::hash_key::lanes::LANES;
use crate::hash_key::lanes::Lanes;
use crate::hash_key::lanes::Quarter;
use crate::hash_key::lanes::SHORT_MAX;
use crate::hash_key::lanes::START;
use crate::hash_key::lanes::as_numbers;
use crate::hash_key::lanes::hash_short;
use crate::hash_key::lanes::take_block;

/// A key where it lies: the first `len` bytes of a buffer that may go on behind it.
#[derive(Clone, Copy, Debug)]
pub struct KeyBytes<'a> {
    /// The buffer, from the key's first byte on: the more of it, the fewer steps to read the key.
    pub buffer: &'a [u8],
    /// Bytes of the key.
    pub len: usize,
}

impl<'a> From<&'a str> for KeyBytes<'a> {
    fn from(key: &'a str) -> Self {
        Self { buffer: key.as_bytes(), len: key.len() }
    }
}

impl KeyBytes<'_> {
    /// Reads four words from byte `start` on, some of which may not be the key's.
    #[inline]
    fn four_words(self, start: usize) -> [u32; 4] {
        let rest = self.buffer.get(start..).unwrap_or_default();
        if let Some(whole) = rest.first_chunk() {
            return words(whole);
        }
        let mut bytes = [0; 16];
        bytes[..rest.len()].copy_from_slice(rest);
        words(&bytes)
    }

    /// Returns the key's length, which counts in bits.
    #[inline]
    fn len_in_lane(self) -> u32 {
        u32::try_from(self.len).expect("a key is shorter than 4 GiB")
    }
}

#[inline]
fn words(bytes: &[u8; 16]) -> [u32; 4] {
    let (words, _) = bytes.as_chunks();
    [words[0], words[1], words[2], words[3]].map(u32::from_le_bytes)
}

#[inline]
fn number(words: [u32; 4]) -> HashKey {
    let [lowest, low, high, highest] = words.map(u128::from);
    HashKey(highest << 96 | high << 64 | low << 32 | lowest)
}

/// Sets each place of `out` to what `to` makes of the hash of the key that `key` gives for it.
///
/// # Examples
/// ```
/// use shardstream::hash_key::HashKey;
/// use shardstream::hash_key::many::hash_each;
/// let keys = ["user-1", "user-2", "user-3"];
/// let mut hashes = [0; 3];
/// hash_each(|place| keys[place].into(), |hash| hash.0, &mut hashes);
/// assert_eq!(hashes, keys.map(|key| HashKey::of(key).0));
/// ```
#[inline]
pub fn hash_each<'a, T>(
    key: impl Fn(usize) -> KeyBytes<'a>,
    to: impl Fn(HashKey) -> T,
    out: &mut [T],
) {
    let (mut lens, mut quarters) = ([0; LANES], [[[0; 4]; LANES]; 4]);
    let mut hashes = [[0; 4]; LANES];
    for (group, out) in out.chunks_mut(LANES).enumerate() {
        let first = group * LANES;
        if let [only] = out {
            let key = key(first);
            *only = to(HashKey::of_bytes(&key.buffer[..key.len]));
            return;
        }
        let mut longest = 0;
        let lanes = lens.iter_mut().zip(&mut quarters[0]);
        for (place, (len, words)) in (first..first + out.len()).zip(lanes) {
            let key = key(place);
            *len = key.len_in_lane();
            *words = key.four_words(0);
            longest = longest.max(key.len);
        }
        lens[out.len()..].fill(0);
        if longest <= SHORT_MAX {
            hash_short(&quarters[0], &lens, &mut hashes);
        } else {
            hash_long(|lane| key(first + lane), longest, &lens, &mut quarters, &mut hashes);
        }
        for (out, &hash) in out.iter_mut().zip(&hashes) {
            *out = to(number(hash));
        }
    }
}

/// Hashes keys of any length, block by block: as many blocks as the longest has.
fn hash_long<'a>(
    key: impl Fn(usize) -> KeyBytes<'a>,
    longest: usize,
    lens: &Lanes,
    quarters: &mut [Quarter; 4],
    hashes: &mut Hashes,
) {
    let mut state = START;
    let blocks = (longest + 8) / BLOCK + 1;
    for (block, at) in (0..blocks).zip(0_u32..) {
        let start = block * BLOCK;
        for (lane, &len) in lens.iter().enumerate().filter(|&(_, &len)| start < len as usize) {
            let key = key(lane);
            for (quarter, place) in quarters.iter_mut().zip((start..len as usize).step_by(16)) {
                quarter[lane] = key.four_words(place);
            }
        }
        take_block(quarters, lens, at, &mut state);
    }
    *hashes = as_numbers(&state);
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::Digest;
    use md5::Md5;
    use proptest::prelude::*;

    fn hashed(keys: &[&[u8]]) -> Vec<HashKey> {
        let mut hashes = vec![HashKey::MIN; keys.len()];
        let key = |place: usize| KeyBytes { buffer: keys[place], len: keys[place].len() };
        hash_each(key, |hash| hash, &mut hashes);
        hashes
    }

    fn one_by_one(keys: &[&[u8]]) -> Vec<HashKey> {
        let one = |key: &&[u8]| HashKey(u128::from_be_bytes(Md5::digest(key).into()));
        keys.iter().map(one).collect()
    }

    /// Bytes of which no two runs are alike.
    fn noise(len: usize) -> Vec<u8> {
        (0_u32..).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).take(len).collect()
    }

    #[test]
    fn every_length_hashes_alike_in_every_lane() {
        let noise = noise(1_100);
        for len in 0..=256 {
            let keys: Vec<&[u8]> =
                (0..LANES).map(|lane| &noise[lane * 7..lane * 7 + len]).collect();
            assert_eq!(hashed(&keys), one_by_one(&keys), "{len}");
        }
    }

    #[test]
    fn lengths_side_by_side_do_not_disturb_each_other() {
        let noise = noise(1_100);
        for lane in 0..LANES {
            for len in (0..=256).chain([511, 512, 1_015, 1_016, 1_024]) {
                let mut keys = vec![&noise[..3]; LANES];
                keys[lane] = &noise[1..=len];
                assert_eq!(hashed(&keys), one_by_one(&keys), "{len} in {lane}");
            }
        }
    }

    #[test]
    fn any_number_of_keys_is_hashed() {
        let noise = noise(300);
        for count in 0..100 {
            let keys: Vec<&[u8]> = (0..count).map(|at| &noise[at..at + at % 23]).collect();
            assert_eq!(hashed(&keys), one_by_one(&keys), "{count}");
        }
    }

    proptest! {
        #[test]
        fn keys_in_one_buffer_hash_as_each_by_itself(
            buffer in prop::collection::vec(any::<u8>(), 0..3_000),
            cuts in prop::collection::vec((0..3_000_usize, 0..1_100_usize), 0..70),
        ) {
            let bounds = |&(start, len): &(usize, usize)| {
                let start = start.min(buffer.len());
                (start, len.min(buffer.len() - start))
            };
            let keys: Vec<(usize, usize)> = cuts.iter().map(bounds).collect();
            let mut hashes = vec![HashKey::MIN; keys.len()];
            let key = |place: usize| KeyBytes { buffer: &buffer[keys[place].0..], len: keys[place].1 };
            hash_each(key, |hash| hash, &mut hashes);
            let alone: Vec<&[u8]> = keys.iter().map(|&(start, len)| &buffer[start..start + len]).collect();
            prop_assert_eq!(hashes, one_by_one(&alone));
        }
    }
}
