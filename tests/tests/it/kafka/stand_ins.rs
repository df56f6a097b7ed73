//! What differs from run to run gets a stand-in: `id of orders`, `an id`, `member 1`, `now`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use partita_core::types::Uuid;

use super::peer::Peer;

/// The stand-ins of a run, in the order in which things were first seen.
#[derive(Debug)]
pub(super) struct StandIns {
    /// What the run's names begin with.
    prefix: String,
    host: String,
    port: String,
    client_host: String,
    /// Stand-ins for known ids of topics, member ids and numbers, by how they are written.
    seen: BTreeMap<String, String>,
    /// How many of each kind there are.
    counts: BTreeMap<&'static str, u32>,
}

/// Fields whose numbers are the broker's choice.
const NUMBERS: &[(&str, &str)] = &[("session_id: ", "session"), ("producer_id: ", "producer")];

/// Before the cluster's id, in Metadata and in DescribeCluster.
const CLUSTER: &[&str] = &["cluster_id: Some(\"", "cluster_id: \""];

impl StandIns {
    pub(super) fn new(prefix: &str, peer: &Peer) -> Self {
        let (host, port) = peer.advertised();
        Self {
            client_host: format!("client_host: \"{}\"", peer.client_host()),
            prefix: prefix.to_owned(),
            host: format!("host: \"{host}\", "),
            port: format!("port: {port}"),
            seen: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// An id is that of a topic whose name is known.
    pub(super) fn know_id(&mut self, id: Uuid, plain: &str) {
        self.seen.insert(id.to_string(), format!("id of {plain}"));
    }

    /// Puts the stand-ins in place of what they stand for.
    pub(super) fn put_in(&mut self, told: &str, now: &RangeInclusive<i64>) -> String {
        let told = told
            .replace(&self.prefix, "")
            .replace(&self.host, "host: HOST, ")
            .replace(&self.port, "port: PORT")
            .replace(&self.client_host, "client_host: CLIENT")
            .replace("throttle_time_ms: 0, ", "")
            .replace("throttle_time_ms: 0 ", "");
        let told = without_types(&told);
        let told = self.ids(&told);
        let told = without_cluster(&self.members(&told));
        let told = self.numbers(&told);
        times(&without_bounds(&told), now)
    }

    fn stand_in(&mut self, written: &str, kind: &'static str) -> String {
        if let Some(known) = self.seen.get(written) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let stand_in = format!("{kind} {count}");
        self.seen.insert(written.to_owned(), stand_in.clone());
        stand_in
    }

    /// `Uuid(22 letters)`, but for the id that is no id.
    fn ids(&self, told: &str) -> String {
        let mut pieces = told.split("Uuid(");
        let mut result = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (id, rest) = piece.split_once(')').unwrap();
            result.push_str(match self.seen.get(id) {
                Some(known) => known,
                None if id == Uuid::ZERO.to_string() => "no id",
                None => "an id",
            });
            result.push_str(rest);
        }
        result
    }

    /// The random end of a member id: `-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in hexadecimal.
    fn members(&mut self, told: &str) -> String {
        const FORM: &[u8] = b"-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        let fits = |at: &[u8]| {
            at.len() == FORM.len()
                && at.iter().zip(FORM).all(|(byte, form)| match form {
                    b'x' => byte.is_ascii_hexdigit(),
                    form => byte == form,
                })
        };
        let mut result = String::new();
        let mut rest = told;
        let found = |text: &str| text.as_bytes().windows(FORM.len()).position(fits);
        while let Some(at) = found(rest) {
            let (before, after) = rest.split_at(at);
            let (id, after) = after.split_at(FORM.len());
            result.push_str(before);
            result.push('-');
            result.push_str(&self.stand_in(id, "member"));
            rest = after;
        }
        result + rest
    }

    fn numbers(&mut self, told: &str) -> String {
        let mut told = told.to_owned();
        for &(field, kind) in NUMBERS {
            let mut pieces = told.split(field);
            let mut result = pieces.next().unwrap().to_owned();
            for piece in pieces {
                let end = piece.find([',', ' ', ']']).unwrap_or(piece.len());
                let (number, rest) = piece.split_at(end);
                result.push_str(field);
                match number.parse::<i64>().unwrap() {
                    ..=0 => result.push_str(number),
                    _ => result.push_str(&self.stand_in(number, kind)),
                }
                result.push_str(rest);
            }
            told = result;
        }
        told
    }
}

/// `FetchResponse { … }` becomes `{ … }`: field names tell enough.
fn without_types(told: &str) -> String {
    let mut result = String::with_capacity(told.len());
    let mut pieces = told.split(" {").peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            result.push_str(piece);
            break;
        }
        let kept = piece.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric());
        result.push_str(kept);
        result.push('{');
    }
    result
}

/// The cluster's id is the cluster's own.
fn without_cluster(told: &str) -> String {
    for before in CLUSTER {
        if let Some((start, rest)) = told.split_once(before) {
            let (id, rest) = rest.split_once('"').unwrap();
            if id.is_empty() {
                break;
            }
            return format!("{start}{before}CLUSTER\"{rest}");
        }
    }
    told.to_owned()
}

/// The bounds of a timestamp that is refused depend on the time.
fn without_bounds(told: &str) -> String {
    const BEFORE: &str = "timestamp should be within [";
    let mut pieces = told.split(BEFORE);
    let mut result = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (_, rest) = piece.split_once(']').unwrap();
        result.push_str(BEFORE);
        result.push_str("times]");
        result.push_str(rest);
    }
    result
}

/// Times of this run become `now`.
fn times(told: &str, now: &RangeInclusive<i64>) -> String {
    let mut result = String::with_capacity(told.len());
    let mut rest = told;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, after) = rest.split_at(at);
        let end = after.find(|letter: char| !letter.is_ascii_digit());
        let (number, after) = after.split_at(end.unwrap_or(after.len()));
        result.push_str(before);
        match number.parse() {
            Ok(time) if now.contains(&time) => result.push_str("now"),
            _ => result.push_str(number),
        }
        rest = after;
    }
    result + rest
}
