/** The names of the broker's types. */
export type { Broker, BrokerConstructor } from "./broker.js";
export type { BrokerFailure } from "./errors.js";
export type { Address, BrokerOptions, ListenOptions, NoticeEvent } from "./options.js";
export type { Failure, Notice, Status } from "../worker/messages.js";
