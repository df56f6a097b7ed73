//! What the assignors of Apache Kafka's Java client computed: `Assignors.java` says how.

use super::*;
use serde_json::Value;

fn cases() -> Vec<Value> {
    let text = include_str!("../../../../../tests/golden/assignors.json");
    serde_json::from_str(text).unwrap()
}

fn hex(value: &Value) -> Option<Bytes> {
    value.as_str().map(|text| {
        text.as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    })
}

fn generation(value: &Value) -> i32 {
    i32::try_from(value.as_i64().unwrap()).unwrap()
}

fn subscription(said: &Value) -> Subscription {
    Subscription {
        user_data: hex(&said["data"]),
        owned_partitions: partitions(said["owned"].as_str().unwrap()),
        generation_id: generation(&said["generation"]),
        group_instance_id: said["instance"].as_str().map(str::to_owned),
        ..member(said["topics"].as_str().unwrap())
    }
}

#[test]
fn every_assignment_is_javas() {
    let mut wrong = Vec::new();
    let mut broken = 0;
    let cases = cases();
    for (index, case) in cases.iter().enumerate() {
        let assignor = Assignor::by_name(case["assignor"].as_str().unwrap()).unwrap();
        let members: SortedMap<String, Subscription> = case["members"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(id, said)| (id.clone(), subscription(said)))
            .collect();
        let topics: SortedMap<String, i32> = case["partitions"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(topic, count)| (topic.clone(), generation(count)))
            .collect();
        let ours: SortedMap<String, String> = assign(assignor, &members, &topics)
            .into_iter()
            .map(|(id, assigned)| (id, text(&assigned)))
            .collect();
        let theirs: SortedMap<String, String> = case["result"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(id, assigned)| (id.clone(), text(&partitions(assigned.as_str().unwrap()))))
            .collect();
        let subscribed = |assignments: &SortedMap<String, String>| {
            assignments.iter().all(|(id, assigned)| {
                let wanted = &members[id].topics;
                partitions(assigned)
                    .iter()
                    .all(|p| wanted.contains(&p.topic))
            })
        };
        if !subscribed(&theirs) {
            // Java gave a partition back to a member that no longer subscribes to its topic.
            assert!(subscribed(&ours), "{index}");
            broken += 1;
        } else if ours != theirs {
            wrong.push(format!(
                "{index}: {case:#}\nours {ours:#?}\ntheirs {theirs:#?}"
            ));
        }
    }
    assert_eq!(broken, 1);
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        cases.len(),
        wrong[0]
    );
}

#[test]
fn what_members_say_is_byte_for_byte_what_java_says() {
    let (mut data, mut wire) = (0, 0);
    for case in cases() {
        let assignor = Assignor::by_name(case["assignor"].as_str().unwrap()).unwrap();
        for said in case["members"].as_object().unwrap().values() {
            let last = said["last"].as_str().map(partitions);
            let last_generation = generation(&said["lastGeneration"]);
            let last = last.as_deref().map(|owned| (owned, last_generation));
            assert_eq!(assignor.user_data(last), hex(&said["data"]), "{said:#}");
            data += 1;
            if let Some(theirs) = hex(&said["wire"]) {
                let ours = subscription(said);
                assert_eq!(encode_subscription(assignor, &ours).unwrap(), theirs);
                let mut sorted = ours;
                sorted.topics.sort();
                sorted.owned_partitions.sort();
                let instance = sorted.group_instance_id.clone();
                assert_eq!(decode_subscription(theirs, instance).unwrap(), sorted);
                wire += 1;
            }
        }
    }
    assert!(data > 1_000 && wire > 50, "{data} {wire}");
}
