//! Our codec against bytes that Apache Kafka 4.3.1's own classes wrote: every message, every
//! version, all fields set and none. `golden/messages/Messages.java` says how they were made.

use std::collections::BTreeSet;

use bytes::Bytes;
use partita_core::protocol::Reader;

use super::all;

const LINES: &str = include_str!("../../../golden/messages/messages.txt");

#[test]
fn kafkas_own_bytes_come_back_unchanged() {
    let codecs = all();
    let mut seen = BTreeSet::new();
    for line in LINES.lines() {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let version: i16 = words.next().unwrap().parse().unwrap();
        let bytes = hex(words.next().unwrap_or_default());
        let codec = codecs
            .iter()
            .find(|codec| codec.name == name)
            .unwrap_or_else(|| panic!("{name} is not declared"));
        let mut reader = Reader::new(bytes.clone());
        let again = (codec.read)(&mut reader, version)
            .unwrap_or_else(|error| panic!("{name} {version}: {error}"));
        assert_eq!(reader.remaining(), 0, "{name} {version}");
        assert_eq!(again, Some(bytes), "{name} {version}");
        seen.insert((codec.name, version));
    }
    for codec in codecs {
        for version in codec.versions.iter() {
            assert!(
                seen.contains(&(codec.name, version)),
                "{} {version} has no line",
                codec.name
            );
        }
    }
}

fn hex(digits: &str) -> Bytes {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
