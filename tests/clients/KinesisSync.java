// What AWS's client for Java does at the endpoint, one request after the other; prints what it found as JSON.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.Shard;

public class KinesisSync {
    private static final String NAME = "clicks";
    private static final String ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks";

    public static void main(String[] arguments) throws Exception {
        Languages languages = new Languages();
        try (KinesisClient client = KinesisClient.builder()
                .endpointOverride(URI.create(System.getenv("ENDPOINT")))
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("AKID", "secret")))
                .overrideConfiguration(options -> options.addExecutionInterceptor(languages))
                .build()) {
            client.createStream(request -> request.streamName(NAME).shardCount(2));
            client.waiter().waitUntilStreamExists(request -> request.streamName(NAME));
            int failed = client.putRecords(request -> request.streamName(NAME).records(pages())).failedRecordCount();
            List<Shard> shards = client.listShards(request -> request.streamName(NAME)).shards();
            client.mergeShards(request -> request.streamARN(ARN)
                    .shardToMerge(shards.get(0).shardId())
                    .adjacentShardToMerge(shards.get(1).shardId()));
            List<Object> byName = new ArrayList<>();
            List<Object> byArn = new ArrayList<>();
            for (Shard shard : client.listShards(request -> request.streamARN(ARN)).shards()) {
                readToTheEnd(client, trimHorizon(shard).streamName(NAME).build(), byName);
                readToTheEnd(client, trimHorizon(shard).streamARN(ARN).build(), byArn);
            }
            System.out.println(new ObjectMapper().writeValueAsString(Map.of(
                    "failed", failed,
                    "by name", byName,
                    "by ARN", byArn,
                    "missing", missing(client),
                    "languages", languages.seen)));
        }
    }

    private static List<PutRecordsRequestEntry> pages() {
        return IntStream.range(0, 20)
                .mapToObj(n -> PutRecordsRequestEntry.builder()
                        .data(SdkBytes.fromUtf8String("page " + n))
                        .partitionKey("user-" + n % 5)
                        .build())
                .toList();
    }

    private static GetShardIteratorRequest.Builder trimHorizon(Shard shard) {
        return GetShardIteratorRequest.builder().shardId(shard.shardId()).shardIteratorType("TRIM_HORIZON");
    }

    /** Reads to the last record of a closed shard, and of an open one until nothing more is there. */
    private static void readToTheEnd(KinesisClient client, GetShardIteratorRequest start, List<Object> read) {
        String iterator = client.getShardIterator(start).shardIterator();
        while (iterator != null) {
            String current = iterator;
            var answer = client.getRecords(request -> request.shardIterator(current).limit(3));
            answer.records().forEach(record -> read.add(told(record)));
            boolean waits = answer.records().isEmpty() && answer.millisBehindLatest() == 0;
            iterator = waits ? null : answer.nextShardIterator();
        }
    }

    private static List<Object> told(Record record) {
        return List.of(
                record.data().asUtf8String(),
                record.partitionKey(),
                record.sequenceNumber(),
                record.approximateArrivalTimestamp().toEpochMilli());
    }

    private static String missing(KinesisClient client) {
        try {
            return client.describeStreamSummary(request -> request.streamName("nothing")).toString();
        } catch (ResourceNotFoundException error) {
            return error.awsErrorDetails().errorMessage();
        }
    }

    /** In which languages the client wrote. */
    private static class Languages implements ExecutionInterceptor {
        final Set<String> seen = new TreeSet<>();

        @Override
        public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes attributes) {
            seen.add(context.httpRequest().firstMatchingHeader("Content-Type").orElse(""));
        }
    }
}
