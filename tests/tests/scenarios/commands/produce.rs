//! What appends and what removes: Produce, InitProducerId, DeleteRecords.

use partita_core::protocol::Records;
use partita_core::protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use partita_core::protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData,
};
use partita_core::protocol::messages::{
    DeleteRecordsRequest, DeleteRecordsResponse, InitProducerIdRequest, InitProducerIdResponse,
    ProduceRequest, ProduceResponse,
};

use super::{Command, by_topic, error};
use crate::known::Producer;
use crate::records::{Style, batches, codec};
use crate::words::{Result, Words, number, show_wall};
use crate::world::World;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        usage: "produce PARTITION RECORDS... [acks=all|0|1] [timeout=SPAN] [codec=NAME] \
                [producer=NAME|ID] [epoch=N] [sequence=N] [transactional] [control] \
                [id-of=former] [version=N]",
        run: produce,
    },
    Command {
        usage: "init-producer NAME [transactional-id=ID] [again] [version=N]",
        run: init_producer,
    },
    Command {
        usage: "delete-records PARTITION OFFSET... [version=N]",
        run: delete_records,
    },
];

/// The number of topics of the same name before the one that the client means by its id.
pub(super) fn former(words: &mut Words) -> Result<usize> {
    match words.option("id-of").as_deref() {
        None => Ok(0),
        Some("former") => Ok(1),
        Some(other) => Err(format!("id-of={other}: it can be former only")),
    }
}

fn style(world: &mut World, words: &mut Words) -> Result<Style> {
    let mut producer = match words.option("producer") {
        None => None,
        Some(name) => Some(match world.known.producers.get(&name) {
            Some(producer) => *producer,
            None => Producer {
                id: number(&name)?,
                epoch: 0,
            },
        }),
    };
    if let (Some(producer), Some(epoch)) = (&mut producer, words.number("epoch")?) {
        producer.epoch = epoch;
    }
    let sequence = words.number("sequence")?.unwrap_or(0);
    Ok(Style {
        compression: match words.option("codec") {
            Some(name) => codec(&name)?,
            None => codec("none")?,
        },
        producer: producer.map(|producer| (producer.id, producer.epoch, sequence)),
        transactional: words.flag("transactional"),
        control: words.flag("control"),
        now: world.wall(),
    })
}

fn produce(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let acks = match words.option("acks").as_deref() {
        None | Some("all") => -1,
        Some(other) => number(other)?,
    };
    let timeout_ms = words.millis("timeout", 30_000)?;
    let style = style(world, words)?;
    let before = former(words)?;
    let topics = by_topic(words.by_partition("the records")?);
    let mut topic_data = Vec::new();
    for (name, partitions) in topics {
        let mut partition_data = Vec::new();
        for (index, text) in partitions {
            partition_data.push(PartitionProduceData {
                index,
                records: Records::from(batches(&text, style)?),
            });
        }
        topic_data.push(TopicProduceData {
            topic_id: world.known.topic_id(&name, before),
            name,
            partition_data,
        });
    }
    let request = ProduceRequest {
        acks,
        timeout_ms,
        topic_data,
        transactional_id: style.transactional.then(|| "scenario".to_owned()),
    };
    if acks == 0 {
        world.send_silently(client, &request, version)?;
        return Ok(Vec::new());
    }
    world.send(
        client,
        &request,
        version,
        |known, answer: ProduceResponse| {
            let mut lines = Vec::new();
            for topic in &answer.responses {
                let name = known.topic_name(&topic.name, topic.topic_id);
                let partitions = topic.partition_responses.iter();
                lines.extend(partitions.map(|one| format!("{name}-{}: {}", one.index, show(one))));
            }
            lines
        },
    )?;
    Ok(Vec::new())
}

fn show(partition: &PartitionProduceResponse) -> String {
    if partition.error_code.is_error() {
        let mut shown = error(partition.error_code, partition.error_message.as_deref());
        for record in &partition.record_errors {
            let message = record
                .batch_index_error_message
                .as_deref()
                .unwrap_or_default();
            shown = format!("{shown}, record {}: {message:?}", record.batch_index);
        }
        return shown;
    }
    let mut shown = format!("offset {}", partition.base_offset);
    if partition.log_append_time_ms >= 0 {
        shown = format!(
            "{shown}, appended {}",
            show_wall(partition.log_append_time_ms)
        );
    }
    if partition.log_start_offset > 0 {
        shown = format!("{shown}, log start {}", partition.log_start_offset);
    }
    shown
}

fn init_producer(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let name = words.next("a name for the producer")?;
    let former = if words.flag("again") {
        let known = world.known.producers.get(&name);
        Some(*known.ok_or_else(|| format!("{name} has no producer id yet"))?)
    } else {
        None
    };
    let request = InitProducerIdRequest {
        transactional_id: words.option("transactional-id"),
        transaction_timeout_ms: 60_000,
        producer_id: former.map_or(-1, |producer| producer.id),
        producer_epoch: former.map_or(-1, |producer| producer.epoch),
    };
    world.send(
        client,
        &request,
        version,
        move |known, answer: InitProducerIdResponse| {
            if answer.error_code.is_error() {
                return error(answer.error_code, None);
            }
            let (id, epoch) = (answer.producer_id, answer.producer_epoch);
            known.producers.insert(name, Producer { id, epoch });
            format!("producer {id}, epoch {epoch}")
        },
    )?;
    Ok(Vec::new())
}

fn delete_records(world: &mut World, client: &str, words: &mut Words) -> Result<Vec<String>> {
    let version = words.number("version")?;
    let mut topics = Vec::new();
    for (name, partitions) in by_topic(words.by_partition("an offset")?) {
        let mut list = Vec::new();
        for (partition_index, offset) in partitions {
            list.push(DeleteRecordsPartition {
                partition_index,
                offset: number(&offset)?,
            });
        }
        topics.push(DeleteRecordsTopic {
            name,
            partitions: list,
        });
    }
    let request = DeleteRecordsRequest {
        topics,
        timeout_ms: 30_000,
    };
    world.send(
        client,
        &request,
        version,
        |_, answer: DeleteRecordsResponse| {
            let mut lines = Vec::new();
            for topic in &answer.topics {
                lines.extend(topic.partitions.iter().map(|one| {
                    let partition = format!("{}-{}", topic.name, one.partition_index);
                    if one.error_code.is_error() {
                        format!("{partition}: {}", error(one.error_code, None))
                    } else {
                        format!("{partition}: log start {}", one.low_watermark)
                    }
                }));
            }
            lines
        },
    )?;
    Ok(Vec::new())
}
