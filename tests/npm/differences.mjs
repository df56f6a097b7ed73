// Where our answers differ from Apache Kafka's or KafkaJS's on purpose: `{ program: { label: { ours, why } } }`.
//
// `ours` is the normalized value that we answer instead. The contract test fails when a difference listed here is
// none, so the list cannot outlive its reasons. COMPATIBILITY.md repeats each for users.

export default {}
