//! What rules and chaos come to, call by call.

use super::*;

fn site(call: u64) -> Site<'static> {
    let shard = Some(ShardIndex(1));
    Site { operation: "PutRecord", call, stream: "clicks", shard, part: 0 }
}

fn when(rate: Option<f64>, times: Option<u64>) -> When {
    When { at: None, rate, times }
}

/// The calls, of so many, at which a fault of any kind strikes.
fn struck(faults: &Faults, calls: u64) -> Vec<u64> {
    let calls = (0..calls).map(|_| faults.begin("PutRecord"));
    calls.filter(|call| faults.strike(site(*call), |_| true).is_some()).collect()
}

#[test]
fn nothing_goes_wrong_at_first() {
    let faults = Faults::default();
    assert!(!faults.is_on());
    assert_eq!(struck(&faults, 100), Vec::<u64>::new());
}

#[test]
fn fault_strikes_as_often_as_it_says_and_is_counted() {
    let faults = Faults::default();
    faults.add(Kind::Throttle, Scope::default(), when(None, Some(2)));
    assert!(faults.is_on());
    assert_eq!(struck(&faults, 5), [1, 2]);
    assert_eq!(faults.rules()[0].fired, 2);
    let fired = faults.fired();
    assert_eq!(fired.iter().map(|fired| fired.call).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(fired[0].kind, Kind::Throttle);
}

#[test]
fn calls_are_counted_from_when_the_rule_was_made() {
    let faults = Faults::default();
    assert_eq!(struck(&faults, 3), Vec::<u64>::new());
    let when = When { at: Some(vec![1, 3]), ..When::default() };
    faults.add(Kind::Throttle, Scope::default(), when);
    assert_eq!(struck(&faults, 5), [4, 6]);
    assert_eq!(faults.fired().iter().map(|fired| fired.call).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn chance_is_the_seeds_and_about_as_frequent_as_it_is_said_to_be() {
    let drawn = |seed| {
        let faults = Faults::default();
        faults.reset(seed);
        faults.add(Kind::Throttle, Scope::default(), when(Some(0.2), None));
        struck(&faults, 2_000)
    };
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
    assert!((300..500).contains(&drawn(7).len()), "{}", drawn(7).len());
}

#[test]
fn fault_of_another_operation_stream_or_shard_strikes_elsewhere() {
    let elsewhere = [
        Scope { operation: Some("GetRecords"), ..Scope::default() },
        Scope { stream: Some("views".to_owned()), ..Scope::default() },
        Scope { shard: Some(ShardIndex(0)), ..Scope::default() },
    ];
    for scope in elsewhere {
        let faults = Faults::default();
        faults.add(Kind::Throttle, scope.clone(), When::default());
        assert_eq!(struck(&faults, 3), Vec::<u64>::new(), "{scope:?}");
    }
    let here = Scope {
        operation: Some("PutRecord"),
        stream: Some("clicks".to_owned()),
        shard: Some(ShardIndex(1)),
    };
    let faults = Faults::default();
    faults.add(Kind::Throttle, here, When::default());
    assert_eq!(struck(&faults, 3), [1, 2, 3]);
}

#[test]
fn parts_of_one_call_count_as_one() {
    let faults = Faults::default();
    faults.add(Kind::Throttle, Scope::default(), when(None, Some(1)));
    let call = faults.begin("PutRecord");
    let part = |part| Site { part, ..site(call) };
    let hit = |part_number| faults.strike(part(part_number), |_| true).is_some();
    assert!((0..3).all(hit));
    assert_eq!(faults.rules()[0].fired, 1);
    assert_eq!(struck(&faults, 3), Vec::<u64>::new());
}

#[test]
fn fault_that_ended_strikes_no_more_and_stays_counted() {
    let faults = Faults::default();
    let place = faults.add(Kind::Throttle, Scope::default(), When::default());
    assert_eq!(struck(&faults, 2), [1, 2]);
    faults.end(place);
    assert_eq!(struck(&faults, 2), Vec::<u64>::new());
    assert_eq!(faults.rules()[place].fired, 2);
}

#[test]
fn iterators_that_were_out_expire_and_new_ones_live() {
    let faults = Faults::default();
    assert_eq!(faults.expiries(), 0);
    faults.add(Kind::ExpireIterators, Scope::default(), When::default());
    assert!(faults.expires(site(1), 0));
    assert!(!faults.expires(site(2), faults.expiries()));
    assert_eq!(faults.rules()[0].fired, 1);
    faults.end(0);
    assert!(!faults.expires(site(3), 0), "it happens no more");
}

#[test]
fn iterators_of_a_shard_expire_and_those_of_others_live() {
    let faults = Faults::default();
    let scope = Scope { shard: Some(ShardIndex(0)), ..Scope::default() };
    faults.add(Kind::ExpireIterators, scope, When::default());
    assert!(!faults.expires(site(1), 0));
    assert!(faults.expires(Site { shard: Some(ShardIndex(0)), ..site(2) }, 0));
    faults.reset(0);
    assert!(!faults.is_on());
    faults.add(Kind::ExpireIterators, Scope::default(), When::default());
    assert!(faults.expires(site(3), 0), "it was out, however long before");
}

#[test]
fn parts_of_calls_at_once_count_as_their_calls() {
    let faults = Faults::default();
    faults.add(Kind::Throttle, Scope::default(), when(None, Some(2)));
    let [one, other, third] = [(); 3].map(|()| faults.begin("PutRecord"));
    let strikes = |call, part| faults.strike(Site { part, ..site(call) }, |_| true).is_some();
    assert!(strikes(one, 0) && strikes(other, 0) && strikes(one, 1) && strikes(other, 1));
    assert!(!strikes(third, 0));
    assert_eq!((faults.rules()[0].fired, faults.fired().len()), (2, 2));
}

#[test]
fn stream_is_resharded_once_enough_was_put() {
    let faults = Faults::default();
    let kind = Kind::Reshard { after_records: Some(10), shards: None };
    faults.add(kind, Scope::default(), when(None, Some(1)));
    let stored = |call, count| faults.stored(site(call), count);
    assert_eq!([stored(1, 4), stored(2, 5)], [None, None]);
    assert_eq!(stored(3, 1), Some(Target::Other));
    assert_eq!(stored(4, 100), None);
}

#[test]
fn chaos_can_be_told_as_a_script() {
    let chaotic = Faults::default();
    chaotic.unleash(7, 30);
    let struck_by_chaos = struck(&chaotic, 200);
    assert!((20..100).contains(&struck_by_chaos.len()), "{struck_by_chaos:?}");
    let told = chaotic.fired();
    assert!(told.iter().all(|fired| fired.rule.is_none()));
    let scripted = Faults::default();
    for Fired { operation, call, kind, .. } in &told {
        let scope = Scope { operation: Some(operation), ..Scope::default() };
        scripted.add(kind.clone(), scope, When { at: Some(vec![*call]), ..When::default() });
    }
    assert_eq!(struck(&scripted, 200), struck_by_chaos);
    let again = scripted.fired();
    let what = |fired: &[Fired]| fired.iter().map(|each| each.kind.clone()).collect::<Vec<_>>();
    assert_eq!(what(&again), what(&told));
}

#[test]
fn chaos_lets_a_program_through_that_tries_again() {
    let faults = Faults::default();
    faults.unleash(3, 95);
    let struck = struck(&faults, 500);
    assert!(struck.windows(3).all(|three| three[0] + 2 != three[2]), "three in a row");
    assert!(300 < struck.len());
}
