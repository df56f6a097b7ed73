/** KafkaJS's enumerations, as it has them: names and numbers. */
import type * as enums from "./enums.js";

/** The values of an enumeration that is declared only; each name must have its own number. */
const enumeration = <E extends Record<keyof E, number>>(values: {
  [K in keyof E]: `${E[K] & number}` extends `${infer N extends number}` ? N : never;
}): E => values as unknown as E;

export type logLevel = enums.logLevel;
export const logLevel = enumeration<typeof enums.logLevel>({
  NOTHING: 0,
  ERROR: 1,
  WARN: 2,
  INFO: 4,
  DEBUG: 5,
});

export type CompressionTypes = enums.CompressionTypes;
export const CompressionTypes = enumeration<typeof enums.CompressionTypes>({ None: 0, GZIP: 1, Snappy: 2, LZ4: 3, ZSTD: 4 });

/**
 * KafkaJS's users install codecs here. All four are built in, so what is assigned is kept and not
 * used.
 */
export const CompressionCodecs: Record<Exclude<CompressionTypes, enums.CompressionTypes.None>, () => any> = {
  [CompressionTypes.GZIP]: () => ({ builtIn: CompressionTypes.GZIP }),
  [CompressionTypes.Snappy]: () => ({ builtIn: CompressionTypes.Snappy }),
  [CompressionTypes.LZ4]: () => ({ builtIn: CompressionTypes.LZ4 }),
  [CompressionTypes.ZSTD]: () => ({ builtIn: CompressionTypes.ZSTD }),
};

export type ConfigResourceTypes = enums.ConfigResourceTypes;
export const ConfigResourceTypes = enumeration<typeof enums.ConfigResourceTypes>({ UNKNOWN: 0, TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8 });

export type ConfigSource = enums.ConfigSource;
export const ConfigSource = enumeration<typeof enums.ConfigSource>({
  UNKNOWN: 0,
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
});

export type AclResourceTypes = enums.AclResourceTypes;
export const AclResourceTypes = enumeration<typeof enums.AclResourceTypes>({
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
});

export type AclOperationTypes = enums.AclOperationTypes;
export const AclOperationTypes = enumeration<typeof enums.AclOperationTypes>({
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
});

export type AclPermissionTypes = enums.AclPermissionTypes;
export const AclPermissionTypes = enumeration<typeof enums.AclPermissionTypes>({ UNKNOWN: 0, ANY: 1, DENY: 2, ALLOW: 3 });

export type ResourcePatternTypes = enums.ResourcePatternTypes;
export const ResourcePatternTypes = enumeration<typeof enums.ResourcePatternTypes>({ UNKNOWN: 0, ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 });
