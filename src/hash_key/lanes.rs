//! MD5 of 32 messages side by side: one source, compiled for each width of the machine's registers.

use multiversion::multiversion;

/// Messages hashed at once.
pub(super) const LANES: usize = 32;
/// Messages whose steps alternate: while one waits for a result, the other computes.
const HALF: usize = LANES / 2;
/// Bytes of a message that fit one block of fewer words: its mark and its length fit beside them.
pub(super) const SHORT_MAX: usize = 15;
/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

/// A number a message.
pub(super) type Lanes = [u32; LANES];
/// Four words of each message, a quarter of its block.
pub(super) type Quarter = [[u32; 4]; LANES];
/// The four words of each message's state.
pub(super) type State = [Lanes; 4];
/// A hash a message, as words of the number that its bytes are, the lowest first.
pub(super) type Hashes = [[u32; 4]; LANES];

/// The state that every message starts from (RFC 1321, 3.3).
pub(super) const START: State =
    [[0x6745_2301; LANES], [0xefcd_ab89; LANES], [0x98ba_dcfe; LANES], [0x1032_5476; LANES]];

/// How far each step of a round turns its sum, over and over (RFC 1321, 3.4).
const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// 2^32 times the sines of 1 to 64, whole and without sign (RFC 1321, 3.4).
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// Hashes messages of at most `SHORT_MAX` bytes; what stands behind a message in its bytes does not count.
#[multiversion(targets(
    "x86_64+avx+avx2+bmi1+bmi2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512cd",
    "x86_64+avx+avx2+bmi1+bmi2+fma"
))]
pub(super) fn hash_short(quarter: &Quarter, lens: &Lanes, hashes: &mut Hashes) {
    let words = padded(quarter, lens, 0);
    let (mut state, mut bits) = (START, *lens);
    for bits in &mut bits {
        *bits *= 8;
    }
    compress(&words, &bits, &mut state);
    *hashes = as_numbers(&state);
}

/// Takes the block `at` of messages into their state; a message that ended in an earlier block keeps its own.
#[multiversion(targets(
    "x86_64+avx+avx2+bmi1+bmi2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512cd",
    "x86_64+avx+avx2+bmi1+bmi2+fma"
))]
pub(super) fn take_block(quarters: &[Quarter; 4], lens: &Lanes, at: u32, state: &mut State) {
    /// Words of the block that hold bytes; the last two hold the message's length, where it ends.
    const BYTES_END: usize = 14;
    let start = at * 64;
    let mut words = [[0; LANES]; 16];
    for quarter in 0..4_u8 {
        let place = usize::from(quarter) * 4;
        let part = padded(&quarters[usize::from(quarter)], lens, start + u32::from(quarter) * 16);
        words[place..place + 4].copy_from_slice(&part);
    }
    let mut next = *state;
    for lane in 0..LANES {
        let ends_here = lens[lane] + 8 < start + 64;
        words[BYTES_END][lane] = if ends_here { lens[lane] * 8 } else { words[BYTES_END][lane] };
        words[BYTES_END + 1][lane] = if ends_here { 0 } else { words[BYTES_END + 1][lane] };
    }
    compress(&words, &[0; LANES], &mut next);
    for (kept, new) in state.iter_mut().zip(&next) {
        for lane in 0..LANES {
            kept[lane] = if start <= lens[lane] + 8 { new[lane] } else { kept[lane] };
        }
    }
}

/// Writes states as numbers: their bytes in order, the first the highest.
#[expect(clippy::inline_always, reason = "it is compiled for its caller's instructions")]
#[inline(always)]
pub(super) fn as_numbers(state: &State) -> Hashes {
    let mut hashes = [[0; 4]; LANES];
    for (lane, hash) in hashes.iter_mut().enumerate() {
        hash[0] = state[3][lane].swap_bytes();
        hash[1] = state[2][lane].swap_bytes();
        hash[2] = state[1][lane].swap_bytes();
        hash[3] = state[0][lane].swap_bytes();
    }
    hashes
}

/// Lays out four words of each message lane by lane, the first of them its bytes from `start` on: without what is behind
/// its end, and with the mark that MD5 puts there.
#[expect(clippy::inline_always, reason = "it is compiled for its caller's instructions")]
#[inline(always)]
fn padded(quarter: &Quarter, lens: &Lanes, start: u32) -> [Lanes; 4] {
    let mut words = [[0; LANES]; 4];
    for lane in 0..LANES {
        let (given, len) = (quarter[lane], lens[lane]);
        words[0][lane] = marked(given[0], start, len);
        words[1][lane] = marked(given[1], start + 4, len);
        words[2][lane] = marked(given[2], start + 8, len);
        words[3][lane] = marked(given[3], start + 12, len);
    }
    words
}

/// Returns a word that starts at byte `start` of a message of `len` bytes, without what is behind its end.
#[expect(clippy::inline_always, reason = "it is compiled for its caller's instructions")]
#[inline(always)]
fn marked(word: u32, start: u32, len: u32) -> u32 {
    let bits = (len & 3) * 8;
    let last = word & ((1 << bits) - 1) | 0x80 << bits;
    let cut = if start <= len { last } else { 0 };
    if start + 4 <= len { word } else { cut }
}

/// Mixes three words of a state, as each round does in its own way.
#[expect(clippy::inline_always, reason = "it is compiled for its caller's instructions")]
#[inline(always)]
fn mixed(round: usize, b: u32, c: u32, d: u32) -> u32 {
    match round {
        0 => b & c | !b & d,
        1 => b & d | c & !d,
        2 => b ^ c ^ d,
        _ => c ^ (b | !d),
    }
}

/// The word of the block that a step adds.
#[expect(clippy::inline_always, reason = "it is compiled for its caller's instructions")]
#[inline(always)]
fn word_of(round: usize, step: usize) -> usize {
    match round {
        0 => step,
        1 => (5 * step + 1) % 16,
        2 => (3 * step + 5) % 16,
        _ => 7 * step % 16,
    }
}

#[expect(clippy::inline_always, reason = "it is compiled for its caller's instructions")]
#[inline(always)]
fn stepped(round: usize, step: usize, [a, b, c, d]: [u32; 4], word: u32) -> [u32; 4] {
    let sum = a
        .wrapping_add(word.wrapping_add(SINES[round * 16 + step]))
        .wrapping_add(mixed(round, b, c, d));
    [d, b.wrapping_add(sum.rotate_left(TURNS[round][step % 4])), b, c]
}

/// Takes a block into each state. Words behind the `WORDS` given are zero, but for the fifteenth: `bits`.
#[expect(clippy::inline_always, reason = "it is compiled for its caller's instructions")]
#[inline(always)]
fn compress<const WORDS: usize>(words: &[Lanes; WORDS], bits: &Lanes, state: &mut State) {
    let word = |round: usize, step: usize, lane: usize| match word_of(round, step) {
        place if place < WORDS => words[place][lane],
        14 => bits[lane],
        _ => 0,
    };
    for lane in 0..HALF {
        let other = lane + HALF;
        let from = [state[0][lane], state[1][lane], state[2][lane], state[3][lane]];
        let from_other = [state[0][other], state[1][other], state[2][other], state[3][other]];
        let (mut one, mut two) = (from, from_other);
        // Written out, not looped over: what is left is one loop over lanes, which the compiler turns into wide registers.
        macro_rules! round {
            ($round:literal: $($step:literal)*) => { $(
                one = stepped($round, $step, one, word($round, $step, lane));
                two = stepped($round, $step, two, word($round, $step, other));
            )* };
        }
        round!(0: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        round!(1: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        round!(2: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        round!(3: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for place in 0..4 {
            state[place][lane] = one[place].wrapping_add(from[place]);
            state[place][other] = two[place].wrapping_add(from_other[place]);
        }
    }
}
