//! What the clients of a scenario know: ids by the names that the script gives them.

use std::collections::BTreeMap;

use partita_core::types::Uuid;

/// The id of a topic that never was.
const NO_SUCH_TOPIC: Uuid = Uuid([0xee; 16]);

/// A member of a group as its client knows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) generation: i32,
    pub(crate) protocol: Option<String>,
    /// What it joined with, as the script wrote it.
    pub(crate) topics: String,
}

/// An idempotent producer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Producer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// A fetch session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Session {
    pub(crate) id: i32,
    pub(crate) epoch: i32,
}

/// Ids by name, as far as clients were told.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The ids that topics of a name have had, the newest last.
    topics: BTreeMap<String, Vec<Uuid>>,
    /// Members by group and name.
    members: BTreeMap<(String, String), Member>,
    /// The groups of member ids, and the names that they are shown by there.
    member_names: BTreeMap<String, (String, String)>,
    pub(crate) producers: BTreeMap<String, Producer>,
    pub(crate) sessions: BTreeMap<String, Session>,
}

impl Known {
    /// A topic is there.
    pub(crate) fn topic(&mut self, name: &str, id: Uuid) {
        let ids = self.topics.entry(name.to_owned()).or_default();
        if ids.last() != Some(&id) {
            ids.push(id);
        }
    }

    /// The id of a topic: the newest, or that of so many topics of its name before.
    pub(crate) fn topic_id(&self, name: &str, before: usize) -> Uuid {
        let ids = self.topics.get(name).map_or(&[][..], Vec::as_slice);
        let at = ids.len().checked_sub(before + 1);
        at.and_then(|at| ids.get(at).copied())
            .unwrap_or(NO_SUCH_TOPIC)
    }

    /// The name by which to show a topic of an answer, which has a name or an id.
    pub(crate) fn topic_name(&self, name: &str, id: Uuid) -> String {
        if !name.is_empty() {
            return name.to_owned();
        }
        let topic = self.topics.iter().find(|(_, ids)| ids.contains(&id));
        match topic {
            Some((name, _)) => name.clone(),
            None if id == NO_SUCH_TOPIC => "unknown".to_owned(),
            None => id.to_string(),
        }
    }

    /// A member as its client knows it; as one that never joined, if it did not.
    pub(crate) fn member(&self, group: &str, name: &str) -> Member {
        let key = (group.to_owned(), name.to_owned());
        self.members.get(&key).cloned().unwrap_or_else(|| Member {
            generation: -1,
            ..Member::default()
        })
    }

    /// What a member was told.
    pub(crate) fn set_member(&mut self, group: &str, name: &str, member: Member) {
        if !member.id.is_empty() && !self.member_names.contains_key(&member.id) {
            let mut shown = (group.to_owned(), name.to_owned());
            while self.member_names.values().any(|taken| *taken == shown) {
                shown.1.push('\'');
            }
            self.member_names.insert(member.id.clone(), shown);
        }
        self.members
            .insert((group.to_owned(), name.to_owned()), member);
    }

    /// The name of a member in an answer: with a stroke for each id that it had before this one.
    pub(crate) fn member_name(&self, id: &str) -> String {
        match self.member_names.get(id) {
            Some((_, name)) => name.clone(),
            None if id.is_empty() => "nobody".to_owned(),
            None => format!("stranger {id:?}"),
        }
    }

    /// The member id that a script means: `-` for none, a name as it is shown in answers, or an
    /// id of its own.
    pub(crate) fn member_id(&self, group: &str, word: &str) -> String {
        if word == "-" {
            return String::new();
        }
        let mut names = self.member_names.iter();
        let found = names.find(|(_, (its, name))| its == group && name == word);
        found.map_or_else(|| word.to_owned(), |(id, _)| id.clone())
    }
}
