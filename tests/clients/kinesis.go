// What AWS's client for Go does at the endpoint; prints what it found as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

var (
	name = aws.String("clicks")
	arn  = aws.String("arn:aws:kinesis:eu-west-1:123456789012:stream/clicks")
	ctx  = context.Background()
)

func main() {
	client := kinesis.New(kinesis.Options{
		Region:           "eu-west-1",
		Credentials:      credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		EndpointResolver: kinesis.EndpointResolverFromURL(os.Getenv("ENDPOINT")),
	})
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)}))
	stream := &kinesis.DescribeStreamInput{StreamName: name}
	check(kinesis.NewStreamExistsWaiter(client).Wait(ctx, stream, time.Minute))
	put := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: name, Records: pages()}))
	shards := must(client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: name})).Shards
	pushed, children := subscribed(client, shards[0].ShardId)
	_, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("nothing")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		log.Fatal("no ResourceNotFoundException: ", err)
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"failed":   *put.FailedRecordCount,
		"read":     read(client, shards[0].ShardId),
		"pushed":   pushed,
		"children": children,
		"missing":  missing.ErrorMessage(),
	}))
}

func pages() (entries []types.PutRecordsRequestEntry) {
	for n := 1; n <= 3; n++ {
		page, key := fmt.Sprintf("page %d", n), fmt.Sprintf("user-%d", n)
		entries = append(entries, types.PutRecordsRequestEntry{Data: []byte(page), PartitionKey: &key})
	}
	return entries
}

// read returns the records of a closed shard, to its end.
func read(client *kinesis.Client, shard *string) (texts []string) {
	iterator := must(client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName:        name,
		ShardId:           shard,
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})).ShardIterator
	for iterator != nil {
		answer := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(2)}))
		texts = append(texts, data(answer.Records)...)
		iterator = answer.NextShardIterator
	}
	return texts
}

// subscribed returns what a shard pushes until it is split, and its children.
func subscribed(client *kinesis.Client, shard *string) (texts, children []string) {
	app := must(client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{
		StreamARN:    arn,
		ConsumerName: aws.String("app"),
	})).Consumer
	events := must(client.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN:      app.ConsumerARN,
		ShardId:          shard,
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon},
	})).GetStream()
	defer events.Close()
	for event := range events.Events() {
		pushed := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent).Value
		texts = append(texts, data(pushed.Records)...)
		for _, child := range pushed.ChildShards {
			children = append(children, *child.ShardId)
		}
		if len(pushed.Records) > 0 && len(texts) == 3 {
			late(client, shard)
		}
	}
	check(events.Err())
	return texts, children
}

// late puts one more record, then splits the shard.
func late(client *kinesis.Client, shard *string) {
	must(client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName:   name,
		Data:         []byte("late"),
		PartitionKey: aws.String("k"),
	}))
	must(client.SplitShard(ctx, &kinesis.SplitShardInput{
		StreamName:         name,
		ShardToSplit:       shard,
		NewStartingHashKey: aws.String("170141183460469231731687303715884105728"),
	}))
}

func data(records []types.Record) (texts []string) {
	for _, record := range records {
		texts = append(texts, string(record.Data))
	}
	return texts
}

func must[T any](answer T, err error) T {
	check(err)
	return answer
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
