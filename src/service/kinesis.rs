//! Kinesis Data Streams: operations over an engine, one file each.

mod add_tags_to_stream;
mod consumers;
mod create_stream;
mod decrease_stream_retention_period;
mod delete_resource_policy;
mod delete_stream;
mod deregister_stream_consumer;
mod describe_account_settings;
mod describe_limits;
mod describe_stream;
mod describe_stream_consumer;
mod describe_stream_summary;
pub mod direct;
mod disable_enhanced_monitoring;
mod disturbed;
mod enable_enhanced_monitoring;
mod entry;
pub mod get_records;
mod get_resource_policy;
mod get_shard_iterator;
mod increase_stream_retention_period;
mod list_shards;
mod list_stream_consumers;
mod list_streams;
mod list_tags_for_resource;
mod list_tags_for_stream;
mod merge_shards;
pub mod model;
mod monitoring;
mod put_record;
mod put_records;
mod put_resource_policy;
mod rates;
mod reader;
mod records;
mod register_stream_consumer;
mod remove_tags_from_stream;
mod resource;
mod retention;
mod shard_filter;
mod shard_iterator;
mod split_shard;
mod start_stream_encryption;
mod stop_stream_encryption;
pub mod subscribe_to_shard;
mod tags;
mod tag_resource;
mod untag_resource;
mod update_account_settings;
mod update_max_record_size;
mod update_shard_count;
mod update_stream_mode;
mod update_stream_record_distribution_strategy;
mod update_stream_warm_throughput;
mod views;
mod warm;

use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::Account;
use crate::engine::Engine;
use crate::engine::Limits;
use crate::engine::Status;
use crate::engine::Stream;
use crate::record::sequence::ShardIndex;
use crate::service::arn::Arn;
use crate::service::check::check;
use crate::service::error::ErrorCode;
use crate::service::error::ServiceError;
use crate::service::faults::Faults;
use crate::service::kinesis::disturbed::Subject;
use crate::service::kinesis::get_records::Found;
use crate::service::kinesis::model::Operation;
use crate::service::kinesis::subscribe_to_shard::Subscription;
use crate::service::refusal::missing_stream;
use crate::service::token::Sealer;
use crate::service::value::Members;

/// What answers an operation.
pub(crate) type Run = fn(&Call<'_>) -> Result<Members, ServiceError>;

/// The service over one engine.
#[derive(Debug)]
pub struct Kinesis {
    engine: Arc<Engine>,
    sealer: Sealer,
    faults: Arc<Faults>,
}

/// Who calls, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
}

/// One call of an operation.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    engine: &'a Engine,
    sealer: &'a Sealer,
    /// The caller's account.
    account: Arc<Account>,
    now: Millis,
    input: &'a Members,
    faults: &'a Arc<Faults>,
    /// What it is about, for what goes wrong on purpose.
    subject: Subject,
}

impl Kinesis {
    /// Makes the service.
    pub fn new(engine: Arc<Engine>) -> Self {
        let sealer = Sealer::new(engine.options().seed);
        Self { engine, sealer, faults: Arc::default() }
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Arc<Faults> {
        &self.faults
    }

    /// Tells whether what is put waits for a disk.
    pub fn waits_for_disk(&self) -> bool {
        self.engine.waits_for_disk()
    }

    /// The engine that it serves.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Who calls where nobody says.
    pub fn home(&self) -> Caller {
        let home = self.engine.home();
        Caller { account: home.id().to_owned(), region: home.region().to_owned() }
    }

    /// Finds an operation by name.
    ///
    /// # Errors
    ///
    /// `UnknownOperation`: the service has no such operation, or this one has not yet.
    pub fn operation(name: &str) -> Result<&'static Operation, ServiceError> {
        let known = model::OPERATIONS.iter().find(|operation| operation.name == name);
        known.ok_or_else(|| ServiceError::new(ErrorCode::UnknownOperation, ""))
    }

    /// Answers a call: its members are checked, then its meaning.
    pub fn call(
        &self,
        caller: &Caller,
        operation: &'static Operation,
        input: &Members,
    ) -> Result<Members, ServiceError> {
        let run = operation.run.ok_or_else(|| {
            let name = operation.name;
            let words = format!("{name} answers with events; read them from its stream");
            ServiceError::invalid_argument(words)
        });
        let call = self.checked(caller, operation, input)?;
        let run = run?;
        self.answer(call, operation, run, disturbed::stored)
    }

    /// Answers `GetRecords` as JSON, without a value for each record in between.
    pub fn get_records_json(
        &self,
        caller: &Caller,
        input: &Members,
    ) -> Result<Vec<u8>, ServiceError> {
        let operation = Self::operation("GetRecords")?;
        self.answer(
            self.checked(caller, operation, input)?,
            operation,
            get_records::run_to_json,
            |_| 0,
        )
    }

    /// Finds what `GetRecords` answers, for whoever shows records in another way.
    pub fn find_records(&self, caller: &Caller, input: &Members) -> Result<Found, ServiceError> {
        let operation = Self::operation("GetRecords")?;
        self.answer(self.checked(caller, operation, input)?, operation, get_records::find, |_| 0)
    }

    /// Subscribes a consumer to a shard: `SubscribeToShard`.
    pub fn subscribe(
        &self,
        caller: &Caller,
        operation: &'static Operation,
        input: &Members,
    ) -> Result<Subscription, ServiceError> {
        let call = self.checked(caller, operation, input)?;
        let clock = self.engine.options().clock.clone();
        self.answer(call, operation, |call| subscribe_to_shard::subscribe(call, clock), |_| 0)
    }

    /// Checks the members of a call.
    fn checked<'a>(
        &'a self,
        caller: &Caller,
        operation: &'static Operation,
        input: &'a Members,
    ) -> Result<Call<'a>, ServiceError> {
        check(operation.input, input, |member| must_be_there(operation, member.name, input))?;
        let account = self.engine.account(&caller.account, &caller.region)?;
        let (engine, sealer, now) = (&*self.engine, &self.sealer, self.engine.now());
        if engine.options().limits == Limits::Aws {
            rates::admit(now, &account, operation, input)?;
        }
        let (faults, subject) = (&self.faults, Subject::default());
        Ok(Call { engine, sealer, account, now, input, faults, subject })
    }
}

/// Whether a member that the model leaves open must be there: streams are named one way or another.
fn must_be_there(operation: &Operation, member: &str, input: &Members) -> bool {
    match operation.name {
        "ListShards" | "GetRecords" => false,
        "UpdateMaxRecordSize" => member == "StreamARN",
        _ => member == "StreamName" && input.get("StreamARN").is_none(),
    }
}

impl Call<'_> {
    /// The stream that the call names, by name or by ARN.
    fn stream(&self) -> Result<Arc<Stream>, ServiceError> {
        self.stream_and_account().map(|(stream, _)| stream)
    }

    /// The stream that the call names, once it takes records: one that is being made is not there for them.
    fn stream_for_records(&self) -> Result<Arc<Stream>, ServiceError> {
        let stream = self.stream()?;
        if stream.status(self.now)? == Status::Creating {
            return Err(missing_stream(stream.name(), stream.account()));
        }
        Ok(stream)
    }

    /// The stream that the call names, and the account that it belongs to.
    fn stream_and_account(&self) -> Result<(Arc<Stream>, Arc<Account>), ServiceError> {
        let name = self.input.text("StreamName");
        let Some(text) = self.input.text("StreamARN") else {
            let name = name.unwrap_or_default();
            return Ok((self.account.stream(self.now, name)?, Arc::clone(&self.account)));
        };
        let arn = Arn::parse(text).filter(|arn| arn.consumer.is_none());
        let arn = arn.ok_or_else(|| {
            ServiceError::invalid_argument(format!("StreamARN {text} is not a stream's."))
        })?;
        if let Some(name) = name.filter(|name| *name != arn.stream) {
            let message =
                format!("StreamName {name} and StreamARN {text} are not the same stream's.");
            return Err(ServiceError::invalid_argument(message));
        }
        self.stream_of(&arn)
    }

    /// The stream of an ARN; an account that nobody has called from has none.
    fn stream_of(&self, arn: &Arn) -> Result<(Arc<Stream>, Arc<Account>), ServiceError> {
        match self.engine.known_account(&arn.account, &arn.region) {
            Some(account) => Ok((account.stream(self.now, &arn.stream)?, account)),
            None => Err(missing_stream(&arn.stream, &arn.account)),
        }
    }

    /// Checks the time of creation that tells streams of one name apart, where the caller gives it.
    fn check_created(&self, stream: &Stream) -> Result<(), ServiceError> {
        // Some clients send whole seconds.
        match self.input.timestamp("StreamCreationTimestamp") {
            Some(asked) if asked.whole_seconds() != stream.created().whole_seconds() => {
                Err(missing_stream(stream.name(), stream.account()))
            }
            _ => Ok(()),
        }
    }

    /// The ARN of a stream in an account.
    fn arn(stream: &Stream, account: &Account) -> Arn {
        Arn::of_stream(account.region(), account.id(), stream.name())
    }

    /// How many items the caller wants of a page, by a member of the call.
    fn limit(&self, member: &str, default: usize) -> usize {
        let limit = self.input.integer(member);
        limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default)
    }

    /// The shard after which a listing begins, where the caller names one.
    fn exclusive_start_shard(&self) -> Result<Option<ShardIndex>, ServiceError> {
        let Some(name) = self.input.text("ExclusiveStartShardId") else { return Ok(None) };
        match ShardIndex::parse(name) {
            Some(shard) => Ok(Some(shard)),
            None => Err(ServiceError::invalid_argument(format!(
                "ExclusiveStartShardId {name} is not the id of a shard."
            ))),
        }
    }

    /// The names of the stream and of its account that the call gives, whether they are there or not.
    fn names(&self) -> (String, String) {
        if let Some(arn) = self.input.text("StreamARN").and_then(Arn::parse) {
            return (arn.stream, arn.account);
        }
        let name = self.input.text("StreamName").unwrap_or_default();
        (name.to_owned(), self.account.id().to_owned())
    }

    /// The shard that an id stands for; digits alone will do, as they do at the service.
    fn shard(&self, id: &str) -> Result<ShardIndex, ServiceError> {
        let digits = id.split('-').nth(1).unwrap_or(id);
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let index = digits.parse::<u32>().ok();
        let index = index.filter(|index| is_plain && i32::try_from(*index).is_ok());
        index.map(ShardIndex).ok_or_else(|| {
            let (stream, account) = self.names();
            views::no_shard(id, &stream, &account)
        })
    }

    /// Ends a call that only asked whether it would go well.
    fn end_dry_run(&self) -> Result<(), ServiceError> {
        if self.input.is_set("DryRun") {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Err(ServiceError::new(ErrorCode::DryRunOperation, message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
