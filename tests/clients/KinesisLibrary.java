// Two applications of the Kinesis Client Library at the endpoint, one that polls and one that is pushed to: they
// read, are stopped, go on, and follow shards that split and merge. Prints what each saw as JSON.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.RetrievalSpecificConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public class KinesisLibrary {
    private static final String NAME = "clicks";
    private static final int KEYS = 8;
    private static final int ROUND = 5 * KEYS;
    private static final long PATIENCE_SECONDS = 60;
    private static final StaticCredentialsProvider CREDENTIALS =
            StaticCredentialsProvider.create(AwsBasicCredentials.create("AKID", "secret"));

    private final KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(KinesisAsyncClient.builder()
            .endpointOverride(URI.create(System.getenv("ENDPOINT")))
            .region(Region.EU_WEST_1)
            .credentialsProvider(CREDENTIALS));
    private final DynamoDbAsyncClient leases = DynamoDbAsyncClient.builder()
            .endpointOverride(URI.create(System.getenv("DYNAMODB")))
            .region(Region.EU_WEST_1)
            .credentialsProvider(CREDENTIALS)
            .build();
    // The library wants to have one; without metrics it never calls.
    private final CloudWatchAsyncClient metrics = CloudWatchAsyncClient.builder()
            .region(Region.EU_WEST_1)
            .credentialsProvider(CREDENTIALS)
            .build();
    private int put;

    public static void main(String[] arguments) throws Exception {
        new KinesisLibrary().run();
        System.exit(0);
    }

    private void run() throws Exception {
        kinesis.createStream(request -> request.streamName(NAME).shardCount(3)).join();
        kinesis.waiter().waitUntilStreamExists(request -> request.streamName(NAME)).join();
        List<Application> applications = List.of(
                new Application("polling", new PollingConfig(NAME, kinesis).idleTimeBetweenReadsInMillis(250)),
                new Application("pushed", new FanOutConfig(kinesis).streamName(NAME).consumerName("pushed")));

        putRound();
        applications.forEach(Application::start);
        for (Application each : applications) each.awaitRound();
        for (Application each : applications) each.stopGracefully();

        putRound();
        applications.forEach(Application::start);
        for (Application each : applications) each.awaitRound();
        splitAndMerge();
        putRound();
        for (Application each : applications) each.awaitRound();
        for (Application each : applications) each.stop();

        Map<String, Object> found = new LinkedHashMap<>();
        for (Application each : applications) {
            found.put(each.name, Map.of("read", each.read, "asked to stop", each.asked, "ended", each.ended));
        }
        System.out.println(new ObjectMapper().writeValueAsString(found));
    }

    /** Cuts the first of three shards in half and joins the others. */
    private void splitAndMerge() {
        kinesis.splitShard(request -> request.streamName(NAME)
                .shardToSplit("shardId-000000000000")
                .newStartingHashKey("56713727820156410577229101238628035242")).join();
        kinesis.mergeShards(request -> request.streamName(NAME)
                .shardToMerge("shardId-000000000001")
                .adjacentShardToMerge("shardId-000000000002")).join();
    }

    private void putRound() {
        List<PutRecordsRequestEntry> entries = new ArrayList<>();
        for (int n = put; n < put + ROUND; n++) {
            entries.add(PutRecordsRequestEntry.builder()
                    .data(SdkBytes.fromUtf8String(String.valueOf(n)))
                    .partitionKey("user-" + n % KEYS)
                    .build());
        }
        kinesis.putRecords(request -> request.streamName(NAME).records(entries)).join();
        put += ROUND;
    }

    /** One application: its leases, the shards it was given, and what it read. */
    private class Application {
        final String name;
        final List<Object> read = new ArrayList<>();
        final ConcurrentSkipListSet<String> asked = new ConcurrentSkipListSet<>();
        final ConcurrentSkipListSet<String> ended = new ConcurrentSkipListSet<>();
        private final BlockingQueue<List<String>> arrived = new LinkedBlockingQueue<>();
        private final RetrievalSpecificConfig retrieval;
        private Scheduler scheduler;
        private Thread thread;

        Application(String name, RetrievalSpecificConfig retrieval) {
            this.name = name;
            this.retrieval = retrieval;
        }

        /** Starts with waits that suit a test; the library's own are for fleets of workers. */
        void start() {
            var start = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
            var configs = new ConfigsBuilder(new SingleStreamTracker(NAME, start), name, kinesis, leases, metrics,
                    "worker", () -> new Processor(this));
            scheduler = new Scheduler(
                    configs.checkpointConfig(),
                    configs.coordinatorConfig()
                            .parentShardPollIntervalMillis(500)
                            .shardConsumerDispatchPollIntervalMillis(250),
                    configs.leaseManagementConfig().failoverTimeMillis(4000).shardSyncIntervalMillis(500),
                    configs.lifecycleConfig(),
                    configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                    configs.processorConfig(),
                    configs.retrievalConfig().retrievalSpecificConfig(retrieval));
            thread = new Thread(scheduler, name);
            thread.setDaemon(true);
            thread.start();
        }

        void stopGracefully() throws Exception {
            scheduler.startGracefulShutdown().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            arrived.drainTo(read);
        }

        /** Stops at once: for minutes after a shard has ended the library waits in vain for it to stop gracefully. */
        void stop() throws Exception {
            scheduler.shutdown();
            thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            arrived.drainTo(read);
        }

        void awaitRound() throws Exception {
            for (int n = 0; n < ROUND; n++) {
                List<String> record = arrived.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
                if (record == null) throw new TimeoutException(name + " has read no more than " + read);
                read.add(record);
            }
        }
    }

    /** Reads one shard for an application. */
    private static class Processor implements ShardRecordProcessor {
        private final Application application;
        private String shard;

        Processor(Application application) {
            this.application = application;
        }

        @Override
        public void initialize(InitializationInput input) {
            shard = input.shardId();
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            // First, as the application may be stopped as soon as it has all records.
            checkpoint(input.checkpointer());
            input.records().forEach(record -> application.arrived.add(List.of(
                    record.partitionKey(), SdkBytes.fromByteBuffer(record.data()).asUtf8String(), shard)));
        }

        @Override
        public void shardEnded(ShardEndedInput input) {
            application.ended.add(shard);
            checkpoint(input.checkpointer());
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            application.asked.add(shard);
            checkpoint(input.checkpointer());
        }

        @Override
        public void leaseLost(LeaseLostInput input) {}

        private static void checkpoint(RecordProcessorCheckpointer checkpointer) {
            try {
                checkpointer.checkpoint();
            } catch (InvalidStateException | ShutdownException error) {
                throw new IllegalStateException(error);
            }
        }
    }
}
