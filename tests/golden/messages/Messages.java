// Writes messages.txt: messages made by Apache Kafka's own classes, one line each.
//
//     java -cp "$(kafka classpath)" Messages.java > messages.txt
//
// For every message and version that our core declares: the schema of that version is filled with
// values of its types (every field, tagged ones too; then again with nulls and nothing where that is
// allowed), written, read by the message's generated class and written by it. A line is the
// message's name, the version and the bytes in hexadecimal.

import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

public class Messages {
    static final String[] APIS = {
        "Produce", "Fetch", "ListOffsets", "Metadata", "OffsetCommit", "OffsetFetch",
        "FindCoordinator", "JoinGroup", "Heartbeat", "LeaveGroup", "SyncGroup", "DescribeGroups",
        "ListGroups", "SaslHandshake", "ApiVersions", "CreateTopics", "DeleteTopics",
        "DeleteRecords", "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs",
        "AlterConfigs", "CreatePartitions", "DeleteGroups", "IncrementalAlterConfigs",
        "OffsetDelete", "DescribeCluster", "DescribeTopicPartitions",
    };
    static final String[] GROUP = {
        "LegacyOffsetCommitKey", "OffsetCommitKey", "OffsetCommitValue", "GroupMetadataKey",
        "GroupMetadataValue",
    };
    static final String[] METADATA = {
        "RegisterBrokerRecord", "TopicRecord", "PartitionRecord", "ConfigRecord",
        "PartitionChangeRecord", "RemoveTopicRecord", "FeatureLevelRecord", "ProducerIdsRecord",
        "BrokerRegistrationChangeRecord", "NoOpRecord",
    };

    public static void main(String[] arguments) throws Exception {
        for (String api : APIS) {
            // InitProducerId has a version that no broker serves yet.
            String key = api.replaceAll("([a-z])([A-Z])", "$1_$2").toUpperCase();
            short highest = ApiKeys.valueOf(key).latestVersion(false);
            lines("org.apache.kafka.common.message." + api + "RequestData", api + "Request", highest);
            lines("org.apache.kafka.common.message." + api + "ResponseData", api + "Response", highest);
        }
        for (String name : new String[] {"ConsumerProtocolSubscription", "ConsumerProtocolAssignment"})
            lines("org.apache.kafka.common.message." + name, name, Short.MAX_VALUE);
        for (String name : GROUP)
            lines("org.apache.kafka.coordinator.group.generated." + name, name, Short.MAX_VALUE);
        for (String name : METADATA)
            lines("org.apache.kafka.common.metadata." + name, name, Short.MAX_VALUE);
    }

    static void lines(String type, String name, short highest) throws Exception {
        Class<?> made = Class.forName(type);
        Schema[] schemas = (Schema[]) made.getField("SCHEMAS").get(null);
        for (short version = 0; version < schemas.length && version <= highest; version++) {
            if (schemas[version] == null)
                continue;
            String last = "";
            for (boolean full : new boolean[] {true, false}) {
                Messages values = new Messages(full);
                Struct struct = values.struct(schemas[version]);
                ByteBuffer raw = ByteBuffer.allocate(1 << 16);
                struct.writeTo(raw);
                raw.flip();
                Message message = (Message) made.getConstructor().newInstance();
                message.read(new ByteBufferAccessor(raw), version);
                if (raw.hasRemaining())
                    throw new IllegalStateException(name + " " + version + " left bytes");
                ObjectSerializationCache cache = new ObjectSerializationCache();
                ByteBuffer written = ByteBuffer.allocate(message.size(cache, version));
                message.write(new ByteBufferAccessor(written), cache, version);
                written.flip();
                byte[] bytes = new byte[written.remaining()];
                written.get(bytes);
                String line = name + " " + version + " " + HexFormat.of().formatHex(bytes);
                if (!line.equals(last))
                    System.out.println(line.trim());
                last = line;
            }
        }
    }

    final boolean full;
    int count = 0;

    Messages(boolean full) {
        this.full = full;
    }

    Struct struct(Schema schema) throws Exception {
        Struct struct = new Struct(schema);
        for (BoundField field : schema.fields())
            struct.set(field, value(field.def.type));
        return struct;
    }

    Object value(Type type) throws Exception {
        count++;
        if (type.isNullable() && !full)
            return null;
        if (type.isArray()) {
            List<Object> elements = new ArrayList<>();
            for (int i = 0; full && i < 2; i++)
                elements.add(value(type.arrayElementType().get()));
            return elements.toArray();
        }
        if (type instanceof TaggedFields tagged) {
            Map<Integer, Object> values = new TreeMap<>();
            if (full)
                for (var entry : tagged.fields().entrySet())
                    values.put(entry.getKey(), value(entry.getValue().type));
            return values;
        }
        if (type instanceof Schema schema)
            return struct(schema);
        if (type instanceof Type.DocumentedType documented)
            switch (documented.typeName()) {
                case "BOOLEAN": return full;
                case "INT8": return (byte) (full ? count + 1 : -1);
                case "INT16": return (short) (full ? count * 257 : -1);
                case "UINT16": return full ? count * 311 % 65536 : 65535;
                case "INT32": return full ? count * 16843009 : -1;
                case "UINT32": return full ? count * 16843009L : 4294967295L;
                case "INT64": return full ? count * 72340172838076673L : -1L;
                case "UUID": return full ? new Uuid(count, -count) : Uuid.ZERO_UUID;
                case "STRING", "COMPACT_STRING", "NULLABLE_STRING", "COMPACT_NULLABLE_STRING":
                    return full ? "s" + count + "\u00e9\u20ac" : "";
                case "BYTES", "COMPACT_BYTES", "NULLABLE_BYTES", "COMPACT_NULLABLE_BYTES":
                    return ByteBuffer.wrap(new byte[full ? count % 9 + 1 : 0]);
                case "RECORDS", "COMPACT_RECORDS", "NULLABLE_RECORDS", "COMPACT_NULLABLE_RECORDS":
                    return MemoryRecords.readableRecords(ByteBuffer.wrap(new byte[full ? count % 9 + 1 : 0]));
            }
        throw new IllegalStateException("no value for " + type);
    }
}
