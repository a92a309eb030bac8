//! Calls at which something goes wrong on purpose.

use super::*;
use crate::record::sequence::ShardIndex;
use crate::service::faults::Kind;
use crate::service::faults::Scope;
use crate::service::faults::When;

const ONCE: When = When { at: None, rate: None, times: Some(1) };

impl World {
    /// A stream `clicks` of so many shards.
    fn of_shards(count: u32) -> Self {
        let world = Self::new(Durations::default());
        let body = format!(r#"{{"StreamName":"clicks","ShardCount":{count}}}"#);
        world.call("CreateStream", &body).unwrap();
        world
    }

    fn add(&self, kind: Kind, scope: Scope, when: When) {
        self.kinesis.faults().add(kind, scope, when);
    }

    fn once(&self, kind: Kind) {
        self.add(kind, Scope::default(), ONCE);
    }

    /// At how many calls each fault happened.
    fn fired(&self) -> Vec<u64> {
        self.kinesis.faults().rules().iter().map(|rule| rule.fired).collect()
    }

    fn try_put(&self, data: &str) -> Result<Members, ServiceError> {
        let body = format!(r#"{{"StreamName":"clicks","PartitionKey":"k","Data":"{data}"}}"#);
        self.call("PutRecord", &body)
    }

    /// Puts records together; what each is refused with.
    fn put_together(&self, keys: &[&str]) -> Vec<Option<String>> {
        let record = |key: &&str| format!(r#"{{"PartitionKey":"{key}","Data":"eA=="}}"#);
        let records: Vec<String> = keys.iter().map(record).collect();
        let body = format!(r#"{{"StreamName":"clicks","Records":[{}]}}"#, records.join(","));
        let answer = self.call("PutRecords", &body).unwrap();
        let refused = |record: &Value| member(record).text("ErrorCode").map(str::to_owned);
        let refused: Vec<Option<String>> = answer.list("Records").iter().map(refused).collect();
        let count = refused.iter().flatten().count();
        assert_eq!(answer.integer("FailedRecordCount"), Some(i64::try_from(count).unwrap()));
        refused
    }

    fn iterator(&self) -> String {
        let body = r#"{"StreamName":"clicks","ShardId":"shardId-000000000000","ShardIteratorType":"TRIM_HORIZON"}"#;
        self.call("GetShardIterator", body).unwrap().text("ShardIterator").unwrap().to_owned()
    }

    /// A page: how many records it has, how far behind it is, and where to go on.
    fn page(&self, iterator: &str, limit: usize) -> Result<(usize, i64, String), ServiceError> {
        let body = format!(r#"{{"ShardIterator":"{iterator}","Limit":{limit}}}"#);
        let answer = self.call("GetRecords", &body)?;
        let next = answer.text("NextShardIterator").unwrap_or_default().to_owned();
        Ok((answer.list("Records").len(), answer.integer("MillisBehindLatest").unwrap(), next))
    }
}

#[test]
fn throttle_is_told_as_the_service_tells_it_and_nothing_is_stored() {
    let world = World::of_shards(1);
    world.once(Kind::Throttle);
    let refused = world.try_put("eA==").unwrap_err();
    assert_eq!(refused.code, ErrorCode::ProvisionedThroughputExceeded);
    assert_eq!(
        refused.message,
        "Rate exceeded for shard shardId-000000000000 in stream clicks under account 123456789012."
    );
    world.try_put("eA==").unwrap();
    assert_eq!(world.page(&world.iterator(), 10).unwrap().0, 1);
    world.once(Kind::Throttle);
    let refused = world.call("DescribeStream", r#"{"StreamName":"clicks"}"#).unwrap_err();
    assert_eq!(refused.code, ErrorCode::LimitExceeded);
    assert_eq!(world.fired(), [1, 1]);
}

#[test]
fn call_that_is_none_does_not_use_a_fault_up() {
    let world = World::of_shards(1);
    world.once(Kind::InternalFailure);
    let refused = world.call("PutRecord", r#"{"StreamName":"clicks"}"#).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Validation);
    assert_eq!(world.try_put("eA==").unwrap_err().code, ErrorCode::InternalFailure);
    world.try_put("eA==").unwrap();
}

#[test]
fn records_of_a_shard_are_throttled_and_the_others_stored() {
    let world = World::of_shards(2);
    let keys: Vec<String> = (0..40).map(|number| format!("user-{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let scope = Scope { shard: Some(ShardIndex(1)), ..Scope::default() };
    world.add(Kind::Throttle, scope, ONCE);
    let refused = world.put_together(&keys);
    let stored = refused.iter().filter(|code| code.is_none()).count();
    assert!(0 < stored && stored < keys.len());
    let throttled = Some("ProvisionedThroughputExceededException".to_owned());
    assert!(refused.iter().flatten().all(|code| Some(code) == throttled.as_ref()));
    assert_eq!(world.page(&world.iterator(), 100).unwrap().0, stored);
    assert!(world.put_together(&keys).iter().all(Option::is_none));
    assert_eq!(world.fired(), [1]);
}

#[test]
fn records_fail_at_the_places_that_are_said() {
    let world = World::of_shards(1);
    let kind = Kind::FailRecords { indexes: vec![0, 2, 9], code: "InternalFailure".to_owned() };
    world.once(kind);
    let failed = Some("InternalFailure".to_owned());
    assert_eq!(world.put_together(&["a", "b", "c"]), [failed.clone(), None, failed.clone()]);
    assert_eq!(world.put_together(&["a", "b", "c"]), [None, None, None]);
    world.once(Kind::FailRecords { indexes: vec![0], code: "InternalFailure".to_owned() });
    assert_eq!(world.put_together(&["a"]), [failed]);
}

#[test]
fn connection_breaks_before_what_is_asked_is_done_or_after() {
    for (after_write, stored) in [(false, 0), (true, 1)] {
        let world = World::of_shards(1);
        world.once(Kind::DropConnection { after_write });
        assert_eq!(world.try_put("eA==").unwrap_err().code, ErrorCode::ConnectionClosed);
        assert_eq!(world.page(&world.iterator(), 10).unwrap().0, stored);
    }
}

#[test]
fn empty_page_withholds_what_the_next_one_has() {
    let world = World::of_shards(1);
    world.once(Kind::EmptyPage);
    let (_, behind, next) = world.page(&world.iterator(), 10).unwrap();
    assert_eq!((behind, world.fired()), (0, vec![0]), "there was nothing to withhold");
    world.put("eA==");
    let (count, behind, next) = world.page(&next, 10).unwrap();
    assert_eq!((count, world.fired()), (0, vec![1]));
    assert!(0 < behind);
    assert_eq!(world.page(&next, 10).unwrap().0, 1);
}

#[test]
fn records_that_are_read_twice_fit_the_page_and_none_is_lost() {
    let world = World::of_shards(1);
    for _ in 0..5 {
        world.put("eA==");
    }
    world.add(Kind::Duplicate, Scope::default(), When::default());
    let mut next = world.iterator();
    let mut counts = Vec::new();
    for _ in 0..5 {
        let (count, behind, after) = world.page(&next, 3).unwrap();
        counts.push((count, 0 < behind));
        next = after;
    }
    assert_eq!(counts, [(3, true), (3, true), (2, false), (0, false), (0, false)]);
}

#[test]
fn iterators_that_are_out_expire_and_those_after_live() {
    let world = World::of_shards(1);
    let before = world.iterator();
    world.add(Kind::ExpireIterators, Scope::default(), When::default());
    let refused = world.page(&before, 1).unwrap_err();
    assert_eq!(refused.code, ErrorCode::ExpiredIterator);
    let (_, _, next) = world.page(&world.iterator(), 1).unwrap();
    world.page(&next, 1).unwrap();
    assert_eq!(world.fired(), [1]);
}

#[test]
fn stream_is_resharded_under_its_users() {
    let world = World::of_shards(1);
    world.once(Kind::Reshard { after_records: Some(3), shards: None });
    world.put_together(&["a", "b"]);
    assert_eq!(world.listed(r#""Type":"AT_LATEST""#), ["0"]);
    world.put("eA==");
    assert_eq!(world.listed(r#""Type":"AT_LATEST""#), ["1", "2"]);
    assert_eq!(world.fired(), [1]);
}

#[test]
fn latency_moves_a_clock_that_stands_still() {
    let world = World::of_shards(1);
    world.add(Kind::Latency { ms: 250 }, Scope::default(), When::default());
    world.put("eA==");
    assert_eq!(world.clock.now(), START.plus(250));
}

#[test]
fn subscription_breaks_off_after_its_events() {
    let world = World::subscribable();
    world.once(Kind::DropSubscription { after_events: 1 });
    world.put("eA==");
    let mut subscription = world.subscribe(r#""Type":"TRIM_HORIZON""#).unwrap();
    assert_eq!(event(&mut subscription).list("Records").len(), 1);
    let Step::Error(error) = subscription.step() else { panic!("it breaks off") };
    assert_eq!(error.code, ErrorCode::ConnectionClosed);
    assert_eq!(subscription.step(), Step::End);
    drop(subscription);
    let mut again = world.subscribe(r#""Type":"TRIM_HORIZON""#).unwrap();
    assert_eq!(event(&mut again).list("Records").len(), 1);
}

#[test]
fn events_have_records_twice_too() {
    let world = World::subscribable();
    world.add(Kind::Duplicate, Scope::default(), When::default());
    world.put("eA==");
    let mut subscription = world.subscribe(r#""Type":"TRIM_HORIZON""#).unwrap();
    assert_eq!(event(&mut subscription).list("Records").len(), 2);
}

#[test]
fn refused_records_do_not_count_towards_a_reshard() {
    let world = World::of_shards(1);
    world.add(
        Kind::FailRecords { indexes: vec![1, 2], code: "InternalFailure".to_owned() },
        Scope::default(),
        ONCE,
    );
    world.once(Kind::Reshard { after_records: Some(3), shards: Some(3) });
    assert_eq!(world.put_together(&["a", "b", "c", "d"]).iter().flatten().count(), 2);
    assert_eq!(world.listed(r#""Type":"AT_LATEST""#), ["0"]);
    world.put("eA==");
    assert_eq!(world.listed(r#""Type":"AT_LATEST""#).len(), 3);
    assert_eq!(world.fired(), [1, 1]);
}

#[test]
fn page_of_one_record_has_no_room_for_it_twice() {
    let world = World::of_shards(1);
    world.put("eA==");
    world.put("eA==");
    world.add(Kind::Duplicate, Scope::default(), When::default());
    let mut next = world.iterator();
    let mut counts = Vec::new();
    for _ in 0..3 {
        let (count, _, after) = world.page(&next, 1).unwrap();
        counts.push(count);
        next = after;
    }
    assert_eq!((counts, world.fired()), (vec![1, 1, 0], vec![0]));
}

#[test]
fn subscription_breaks_off_before_its_first_event() {
    let world = World::subscribable();
    world.once(Kind::DropSubscription { after_events: 0 });
    world.put("eA==");
    let mut subscription = world.subscribe(r#""Type":"TRIM_HORIZON""#).unwrap();
    let Step::Error(error) = subscription.step() else { panic!("it breaks off") };
    assert_eq!(error.code, ErrorCode::ConnectionClosed);
    assert_eq!((subscription.step(), world.fired()), (Step::End, vec![1]));
}

#[test]
fn explicit_hash_key_tells_the_shard_that_a_fault_is_of() {
    let world = World::of_shards(2);
    let scope = Scope { shard: Some(ShardIndex(1)), ..Scope::default() };
    world.add(Kind::InternalFailure, scope, When::default());
    // The key `k` falls into shard 1 by its MD5.
    assert_eq!(world.try_put("eA==").unwrap_err().code, ErrorCode::InternalFailure);
    let put_at = |hash_key: u128| {
        let body = format!(
            r#"{{"StreamName":"clicks","PartitionKey":"k","Data":"eA==","ExplicitHashKey":"{hash_key}"}}"#
        );
        world.call("PutRecord", &body).map(|_| ())
    };
    put_at(7).unwrap();
    assert_eq!(put_at(u128::MAX).unwrap_err().code, ErrorCode::InternalFailure);
    assert_eq!(world.fired(), [2]);
}

#[test]
fn stream_that_a_fault_is_of_may_be_called_by_its_arn() {
    let world = World::of_shards(1);
    world.call("CreateStream", r#"{"StreamName":"views","ShardCount":1}"#).unwrap();
    let scope = Scope { stream: Some("clicks".to_owned()), ..Scope::default() };
    world.add(Kind::InternalFailure, scope, When::default());
    let described = |member: &str, name: &str| {
        world.call("DescribeStreamSummary", &format!(r#"{{"{member}":"{name}"}}"#))
    };
    let arn = |stream: &str| format!("arn:aws:kinesis:eu-west-1:123456789012:stream/{stream}");
    described("StreamName", "views").unwrap();
    described("StreamARN", &arn("views")).unwrap();
    for refused in [described("StreamName", "clicks"), described("StreamARN", &arn("clicks"))] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::InternalFailure);
    }
    assert_eq!(world.fired(), [2]);
}

#[test]
fn consumer_is_of_the_stream_that_its_arn_names() {
    let world = World::subscribable();
    let scope = Scope {
        stream: Some("clicks".to_owned()),
        operation: Some("SubscribeToShard"),
        ..Scope::default()
    };
    world.add(Kind::InternalFailure, scope, ONCE);
    let refused = world.subscribe(r#""Type":"TRIM_HORIZON""#).map(|_| ());
    assert_eq!(refused.unwrap_err().code, ErrorCode::InternalFailure);
    assert_eq!(world.fired(), [1]);
}
