# confluent-kafka, for `workflow.mjs`; see kafkajs.mjs for what it is asked and says.
import json
import sys
import threading

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

command, address, topic, *rest = sys.argv[1:]


def say(**event):
    print(json.dumps(event), flush=True)


def record(message):
    if message.error():
        raise RuntimeError(message.error())
    say(event="record", partition=message.partition(), offset=message.offset(),
        key=message.key().decode(), value=message.value().decode())


def produce(count, first):
    failed = []
    producer = Producer({"bootstrap.servers": address})
    for number in range(int(first), int(first) + int(count)):
        producer.produce(topic, key=f"key-{number}", value=f"value-{number}",
                         on_delivery=lambda error, _: error and failed.append(error))
    if producer.flush(120) > 0 or failed:
        raise RuntimeError(f"not delivered: {failed}")


def member(group):
    consumer = Consumer({
        "bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest",
        "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "auto.commit.interval.ms": 200})

    def assigned(_, partitions):
        say(event="assigned", partitions=sorted(partition.partition for partition in partitions))

    consumer.subscribe([topic], on_assign=assigned)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        message = consumer.poll(0.1)
        if message is not None:
            record(message)
    consumer.close()


def since(timestamp, count):
    consumer = Consumer({"bootstrap.servers": address, "group.id": "unused",
                         "enable.auto.commit": False})
    numbers = consumer.list_topics(topic, 120).topics[topic].partitions
    wanted = [TopicPartition(topic, number, int(timestamp)) for number in numbers]
    found = consumer.offsets_for_times(wanted, 120)
    consumer.assign([TopicPartition(topic, at.partition, at.offset if at.offset >= 0 else OFFSET_END)
                     for at in found])
    left = int(count)
    while left > 0:
        message = consumer.poll(0.1)
        if message is not None:
            record(message)
            left -= 1
    consumer.close()


{"produce": produce, "member": member, "since": since}[command](*rest)
