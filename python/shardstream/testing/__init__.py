"""What a test of a Kinesis application needs: streams, time, faults and assertions that explain."""
