//! Shard iterators: where a read of a shard goes on, sealed, for five minutes.

use crate::clock::Millis;
use crate::engine::position::Cut;
use crate::limits::ITERATOR_LIFE_MS;
use crate::record::sequence::ShardIndex;
use crate::service::arn::Arn;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;
use crate::service::token::Sealer;

/// The kind of its tokens.
const TOKEN: u8 = b'I';

/// Where a read goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ShardIterator {
    /// The stream's.
    pub(super) arn: Arn,
    /// The second that tells the stream from others of its name.
    pub(super) stream_born: u64,
    /// The shard.
    pub(super) shard: ShardIndex,
    /// The place in it.
    pub(super) cut: Cut,
    /// How often all iterators that were out had expired on purpose when it was handed out.
    pub(super) expiries: u64,
}

impl ShardIterator {
    /// Seals an iterator that begins to live now.
    pub(super) fn seal(&self, sealer: &Sealer, now: Millis) -> String {
        let fields = [
            self.arn.to_string(),
            self.stream_born.to_string(),
            self.shard.0.to_string(),
            self.cut.0.to_string(),
            self.expiries.to_string(),
        ];
        sealer.seal(TOKEN, now, &fields.each_ref().map(String::as_str))
    }

    /// Opens an iterator that lives.
    pub(super) fn open(sealer: &Sealer, now: Millis, token: &str) -> Result<Self, ServiceError> {
        let invalid = || ServiceError::invalid_argument("Invalid ShardIterator.");
        let opened = sealer.open(TOKEN, token).ok_or_else(invalid)?;
        let issued = opened.issued;
        if ITERATOR_LIFE_MS < now.since(issued) {
            return Err(expired(issued, now));
        }
        Self::read(&opened.fields).ok_or_else(invalid)
    }

    /// Looks at an iterator, whatever its age.
    pub(super) fn peek(sealer: &Sealer, token: &str) -> Option<Self> {
        Self::read(&sealer.open(TOKEN, token)?.fields)
    }

    fn read(fields: &[String]) -> Option<Self> {
        let [arn, born, shard, cut, expiries] = fields else { return None };
        Some(Self {
            arn: Arn::parse(arn)?,
            stream_born: born.parse().ok()?,
            shard: ShardIndex(shard.parse().ok()?),
            cut: Cut(cut.parse().ok()?),
            expiries: expiries.parse().ok()?,
        })
    }

    /// That its shard is there no more.
    pub(super) fn missing(&self) -> ServiceError {
        let (shard, stream, account) = (self.shard, &self.arn.stream, &self.arn.account);
        ServiceError::not_found(format!(
            "Shard {shard} in stream {stream} under account {account} does not exist"
        ))
    }
}

/// That an iterator lived too long.
pub(super) fn expired(issued: Millis, now: Millis) -> ServiceError {
    let (then, now) = (amazon_time(issued), amazon_time(now));
    let message = format!(
        "Iterator expired. The iterator was created at time {then} while right now it is {now} which is further in the \
         future than the tolerated delay of {ITERATOR_LIFE_MS} milliseconds."
    );
    ServiceError::new(ErrorCode::ExpiredIterator, message)
}

/// A time as the service writes it: `Thu Jan 22 01:22:02 UTC 2015`.
fn amazon_time(time: Millis) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(time) => time.strftime("%a %b %d %H:%M:%S UTC %Y").to_string(),
        Err(_) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iterator_lives_for_five_minutes_and_fits_its_bounds() {
        let sealer = Sealer::new(1);
        let iterator = ShardIterator {
            arn: Arn::of_stream("ap-southeast-2", "123456789012", &"n".repeat(128)),
            stream_born: 1_700_000_000,
            shard: ShardIndex(u32::MAX),
            cut: Cut(u64::MAX),
            expiries: u64::MAX,
        };
        let token = iterator.seal(&sealer, Millis(1_421_889_722_000));
        assert!(token.len() <= 512, "{}", token.len());
        let open = |ms: i64| ShardIterator::open(&sealer, Millis(1_421_889_722_000 + ms), &token);
        assert_eq!(open(300_000), Ok(iterator));
        let error = open(300_001).unwrap_err();
        assert_eq!(error.code, ErrorCode::ExpiredIterator);
        assert!(error.message.contains("at time Thu Jan 22 01:22:02 UTC 2015 while"), "{error}");
    }
}
