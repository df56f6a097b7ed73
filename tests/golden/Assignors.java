// Wrote assignors.json beside it, with the assignors of Apache Kafka's own client:
//   java -cp "$KAFKA_CLASSPATH" Assignors.java > assignors.json
// Groups live through a few rebalances: members come, go, miss one, change topics; topics grow.
import java.nio.ByteBuffer;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.clients.consumer.internals.*;
import org.apache.kafka.common.TopicPartition;

public class Assignors {
    static final Random random = new Random(42);
    static final String[] TOPICS = {"a", "b", "orders", "pay.ments"};
    static final List<String> lines = new ArrayList<>();

    static class Member {
        String id, instance;
        List<String> topics;
        List<TopicPartition> last;
        int generation = -1;
        boolean old = random.nextInt(6) == 0;
    }

    public static void main(String[] args) {
        while (lines.size() < 40) group(RangeAssignor::new);
        while (lines.size() < 80) group(RoundRobinAssignor::new);
        while (lines.size() < 240) group(StickyAssignor::new);
        while (lines.size() < 400) group(CooperativeStickyAssignor::new);
        System.out.println(lines.stream().collect(Collectors.joining(",\n", "[\n", "\n]")));
    }

    static void group(java.util.function.Supplier<AbstractPartitionAssignor> make) {
        Map<String, Integer> counts = new TreeMap<>();
        for (String topic : TOPICS) if (random.nextInt(3) > 0) counts.put(topic, 1 + random.nextInt(7));
        if (counts.isEmpty()) counts.put("a", 5);
        boolean equal = random.nextBoolean();
        List<String> common = topics(counts);
        List<Member> members = new ArrayList<>();
        for (int i = 0, n = 1 + random.nextInt(6); i < n; i++) members.add(member(equal ? common : topics(counts)));
        for (int generation = 1, n = 2 + random.nextInt(4); generation <= n; generation++) {
            assign(make.get(), counts, members, generation);
            if (random.nextInt(3) == 0 && members.size() > 1) members.remove(random.nextInt(members.size()));
            if (random.nextInt(2) == 0 && members.size() < 7) members.add(member(equal ? common : topics(counts)));
            if (random.nextInt(4) == 0) counts.computeIfPresent(common.get(0), (t, c) -> c + 1 + random.nextInt(3));
            if (!equal && random.nextInt(3) == 0) members.get(random.nextInt(members.size())).topics = topics(counts);
        }
    }

    static List<String> topics(Map<String, Integer> counts) {
        List<String> topics = counts.keySet().stream().filter(t -> random.nextInt(3) > 0).collect(Collectors.toList());
        if (topics.isEmpty()) topics.add(counts.keySet().iterator().next());
        if (random.nextInt(8) == 0) topics.add("missing");
        Collections.shuffle(topics, random);
        return topics;
    }

    static Member member(List<String> topics) {
        Member member = new Member();
        String[] names = {"consumer", "c", "\u00e9", "\ud83c\udfb9", "\uffe0"};
        member.id = names[random.nextInt(names.length)] + "-" + new UUID(random.nextLong(), random.nextLong()).toString().substring(0, 8);
        if (random.nextInt(4) == 0) member.instance = "i" + random.nextInt(1000);
        member.topics = topics;
        return member;
    }

    static void assign(AbstractPartitionAssignor assignor, Map<String, Integer> counts, List<Member> members, int generation) {
        boolean sticky = assignor instanceof StickyAssignor, cooperative = assignor instanceof CooperativeStickyAssignor;
        Map<String, Subscription> subscriptions = new HashMap<>();
        StringJoiner said = new StringJoiner(",", "{", "}");
        members.sort(Comparator.comparing(m -> m.id));
        for (Member m : members) {
            AbstractPartitionAssignor own = sticky ? new StickyAssignor() : cooperative ? new CooperativeStickyAssignor() : assignor;
            if (m.last != null)
                own.onAssignment(new Assignment(m.last), new ConsumerGroupMetadata("g", m.generation, m.id, Optional.ofNullable(m.instance)));
            ByteBuffer data = own.subscriptionUserData(new HashSet<>(m.topics));
            List<TopicPartition> owned = !cooperative || m.last == null ? List.of()
                : m.last.stream().filter(tp -> random.nextInt(12) == 0 || m.topics.contains(tp.topic())).collect(Collectors.toList());
            Subscription subscription = new Subscription(m.topics, data, owned, m.old ? -1 : m.generation, Optional.empty());
            subscription.setGroupInstanceId(Optional.ofNullable(m.instance));
            subscriptions.put(m.id, subscription);
            said.add(quote(m.id) + ":{\"topics\":" + quote(String.join(" ", m.topics)) + ",\"instance\":" + quote(m.instance)
                + ",\"last\":" + (m.last == null ? "null" : quote(list(m.last))) + ",\"lastGeneration\":" + m.generation
                + ",\"generation\":" + (m.old ? -1 : m.generation) + ",\"owned\":" + quote(list(owned)) + ",\"data\":" + hex(data)
                + (lines.size() % 20 == 0 ? ",\"wire\":" + hex(ConsumerProtocol.serializeSubscription(subscription)) : "") + "}");
        }
        String head = "{\"assignor\":" + quote(assignor.name()) + ",\"partitions\":{"
            + counts.entrySet().stream().map(e -> quote(e.getKey()) + ":" + e.getValue()).collect(Collectors.joining(",")) + "},\"members\":" + said;
        Map<String, List<TopicPartition>> result;
        Map<String, Integer> subscribed = new HashMap<>();
        for (Member m : members) for (String topic : m.topics) if (counts.containsKey(topic)) subscribed.put(topic, counts.get(topic));
        try {
            result = assignor.assign(subscribed, subscriptions);
        } catch (RuntimeException e) {
            lines.add(head + ",\"error\":" + quote(e.getClass().getSimpleName()) + "}");
            return;
        }
        lines.add(head + ",\"result\":{" + new TreeMap<>(result).entrySet().stream()
            .map(e -> quote(e.getKey()) + ":" + quote(list(e.getValue()))).collect(Collectors.joining(",")) + "}}");
        for (Member m : members) {
            if (random.nextInt(7) == 0) continue; // Missed this one.
            m.last = result.get(m.id);
            m.generation = random.nextInt(10) == 0 ? generation - 1 : generation;
        }
    }

    static String list(List<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::toString).collect(Collectors.joining(" "));
    }

    static String quote(String text) {
        if (text == null) return "null";
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) out.append(c < 127 ? "" + c : String.format("\\u%04x", (int) c));
        return out.append('"').toString();
    }

    static String hex(ByteBuffer bytes) {
        if (bytes == null) return "null";
        StringBuilder out = new StringBuilder("\"");
        for (ByteBuffer copy = bytes.duplicate(); copy.hasRemaining(); ) out.append(String.format("%02x", copy.get()));
        return out.append('"').toString();
    }
}
