//! Streams as a deterministic state machine: everything timed takes `now`, nothing reads a clock.

pub mod error;
pub mod log;
pub mod position;
pub mod put_many;
pub mod records;
pub(crate) mod reshard;
pub mod shard;
pub mod stream;
pub(crate) mod throttle;
pub mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use parking_lot::RwLock;

pub use error::EngineError;
pub use stream::Limits;
pub use stream::Mode;
pub use stream::Stream;
pub use stream::StreamOptions;

use crate::clock::Clock;
use crate::clock::Millis;
use crate::hash_key::HashKey;
use crate::limits::STREAM_NAME_CHARS_MAX;
use crate::limits::TAG_KEY_CHARS_MAX;
use crate::limits::TAG_VALUE_CHARS_MAX;
use crate::limits::TAGS_PER_STREAM_MAX;
use crate::threads::Threads;

/// Names of streams that an error lists, at most.
const KNOWN_STREAMS_MAX: usize = 8;

/// What an engine is made with.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where time comes from.
    pub clock: Clock,
    /// Which limits hold.
    pub limits: Limits,
    /// The region in ARNs.
    pub region: String,
    /// The account in ARNs and messages.
    pub account_id: String,
    /// What sequence numbers start from: the same seed, clock and input give the same ones.
    pub seed: u64,
    /// How many threads writes and queries use at most.
    pub threads: Threads,
}

/// Streams by name.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    account: Arc<str>,
    closed: Arc<AtomicBool>,
    streams: RwLock<BTreeMap<String, Arc<Stream>>>,
}

impl Engine {
    /// Makes an engine without streams.
    pub fn new(options: EngineOptions) -> Self {
        let account = options.account_id.as_str().into();
        Self { options, account, closed: Arc::default(), streams: RwLock::default() }
    }

    /// Creates a stream, ACTIVE at once.
    pub fn create_stream(
        &self,
        now: Millis,
        name: &str,
        options: StreamOptions,
    ) -> Result<Arc<Stream>, EngineError> {
        self.check_open()?;
        check_stream_name(name)?;
        check_tags(&options.tags)?;
        let mut streams = self.streams.write();
        if streams.contains_key(name) {
            let (stream, account) = (name.to_owned(), self.account.to_string());
            return Err(EngineError::StreamExists { stream, account });
        }
        let stream = Arc::new(Stream::new(
            now,
            name.to_owned(),
            Arc::clone(&self.account),
            &self.options,
            self.first_index(name),
            Arc::clone(&self.closed),
            options,
        )?);
        streams.insert(name.to_owned(), Arc::clone(&stream));
        Ok(stream)
    }

    /// Returns a stream.
    pub fn stream(&self, name: &str) -> Result<Arc<Stream>, EngineError> {
        self.check_open()?;
        let streams = self.streams.read();
        streams.get(name).map(Arc::clone).ok_or_else(|| self.not_found(name, &streams))
    }

    /// Deletes a stream and its records.
    pub fn delete_stream(&self, name: &str) -> Result<(), EngineError> {
        self.check_open()?;
        let mut streams = self.streams.write();
        let Some(stream) = streams.remove(name) else {
            return Err(self.not_found(name, &streams));
        };
        stream.delete();
        Ok(())
    }

    /// Lets go of all streams; every later call is refused.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for stream in std::mem::take(&mut *self.streams.write()).into_values() {
            stream.delete();
        }
    }

    /// Does what time has made due in every stream.
    pub fn tick(&self, now: Millis) -> Result<(), EngineError> {
        self.check_open()?;
        let streams: Vec<Arc<Stream>> = self.streams.read().values().map(Arc::clone).collect();
        for stream in streams {
            // A stream that was deleted meanwhile has nothing due.
            let _gone = stream.tick(now);
        }
        Ok(())
    }

    /// Returns the names of the streams, in order.
    pub fn stream_names(&self) -> Result<Vec<String>, EngineError> {
        self.check_open()?;
        Ok(self.streams.read().keys().cloned().collect())
    }

    /// Tells whether the engine was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Returns what the engine was made with.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Returns the time.
    pub fn now(&self) -> Millis {
        self.options.clock.now()
    }

    fn check_open(&self) -> Result<(), EngineError> {
        if self.is_closed() { Err(EngineError::EngineClosed) } else { Ok(()) }
    }

    fn not_found(&self, name: &str, streams: &BTreeMap<String, Arc<Stream>>) -> EngineError {
        EngineError::StreamNotFound {
            stream: name.chars().take(STREAM_NAME_CHARS_MAX).collect(),
            account: self.account.to_string(),
            known: streams.keys().take(KNOWN_STREAMS_MAX).cloned().collect(),
        }
    }

    /// Sequence indices of a stream start at a number that looks like Kinesis's and depends on nothing but seed and name.
    fn first_index(&self, name: &str) -> u64 {
        let mixed = HashKey::of(&format!("{}/{name}", self.options.seed));
        1 + u64::from(u32::try_from(mixed.0 >> 96).expect("32 bits are left"))
    }
}

fn check_stream_name(name: &str) -> Result<(), EngineError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let fault = if name.is_empty() {
        "is empty"
    } else if STREAM_NAME_CHARS_MAX < name.chars().count() {
        "is longer"
    } else if !name.chars().all(allowed) {
        "has other characters"
    } else {
        return Ok(());
    };
    Err(EngineError::StreamNameInvalid { name: name.chars().take(140).collect(), fault })
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), EngineError> {
    let invalid = |fault: String| Err(EngineError::TagsInvalid { fault });
    if TAGS_PER_STREAM_MAX < tags.len() {
        return invalid(format!("a stream has at most {TAGS_PER_STREAM_MAX}, not {}", tags.len()));
    }
    for (key, value) in tags {
        if key.is_empty() || TAG_KEY_CHARS_MAX < key.chars().count() {
            return invalid(format!(
                "a key has 1 to {TAG_KEY_CHARS_MAX} characters, unlike `{key}`"
            ));
        }
        if TAG_VALUE_CHARS_MAX < value.chars().count() {
            return invalid(format!(
                "the value of `{key}` has more than {TAG_VALUE_CHARS_MAX} characters"
            ));
        }
    }
    Ok(())
}
