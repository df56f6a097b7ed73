/** What the package exports in KafkaJS's shape beside `Kafka`: it needs no wasm. */
export * from "./errors.js";
export * from "./constants.js";
export { Partitioners, StickyPartitioner } from "./partitioners.js";
export { AssignerProtocol, PartitionAssigners } from "./assigners.js";
