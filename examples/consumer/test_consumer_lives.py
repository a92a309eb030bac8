"""The consumer in lives that Hypothesis makes up: puts, reshards, pauses, faults and crashes in any order."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from shardstream.testing import ConsumerMachine

# The same lives each time; in a nightly run a hundred times as many.
LIVES = settings(max_examples=10, stateful_step_count=20, derandomize=True, database=None, deadline=None)


def test_lives_when_anything_happens_in_any_order_then_no_record_is_lost_and_keys_keep_their_order(variant):
    application = variant("consumer")

    class Life(ConsumerMachine):
        def start(self, client, stream_name):
            self.processed = []
            return application.Consumer(client, stream_name, self.processed.append, self.checkpoints)

        def poll(self, consumer):
            self.processed.clear()
            consumer.poll()
            return list(self.processed)

    run_state_machine_as_test(Life, settings=LIVES)
