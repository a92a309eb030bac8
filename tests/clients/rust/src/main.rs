//! What AWS's client for Rust does at the endpoint, over HTTP/2 under TLS; prints what it found as JSON.

use std::error::Error;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::client::Waiters;
use aws_sdk_kinesis::config::BehaviorVersion;
use aws_sdk_kinesis::config::Credentials;
use aws_sdk_kinesis::config::Region;
use aws_sdk_kinesis::config::SharedHttpClient;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use aws_sdk_kinesis::types::Record;
use aws_sdk_kinesis::types::ShardIteratorType;
use aws_sdk_kinesis::types::StartingPosition;
use aws_sdk_kinesis::types::SubscribeToShardEventStream;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_http_client::tls::TrustStore;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use serde_json::json;

const STREAM: &str = "clicks";
const STREAM_ARN: &str = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";

type Found<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Found<()> {
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(std::env::var("ENDPOINT")?)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "given"))
        .http_client(trusting(&std::fs::read(std::env::var("CERTIFICATE")?)?)?)
        .build();
    let client = Client::from_conf(config);
    let missing = missing(&client).await?;
    client.create_stream().stream_name(STREAM).shard_count(1).send().await?;
    let patience = std::time::Duration::from_secs(60);
    client.wait_until_stream_exists().stream_name(STREAM).wait(patience).await?;
    let failed = put(&client, &["page 1", "page 2", "page 3"]).await?;
    let listed = client.list_shards().stream_name(STREAM).send().await?;
    let shards: Vec<&str> = listed.shards().iter().map(|shard| shard.shard_id()).collect();
    let read = read_to_end(&client, shards[0]).await?;
    let pushed = pushed(&client, shards[0]).await?;
    println!(
        "{}",
        json!({"missing": missing, "failed": failed, "shards": shards, "read": read, "pushed": pushed})
    );
    Ok(())
}

/// A client of HTTP that trusts one certificate.
fn trusting(certificate: &[u8]) -> Found<SharedHttpClient> {
    let store = TrustStore::empty().with_pem_certificate(certificate);
    let context = TlsContext::builder().with_trust_store(store).build()?;
    let builder = aws_smithy_http_client::Builder::new();
    Ok(builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https())
}

/// What the client makes of a refusal.
async fn missing(client: &Client) -> Found<String> {
    let refused = client.describe_stream_summary().stream_name("nowhere").send().await;
    let error = refused.err().ok_or("a stream that nobody made")?.into_service_error();
    if !error.is_resource_not_found_exception() {
        return Err(error.into());
    }
    Ok(error.meta().message().unwrap_or_default().to_owned())
}

async fn put(client: &Client, pages: &[&str]) -> Found<Option<i32>> {
    let mut put = client.put_records().stream_name(STREAM);
    for page in pages {
        let entry = PutRecordsRequestEntry::builder().partition_key(*page);
        put = put.records(entry.data(Blob::new(*page)).build()?);
    }
    Ok(put.send().await?.failed_record_count())
}

/// Reads a shard until nothing is behind.
async fn read_to_end(client: &Client, shard: &str) -> Found<Vec<String>> {
    let from = client.get_shard_iterator().stream_name(STREAM).shard_id(shard);
    let from = from.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await?;
    let mut iterator = from.shard_iterator().map(str::to_owned);
    let mut read = Vec::new();
    while let Some(next) = iterator {
        let got = client.get_records().shard_iterator(next).limit(2).send().await?;
        read.extend(got.records().iter().map(text));
        iterator = got.next_shard_iterator().map(str::to_owned);
        if got.records().is_empty() && got.millis_behind_latest() == Some(0) {
            break;
        }
    }
    Ok(read)
}

/// Subscribes to a shard, and puts one more record when three were pushed.
async fn pushed(client: &Client, shard: &str) -> Found<Vec<String>> {
    let consumer = client.register_stream_consumer().stream_arn(STREAM_ARN);
    let consumer = consumer.consumer_name("app").send().await?.consumer;
    let consumer = consumer.ok_or("a consumer")?;
    let from = StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon).build()?;
    let subscribe = client.subscribe_to_shard().consumer_arn(consumer.consumer_arn());
    let mut subscribed = subscribe.shard_id(shard).starting_position(from).send().await?;
    let mut pushed = Vec::new();
    while pushed.len() < 4 {
        let event =
            subscribed.event_stream.recv().await?.ok_or("events until the fourth record")?;
        let SubscribeToShardEventStream::SubscribeToShardEvent(event) = event else { continue };
        let before = pushed.len();
        pushed.extend(event.records().iter().map(text));
        if before < 3 && pushed.len() == 3 {
            put(client, &["late"]).await?;
        }
    }
    Ok(pushed)
}

fn text(record: &Record) -> String {
    String::from_utf8_lossy(record.data().as_ref()).into_owned()
}
