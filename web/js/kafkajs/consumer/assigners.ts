/**
 * A consumer's assigners. Those that are built in are the wasm's; the user's own are called here,
 * when the wasm says that their word is needed.
 */
import { PartitionAssigners } from "../assigners.js";
import type { Assigner, Cluster, PartitionAssigner } from "../assigners.js";
import { toBuffer } from "../bytes.js";
import { KafkaJSNonRetriableError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { BuiltInAssigner } from "./types.js";

const BUILT_IN: readonly string[] = [
  "range",
  "roundrobin",
  "sticky",
  "cooperative-sticky",
] satisfies BuiltInAssigner[];

export class ConsumerAssigners {
  /** All of them, the preferred one first, as the wasm is told of them. */
  readonly options: { name: string; custom: boolean }[];
  #own = new Map<string, Assigner>();

  constructor(
    assigners: (PartitionAssigner | BuiltInAssigner)[],
    config: { cluster: Cluster; groupId: string; logger: Logger },
  ) {
    this.options = assigners.map((assigner) => {
      if (assigner === PartitionAssigners.roundRobin) {
        return { name: "RoundRobinAssigner", custom: false };
      }
      if (typeof assigner === "string") {
        if (BUILT_IN.includes(assigner)) return { name: assigner, custom: false };
        throw new KafkaJSNonRetriableError(
          `There is no assigner "${assigner}", only ${BUILT_IN.join(", ")} and functions`,
        );
      }
      const own = assigner(config);
      this.#own.set(own.name, own);
      return { name: own.name, custom: true };
    });
  }

  #get(name: string): Assigner {
    const own = this.#own.get(name);
    if (own) return own;
    throw new KafkaJSNonRetriableError(
      `Unsupported partition assigner "${name}", the assigner wasn't found in the assigners list`,
    );
  }

  /** What each of the user's assigners says of this member. */
  protocols(names: string[], topics: string[]): Uint8Array[] {
    return names.map((name) => this.#get(name).protocol({ topics }).metadata);
  }

  /** What each member gets, by one of the user's assigners. */
  async assign(
    name: string,
    members: [memberId: string, metadata: Uint8Array][],
    topics: string[],
  ): Promise<{ members: string[]; assignments: Uint8Array[] }> {
    const assignments = await this.#get(name).assign({
      members: members.map(([memberId, metadata]) => ({
        memberId,
        memberMetadata: toBuffer(metadata),
      })),
      topics,
    });
    return {
      members: assignments.map(({ memberId }) => memberId),
      assignments: assignments.map(({ memberAssignment }) => memberAssignment),
    };
  }
}
