//! The model of Kinesis Data Streams as of 17 November 2026: operations, what they take and answer, and its constraints.
//!
//! Facts of the service's public model, in its own spelling. Members stand in the order in which the service was seen to
//! check them, where somebody saw; else in the model's.

use std::sync::LazyLock;

use regex::Regex;

use crate::service::error::ErrorCode;
use crate::service::kinesis::Run;
use crate::service::kinesis::add_tags_to_stream;
use crate::service::kinesis::create_stream;
use crate::service::kinesis::decrease_stream_retention_period;
use crate::service::kinesis::delete_resource_policy;
use crate::service::kinesis::delete_stream;
use crate::service::kinesis::deregister_stream_consumer;
use crate::service::kinesis::describe_account_settings;
use crate::service::kinesis::describe_limits;
use crate::service::kinesis::describe_stream;
use crate::service::kinesis::describe_stream_consumer;
use crate::service::kinesis::describe_stream_summary;
use crate::service::kinesis::disable_enhanced_monitoring;
use crate::service::kinesis::enable_enhanced_monitoring;
use crate::service::kinesis::get_records;
use crate::service::kinesis::get_resource_policy;
use crate::service::kinesis::get_shard_iterator;
use crate::service::kinesis::increase_stream_retention_period;
use crate::service::kinesis::list_shards;
use crate::service::kinesis::list_stream_consumers;
use crate::service::kinesis::list_streams;
use crate::service::kinesis::list_tags_for_resource;
use crate::service::kinesis::list_tags_for_stream;
use crate::service::kinesis::merge_shards;
use crate::service::kinesis::put_record;
use crate::service::kinesis::put_records;
use crate::service::kinesis::put_resource_policy;
use crate::service::kinesis::register_stream_consumer;
use crate::service::kinesis::remove_tags_from_stream;
use crate::service::kinesis::split_shard;
use crate::service::kinesis::start_stream_encryption;
use crate::service::kinesis::stop_stream_encryption;
use crate::service::kinesis::tag_resource;
use crate::service::kinesis::untag_resource;
use crate::service::kinesis::update_account_settings;
use crate::service::kinesis::update_max_record_size;
use crate::service::kinesis::update_shard_count;
use crate::service::kinesis::update_stream_mode;
use crate::service::kinesis::update_stream_record_distribution_strategy;
use crate::service::kinesis::update_stream_warm_throughput;
use crate::service::shape::Length;
use crate::service::shape::Member;
use crate::service::shape::Pattern;
use crate::service::shape::Range;
use crate::service::shape::Shape;
use crate::service::shape::Structure;
use crate::service::shape::Text;
use crate::service::shape::pattern;

pattern!(
    CONSUMER_ARN_PATTERN,
    r"(arn):aws.*:kinesis:.*:\d{12}:.*stream/[a-zA-Z0-9_.-]+/consumer/[a-zA-Z0-9_.-]+:[0-9]+"
);
pattern!(NAME_PATTERN, r"[a-zA-Z0-9_.-]+");
pattern!(HASH_KEY_PATTERN, r"0|([1-9]\d{0,38})");
pattern!(RESOURCE_ARN_PATTERN, r"arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+");
pattern!(SEQUENCE_NUMBER_PATTERN, r"0|([1-9]\d{0,128})");
pattern!(STREAM_ARN_PATTERN, r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+");
pattern!(STREAM_ID_PATTERN, r"[a-z0-9]{20}-[a-z0-9]{3}");

static BOOLEAN_OBJECT: Shape = Shape::Boolean;
static CHANNEL_COUNT_OBJECT: Shape = Shape::Integer(Range::of(0, 1_000_000));
static CHILD_SHARD: Shape = Shape::Structure(&Structure {
    name: "ChildShard",
    members: &[
        Member { name: "ShardId", shape: &SHARD_ID, required: true },
        Member { name: "ParentShards", shape: &SHARD_ID_LIST, required: true },
        Member { name: "HashKeyRange", shape: &HASH_KEY_RANGE, required: true },
    ],
});
static CHILD_SHARD_LIST: Shape = Shape::List(&CHILD_SHARD, Length::ANY);
static CONSUMER: Shape = Shape::Structure(&Structure {
    name: "Consumer",
    members: &[
        Member { name: "ConsumerName", shape: &CONSUMER_NAME, required: true },
        Member { name: "ConsumerARN", shape: &CONSUMER_ARN, required: true },
        Member { name: "ConsumerStatus", shape: &CONSUMER_STATUS, required: true },
        Member { name: "ConsumerCreationTimestamp", shape: &TIMESTAMP, required: true },
    ],
});
static CONSUMER_ARN: Shape = Shape::Text(Text::long(1, 2048).like(&CONSUMER_ARN_PATTERN));
static CONSUMER_COUNT_OBJECT: Shape = Shape::Integer(Range::of(0, 1_000_000));
static CONSUMER_DESCRIPTION: Shape = Shape::Structure(&Structure {
    name: "ConsumerDescription",
    members: &[
        Member { name: "ConsumerName", shape: &CONSUMER_NAME, required: true },
        Member { name: "ConsumerARN", shape: &CONSUMER_ARN, required: true },
        Member { name: "ConsumerStatus", shape: &CONSUMER_STATUS, required: true },
        Member { name: "ConsumerCreationTimestamp", shape: &TIMESTAMP, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
    ],
});
static CONSUMER_LIST: Shape = Shape::List(&CONSUMER, Length::ANY);
static CONSUMER_NAME: Shape = Shape::Text(Text::long(1, 128).like(&NAME_PATTERN));
static CONSUMER_STATUS: Shape = Shape::Text(Text::one_of(&["CREATING", "DELETING", "ACTIVE"]));
static DATA: Shape = Shape::Blob(Length::of(0, 10_485_760));
static DESCRIBE_STREAM_INPUT_LIMIT: Shape = Shape::Integer(Range::of(1, 10_000));
static ENCRYPTION_TYPE: Shape = Shape::Text(Text::one_of(&["NONE", "KMS"]));
static ENHANCED_METRICS: Shape = Shape::Structure(&Structure {
    name: "EnhancedMetrics",
    members: &[Member { name: "ShardLevelMetrics", shape: &METRICS_NAME_LIST, required: false }],
});
static ENHANCED_MONITORING_LIST: Shape = Shape::List(&ENHANCED_METRICS, Length::ANY);
static ERROR_CODE: Shape = Shape::Text(Text::ANY);
static ERROR_MESSAGE: Shape = Shape::Text(Text::ANY);
static GET_RECORDS_INPUT_LIMIT: Shape = Shape::Integer(Range::of(1, 10_000));
static HASH_KEY: Shape = Shape::Text(Text::ANY.like(&HASH_KEY_PATTERN));
static HASH_KEY_RANGE: Shape = Shape::Structure(&Structure {
    name: "HashKeyRange",
    members: &[
        Member { name: "StartingHashKey", shape: &HASH_KEY, required: true },
        Member { name: "EndingHashKey", shape: &HASH_KEY, required: true },
    ],
});
static KEY_ID: Shape = Shape::Text(Text::long(1, 2048));
static LIST_SHARDS_INPUT_LIMIT: Shape = Shape::Integer(Range::of(1, 10_000));
static LIST_STREAM_CONSUMERS_INPUT_LIMIT: Shape = Shape::Integer(Range::of(1, 10_000));
static LIST_STREAMS_INPUT_LIMIT: Shape = Shape::Integer(Range::of(1, 10_000));
static LIST_TAGS_FOR_STREAM_INPUT_LIMIT: Shape = Shape::Integer(Range::of(1, 50));
static MAX_RECORD_SIZE_IN_KIB: Shape = Shape::Integer(Range::of(1024, 10_240));
static METRICS_NAME: Shape = Shape::Text(Text::one_of(&[
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
    "ALL",
]));
static METRICS_NAME_LIST: Shape = Shape::List(&METRICS_NAME, Length::of(1, 7));
static MILLIS_BEHIND_LATEST: Shape = Shape::Long(Range::from(0));
static MINIMUM_THROUGHPUT_BILLING_COMMITMENT_INPUT: Shape = Shape::Structure(&Structure {
    name: "MinimumThroughputBillingCommitmentInput",
    members: &[Member {
        name: "Status",
        shape: &MINIMUM_THROUGHPUT_BILLING_COMMITMENT_INPUT_STATUS,
        required: true,
    }],
});
static MINIMUM_THROUGHPUT_BILLING_COMMITMENT_INPUT_STATUS: Shape =
    Shape::Text(Text::one_of(&["ENABLED", "DISABLED"]));
static MINIMUM_THROUGHPUT_BILLING_COMMITMENT_OUTPUT: Shape = Shape::Structure(&Structure {
    name: "MinimumThroughputBillingCommitmentOutput",
    members: &[
        Member {
            name: "Status",
            shape: &MINIMUM_THROUGHPUT_BILLING_COMMITMENT_OUTPUT_STATUS,
            required: true,
        },
        Member { name: "StartedAt", shape: &TIMESTAMP, required: false },
        Member { name: "EndedAt", shape: &TIMESTAMP, required: false },
        Member { name: "EarliestAllowedEndAt", shape: &TIMESTAMP, required: false },
    ],
});
static MINIMUM_THROUGHPUT_BILLING_COMMITMENT_OUTPUT_STATUS: Shape =
    Shape::Text(Text::one_of(&["ENABLED", "DISABLED", "ENABLED_UNTIL_EARLIEST_ALLOWED_END"]));
static NATURAL_INTEGER_OBJECT: Shape = Shape::Integer(Range::from(0));
static NEXT_TOKEN: Shape = Shape::Text(Text::long(1, 1_048_576));
static ON_DEMAND_STREAM_COUNT_LIMIT_OBJECT: Shape = Shape::Integer(Range::of(0, 1_000_000));
static ON_DEMAND_STREAM_COUNT_OBJECT: Shape = Shape::Integer(Range::of(0, 1_000_000));
static PARTITION_KEY: Shape = Shape::Text(Text::long(1, 256));
static POLICY: Shape = Shape::Text(Text::ANY);
static POSITIVE_INTEGER_OBJECT: Shape = Shape::Integer(Range::from(1));
static PUT_RECORDS_REQUEST_ENTRY: Shape = Shape::Structure(&Structure {
    name: "PutRecordsRequestEntry",
    members: &[
        Member { name: "PartitionKey", shape: &PARTITION_KEY, required: false },
        Member { name: "Data", shape: &DATA, required: true },
        Member { name: "ExplicitHashKey", shape: &HASH_KEY, required: false },
    ],
});
static PUT_RECORDS_REQUEST_ENTRY_LIST: Shape =
    Shape::List(&PUT_RECORDS_REQUEST_ENTRY, Length::of(1, 500));
static PUT_RECORDS_RESULT_ENTRY: Shape = Shape::Structure(&Structure {
    name: "PutRecordsResultEntry",
    members: &[
        Member { name: "SequenceNumber", shape: &SEQUENCE_NUMBER, required: false },
        Member { name: "ShardId", shape: &SHARD_ID, required: false },
        Member { name: "ErrorCode", shape: &ERROR_CODE, required: false },
        Member { name: "ErrorMessage", shape: &ERROR_MESSAGE, required: false },
    ],
});
static PUT_RECORDS_RESULT_ENTRY_LIST: Shape =
    Shape::List(&PUT_RECORDS_RESULT_ENTRY, Length::of(1, 500));
static QUEUE_COUNT_OBJECT: Shape = Shape::Integer(Range::of(0, 1_000_000));
static RECORD: Shape = Shape::Structure(&Structure {
    name: "Record",
    members: &[
        Member { name: "SequenceNumber", shape: &SEQUENCE_NUMBER, required: true },
        Member { name: "ApproximateArrivalTimestamp", shape: &TIMESTAMP, required: false },
        Member { name: "Data", shape: &DATA, required: true },
        Member { name: "PartitionKey", shape: &PARTITION_KEY, required: false },
        Member { name: "EncryptionType", shape: &ENCRYPTION_TYPE, required: false },
    ],
});
static RECORD_DISTRIBUTION_STRATEGY: Shape =
    Shape::Text(Text::one_of(&["AUTO", "USER_PARTITION_KEY"]));
static RECORD_LIST: Shape = Shape::List(&RECORD, Length::ANY);
static RESOURCE_ARN: Shape = Shape::Text(Text::long(1, 2048).like(&RESOURCE_ARN_PATTERN));
static RETENTION_PERIOD_HOURS: Shape = Shape::Integer(Range::ANY);
static SCALING_TYPE: Shape = Shape::Text(Text::one_of(&["UNIFORM_SCALING"]));
static SEQUENCE_NUMBER: Shape = Shape::Text(Text::ANY.like(&SEQUENCE_NUMBER_PATTERN));
static SEQUENCE_NUMBER_RANGE: Shape = Shape::Structure(&Structure {
    name: "SequenceNumberRange",
    members: &[
        Member { name: "StartingSequenceNumber", shape: &SEQUENCE_NUMBER, required: true },
        Member { name: "EndingSequenceNumber", shape: &SEQUENCE_NUMBER, required: false },
    ],
});
static SHARD: Shape = Shape::Structure(&Structure {
    name: "Shard",
    members: &[
        Member { name: "ShardId", shape: &SHARD_ID, required: true },
        Member { name: "ParentShardId", shape: &SHARD_ID, required: false },
        Member { name: "AdjacentParentShardId", shape: &SHARD_ID, required: false },
        Member { name: "HashKeyRange", shape: &HASH_KEY_RANGE, required: true },
        Member { name: "SequenceNumberRange", shape: &SEQUENCE_NUMBER_RANGE, required: true },
    ],
});
static SHARD_COUNT_OBJECT: Shape = Shape::Integer(Range::of(0, 1_000_000));
static SHARD_FILTER: Shape = Shape::Structure(&Structure {
    name: "ShardFilter",
    members: &[
        Member { name: "Type", shape: &SHARD_FILTER_TYPE, required: true },
        Member { name: "ShardId", shape: &SHARD_ID, required: false },
        Member { name: "Timestamp", shape: &TIMESTAMP, required: false },
    ],
});
static SHARD_FILTER_TYPE: Shape = Shape::Text(Text::one_of(&[
    "AFTER_SHARD_ID",
    "AT_TRIM_HORIZON",
    "FROM_TRIM_HORIZON",
    "AT_LATEST",
    "AT_TIMESTAMP",
    "FROM_TIMESTAMP",
]));
static SHARD_ID: Shape = Shape::Text(Text::long(1, 128).like(&NAME_PATTERN));
static SHARD_ID_LIST: Shape = Shape::List(&SHARD_ID, Length::ANY);
static SHARD_ITERATOR: Shape = Shape::Text(Text::long(1, 512));
static SHARD_ITERATOR_TYPE: Shape = Shape::Text(Text::one_of(&[
    "AFTER_SEQUENCE_NUMBER",
    "LATEST",
    "AT_TIMESTAMP",
    "AT_SEQUENCE_NUMBER",
    "TRIM_HORIZON",
]));
static SHARD_LIST: Shape = Shape::List(&SHARD, Length::ANY);
static STARTING_POSITION: Shape = Shape::Structure(&Structure {
    name: "StartingPosition",
    members: &[
        Member { name: "Type", shape: &SHARD_ITERATOR_TYPE, required: true },
        Member { name: "SequenceNumber", shape: &SEQUENCE_NUMBER, required: false },
        Member { name: "Timestamp", shape: &TIMESTAMP, required: false },
    ],
});
static STREAM_ARN: Shape = Shape::Text(Text::long(1, 2048).like(&STREAM_ARN_PATTERN));
static STREAM_DESCRIPTION: Shape = Shape::Structure(&Structure {
    name: "StreamDescription",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
        Member { name: "StreamStatus", shape: &STREAM_STATUS, required: true },
        Member { name: "StreamModeDetails", shape: &STREAM_MODE_DETAILS, required: false },
        Member { name: "Shards", shape: &SHARD_LIST, required: true },
        Member { name: "HasMoreShards", shape: &BOOLEAN_OBJECT, required: true },
        Member { name: "RetentionPeriodHours", shape: &RETENTION_PERIOD_HOURS, required: true },
        Member { name: "StreamCreationTimestamp", shape: &TIMESTAMP, required: true },
        Member { name: "EnhancedMonitoring", shape: &ENHANCED_MONITORING_LIST, required: true },
        Member { name: "EncryptionType", shape: &ENCRYPTION_TYPE, required: false },
        Member { name: "KeyId", shape: &KEY_ID, required: false },
    ],
});
static STREAM_DESCRIPTION_SUMMARY: Shape = Shape::Structure(&Structure {
    name: "StreamDescriptionSummary",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "StreamStatus", shape: &STREAM_STATUS, required: true },
        Member { name: "StreamModeDetails", shape: &STREAM_MODE_DETAILS, required: false },
        Member { name: "RetentionPeriodHours", shape: &RETENTION_PERIOD_HOURS, required: true },
        Member { name: "StreamCreationTimestamp", shape: &TIMESTAMP, required: true },
        Member { name: "EnhancedMonitoring", shape: &ENHANCED_MONITORING_LIST, required: true },
        Member { name: "EncryptionType", shape: &ENCRYPTION_TYPE, required: false },
        Member { name: "KeyId", shape: &KEY_ID, required: false },
        Member { name: "OpenShardCount", shape: &SHARD_COUNT_OBJECT, required: true },
        Member { name: "ConsumerCount", shape: &CONSUMER_COUNT_OBJECT, required: false },
        Member { name: "WarmThroughput", shape: &WARM_THROUGHPUT_OBJECT, required: false },
        Member { name: "MaxRecordSizeInKiB", shape: &MAX_RECORD_SIZE_IN_KIB, required: false },
        Member { name: "ChannelCount", shape: &CHANNEL_COUNT_OBJECT, required: false },
        Member {
            name: "RecordDistributionStrategy",
            shape: &RECORD_DISTRIBUTION_STRATEGY,
            required: false,
        },
        Member { name: "QueueCount", shape: &QUEUE_COUNT_OBJECT, required: false },
    ],
});
static STREAM_ID: Shape = Shape::Text(Text::long(1, 24).like(&STREAM_ID_PATTERN));
static STREAM_MODE: Shape = Shape::Text(Text::one_of(&["PROVISIONED", "ON_DEMAND"]));
static STREAM_MODE_DETAILS: Shape = Shape::Structure(&Structure {
    name: "StreamModeDetails",
    members: &[Member { name: "StreamMode", shape: &STREAM_MODE, required: true }],
});
static STREAM_NAME: Shape = Shape::Text(Text::long(1, 128).like(&NAME_PATTERN));
static STREAM_NAME_LIST: Shape = Shape::List(&STREAM_NAME, Length::ANY);
static STREAM_STATUS: Shape =
    Shape::Text(Text::one_of(&["CREATING", "DELETING", "ACTIVE", "UPDATING"]));
static STREAM_SUMMARY: Shape = Shape::Structure(&Structure {
    name: "StreamSummary",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
        Member { name: "StreamStatus", shape: &STREAM_STATUS, required: true },
        Member { name: "StreamModeDetails", shape: &STREAM_MODE_DETAILS, required: false },
        Member { name: "StreamCreationTimestamp", shape: &TIMESTAMP, required: false },
    ],
});
static STREAM_SUMMARY_LIST: Shape = Shape::List(&STREAM_SUMMARY, Length::ANY);
/// What `SubscribeToShard` answers with, again and again.
pub static SUBSCRIBE_TO_SHARD_EVENT: Structure = Structure {
    name: "SubscribeToShardEvent",
    members: &[
        Member { name: "Records", shape: &RECORD_LIST, required: true },
        Member { name: "ContinuationSequenceNumber", shape: &SEQUENCE_NUMBER, required: true },
        Member { name: "MillisBehindLatest", shape: &MILLIS_BEHIND_LATEST, required: true },
        Member { name: "ChildShards", shape: &CHILD_SHARD_LIST, required: false },
    ],
};
static TAG: Shape = Shape::Structure(&Structure {
    name: "Tag",
    members: &[
        Member { name: "Key", shape: &TAG_KEY, required: true },
        Member { name: "Value", shape: &TAG_VALUE, required: false },
    ],
});
static TAG_KEY_TEXT: Text = Text::long(1, 128);
static TAG_KEY: Shape = Shape::Text(Text::long(1, 128));
static TAG_KEY_LIST: Shape = Shape::List(&TAG_KEY, Length::of(1, 50));
static TAG_LIST: Shape = Shape::List(&TAG, Length::of(0, 200));
static TAG_MAP: Shape = Shape::Map(&TAG_KEY_TEXT, &TAG_VALUE_TEXT, Length::of(1, 200));
static TAG_VALUE_TEXT: Text = Text::long(0, 256);
static TAG_VALUE: Shape = Shape::Text(Text::long(0, 256));
static TIMESTAMP: Shape = Shape::Timestamp;
static WARM_THROUGHPUT_OBJECT: Shape = Shape::Structure(&Structure {
    name: "WarmThroughputObject",
    members: &[
        Member { name: "TargetMiBps", shape: &NATURAL_INTEGER_OBJECT, required: false },
        Member { name: "CurrentMiBps", shape: &NATURAL_INTEGER_OBJECT, required: false },
    ],
});

static ADD_TAGS_TO_STREAM_INPUT: Structure = Structure {
    name: "AddTagsToStreamInput",
    members: &[
        Member { name: "Tags", shape: &TAG_MAP, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static CREATE_STREAM_INPUT: Structure = Structure {
    name: "CreateStreamInput",
    members: &[
        Member { name: "ShardCount", shape: &POSITIVE_INTEGER_OBJECT, required: false },
        Member { name: "StreamName", shape: &STREAM_NAME, required: true },
        Member { name: "StreamModeDetails", shape: &STREAM_MODE_DETAILS, required: false },
        Member { name: "Tags", shape: &TAG_MAP, required: false },
        Member { name: "WarmThroughputMiBps", shape: &NATURAL_INTEGER_OBJECT, required: false },
        Member { name: "MaxRecordSizeInKiB", shape: &MAX_RECORD_SIZE_IN_KIB, required: false },
        Member {
            name: "RecordDistributionStrategy",
            shape: &RECORD_DISTRIBUTION_STRATEGY,
            required: false,
        },
    ],
};
static DECREASE_STREAM_RETENTION_PERIOD_INPUT: Structure = Structure {
    name: "DecreaseStreamRetentionPeriodInput",
    members: &[
        Member { name: "RetentionPeriodHours", shape: &RETENTION_PERIOD_HOURS, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static DELETE_RESOURCE_POLICY_INPUT: Structure = Structure {
    name: "DeleteResourcePolicyInput",
    members: &[
        Member { name: "ResourceARN", shape: &RESOURCE_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static DELETE_STREAM_INPUT: Structure = Structure {
    name: "DeleteStreamInput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "EnforceConsumerDeletion", shape: &BOOLEAN_OBJECT, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static DEREGISTER_STREAM_CONSUMER_INPUT: Structure = Structure {
    name: "DeregisterStreamConsumerInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "ConsumerName", shape: &CONSUMER_NAME, required: false },
        Member { name: "ConsumerARN", shape: &CONSUMER_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static DESCRIBE_ACCOUNT_SETTINGS_INPUT: Structure =
    Structure { name: "DescribeAccountSettingsInput", members: &[] };
static DESCRIBE_ACCOUNT_SETTINGS_OUTPUT: Structure = Structure {
    name: "DescribeAccountSettingsOutput",
    members: &[Member {
        name: "MinimumThroughputBillingCommitment",
        shape: &MINIMUM_THROUGHPUT_BILLING_COMMITMENT_OUTPUT,
        required: false,
    }],
};
static DESCRIBE_LIMITS_INPUT: Structure = Structure { name: "DescribeLimitsInput", members: &[] };
static DESCRIBE_LIMITS_OUTPUT: Structure = Structure {
    name: "DescribeLimitsOutput",
    members: &[
        Member { name: "ShardLimit", shape: &SHARD_COUNT_OBJECT, required: true },
        Member { name: "OpenShardCount", shape: &SHARD_COUNT_OBJECT, required: true },
        Member {
            name: "OnDemandStreamCount",
            shape: &ON_DEMAND_STREAM_COUNT_OBJECT,
            required: true,
        },
        Member {
            name: "OnDemandStreamCountLimit",
            shape: &ON_DEMAND_STREAM_COUNT_LIMIT_OBJECT,
            required: true,
        },
        Member { name: "ChannelCount", shape: &CHANNEL_COUNT_OBJECT, required: false },
        Member { name: "ChannelCountLimit", shape: &CHANNEL_COUNT_OBJECT, required: false },
    ],
};
static DESCRIBE_STREAM_CONSUMER_INPUT: Structure = Structure {
    name: "DescribeStreamConsumerInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "ConsumerName", shape: &CONSUMER_NAME, required: false },
        Member { name: "ConsumerARN", shape: &CONSUMER_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static DESCRIBE_STREAM_CONSUMER_OUTPUT: Structure = Structure {
    name: "DescribeStreamConsumerOutput",
    members: &[Member {
        name: "ConsumerDescription",
        shape: &CONSUMER_DESCRIPTION,
        required: true,
    }],
};
static DESCRIBE_STREAM_INPUT: Structure = Structure {
    name: "DescribeStreamInput",
    members: &[
        Member { name: "Limit", shape: &DESCRIBE_STREAM_INPUT_LIMIT, required: false },
        Member { name: "ExclusiveStartShardId", shape: &SHARD_ID, required: false },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static DESCRIBE_STREAM_OUTPUT: Structure = Structure {
    name: "DescribeStreamOutput",
    members: &[Member { name: "StreamDescription", shape: &STREAM_DESCRIPTION, required: true }],
};
static DESCRIBE_STREAM_SUMMARY_INPUT: Structure = Structure {
    name: "DescribeStreamSummaryInput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static DESCRIBE_STREAM_SUMMARY_OUTPUT: Structure = Structure {
    name: "DescribeStreamSummaryOutput",
    members: &[Member {
        name: "StreamDescriptionSummary",
        shape: &STREAM_DESCRIPTION_SUMMARY,
        required: true,
    }],
};
static DISABLE_ENHANCED_MONITORING_INPUT: Structure = Structure {
    name: "DisableEnhancedMonitoringInput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "ShardLevelMetrics", shape: &METRICS_NAME_LIST, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static ENABLE_ENHANCED_MONITORING_INPUT: Structure = Structure {
    name: "EnableEnhancedMonitoringInput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "ShardLevelMetrics", shape: &METRICS_NAME_LIST, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static ENHANCED_MONITORING_OUTPUT: Structure = Structure {
    name: "EnhancedMonitoringOutput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "CurrentShardLevelMetrics", shape: &METRICS_NAME_LIST, required: false },
        Member { name: "DesiredShardLevelMetrics", shape: &METRICS_NAME_LIST, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
    ],
};
static GET_RECORDS_INPUT: Structure = Structure {
    name: "GetRecordsInput",
    members: &[
        Member { name: "Limit", shape: &GET_RECORDS_INPUT_LIMIT, required: false },
        Member { name: "ShardIterator", shape: &SHARD_ITERATOR, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "DryRun", shape: &BOOLEAN_OBJECT, required: false },
    ],
};
static GET_RECORDS_OUTPUT: Structure = Structure {
    name: "GetRecordsOutput",
    members: &[
        Member { name: "Records", shape: &RECORD_LIST, required: true },
        Member { name: "NextShardIterator", shape: &SHARD_ITERATOR, required: false },
        Member { name: "MillisBehindLatest", shape: &MILLIS_BEHIND_LATEST, required: false },
        Member { name: "ChildShards", shape: &CHILD_SHARD_LIST, required: false },
    ],
};
static GET_RESOURCE_POLICY_INPUT: Structure = Structure {
    name: "GetResourcePolicyInput",
    members: &[
        Member { name: "ResourceARN", shape: &RESOURCE_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static GET_RESOURCE_POLICY_OUTPUT: Structure = Structure {
    name: "GetResourcePolicyOutput",
    members: &[Member { name: "Policy", shape: &POLICY, required: true }],
};
static GET_SHARD_ITERATOR_INPUT: Structure = Structure {
    name: "GetShardIteratorInput",
    members: &[
        Member { name: "ShardId", shape: &SHARD_ID, required: true },
        Member { name: "ShardIteratorType", shape: &SHARD_ITERATOR_TYPE, required: true },
        Member { name: "StartingSequenceNumber", shape: &SEQUENCE_NUMBER, required: false },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "Timestamp", shape: &TIMESTAMP, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "DryRun", shape: &BOOLEAN_OBJECT, required: false },
    ],
};
static GET_SHARD_ITERATOR_OUTPUT: Structure = Structure {
    name: "GetShardIteratorOutput",
    members: &[Member { name: "ShardIterator", shape: &SHARD_ITERATOR, required: false }],
};
static INCREASE_STREAM_RETENTION_PERIOD_INPUT: Structure = Structure {
    name: "IncreaseStreamRetentionPeriodInput",
    members: &[
        Member { name: "RetentionPeriodHours", shape: &RETENTION_PERIOD_HOURS, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static LIST_SHARDS_INPUT: Structure = Structure {
    name: "ListShardsInput",
    members: &[
        Member { name: "ExclusiveStartShardId", shape: &SHARD_ID, required: false },
        Member { name: "MaxResults", shape: &LIST_SHARDS_INPUT_LIMIT, required: false },
        Member { name: "NextToken", shape: &NEXT_TOKEN, required: false },
        Member { name: "StreamCreationTimestamp", shape: &TIMESTAMP, required: false },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "ShardFilter", shape: &SHARD_FILTER, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static LIST_SHARDS_OUTPUT: Structure = Structure {
    name: "ListShardsOutput",
    members: &[
        Member { name: "Shards", shape: &SHARD_LIST, required: false },
        Member { name: "NextToken", shape: &NEXT_TOKEN, required: false },
    ],
};
static LIST_STREAM_CONSUMERS_INPUT: Structure = Structure {
    name: "ListStreamConsumersInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
        Member { name: "NextToken", shape: &NEXT_TOKEN, required: false },
        Member { name: "MaxResults", shape: &LIST_STREAM_CONSUMERS_INPUT_LIMIT, required: false },
        Member { name: "StreamCreationTimestamp", shape: &TIMESTAMP, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static LIST_STREAM_CONSUMERS_OUTPUT: Structure = Structure {
    name: "ListStreamConsumersOutput",
    members: &[
        Member { name: "Consumers", shape: &CONSUMER_LIST, required: false },
        Member { name: "NextToken", shape: &NEXT_TOKEN, required: false },
    ],
};
static LIST_STREAMS_INPUT: Structure = Structure {
    name: "ListStreamsInput",
    members: &[
        Member { name: "Limit", shape: &LIST_STREAMS_INPUT_LIMIT, required: false },
        Member { name: "ExclusiveStartStreamName", shape: &STREAM_NAME, required: false },
        Member { name: "NextToken", shape: &NEXT_TOKEN, required: false },
    ],
};
static LIST_STREAMS_OUTPUT: Structure = Structure {
    name: "ListStreamsOutput",
    members: &[
        Member { name: "StreamNames", shape: &STREAM_NAME_LIST, required: true },
        Member { name: "HasMoreStreams", shape: &BOOLEAN_OBJECT, required: true },
        Member { name: "NextToken", shape: &NEXT_TOKEN, required: false },
        Member { name: "StreamSummaries", shape: &STREAM_SUMMARY_LIST, required: false },
    ],
};
static LIST_TAGS_FOR_RESOURCE_INPUT: Structure = Structure {
    name: "ListTagsForResourceInput",
    members: &[
        Member { name: "ResourceARN", shape: &RESOURCE_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static LIST_TAGS_FOR_RESOURCE_OUTPUT: Structure = Structure {
    name: "ListTagsForResourceOutput",
    members: &[Member { name: "Tags", shape: &TAG_LIST, required: false }],
};
static LIST_TAGS_FOR_STREAM_INPUT: Structure = Structure {
    name: "ListTagsForStreamInput",
    members: &[
        Member { name: "Limit", shape: &LIST_TAGS_FOR_STREAM_INPUT_LIMIT, required: false },
        Member { name: "ExclusiveStartTagKey", shape: &TAG_KEY, required: false },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static LIST_TAGS_FOR_STREAM_OUTPUT: Structure = Structure {
    name: "ListTagsForStreamOutput",
    members: &[
        Member { name: "Tags", shape: &TAG_LIST, required: true },
        Member { name: "HasMoreTags", shape: &BOOLEAN_OBJECT, required: true },
    ],
};
static MERGE_SHARDS_INPUT: Structure = Structure {
    name: "MergeShardsInput",
    members: &[
        Member { name: "ShardToMerge", shape: &SHARD_ID, required: true },
        Member { name: "AdjacentShardToMerge", shape: &SHARD_ID, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static PUT_RECORD_INPUT: Structure = Structure {
    name: "PutRecordInput",
    members: &[
        Member { name: "SequenceNumberForOrdering", shape: &SEQUENCE_NUMBER, required: false },
        Member { name: "PartitionKey", shape: &PARTITION_KEY, required: false },
        Member { name: "ExplicitHashKey", shape: &HASH_KEY, required: false },
        Member { name: "Data", shape: &DATA, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "DryRun", shape: &BOOLEAN_OBJECT, required: false },
    ],
};
static PUT_RECORD_OUTPUT: Structure = Structure {
    name: "PutRecordOutput",
    members: &[
        Member { name: "ShardId", shape: &SHARD_ID, required: true },
        Member { name: "SequenceNumber", shape: &SEQUENCE_NUMBER, required: true },
        Member { name: "EncryptionType", shape: &ENCRYPTION_TYPE, required: false },
    ],
};
static PUT_RECORDS_INPUT: Structure = Structure {
    name: "PutRecordsInput",
    members: &[
        Member { name: "Records", shape: &PUT_RECORDS_REQUEST_ENTRY_LIST, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "DryRun", shape: &BOOLEAN_OBJECT, required: false },
    ],
};
static PUT_RECORDS_OUTPUT: Structure = Structure {
    name: "PutRecordsOutput",
    members: &[
        Member { name: "FailedRecordCount", shape: &POSITIVE_INTEGER_OBJECT, required: false },
        Member { name: "Records", shape: &PUT_RECORDS_RESULT_ENTRY_LIST, required: true },
        Member { name: "EncryptionType", shape: &ENCRYPTION_TYPE, required: false },
    ],
};
static PUT_RESOURCE_POLICY_INPUT: Structure = Structure {
    name: "PutResourcePolicyInput",
    members: &[
        Member { name: "ResourceARN", shape: &RESOURCE_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "Policy", shape: &POLICY, required: true },
    ],
};
static REGISTER_STREAM_CONSUMER_INPUT: Structure = Structure {
    name: "RegisterStreamConsumerInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
        Member { name: "ConsumerName", shape: &CONSUMER_NAME, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "Tags", shape: &TAG_MAP, required: false },
    ],
};
static REGISTER_STREAM_CONSUMER_OUTPUT: Structure = Structure {
    name: "RegisterStreamConsumerOutput",
    members: &[Member { name: "Consumer", shape: &CONSUMER, required: true }],
};
static REMOVE_TAGS_FROM_STREAM_INPUT: Structure = Structure {
    name: "RemoveTagsFromStreamInput",
    members: &[
        Member { name: "TagKeys", shape: &TAG_KEY_LIST, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static SPLIT_SHARD_INPUT: Structure = Structure {
    name: "SplitShardInput",
    members: &[
        Member { name: "NewStartingHashKey", shape: &HASH_KEY, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "ShardToSplit", shape: &SHARD_ID, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static START_STREAM_ENCRYPTION_INPUT: Structure = Structure {
    name: "StartStreamEncryptionInput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "EncryptionType", shape: &ENCRYPTION_TYPE, required: true },
        Member { name: "KeyId", shape: &KEY_ID, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static STOP_STREAM_ENCRYPTION_INPUT: Structure = Structure {
    name: "StopStreamEncryptionInput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "EncryptionType", shape: &ENCRYPTION_TYPE, required: true },
        Member { name: "KeyId", shape: &KEY_ID, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static SUBSCRIBE_TO_SHARD_INPUT: Structure = Structure {
    name: "SubscribeToShardInput",
    members: &[
        Member { name: "ConsumerARN", shape: &CONSUMER_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "ShardId", shape: &SHARD_ID, required: true },
        Member { name: "StartingPosition", shape: &STARTING_POSITION, required: true },
        Member { name: "DryRun", shape: &BOOLEAN_OBJECT, required: false },
    ],
};
static TAG_RESOURCE_INPUT: Structure = Structure {
    name: "TagResourceInput",
    members: &[
        Member { name: "Tags", shape: &TAG_MAP, required: true },
        Member { name: "ResourceARN", shape: &RESOURCE_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static UNTAG_RESOURCE_INPUT: Structure = Structure {
    name: "UntagResourceInput",
    members: &[
        Member { name: "TagKeys", shape: &TAG_KEY_LIST, required: true },
        Member { name: "ResourceARN", shape: &RESOURCE_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static UPDATE_ACCOUNT_SETTINGS_INPUT: Structure = Structure {
    name: "UpdateAccountSettingsInput",
    members: &[Member {
        name: "MinimumThroughputBillingCommitment",
        shape: &MINIMUM_THROUGHPUT_BILLING_COMMITMENT_INPUT,
        required: true,
    }],
};
static UPDATE_ACCOUNT_SETTINGS_OUTPUT: Structure = Structure {
    name: "UpdateAccountSettingsOutput",
    members: &[Member {
        name: "MinimumThroughputBillingCommitment",
        shape: &MINIMUM_THROUGHPUT_BILLING_COMMITMENT_OUTPUT,
        required: false,
    }],
};
static UPDATE_MAX_RECORD_SIZE_INPUT: Structure = Structure {
    name: "UpdateMaxRecordSizeInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "MaxRecordSizeInKiB", shape: &MAX_RECORD_SIZE_IN_KIB, required: true },
    ],
};
static UPDATE_SHARD_COUNT_INPUT: Structure = Structure {
    name: "UpdateShardCountInput",
    members: &[
        Member { name: "ScalingType", shape: &SCALING_TYPE, required: true },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "TargetShardCount", shape: &POSITIVE_INTEGER_OBJECT, required: true },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
    ],
};
static UPDATE_SHARD_COUNT_OUTPUT: Structure = Structure {
    name: "UpdateShardCountOutput",
    members: &[
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "CurrentShardCount", shape: &POSITIVE_INTEGER_OBJECT, required: false },
        Member { name: "TargetShardCount", shape: &POSITIVE_INTEGER_OBJECT, required: false },
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
    ],
};
static UPDATE_STREAM_MODE_INPUT: Structure = Structure {
    name: "UpdateStreamModeInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "StreamModeDetails", shape: &STREAM_MODE_DETAILS, required: true },
        Member { name: "WarmThroughputMiBps", shape: &NATURAL_INTEGER_OBJECT, required: false },
    ],
};
static UPDATE_STREAM_RECORD_DISTRIBUTION_STRATEGY_INPUT: Structure = Structure {
    name: "UpdateStreamRecordDistributionStrategyInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: true },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member {
            name: "RecordDistributionStrategy",
            shape: &RECORD_DISTRIBUTION_STRATEGY,
            required: true,
        },
    ],
};
static UPDATE_STREAM_WARM_THROUGHPUT_INPUT: Structure = Structure {
    name: "UpdateStreamWarmThroughputInput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "StreamId", shape: &STREAM_ID, required: false },
        Member { name: "WarmThroughputMiBps", shape: &NATURAL_INTEGER_OBJECT, required: true },
    ],
};
static UPDATE_STREAM_WARM_THROUGHPUT_OUTPUT: Structure = Structure {
    name: "UpdateStreamWarmThroughputOutput",
    members: &[
        Member { name: "StreamARN", shape: &STREAM_ARN, required: false },
        Member { name: "StreamName", shape: &STREAM_NAME, required: false },
        Member { name: "WarmThroughput", shape: &WARM_THROUGHPUT_OBJECT, required: false },
    ],
};

/// What an operation is: its name, what it takes and answers, how it may refuse.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub input: &'static Structure,
    /// What it answers.
    pub output: &'static Structure,
    /// How it may refuse, besides what every operation may say.
    pub errors: &'static [ErrorCode],
    /// What answers it; none where it answers with events.
    pub(super) run: Option<Run>,
}

static NOTHING: Structure = Structure { name: "Nothing", members: &[] };

/// The operations that are known, by name.
pub static OPERATIONS: &[Operation] = &[
    Operation {
        name: "AddTagsToStream",
        input: &ADD_TAGS_TO_STREAM_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
        ],
        run: Some(add_tags_to_stream::run),
    },
    Operation {
        name: "CreateStream",
        input: &CREATE_STREAM_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceInUse,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::Validation,
        ],
        run: Some(create_stream::run),
    },
    Operation {
        name: "DecreaseStreamRetentionPeriod",
        input: &DECREASE_STREAM_RETENTION_PERIOD_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::AccessDenied,
        ],
        run: Some(decrease_stream_retention_period::run),
    },
    Operation {
        name: "DeleteResourcePolicy",
        input: &DELETE_RESOURCE_POLICY_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::Validation,
            ErrorCode::AccessDenied,
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::ResourceInUse,
            ErrorCode::InternalFailure,
        ],
        run: Some(delete_resource_policy::run),
    },
    Operation {
        name: "DeleteStream",
        input: &DELETE_STREAM_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::AccessDenied,
        ],
        run: Some(delete_stream::run),
    },
    Operation {
        name: "DeregisterStreamConsumer",
        input: &DEREGISTER_STREAM_CONSUMER_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
        ],
        run: Some(deregister_stream_consumer::run),
    },
    Operation {
        name: "DescribeAccountSettings",
        input: &DESCRIBE_ACCOUNT_SETTINGS_INPUT,
        output: &DESCRIBE_ACCOUNT_SETTINGS_OUTPUT,
        errors: &[ErrorCode::LimitExceeded],
        run: Some(describe_account_settings::run),
    },
    Operation {
        name: "DescribeLimits",
        input: &DESCRIBE_LIMITS_INPUT,
        output: &DESCRIBE_LIMITS_OUTPUT,
        errors: &[ErrorCode::LimitExceeded],
        run: Some(describe_limits::run),
    },
    Operation {
        name: "DescribeStream",
        input: &DESCRIBE_STREAM_INPUT,
        output: &DESCRIBE_STREAM_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::AccessDenied,
        ],
        run: Some(describe_stream::run),
    },
    Operation {
        name: "DescribeStreamConsumer",
        input: &DESCRIBE_STREAM_CONSUMER_INPUT,
        output: &DESCRIBE_STREAM_CONSUMER_OUTPUT,
        errors: &[
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
        ],
        run: Some(describe_stream_consumer::run),
    },
    Operation {
        name: "DescribeStreamSummary",
        input: &DESCRIBE_STREAM_SUMMARY_INPUT,
        output: &DESCRIBE_STREAM_SUMMARY_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::AccessDenied,
        ],
        run: Some(describe_stream_summary::run),
    },
    Operation {
        name: "DisableEnhancedMonitoring",
        input: &DISABLE_ENHANCED_MONITORING_INPUT,
        output: &ENHANCED_MONITORING_OUTPUT,
        errors: &[
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::AccessDenied,
        ],
        run: Some(disable_enhanced_monitoring::run),
    },
    Operation {
        name: "EnableEnhancedMonitoring",
        input: &ENABLE_ENHANCED_MONITORING_INPUT,
        output: &ENHANCED_MONITORING_OUTPUT,
        errors: &[
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::AccessDenied,
        ],
        run: Some(enable_enhanced_monitoring::run),
    },
    Operation {
        name: "GetRecords",
        input: &GET_RECORDS_INPUT,
        output: &GET_RECORDS_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::ProvisionedThroughputExceeded,
            ErrorCode::ExpiredIterator,
            ErrorCode::KmsDisabled,
            ErrorCode::KmsInvalidState,
            ErrorCode::KmsAccessDenied,
            ErrorCode::KmsNotFound,
            ErrorCode::KmsOptInRequired,
            ErrorCode::KmsThrottling,
            ErrorCode::AccessDenied,
            ErrorCode::InternalFailure,
            ErrorCode::DryRunOperation,
        ],
        run: Some(get_records::run),
    },
    Operation {
        name: "GetResourcePolicy",
        input: &GET_RESOURCE_POLICY_INPUT,
        output: &GET_RESOURCE_POLICY_OUTPUT,
        errors: &[
            ErrorCode::Validation,
            ErrorCode::AccessDenied,
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::ResourceInUse,
            ErrorCode::InternalFailure,
        ],
        run: Some(get_resource_policy::run),
    },
    Operation {
        name: "GetShardIterator",
        input: &GET_SHARD_ITERATOR_INPUT,
        output: &GET_SHARD_ITERATOR_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::ProvisionedThroughputExceeded,
            ErrorCode::AccessDenied,
            ErrorCode::InternalFailure,
            ErrorCode::DryRunOperation,
        ],
        run: Some(get_shard_iterator::run),
    },
    Operation {
        name: "IncreaseStreamRetentionPeriod",
        input: &INCREASE_STREAM_RETENTION_PERIOD_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::AccessDenied,
        ],
        run: Some(increase_stream_retention_period::run),
    },
    Operation {
        name: "ListShards",
        input: &LIST_SHARDS_INPUT,
        output: &LIST_SHARDS_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ExpiredNextToken,
            ErrorCode::ResourceInUse,
            ErrorCode::AccessDenied,
        ],
        run: Some(list_shards::run),
    },
    Operation {
        name: "ListStreamConsumers",
        input: &LIST_STREAM_CONSUMERS_INPUT,
        output: &LIST_STREAM_CONSUMERS_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ExpiredNextToken,
            ErrorCode::ResourceInUse,
        ],
        run: Some(list_stream_consumers::run),
    },
    Operation {
        name: "ListStreams",
        input: &LIST_STREAMS_INPUT,
        output: &LIST_STREAMS_OUTPUT,
        errors: &[
            ErrorCode::LimitExceeded,
            ErrorCode::ExpiredNextToken,
            ErrorCode::InvalidArgument,
        ],
        run: Some(list_streams::run),
    },
    Operation {
        name: "ListTagsForResource",
        input: &LIST_TAGS_FOR_RESOURCE_INPUT,
        output: &LIST_TAGS_FOR_RESOURCE_OUTPUT,
        errors: &[
            ErrorCode::Validation,
            ErrorCode::ResourceNotFound,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
            ErrorCode::InternalFailure,
        ],
        run: Some(list_tags_for_resource::run),
    },
    Operation {
        name: "ListTagsForStream",
        input: &LIST_TAGS_FOR_STREAM_INPUT,
        output: &LIST_TAGS_FOR_STREAM_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
        ],
        run: Some(list_tags_for_stream::run),
    },
    Operation {
        name: "MergeShards",
        input: &MERGE_SHARDS_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::Validation,
            ErrorCode::AccessDenied,
        ],
        run: Some(merge_shards::run),
    },
    Operation {
        name: "PutRecord",
        input: &PUT_RECORD_INPUT,
        output: &PUT_RECORD_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::ProvisionedThroughputExceeded,
            ErrorCode::KmsDisabled,
            ErrorCode::KmsInvalidState,
            ErrorCode::KmsAccessDenied,
            ErrorCode::KmsNotFound,
            ErrorCode::KmsOptInRequired,
            ErrorCode::KmsThrottling,
            ErrorCode::AccessDenied,
            ErrorCode::InternalFailure,
            ErrorCode::DryRunOperation,
        ],
        run: Some(put_record::run),
    },
    Operation {
        name: "PutRecords",
        input: &PUT_RECORDS_INPUT,
        output: &PUT_RECORDS_OUTPUT,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::ProvisionedThroughputExceeded,
            ErrorCode::KmsDisabled,
            ErrorCode::KmsInvalidState,
            ErrorCode::KmsAccessDenied,
            ErrorCode::KmsNotFound,
            ErrorCode::KmsOptInRequired,
            ErrorCode::KmsThrottling,
            ErrorCode::AccessDenied,
            ErrorCode::InternalFailure,
            ErrorCode::DryRunOperation,
        ],
        run: Some(put_records::run),
    },
    Operation {
        name: "PutResourcePolicy",
        input: &PUT_RESOURCE_POLICY_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::Validation,
            ErrorCode::AccessDenied,
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::ResourceInUse,
            ErrorCode::InternalFailure,
        ],
        run: Some(put_resource_policy::run),
    },
    Operation {
        name: "RegisterStreamConsumer",
        input: &REGISTER_STREAM_CONSUMER_INPUT,
        output: &REGISTER_STREAM_CONSUMER_OUTPUT,
        errors: &[
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
        ],
        run: Some(register_stream_consumer::run),
    },
    Operation {
        name: "RemoveTagsFromStream",
        input: &REMOVE_TAGS_FROM_STREAM_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
        ],
        run: Some(remove_tags_from_stream::run),
    },
    Operation {
        name: "SplitShard",
        input: &SPLIT_SHARD_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::Validation,
            ErrorCode::AccessDenied,
        ],
        run: Some(split_shard::run),
    },
    Operation {
        name: "StartStreamEncryption",
        input: &START_STREAM_ENCRYPTION_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::KmsDisabled,
            ErrorCode::KmsInvalidState,
            ErrorCode::KmsAccessDenied,
            ErrorCode::KmsNotFound,
            ErrorCode::KmsOptInRequired,
            ErrorCode::KmsThrottling,
            ErrorCode::AccessDenied,
        ],
        run: Some(start_stream_encryption::run),
    },
    Operation {
        name: "StopStreamEncryption",
        input: &STOP_STREAM_ENCRYPTION_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::AccessDenied,
        ],
        run: Some(stop_stream_encryption::run),
    },
    Operation {
        name: "SubscribeToShard",
        input: &SUBSCRIBE_TO_SHARD_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::ResourceInUse,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
            ErrorCode::DryRunOperation,
        ],
        run: None,
    },
    Operation {
        name: "TagResource",
        input: &TAG_RESOURCE_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::Validation,
            ErrorCode::ResourceNotFound,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
            ErrorCode::InternalFailure,
        ],
        run: Some(tag_resource::run),
    },
    Operation {
        name: "UntagResource",
        input: &UNTAG_RESOURCE_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::Validation,
            ErrorCode::ResourceNotFound,
            ErrorCode::ResourceInUse,
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
            ErrorCode::InternalFailure,
        ],
        run: Some(untag_resource::run),
    },
    Operation {
        name: "UpdateAccountSettings",
        input: &UPDATE_ACCOUNT_SETTINGS_INPUT,
        output: &UPDATE_ACCOUNT_SETTINGS_OUTPUT,
        errors: &[ErrorCode::InvalidArgument, ErrorCode::Validation, ErrorCode::LimitExceeded],
        run: Some(update_account_settings::run),
    },
    Operation {
        name: "UpdateMaxRecordSize",
        input: &UPDATE_MAX_RECORD_SIZE_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::AccessDenied,
            ErrorCode::Validation,
        ],
        run: Some(update_max_record_size::run),
    },
    Operation {
        name: "UpdateShardCount",
        input: &UPDATE_SHARD_COUNT_INPUT,
        output: &UPDATE_SHARD_COUNT_OUTPUT,
        errors: &[
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::Validation,
            ErrorCode::AccessDenied,
        ],
        run: Some(update_shard_count::run),
    },
    Operation {
        name: "UpdateStreamMode",
        input: &UPDATE_STREAM_MODE_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::InvalidArgument,
            ErrorCode::LimitExceeded,
            ErrorCode::ResourceInUse,
            ErrorCode::ResourceNotFound,
            ErrorCode::Validation,
        ],
        run: Some(update_stream_mode::run),
    },
    Operation {
        name: "UpdateStreamRecordDistributionStrategy",
        input: &UPDATE_STREAM_RECORD_DISTRIBUTION_STRATEGY_INPUT,
        output: &NOTHING,
        errors: &[
            ErrorCode::ResourceNotFound,
            ErrorCode::InvalidArgument,
            ErrorCode::ResourceInUse,
            ErrorCode::LimitExceeded,
            ErrorCode::AccessDenied,
            ErrorCode::Validation,
        ],
        run: Some(update_stream_record_distribution_strategy::run),
    },
    Operation {
        name: "UpdateStreamWarmThroughput",
        input: &UPDATE_STREAM_WARM_THROUGHPUT_INPUT,
        output: &UPDATE_STREAM_WARM_THROUGHPUT_OUTPUT,
        errors: &[
            ErrorCode::AccessDenied,
            ErrorCode::ResourceNotFound,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidArgument,
            ErrorCode::ResourceInUse,
            ErrorCode::Validation,
        ],
        run: Some(update_stream_warm_throughput::run),
    },
];

/// The operations that the model has and this service has not.
pub static NOT_YET: &[&str] = &[
    "AcknowledgeDeadLetterQueueRecords",
    "AcknowledgeQueueRecords",
    "CreateChannel",
    "CreateQueue",
    "DeleteChannel",
    "DeleteQueue",
    "DescribeChannel",
    "DescribeQueue",
    "ListChannels",
    "ListQueues",
    "ReceiveDeadLetterQueueRecords",
    "ReceiveQueueRecords",
    "RestoreDeadLetterQueueRecords",
    "UpdateChannel",
    "UpdateDeadLetterQueueRecordsVisibility",
    "UpdateQueue",
    "UpdateQueueRecordsVisibility",
];
