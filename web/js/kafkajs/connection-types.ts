/**
 * The types of KafkaJS's options for TLS and authentication, which are refused when a program runs:
 * so programs that name them compile.
 */
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Logger } from "./logger.js";

export interface SaslAuthenticationRequest {
  encode: () => Buffer | Promise<Buffer>;
}

export interface SaslAuthenticationResponse<ParseResult> {
  decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>;
  parse: (data: Buffer) => ParseResult;
}

export interface SaslAuthenticateArgs<ParseResult> {
  request: SaslAuthenticationRequest;
  response?: SaslAuthenticationResponse<ParseResult>;
}

export interface AuthenticationProviderArgs {
  host: string;
  port: number;
  logger: Logger;
  saslAuthenticate: <ParseResult>(
    args: SaslAuthenticateArgs<ParseResult>,
  ) => Promise<ParseResult | void>;
}

export interface Authenticator {
  authenticate: () => Promise<void>;
}

/** A mechanism of the program's own. */
export interface Mechanism {
  mechanism: string;
  authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator;
}

export interface OauthbearerProviderResponse {
  value: string;
}

interface Credentials {
  username: string;
  password: string;
}

/** The options of each mechanism. */
export interface SASLMechanismOptionsMap {
  plain: Credentials;
  "scram-sha-256": Credentials;
  "scram-sha-512": Credentials;
  aws: {
    authorizationIdentity: string;
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string;
  };
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse> };
}

export type SASLMechanism = keyof SASLMechanismOptionsMap;
export type SASLMechanismOptions<T> = T extends SASLMechanism
  ? { mechanism: T } & SASLMechanismOptionsMap[T]
  : never;
export type SASLOptions = SASLMechanismOptions<SASLMechanism>;

export interface ISocketFactoryArgs {
  host: string;
  port: number;
  ssl: ConnectionOptions;
  onConnect: () => void;
}

export type ISocketFactory = (args: ISocketFactoryArgs) => Socket;
