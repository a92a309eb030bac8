//! A connection's bytes, over HTTP/1.1 or HTTP/2: answered without harm, and where credentials are asked for, nobody
//! without them is told anything.

use bytes::Bytes;
use shardstream::engine::Limits;
use shardstream::server::Credentials;
use shardstream::server::memory::converse;

use super::world::World;

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|some| some == word)
}

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let [choice, sent @ ..] = bytes else { return };
    let asks = choice % 2 == 1;
    let credentials = asks.then(|| Credentials::new([("AKID".to_owned(), "a secret".to_owned())]));
    let at_a_time = if choice & 2 == 0 { sent.len().max(1) } else { usize::from(*choice) / 4 + 1 };
    let world = World::new(Limits::Off);
    let before = world.records();
    let answered =
        converse(world.kinesis.clone(), credentials, Bytes::copy_from_slice(sent), at_a_time);
    if asks {
        assert_eq!(world.records(), before, "a record of somebody who did not sign");
        assert_eq!(world.kinesis.engine().stream_names().expect("open"), ["clicks"]);
        // A preflight is answered with words of its own.
        let is_told = |word: &[u8]| holds(&answered, word) && !holds(sent, word);
        let told = is_told(b"\"Shards\"") || is_told(b"\"StreamNames\"");
        assert!(!told, "{}", String::from_utf8_lossy(&answered));
    }
    if answered.starts_with(b"HTTP/1.1 ") {
        let status = &answered[9..12];
        assert!(status < b"500".as_slice(), "{}", String::from_utf8_lossy(&answered));
    }
    world.check();
}
