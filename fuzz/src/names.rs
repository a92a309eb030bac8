//! Names and numbers as text: what is read prints as it was written.

use shardstream::hash_key::HashKey;
use shardstream::record::sequence::SequenceNumber;
use shardstream::record::sequence::ShardIndex;
use shardstream::service::arn::Arn;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(arn) = Arn::parse(text) {
        assert_eq!(arn.to_string(), text);
    }
    if let Ok(number) = SequenceNumber::parse(text) {
        assert_eq!(number.to_string(), text);
    }
    if let Some(shard) = ShardIndex::parse(text) {
        assert_eq!(shard.to_string(), text);
        assert_eq!(shard.name().as_slice(), bytes);
    }
    if let Some(key) = HashKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
}
