// Wrote the java-*.log files beside it, with Apache Kafka's own producer, against an empty broker:
//   java -cp "$KAFKA_CLASSPATH" Batches.java HOST:PORT
// then copied each topic's 00000000000000000000.log out of the broker's data directory.
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Batches {
    public static void main(String[] args) throws Exception {
        Properties all = new Properties();
        all.put("bootstrap.servers", args[0]);
        String[] codecs = {"none", "gzip", "snappy", "lz4", "zstd"};
        try (Admin admin = Admin.create(all)) {
            List<NewTopic> topics = new ArrayList<>();
            for (String codec : codecs) topics.add(new NewTopic("java-" + codec, 1, (short) 1));
            topics.add(new NewTopic("java-transaction", 1, (short) 1));
            topics.add(new NewTopic("java-append-time", 1, (short) 1).configs(Map.of("message.timestamp.type", "LogAppendTime")));
            admin.createTopics(topics).all().get();
        }
        for (String codec : codecs) send(all, "java-" + codec, codec, false);
        send(all, "java-append-time", "none", false);
        send(all, "java-transaction", "none", true);
    }

    static void send(Properties all, String topic, String codec, boolean transaction) throws Exception {
        Properties config = new Properties();
        config.putAll(all);
        config.put("compression.type", codec);
        config.put("linger.ms", "2000");
        config.put("batch.size", "1000000");
        config.put("key.serializer", ByteArraySerializer.class.getName());
        config.put("value.serializer", ByteArraySerializer.class.getName());
        if (transaction) config.put("transactional.id", topic);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config)) {
            if (transaction) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            long time = 1_700_000_000_000L;
            producer.send(record(topic, time, "key", "value"));
            producer.send(record(topic, time - 5, null, ""));
            producer.send(record(topic, time + 100_000, "", null));
            ProducerRecord<byte[], byte[]> headed = record(topic, time + 1, "headers", "\u00e9\ud83c\udfb9");
            headed.headers().add(new RecordHeader("trace", "abc".getBytes("UTF-8")));
            headed.headers().add(new RecordHeader("trace", null));
            headed.headers().add(new RecordHeader("", new byte[0]));
            producer.send(headed);
            if (!codec.equals("none")) {
                // More than one block of every codec.
                StringBuilder text = new StringBuilder();
                for (int i = 0; i < 20_000; i++) text.append(i * 31 % 97).append(i % 1000 == 0 ? "\n" : " ");
                producer.send(record(topic, time + 2, null, text.toString()));
            }
            producer.flush();
            if (transaction) producer.commitTransaction();
        }
    }

    static ProducerRecord<byte[], byte[]> record(String topic, long time, String key, String value) throws Exception {
        return new ProducerRecord<>(topic, 0, time, key == null ? null : key.getBytes("UTF-8"), value == null ? null : value.getBytes("UTF-8"));
    }
}
