//! The member ids that the page's consumers were given, also before the page was loaded.
//!
//! A consumer that vanishes says no goodbye, so its group keeps it as a member until its session has
//! run out. By its id the page knows it again, beside the consumer that has joined anew.

use partita_core::sorted::SortedSet;
use serde::{Deserialize, Serialize};

/// How many ids are kept: the newest.
const MOST: usize = 100;

/// A member id, and the consumer that was given it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issued {
    pub(crate) member_id: String,
    /// 1 is called c1.
    pub(crate) number: u32,
}

/// When a consumer was given its member id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// In this page, as it is loaded now.
    Here,
    /// Before the page was loaded.
    Before,
    /// In another tab, from which this one has taken the broker over.
    OtherTab,
}

/// A consumer of the page as it was: it has vanished, and its group does not know that yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) number: u32,
    pub(crate) when: When,
}

impl Former {
    pub(crate) fn name(self) -> String {
        format!("c{}", self.number)
    }

    /// When it was, in words that stand after its name.
    pub(crate) fn before(self) -> &'static str {
        match self.when {
            When::Here => "before it crashed",
            When::Before => "before the reload",
            When::OtherTab => "in the other tab",
        }
    }

    /// How it vanished.
    pub(crate) fn vanished(self) -> &'static str {
        match self.when {
            When::Here => "It crashed",
            When::Before => "It vanished with the page as it was before the reload",
            When::OtherTab => "It vanished with the other tab",
        }
    }
}

/// All ids that are remembered, the newest last.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemberIds(Vec<(Issued, When)>);

impl MemberIds {
    /// Adds those that were saved: they, and others that were not given here, are from that time.
    pub(crate) fn remember(&mut self, saved: Vec<Issued>, when: When) {
        for (_, known) in self.0.iter_mut().filter(|(_, it)| *it != When::Here) {
            *known = when;
        }
        let known: SortedSet<String> = self.0.iter().map(|(it, _)| it.member_id.clone()).collect();
        let new = saved
            .into_iter()
            .filter(|it| !known.contains(&it.member_id));
        let new: Vec<_> = new.map(|issued| (issued, when)).collect();
        self.0.splice(0..0, new);
        self.bound();
    }

    /// A consumer of this page was given an id.
    pub(crate) fn issued(&mut self, number: u32, member_id: String) {
        self.0.push((Issued { member_id, number }, When::Here));
        self.bound();
    }

    /// What is known of a member with that id.
    pub(crate) fn find(&self, member_id: &str) -> Option<Former> {
        let mut all = self.0.iter();
        let (issued, when) = all.find(|(it, _)| it.member_id == member_id)?;
        Some(Former {
            number: issued.number,
            when: *when,
        })
    }

    /// What is saved of them.
    pub(crate) fn to_save(&self) -> Vec<Issued> {
        self.0.iter().map(|(issued, _)| issued.clone()).collect()
    }

    fn bound(&mut self) {
        let over = self.0.len().saturating_sub(MOST);
        self.0.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(number: u32, id: &str) -> Issued {
        Issued {
            member_id: id.into(),
            number,
        }
    }

    #[test]
    fn a_member_is_known_by_its_id_over_loads() {
        let mut ids = MemberIds::default();
        ids.remember(vec![issued(1, "a"), issued(2, "b")], When::Before);
        ids.issued(1, "c".into());
        let when = |ids: &MemberIds, id| ids.find(id).map(|it| (it.number, it.when));
        assert_eq!(when(&ids, "a"), Some((1, When::Before)));
        assert_eq!(when(&ids, "c"), Some((1, When::Here)));
        assert_eq!(when(&ids, "d"), None);
        let saved = [issued(1, "a"), issued(2, "b"), issued(1, "c")];
        assert_eq!(ids.to_save(), saved);
        // The other tab began with these, and its own came after.
        let others = saved.into_iter().chain([issued(2, "d")]).collect();
        ids.remember(others, When::OtherTab);
        assert_eq!(when(&ids, "a"), Some((1, When::OtherTab)));
        assert_eq!(when(&ids, "c"), Some((1, When::Here)));
        assert_eq!(when(&ids, "d"), Some((2, When::OtherTab)));
    }

    #[test]
    fn the_newest_are_kept() {
        let mut ids = MemberIds::default();
        for number in 0..150 {
            ids.issued(number, number.to_string());
        }
        assert_eq!(ids.to_save().len(), MOST);
        assert_eq!(ids.find("49"), None);
        assert!(ids.find("50").is_some() && ids.find("149").is_some());
    }
}
