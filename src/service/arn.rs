//! Amazon Resource Names of streams and consumers.

use std::fmt;

use crate::clock::Millis;

/// The name of a stream, or of one of its consumers, that is the same nowhere else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arn {
    /// `aws`, or what stands for it in other parts of the world.
    pub partition: String,
    /// Where it is.
    pub region: String,
    /// Whose it is.
    pub account: String,
    /// The stream's name.
    pub stream: String,
    /// The consumer's name and the second of its registration, where it is one's.
    pub consumer: Option<(String, u64)>,
}

impl Arn {
    /// Names a stream.
    pub fn of_stream(region: &str, account: &str, stream: &str) -> Self {
        Self {
            partition: partition(region).to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            stream: stream.to_owned(),
            consumer: None,
        }
    }

    /// Names a consumer of the stream.
    #[must_use]
    pub fn of_consumer(self, name: &str, created: Millis) -> Self {
        Self { consumer: Some((name.to_owned(), created.whole_seconds())), ..self }
    }

    /// Whether a consumer is one of the stream that this names.
    pub fn names(&self, consumer: &Self) -> bool {
        let stream = |arn: &Self| (arn.region.clone(), arn.account.clone(), arn.stream.clone());
        self.consumer.is_none() && stream(self) == stream(consumer)
    }

    /// Reads the name of a stream or a consumer.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let (scheme, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        let mut path = resource.split('/');
        let is_stream = scheme == "arn" && service == "kinesis" && path.next() == Some("stream");
        let stream = path.next().filter(|stream| is_stream && !stream.is_empty())?;
        let consumer = match (path.next(), path.next()) {
            (None, _) => None,
            (Some("consumer"), Some(consumer)) => {
                let (name, digits) = consumer.rsplit_once(':')?;
                // A sign and zeros before it would name the same consumer in another way.
                let created =
                    digits.parse().ok().filter(|created: &u64| created.to_string() == digits)?;
                Some((name.to_owned(), created))
            }
            _ => return None,
        };
        path.next().is_none().then(|| Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            stream: stream.to_owned(),
            consumer,
        })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, stream, consumer } = self;
        write!(formatter, "arn:{partition}:kinesis:{region}:{account}:stream/{stream}")?;
        match consumer {
            Some((name, created)) => write!(formatter, "/consumer/{name}:{created}"),
            None => Ok(()),
        }
    }
}

fn partition(region: &str) -> &'static str {
    match region {
        china if china.starts_with("cn-") => "aws-cn",
        europe if europe.starts_with("eusc-") => "aws-eusc",
        government if government.starts_with("us-gov-") => "aws-us-gov",
        isolated if isolated.starts_with("eu-isoe-") => "aws-iso-e",
        isolated if isolated.starts_with("us-iso-") => "aws-iso",
        isolated if isolated.starts_with("us-isob-") => "aws-iso-b",
        isolated if isolated.starts_with("us-isof-") => "aws-iso-f",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in [
            "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks",
            "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a.b-c_d",
            "arn:aws:kinesis:us-east-1:000000000000:stream/clicks/consumer/app:1767225600",
        ] {
            assert_eq!(Arn::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "arn:aws:kinesis:eu-west-1:123456789012:queue/clicks",
            "arn:aws:s3:eu-west-1:123456789012:stream/clicks",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/app",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/app:1/2",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/app:01",
            "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/app:+1",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_region_says_which_part_of_the_world_it_is_in() {
        let arn = |region| Arn::of_stream(region, "1", "s").partition;
        assert_eq!(
            ["eu-west-1", "cn-north-1", "us-gov-west-1"].map(arn),
            ["aws", "aws-cn", "aws-us-gov"]
        );
    }
}
