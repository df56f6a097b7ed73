//! Figures, bytes and groups as people read them.

use partita_core::broker::{GroupView, MemberView};
use partita_core::types::TopicPartition;

/// A whole number with thin gaps between thousands.
pub(crate) fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::new();
    if value < 0 {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len().saturating_sub(at)).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// A size in bytes, with a unit.
pub(crate) fn bytes(value: f64) -> String {
    let mut value = value;
    for unit in ["B", "KB", "MB", "GB"] {
        if value < 1000.0 || unit == "GB" {
            return match unit {
                "B" => format!("{value:.0} B"),
                _ if value < 10.0 => format!("{value:.1} {unit}"),
                _ => format!("{value:.0} {unit}"),
            };
        }
        value /= 1000.0;
    }
    String::new()
}

/// `hh:mm:ss.t` of a duration in milliseconds.
pub(crate) fn clock(millis: u64) -> String {
    let (tenths, seconds) = (millis / 100 % 10, millis / 1_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{tenths}", seconds % 60)
}

/// `mm:ss.t` of a wall time in milliseconds.
pub(crate) fn minute(wall: i64) -> String {
    let tenths = wall.rem_euclid(3_600_000) / 100;
    let (minutes, rest) = (tenths / 600, tenths % 600);
    format!("{minutes:02}:{:02}.{}", rest / 10, rest % 10)
}

/// A key or value: text where it is text, else in hexadecimal.
pub(crate) fn content(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".into(),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text)
                if !text
                    .chars()
                    .any(|c| c.is_control() && c != '\n' && c != '\t') =>
            {
                text.to_owned()
            }
            Ok(_) | Err(_) => hex(bytes),
        },
    }
}

/// Bytes in hexadecimal, at most the first 256.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(256).map(|byte| format!("{byte:02x}"));
    let mut out = shown.collect::<Vec<_>>().join(" ");
    if bytes.len() > 256 {
        out.push_str(" …");
    }
    out
}

/// `1 record`, `2 records`.
pub(crate) fn count(value: i64, one: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {one}{plural}", number(value))
}

/// A partition's name where there is little room: the end of its topic's.
pub(crate) fn short(partition: &TopicPartition) -> String {
    const MOST: usize = 7;
    let (topic, number) = (&partition.topic, partition.partition);
    let length = topic.chars().count();
    if length <= MOST {
        return partition.to_string();
    }
    let left_out = length.saturating_sub(MOST).saturating_add(2);
    let end: String = topic.chars().skip(left_out).collect();
    format!("…{end}-{number}")
}

/// `third`, or `12th`.
pub(crate) fn ordinal(value: i32) -> String {
    match value {
        1 => "first".into(),
        2 => "second".into(),
        3 => "third".into(),
        4 => "fourth".into(),
        5 => "fifth".into(),
        6 => "sixth".into(),
        _ => {
            let ending = match (value % 10, value % 100) {
                (1, it) if it != 11 => "st",
                (2, it) if it != 12 => "nd",
                (3, it) if it != 13 => "rd",
                _ => "th",
            };
            format!("{value}{ending}")
        }
    }
}

/// What has become of a group, in sentences; `called` says how a member is called.
pub(crate) fn group(
    name: &str,
    view: &GroupView,
    called: impl Fn(&MemberView) -> String,
) -> String {
    match view.state.as_str() {
        "Stable" => {
            let mut text = format!("{name} is stable in generation {}.", view.generation);
            for member in &view.members {
                let assigned = member.assigned.iter();
                let assigned = assigned.map(|(topic, partition)| format!("{topic}-{partition}"));
                let assigned = assigned.collect::<Vec<_>>().join(", ");
                text.push_str(&match assigned.is_empty() {
                    true => format!(" {} waits.", called(member)),
                    false => format!(" {} owns {assigned}.", called(member)),
                });
            }
            text
        }
        "PreparingRebalance" | "CompletingRebalance" => {
            format!(
                "{name} rebalances: {}.",
                count_of(view.members.len(), "member")
            )
        }
        _ => format!("{name} has no members."),
    }
}

/// For which members that have vanished a group waits, and how long at most, in milliseconds.
pub(crate) fn former_sessions(names: &[String], left: Option<u64>) -> Option<String> {
    let (last, others) = names.split_last()?;
    let left = left.map_or_else(String::new, |left| format!(": {} more", seconds(left)));
    Some(match others {
        [] => format!(
            "It waits for {last}’s former session to run out, as Kafka does for a member that \
             vanished{left}."
        ),
        _ => format!(
            "It waits for the former sessions of {} and {last} to run out, as Kafka does for \
             members that vanished{left}.",
            others.join(", ")
        ),
    })
}

/// A time in milliseconds as whole seconds, of which the last one has begun.
pub(crate) fn seconds(millis: u64) -> String {
    format!("{} s", millis.div_ceil(1_000))
}

/// As [`count`], of a length.
pub(crate) fn count_of(length: usize, one: &str) -> String {
    count(i64::try_from(length).unwrap_or(i64::MAX), one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_where_they_begin() {
        assert_eq!(short(&TopicPartition::new("orders", 11)), "orders-11");
        assert_eq!(short(&TopicPartition::new("payment", 0)), "payment-0");
        assert_eq!(
            short(&TopicPartition::new("customer-events", 3)),
            "…vents-3"
        );
    }

    #[test]
    fn ordinals() {
        let told: Vec<_> = [2, 7, 11, 21, 22, 103].into_iter().map(ordinal).collect();
        assert_eq!(told, ["second", "7th", "11th", "21st", "22nd", "103rd"]);
    }

    #[test]
    fn a_group_in_sentences() {
        let member = |id: &str, assigned: &[(String, i32)]| MemberView {
            member_id: id.into(),
            group_instance_id: None,
            client_id: id.into(),
            client_host: String::new(),
            joined: true,
            synced: true,
            session_ends_in: None,
            session_timeout: 0,
            assigned: assigned.to_vec(),
            subscribed: Vec::new(),
        };
        let mut view = GroupView {
            group: "billing".into(),
            state: "Stable".into(),
            generation: 3,
            protocol_type: "consumer".into(),
            protocol: "range".into(),
            leader: String::new(),
            rebalance_ends_in: None,
            members: vec![member("c1", &[("orders".into(), 0)]), member("c2", &[])],
        };
        let said = |view: &GroupView| group("billing", view, |it| it.client_id.clone());
        assert_eq!(
            said(&view),
            "billing is stable in generation 3. c1 owns orders-0. c2 waits."
        );
        view.state = "PreparingRebalance".into();
        assert_eq!(said(&view), "billing rebalances: 2 members.");
        view.state = "Empty".into();
        assert_eq!(said(&view), "billing has no members.");
    }

    #[test]
    fn members_that_vanished_are_awaited_by_name() {
        let told = |names: &[&str], left| {
            let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
            former_sessions(&names, left)
        };
        assert_eq!(told(&[], None), None);
        assert_eq!(
            told(&["c1"], Some(3_001)).as_deref(),
            Some(
                "It waits for c1’s former session to run out, as Kafka does for a member that \
                 vanished: 4 s more."
            )
        );
        assert_eq!(
            told(&["c1", "c2", "c3"], None).as_deref(),
            Some(
                "It waits for the former sessions of c1, c2 and c3 to run out, as Kafka does for \
                 members that vanished."
            )
        );
    }

    #[test]
    fn figures() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(number(-12), "-12");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(1_900_000.0), "1.9 MB");
        assert_eq!(clock(3_723_450), "01:02:03.4");
        assert_eq!(minute(61_500), "01:01.5");
        assert_eq!(count(1, "record"), "1 record");
    }

    #[test]
    fn bytes_that_are_no_text_are_hexadecimal() {
        assert_eq!(content(Some(b"42")), "42");
        assert_eq!(content(Some(&[0xff, 0])), "ff 00");
        assert_eq!(content(None), "null");
    }
}
