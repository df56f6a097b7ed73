/**
 * What KafkaJS gives to those who write assigners: the bytes of subscriptions and assignments, and
 * its own assigner. Groups that use the built-in one are assigned in the wasm.
 */
import { toBuffer } from "./bytes.js";
import type { Logger } from "./logger.js";
import type { PartitionMetadata } from "./producer-types.js";

export type Assignment = { [topic: string]: number[] };

export interface MemberMetadata {
  version: number;
  topics: string[];
  userData: Buffer;
}

export interface MemberAssignment {
  version: number;
  assignment: Assignment;
  userData: Buffer;
}

export interface GroupMember {
  memberId: string;
  memberMetadata: Buffer;
}

export interface GroupMemberAssignment {
  memberId: string;
  memberAssignment: Buffer;
}

export interface GroupState {
  name: string;
  metadata: Buffer;
}

export interface Assigner {
  name: string;
  version: number;
  assign(group: { members: GroupMember[]; topics: string[] }): Promise<GroupMemberAssignment[]>;
  protocol(subscription: { topics: string[] }): GroupState;
}

/** What an assigner may ask. */
export interface Cluster {
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
}

export type PartitionAssigner = (config: {
  cluster: Cluster;
  groupId: string;
  logger: Logger;
}) => Assigner;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Kafka's primitive types, in network order, one after another. */
class Writer {
  #parts: Uint8Array[] = [];

  int16(value: number): this {
    const part = new Uint8Array(2);
    new DataView(part.buffer).setInt16(0, value);
    return this.#put(part);
  }

  int32(value: number): this {
    const part = new Uint8Array(4);
    new DataView(part.buffer).setInt32(0, value);
    return this.#put(part);
  }

  string(value: string): this {
    const bytes = encoder.encode(value);
    return this.int16(bytes.length).#put(bytes);
  }

  bytes(value: Uint8Array): this {
    return this.int32(value.length).#put(value);
  }

  #put(part: Uint8Array): this {
    this.#parts.push(part);
    return this;
  }

  done(): Buffer {
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return toBuffer(whole);
  }
}

class Reader {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  string(): string {
    return decoder.decode(this.#part(this.int16()));
  }

  bytes(): Buffer {
    return toBuffer(this.#part(this.int32()));
  }

  array<T>(read: () => T): T[] {
    const length = this.int32();
    const list: T[] = [];
    for (let i = 0; i < length; i += 1) list.push(read());
    return list;
  }

  #part(length: number): Uint8Array {
    const at = this.#take(Math.max(length, 0));
    return this.#bytes.subarray(at, this.#at);
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new RangeError("The bytes end too early");
    this.#at += length;
    return at;
  }
}

const NOTHING = new Uint8Array(0);

export const AssignerProtocol = {
  MemberMetadata: {
    encode: ({
      version,
      topics,
      userData = NOTHING as Buffer,
    }: Omit<MemberMetadata, "userData"> & { userData?: Buffer }): Buffer => {
      const writer = new Writer().int16(version).int32(topics.length);
      for (const topic of topics) writer.string(topic);
      return writer.bytes(userData).done();
    },
    decode: (buffer: Buffer): MemberMetadata | null => {
      const reader = new Reader(buffer);
      const version = reader.int16();
      const topics = reader.array(() => reader.string());
      return { version, topics, userData: reader.bytes() };
    },
  },
  MemberAssignment: {
    encode: ({
      version,
      assignment,
      userData = NOTHING as Buffer,
    }: Omit<MemberAssignment, "userData"> & { userData?: Buffer }): Buffer => {
      const topics = Object.entries(assignment);
      const writer = new Writer().int16(version).int32(topics.length);
      for (const [topic, partitions] of topics) {
        writer.string(topic).int32(partitions.length);
        for (const partition of partitions) writer.int32(partition);
      }
      return writer.bytes(userData).done();
    },
    /** Null if there is nothing: a member without an assignment. */
    decode: (buffer: Buffer): MemberAssignment | null => {
      if (buffer.length < 2) return null;
      const reader = new Reader(buffer);
      const version = reader.int16();
      const topics = reader.array(() => {
        const topic = reader.string();
        return [topic, reader.array(() => reader.int32())] as const;
      });
      return { version, assignment: Object.fromEntries(topics), userData: reader.bytes() };
    },
  },
};

/** KafkaJS's assigner: every partition of every topic in turn. */
const roundRobin: PartitionAssigner = ({ cluster }) => ({
  name: "RoundRobinAssigner",
  version: 0,

  async assign({ members, topics }) {
    const ids = members.map(({ memberId }) => memberId).sort();
    const assigned = new Map<string, Assignment>();
    const all = topics.flatMap((topic) =>
      cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ topic, partitionId })),
    );
    all.forEach(({ topic, partitionId }, turn) => {
      const memberId = ids[turn % ids.length] ?? "";
      const assignment = assigned.get(memberId) ?? {};
      assigned.set(memberId, assignment);
      (assignment[topic] ??= []).push(partitionId);
    });
    return [...assigned].map(([memberId, assignment]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment }),
    }));
  },

  protocol({ topics }) {
    const metadata = AssignerProtocol.MemberMetadata.encode({ version: 0, topics });
    return { name: this.name, metadata };
  },
});

export const PartitionAssigners: { roundRobin: PartitionAssigner } = { roundRobin };
