//! Record batches as a script writes and reads them: records with commas between, batches with
//! strokes (`a,b|c`); a record is `value`, `key:value` or `key:~` for a null value, perhaps with a
//! time (`a@5s`); `x*1000` is a value of a thousand letters.

use bytes::Bytes;
use partita_core::records::{
    BatchBuilder, Batches, Compression, Level, NO_PRODUCER_ID, Record, TimestampType,
};

use crate::internal;
use crate::words::{Result, number, show_wall, wall};

/// The most that a batch of a scenario may hold.
const LIMIT: usize = 64 << 20;
/// A value of more equal letters than this is shown as `x*N`.
const SHORT: usize = 8;

/// What a batch has besides its records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) compression: Compression,
    /// Producer id, epoch and first sequence.
    pub(crate) producer: Option<(i64, i16, i32)>,
    pub(crate) transactional: bool,
    pub(crate) control: bool,
    /// The records' time, but for those that have their own.
    pub(crate) now: i64,
}

/// The bytes of some batches.
pub(crate) fn batches(text: &str, style: Style) -> Result<Bytes> {
    let built: Result<Vec<Bytes>> = text.split('|').map(|text| batch(text, style)).collect();
    Ok(Bytes::from(built?.concat()))
}

fn batch(text: &str, style: Style) -> Result<Bytes> {
    let mut builder = BatchBuilder::new()
        .compression(style.compression, Level::Default)
        .transactional(style.transactional)
        .control(style.control);
    if let Some((id, epoch, sequence)) = style.producer {
        builder.set_producer(id, epoch, sequence);
    }
    for text in text.split(',') {
        let refused = |error| format!("{text:?} does not fit the batch: {error}");
        builder.push(&record(text, style.now)?).map_err(refused)?;
    }
    builder.build().map_err(|error| error.to_string())
}

fn record(text: &str, now: i64) -> Result<Record> {
    let (text, time) = match text.split_once('@') {
        Some((text, time)) => (text, wall(time)?),
        None => (text, now),
    };
    let (key, value) = match text.split_once(':') {
        Some((key, value)) => (Some(Bytes::copy_from_slice(key.as_bytes())), value),
        None => (None, text),
    };
    Ok(Record::new(time, key, self::value(value)?))
}

fn value(text: &str) -> Result<Option<Bytes>> {
    Ok(match text {
        "~" => None,
        text => Some(Bytes::from(repeated(text)?)),
    })
}

/// A text, which may be `x*1000`.
pub(crate) fn repeated(text: &str) -> Result<String> {
    Ok(match text.split_once('*') {
        Some((letter, count)) => letter.repeat(number(count)?),
        None => text.to_owned(),
    })
}

/// A text as a script would write it.
pub(crate) fn show_text(text: &[u8]) -> String {
    match text.first() {
        Some(first) if text.len() > SHORT && text.iter().all(|byte| byte == first) => {
            format!("{}*{}", char::from(*first), text.len())
        }
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}

/// The codec of this name.
pub(crate) fn codec(name: &str) -> Result<Compression> {
    let mut all = Compression::ALL.into_iter();
    let known = all.find(|codec| codec.name() == name);
    known.ok_or_else(|| format!("{name:?} is not a codec: none, gzip, snappy, lz4, zstd"))
}

/// Which facts of batches an answer tells besides offsets, keys and values.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    /// The time of each record.
    pub(crate) times: bool,
    /// Leader epoch, codec, producer, timestamp type of each batch.
    pub(crate) batches: bool,
    /// The records are those of `__consumer_offsets`.
    pub(crate) internal: bool,
}

/// What is in the bytes of some batches: `0 a, 1 b | 2 key:c`.
pub(crate) fn show(bytes: &Bytes, facts: Facts) -> Result<Vec<String>> {
    let mut shown = Vec::new();
    for batch in Batches::new(bytes.clone()) {
        let batch = batch.map_err(|error| format!("a batch that cannot be read: {error}"))?;
        batch
            .check_crc()
            .map_err(|error| format!("a damaged batch: {error}"))?;
        let mut records = Vec::new();
        let all = batch.records(LIMIT).map_err(|error| error.to_string())?;
        for record in all {
            let record = record.map_err(|error| error.to_string())?;
            records.push(show_record(&record, facts));
        }
        let mut line = records.join(", ");
        if facts.batches {
            let header = batch.header();
            line = format!("{line} (epoch {}", header.partition_leader_epoch);
            let codec = header.compression().map_err(|error| error.to_string())?;
            if codec != Compression::None {
                line = format!("{line}, {}", codec.name());
            }
            if header.producer_id != NO_PRODUCER_ID {
                line = format!(
                    "{line}, producer {} epoch {} sequence {}",
                    header.producer_id, header.producer_epoch, header.base_sequence
                );
            }
            if header.timestamp_type() == TimestampType::LogAppendTime {
                line.push_str(", append time");
            }
            line.push(')');
        }
        shown.push(line);
    }
    Ok(shown)
}

fn show_record(record: &Record, facts: Facts) -> String {
    if facts.internal {
        return format!("{} {}", record.offset, internal::show(record));
    }
    let mut shown = format!("{} ", record.offset);
    if let Some(key) = &record.key {
        shown = format!("{shown}{}:", show_text(key));
    }
    match &record.value {
        Some(value) => shown.push_str(&show_text(value)),
        None => shown.push('~'),
    }
    if facts.times {
        shown.push_str(&show_wall(record.timestamp));
    }
    shown
}
