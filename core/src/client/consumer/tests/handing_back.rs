//! Batches that the host cannot process, or should not go on with.

#![allow(clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::client::ErrorKind;

#[test]
fn what_the_host_failed_to_process_comes_again_after_a_wait() {
    let retry = RetryConfig {
        retries: Some(2),
        factor: 0.0,
        ..RetryConfig::default()
    };
    let mut fake = consuming(ConsumerConfig { retry, ..config() }, &[0]);
    let broken = || ClientError::passing(ErrorKind::General, "broken");
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    assert!(fake.client.note_processed(held.id, 1));
    let mut id = held.id;
    for wait in [300, 600] {
        assert_eq!(fake.client.failed(fake.now, id, broken()), Ok(()));
        fake.settle();
        fake.records_again(1, &batch(0, &["a", "b"]));
        fake.pass(wait - 1);
        assert_eq!(fake.poll(), None);
        assert!(
            fake.client
                .poll_timeout()
                .unwrap()
                .since(fake.now.monotonic)
                <= 1
        );
        fake.pass(1);
        let again = fake.poll().unwrap();
        assert_eq!(values(&again), [(1, "b".to_owned())]);
        id = again.id;
    }
    let error = fake.client.failed(fake.now, id, broken()).unwrap_err();
    let exceeded = ErrorKind::NumberOfRetriesExceeded {
        retry_count: 2,
        retry_time_ms: 1_200,
    };
    assert_eq!(error.kind, exceeded);
    assert_eq!(*error.cause.unwrap(), broken());
}

#[test]
fn progress_forgets_failures() {
    let mut fake = consuming(config(), &[0]);
    let broken = || ClientError::passing(ErrorKind::General, "broken");
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    fake.client.failed(fake.now, held.id, broken()).unwrap();
    fake.settle();
    fake.records_again(0, &batch(0, &["a", "b"]));
    fake.pass(300);
    let again = fake.poll().unwrap();
    fake.client.note_processed(again.id, 1);
    fake.client.failed(fake.now, again.id, broken()).unwrap();
    fake.settle();
    fake.records_again(1, &batch(0, &["a", "b"]));
    // The first wait again, not the second.
    fake.pass(300);
    assert_eq!(values(&fake.poll().unwrap()), [(1, "b".to_owned())]);
}

#[test]
fn a_batch_is_not_gone_on_with_once_its_partition_is_paused_sought_or_given_up() {
    let mut fake = consuming(config(), &[0]);
    let (seen, _, _) = fake.fetch();
    fake.records(&seen, 0, &[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    assert!(fake.client.may_go_on(held.id));
    fake.client.pause("t", None);
    assert!(!fake.client.may_go_on(held.id));
    fake.client.resume(fake.now, "t", None);
    assert!(fake.client.may_go_on(held.id));
    fake.client.seek(fake.now, &tp(0), SeekTo::Offset(0));
    assert!(!fake.client.may_go_on(held.id));
    assert!(!fake.client.is_going(held.id));
    fake.client.release(fake.now, held.id);
    fake.settle();
    fake.records_by_express(&[(0, batch(0, &["a", "b"]))]);
    let held = fake.poll().unwrap();
    fake.pass(3_000);
    fake.beat(ErrorCode::REBALANCE_IN_PROGRESS);
    assert!(!fake.client.may_go_on(held.id));
    assert!(fake.client.is_going(held.id));
}

impl Fake<Consumer> {
    /// Answers fetches without a session until the one from this offset of the first partition.
    fn records_again(&mut self, from: i64, records: &Bytes) {
        loop {
            let (seen, request, asked) = self.fetch();
            if request.session_epoch == -1 {
                self.records(&seen, 0, &[(0, records.clone())]);
                if asked == [(0, from)] {
                    return;
                }
            }
        }
    }
}
