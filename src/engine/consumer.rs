//! Consumers with throughput of their own, as a stream registers them, and the shards they are subscribed to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::clock::Millis;
use crate::engine::lifecycle::Lifecycle;
use crate::engine::lifecycle::Status;
use crate::limits::RESUBSCRIBE_MS;
use crate::record::sequence::ShardIndex;

/// A registered consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// Its name, which is the stream's only one of it.
    pub name: String,
    /// When it was registered; its ARN ends with the second.
    pub created: Millis,
    /// What it is at.
    pub status: Status,
}

/// The consumers of one stream, in order of their names.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Consumers {
    registered: Vec<Registered>,
    /// Counts subscriptions.
    #[serde(skip)]
    subscribed: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Registered {
    name: String,
    created: Millis,
    life: Lifecycle<()>,
    /// Those end with the process that serves them.
    #[serde(skip)]
    subscriptions: BTreeMap<ShardIndex, Held>,
}

/// The last subscription of a consumer to a shard.
#[derive(Clone, Copy, Debug)]
struct Held {
    id: u64,
    began: Millis,
    has_ended: bool,
}

/// Why a consumer is not subscribed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NotSubscribed {
    /// Another subscription of the consumer to the shard began a moment ago.
    InUse,
    /// There is no such consumer.
    Missing,
    /// The consumer is not active.
    NotActive,
}

impl Registered {
    fn consumer(&self) -> Consumer {
        Consumer { name: self.name.clone(), created: self.created, status: self.life.status() }
    }
}

impl Consumers {
    /// Ends what is over by now.
    pub(crate) fn settle(&mut self, now: Millis) {
        self.registered.retain(|each| !each.life.is_gone(now));
        for each in &mut self.registered {
            each.life.settle(now);
        }
    }

    /// When the next state of one of them ends.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.registered.iter().filter_map(|each| each.life.due()).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.registered.len()
    }

    /// Counts those that are being made.
    pub(crate) fn creating(&self) -> usize {
        self.registered.iter().filter(|each| each.life.status() == Status::Creating).count()
    }

    /// Registers a consumer whose name is not taken.
    pub(crate) fn register(&mut self, now: Millis, name: &str, create_ms: i64) -> Consumer {
        let place = self.registered.partition_point(|each| each.name.as_str() < name);
        let life = Lifecycle::creating(now, create_ms);
        let subscriptions = BTreeMap::new();
        let registered = Registered { name: name.to_owned(), created: now, life, subscriptions };
        self.registered.insert(place, registered);
        self.registered[place].consumer()
    }

    /// Begins to remove a consumer.
    pub(crate) fn deregister(&mut self, now: Millis, name: &str, delete_ms: i64) {
        if let Some(each) = self.registered.iter_mut().find(|each| each.name == name) {
            each.life.delete(now, delete_ms);
        }
        self.settle(now);
    }

    /// Subscribes a consumer to a shard; the subscription before ends. Answers what tells it from others.
    pub(crate) fn subscribe(
        &mut self,
        now: Millis,
        name: &str,
        shard: ShardIndex,
    ) -> Result<u64, NotSubscribed> {
        let each = self.registered.iter_mut().find(|each| each.name == name);
        let each = each.ok_or(NotSubscribed::Missing)?;
        if each.life.status() != Status::Active {
            return Err(NotSubscribed::NotActive);
        }
        let before = each.subscriptions.get(&shard);
        if before.is_some_and(|before| now.since(before.began) < RESUBSCRIBE_MS) {
            return Err(NotSubscribed::InUse);
        }
        self.subscribed += 1;
        each.subscriptions
            .insert(shard, Held { id: self.subscribed, began: now, has_ended: false });
        Ok(self.subscribed)
    }

    /// Whether a subscription still holds.
    pub(crate) fn is_subscribed(&self, name: &str, shard: ShardIndex, id: u64) -> bool {
        let each = self.registered.iter().find(|each| each.name == name);
        let held = each.and_then(|each| each.subscriptions.get(&shard));
        held.is_some_and(|held| held.id == id && !held.has_ended)
    }

    /// Ends a subscription, unless another one took its place; the next may begin at once, or when its time has come.
    pub(crate) fn unsubscribe(
        &mut self,
        name: &str,
        shard: ShardIndex,
        id: u64,
        leaves_room: bool,
    ) {
        let each = self.registered.iter_mut().find(|each| each.name == name);
        let Some(subscriptions) = each.map(|each| &mut each.subscriptions) else { return };
        match subscriptions.get_mut(&shard) {
            Some(held) if held.id == id && !leaves_room => held.has_ended = true,
            Some(held) if held.id == id => {
                subscriptions.remove(&shard);
            }
            _ => {}
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Consumer> {
        self.registered.iter().find(|each| each.name == name).map(Registered::consumer)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Consumer> {
        self.registered.iter().map(Registered::consumer)
    }
}
