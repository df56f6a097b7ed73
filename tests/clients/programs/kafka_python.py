# kafka-python, for `workflow.mjs`; see kafkajs.mjs for what it is asked and says.
import json
import sys
import threading

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition

command, address, topic, *rest = sys.argv[1:]


def say(**event):
    print(json.dumps(event), flush=True)


def record(message):
    say(event="record", partition=message.partition, offset=message.offset,
        key=message.key.decode(), value=message.value.decode())


def produce(count, first):
    producer = KafkaProducer(bootstrap_servers=address)
    numbers = range(int(first), int(first) + int(count))
    sent = [producer.send(topic, key=b"key-%d" % n, value=b"value-%d" % n) for n in numbers]
    producer.flush()
    for future in sent:
        future.get(timeout=120)
    producer.close()


class Told(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        say(event="assigned", partitions=sorted(partition.partition for partition in assigned))


def member(group):
    consumer = KafkaConsumer(
        bootstrap_servers=address, group_id=group, auto_offset_reset="earliest",
        session_timeout_ms=6000, heartbeat_interval_ms=500, auto_commit_interval_ms=200)
    # A leader of this client that does not know the topic yet assigns nothing, joins again when it has heard of it,
    # and may then never take up what the broker's SyncGroup response gives it (seen on the wire, 3.0.12).
    consumer.partitions_for_topic(topic)
    consumer.subscribe([topic], listener=Told())
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        for messages in consumer.poll(timeout_ms=100).values():
            for message in messages:
                record(message)
    consumer.close()


def since(timestamp, count):
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    found = consumer.offsets_for_times({partition: int(timestamp) for partition in partitions})
    ends = consumer.end_offsets(partitions)
    for partition in partitions:
        at = found[partition]
        consumer.seek(partition, at.offset if at else ends[partition])
    left = int(count)
    while left > 0:
        for messages in consumer.poll(timeout_ms=100).values():
            for message in messages:
                record(message)
                left -= 1
    consumer.close()


{"produce": produce, "member": member, "since": since}[command](*rest)
