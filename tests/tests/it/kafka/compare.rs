//! Compares our answers with Kafka's, but for the differences that are listed.

use std::collections::BTreeMap;

use super::differences::{DIFFERENCES, Difference, Ours};
use super::scribe::Answer;

impl Difference {
    fn is_about(&self, suite: &str, what: &str, version: i16, answer: &str) -> bool {
        let some = self.what.contains('*');
        self.suite == suite
            && self.versions.contains(&version)
            && is_of_form(self.what, what)
            && (!some || answer.contains(self.kafka))
    }

    /// Our answer, by Kafka's.
    fn apply(&self, kafka: &str) -> String {
        match self.ours {
            Ours::All(ours) => ours.to_owned(),
            Ours::Part(ours) => kafka.replace(self.kafka, ours),
        }
    }
}

/// Whether a text is of a form in which each `*` stands for anything.
fn is_of_form(form: &str, text: &str) -> bool {
    let Some((start, rest)) = form.split_once('*') else {
        return form == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.any(|at| is_of_form(rest, &text[at..]))
}

/// What is wrong with our answers: each that differs from what Kafka answered and is not listed,
/// or is listed and does not differ as listed.
pub(super) fn faults(suite: &str, recorded: &str, ours: &[Answer]) -> Vec<String> {
    faults_but(DIFFERENCES, suite, recorded, ours)
}

fn faults_but(
    differences: &[Difference],
    suite: &str,
    recorded: &str,
    ours: &[Answer],
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut kafka: BTreeMap<String, &str> = BTreeMap::new();
    for line in recorded.lines() {
        let (question, answer) = line.split_once(": ").unwrap();
        kafka.insert(question.to_owned(), answer);
    }
    let mut used = vec![false; differences.len()];
    for Answer {
        what,
        version,
        answer,
    } in ours
    {
        let question = format!("{what} v{version}");
        let Some(kafka) = kafka.remove(&question) else {
            faults.push(format!(
                "{question}\n  was not asked of Kafka: record again"
            ));
            continue;
        };
        let mut expected = kafka.to_owned();
        for (difference, used) in differences.iter().zip(&mut used) {
            if !difference.is_about(suite, what, *version, &expected) {
                continue;
            }
            *used = true;
            let differing = difference.apply(&expected);
            if differing == expected {
                let why = difference.why;
                faults.push(format!("{question}\n  no longer differs ({why}): {kafka}"));
            }
            expected = differing;
        }
        if expected != *answer {
            let listed = if expected == kafka {
                ""
            } else {
                "\n  (listed)"
            };
            faults.push(format!(
                "{question}\n  expected {expected}{listed}\n  answered {answer}"
            ));
        }
    }
    for question in kafka.keys() {
        faults.push(format!("{question}\n  is not asked any more: record again"));
    }
    for (difference, used) in differences.iter().zip(used) {
        if difference.suite == suite && !used {
            faults.push(format!(
                "{}\n  is listed and does not differ",
                difference.what
            ));
        }
    }
    faults
}

/// The comparison itself: nothing that differs passes unseen.
#[test]
fn only_listed_differences_pass() {
    let answer = |what: &str, answer: &str| Answer {
        what: what.to_owned(),
        version: 1,
        answer: answer.to_owned(),
    };
    let listed = |what, kafka, ours| Difference {
        suite: "s",
        what,
        versions: 1..=2,
        kafka,
        ours: Ours::Part(ours),
        why: "test",
    };
    let recorded = "a v1: { x: 1 }\nb v1: { y: 2 }\n";
    let ours = [answer("a", "{ x: 1 }"), answer("b", "{ y: 3 }")];
    let count = |differences: &[Difference], recorded: &str| {
        faults_but(differences, "s", recorded, &ours).len()
    };
    let right = || listed("b", "y: 2", "y: 3");
    assert_eq!(count(&[right()], recorded), 0);
    assert_eq!(count(&[listed("*", "y: 2", "y: 3")], recorded), 0);
    let all = Difference {
        ours: Ours::All("{ y: 3 }"),
        ..right()
    };
    assert_eq!(count(&[all], recorded), 0);
    assert_eq!(count(&[], recorded), 1, "not listed");
    let otherwise = listed("b", "y: 2", "y: 4");
    assert_eq!(count(&[otherwise], recorded), 1, "differs otherwise");
    let same = "a v1: { x: 1 }\nb v1: { y: 3 }\n";
    assert_eq!(count(&[right()], same), 1, "is none any more");
    assert_eq!(count(&[listed("*", "y: 2", "y: 3")], same), 1, "nor this");
    assert_eq!(count(&[], "a v1: { x: 1 }\n"), 1, "not recorded");
    let more = "a v1: { x: 1 }\nb v1: { y: 3 }\nc v1: {}\n";
    assert_eq!(count(&[], more), 1, "not asked");
    let other = listed("c", "", "");
    assert_eq!(count(&[right(), other], recorded), 1, "about nothing");
}

#[test]
fn every_difference_is_about_a_suite() {
    for difference in DIFFERENCES {
        let mut suites = super::SUITES.iter();
        assert!(suites.any(|suite| suite.name == difference.suite));
    }
}

#[test]
fn stars_stand_for_anything() {
    assert!(is_of_form("a*c", "abc") && is_of_form("a*c", "ac") && is_of_form("*", ""));
    assert!(!is_of_form("a*c", "ab") && !is_of_form("a", "ab") && !is_of_form("*b", "bc"));
}
