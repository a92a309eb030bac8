// What AWS's asynchronous client for Java does at the endpoint, over HTTP/2 by itself; prints what it found as JSON.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.http.Http2Metric;
import software.amazon.awssdk.metrics.MetricCollection;
import software.amazon.awssdk.metrics.MetricPublisher;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.ChildShard;
import software.amazon.awssdk.services.kinesis.model.PutRecordResponse;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.StartingPosition;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEventStream;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

public class KinesisAsync {
    private static final String NAME = "clicks";
    private static final String ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";
    private static final String SHARD = "shardId-000000000000";
    private static final String HALF = "170141183460469231731687303715884105728";

    private final KinesisAsyncClient client;
    private String consumer;

    private KinesisAsync(KinesisAsyncClient client) {
        this.client = client;
    }

    public static void main(String[] arguments) throws Exception {
        Versions versions = new Versions();
        try (KinesisAsyncClient client = KinesisAsyncClient.builder()
                .endpointOverride(URI.create(System.getenv("ENDPOINT")))
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("AKID", "secret")))
                .overrideConfiguration(options -> options.addMetricPublisher(versions))
                .build()) {
            new KinesisAsync(client).run(versions);
        }
    }

    private void run(Versions versions) throws Exception {
        client.createStream(request -> request.streamName(NAME).shardCount(1)).join();
        client.waiter().waitUntilStreamExists(request -> request.streamName(NAME)).join();
        List.of("page 1", "page 2", "page 3").forEach(page -> put(page).join());
        consumer = client.registerStreamConsumer(request -> request.streamARN(ARN).consumerName("app"))
                .join().consumer().consumerARN();

        List<SubscribeToShardEvent> first = new CopyOnWriteArrayList<>();
        subscribe(from(ShardIteratorType.TRIM_HORIZON, null), events -> events
                .filter(SubscribeToShardEvent::hasRecords).limit(1).subscribe(first::add)).join();

        List<SubscribeToShardEvent> second = new CopyOnWriteArrayList<>();
        CompletableFuture<Void> there = new CompletableFuture<>();
        String last = first.get(0).continuationSequenceNumber();
        CompletableFuture<Void> over = subscribe(from(ShardIteratorType.AFTER_SEQUENCE_NUMBER, last), events -> events
                .subscribe(event -> {
                    second.add(event);
                    there.complete(null);
                }));
        CompletableFuture.anyOf(there, over).join();
        put("late").join();
        client.splitShard(request -> request.streamName(NAME).shardToSplit(SHARD).newStartingHashKey(HALF)).join();
        over.join();

        System.out.println(new ObjectMapper().writeValueAsString(Map.of(
                "read", texts(first),
                "pushed", texts(second),
                "children", second.get(second.size() - 1).childShards().stream().map(ChildShard::shardId).toList(),
                "HTTP/2", versions.http2)));
    }

    private CompletableFuture<PutRecordResponse> put(String page) {
        return client.putRecord(request -> request.streamName(NAME)
                .data(SdkBytes.fromUtf8String(page)).partitionKey("user-1"));
    }

    private static StartingPosition from(ShardIteratorType type, String number) {
        return StartingPosition.builder().type(type).sequenceNumber(number).build();
    }

    private CompletableFuture<Void> subscribe(StartingPosition start, Listener listener) {
        return client.subscribeToShard(
                request -> request.consumerARN(consumer).shardId(SHARD).startingPosition(start),
                SubscribeToShardResponseHandler.builder()
                        .onEventStream(stream -> listener.hear(stream.filter(SubscribeToShardEvent.class)))
                        .build());
    }

    private static List<String> texts(List<SubscribeToShardEvent> events) {
        return events.stream().flatMap(event -> event.records().stream())
                .map(record -> record.data().asUtf8String()).toList();
    }

    private interface Listener {
        void hear(SdkPublisher<SubscribeToShardEvent> events);
    }

    /** Whether the client measured what there is only in HTTP/2. */
    private static class Versions implements MetricPublisher {
        volatile boolean http2;

        @Override
        public void publish(MetricCollection metrics) {
            http2 |= !metrics.metricValues(Http2Metric.LOCAL_STREAM_WINDOW_SIZE_IN_BYTES).isEmpty();
            metrics.children().forEach(this::publish);
        }

        @Override
        public void close() {}
    }
}
