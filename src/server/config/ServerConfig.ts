/**
 * The server's settings: one table that gives the parser, the flags and the README's list.
 *
 * Values come as text from a `ConfigProvider` (flags before environment before `.env`, see bin/DotEnv.ts). A setting
 * that does not parse stops the start with one line that names it, its value and what is allowed.
 */
import { Config, Context, Effect, Layer, LogLevel, Option, Result, Runtime, Schema, SchemaGetter, Struct } from "effect"
import {
  anyText,
  BlocksText,
  BytesText,
  DurationFromText,
  DurationText,
  NamesText,
  onOrOff,
  RetentionText,
  trueOrFalse,
  wholeNumber
} from "./SettingText.ts"

/** One setting: how its text is read, and what a person should know of it. */
export interface Setting<A> {
  readonly name: string
  readonly schema: Schema.ConstraintDecoder<A>
  /** As text, as one would write it in the environment; undefined where the setting may be absent. */
  readonly fallback: string | undefined
  readonly allowed: string
  readonly description: string
}

const logLevels = new Map(LogLevel.values.map((level) => [level.toLowerCase(), level]))

/** Beside the others because effect/cli has a `--log-level` of its own, which goes before this one. */
export const logLevelSetting: Setting<LogLevel.LogLevel> = {
  name: "LOG_LEVEL",
  schema: Schema.String.pipe(
    Schema.decode({
      decode: SchemaGetter.transform((text: string) => logLevels.get(text.toLowerCase()) ?? text),
      encode: SchemaGetter.passthrough()
    }),
    Schema.decodeTo(Schema.Literals(LogLevel.values))
  ),
  fallback: "info",
  allowed: `one of ${[...logLevels.keys()].join(", ")}`,
  description: "What is logged"
}

export const settings = {
  host: {
    name: "HOST",
    schema: anyText,
    fallback: "localhost",
    allowed: "a host name or address",
    description: "Where to listen"
  },
  port: {
    name: "PORT",
    schema: wholeNumber(0, 65_535),
    fallback: "8080",
    allowed: "a whole number from 0 to 65535",
    description: "The port to listen on; 0 picks a free one"
  },
  database: {
    name: "DATABASE",
    schema: anyText,
    fallback: "data/chat.sqlite",
    allowed: "a file, or :memory: to keep nothing",
    description: "The SQLite file that keeps the messages; made with its folder if it is missing"
  },
  retention: {
    name: "RETENTION",
    schema: RetentionText,
    fallback: "forever",
    allowed: "forever, or a duration of 1 second or more, like 90 days",
    description: "How long messages are kept before they are deleted"
  },
  maxFrameBytes: {
    name: "MAX_FRAME_BYTES",
    schema: BytesText.check(Schema.isBetween({ minimum: 1024, maximum: 16_777_216 })),
    fallback: "65536",
    allowed: "a size from 1024 to 16777216 bytes, like 65536 or 64 KiB",
    description: "The longest line a client may send"
  },
  maxConnections: {
    name: "MAX_CONNECTIONS",
    schema: wholeNumber(1, 1_000_000),
    fallback: "10000",
    allowed: "a whole number from 1 to 1000000",
    description: "How many connections there may be at once"
  },
  handshakeTimeout: {
    name: "HANDSHAKE_TIMEOUT",
    schema: DurationText,
    fallback: "5 seconds",
    allowed: "a duration from 1 ms to 20 days, like 5 seconds or 500 ms",
    description: "How long a new connection may take to say who it is"
  },
  idleTimeout: {
    name: "IDLE_TIMEOUT",
    schema: DurationText,
    fallback: "5 minutes",
    allowed: "a duration from 1 ms to 20 days, like 5 minutes or 30 s",
    description: "How long a connection may send nothing"
  },
  messageRate: {
    name: "MESSAGE_RATE",
    schema: wholeNumber(0, 1_000_000),
    fallback: "50",
    allowed: "a whole number from 0 to 1000000",
    description: "Messages per second of an account, or a guest's connection; 0 means unlimited"
  },
  messageBurst: {
    name: "MESSAGE_BURST",
    schema: wholeNumber(1, 1_000_000),
    fallback: "200",
    allowed: "a whole number from 1 to 1000000",
    description: "Messages that may come at once after a pause"
  },
  mailboxBytes: {
    name: "MAILBOX_BYTES",
    schema: BytesText.check(Schema.isBetween({ minimum: 1024, maximum: 1_073_741_824 })),
    fallback: "1048576",
    allowed: "a size from 1024 to 1073741824 bytes, like 1048576 or 1 MiB",
    description: "What one slow reader may have waiting before it is cut"
  },
  maxRoomsPerUser: {
    name: "MAX_ROOMS_PER_USER",
    schema: wholeNumber(1, 100_000),
    fallback: "100",
    allowed: "a whole number from 1 to 100000",
    description: "Rooms a user may own, and rooms a user may be in"
  },
  maxRooms: {
    name: "MAX_ROOMS",
    schema: wholeNumber(1, 10_000_000),
    fallback: "10000",
    allowed: "a whole number from 1 to 10000000",
    description: "Rooms there may be in all"
  },
  roomsPerHour: {
    name: "ROOMS_PER_HOUR",
    schema: Schema.UndefinedOr(wholeNumber(0, 1_000_000)),
    fallback: undefined,
    allowed: "a whole number from 0 to 1000000",
    description: "New rooms of an account, or of guests from one address; unless set 50, and of guests here any number"
  },
  accountsPerHour: {
    name: "ACCOUNTS_PER_HOUR",
    schema: Schema.UndefinedOr(wholeNumber(0, 1_000_000)),
    fallback: undefined,
    allowed: "a whole number from 0 to 1000000",
    description: "New accounts from one address; unless set 10, and from this machine any number"
  },
  invitationsPerHour: {
    name: "INVITATIONS_PER_HOUR",
    schema: Schema.UndefinedOr(wholeNumber(0, 1_000_000)),
    fallback: undefined,
    allowed: "a whole number from 0 to 1000000",
    description: "Invitations to rooms by one account; unless set 100"
  },
  editWindow: {
    name: "EDIT_WINDOW",
    schema: DurationFromText,
    fallback: "1 day",
    allowed: "a duration like 1 day or 10 minutes, or 0",
    description: "How long after sending it one may edit a message; 0: never"
  },
  maxConnectionsPerAddress: {
    name: "MAX_CONNECTIONS_PER_ADDRESS",
    schema: Schema.UndefinedOr(wholeNumber(1, 1_000_000)),
    fallback: undefined,
    allowed: "a whole number from 1 to 1000000",
    description: "Connections from one address (of IPv6: a /64); unless set 100, and from this machine any number"
  },
  maxHandshakesPerAddress: {
    name: "MAX_HANDSHAKES_PER_ADDRESS",
    schema: Schema.UndefinedOr(wholeNumber(1, 1_000_000)),
    fallback: undefined,
    allowed: "a whole number from 1 to 1000000",
    description: "Of those, how many may still be without a name; unless set 20, and from this machine any number"
  },
  connectionRate: {
    name: "CONNECTION_RATE",
    schema: Schema.UndefinedOr(wholeNumber(0, 1_000_000)),
    fallback: undefined,
    allowed: "a whole number from 0 to 1000000",
    description:
      "New connections per second and address; 0 means unlimited; unless set 10, and from this machine any number"
  },
  connectionBurst: {
    name: "CONNECTION_BURST",
    schema: Schema.UndefinedOr(wholeNumber(1, 1_000_000)),
    fallback: undefined,
    allowed: "a whole number from 1 to 1000000",
    description:
      "New connections from one address at once after a pause; unless set 50, and from this machine any number"
  },
  trustedProxies: {
    name: "TRUSTED_PROXIES",
    schema: BlocksText,
    fallback: "",
    allowed: "addresses or CIDR blocks, separated by commas",
    description: "Proxies that begin each connection with the PROXY protocol and say whose it is"
  },
  presenceMax: {
    name: "PRESENCE_MAX",
    schema: wholeNumber(0, 1_000_000),
    fallback: "1000",
    allowed: "a whole number from 0 to 1000000",
    description: "Up to how many users in a conversation are told who comes and goes"
  },
  guests: {
    name: "GUESTS",
    schema: onOrOff,
    fallback: "on",
    allowed: "on or off",
    description: "Whether somebody without an account is let in"
  },
  registration: {
    name: "REGISTRATION",
    schema: Schema.Literals(["open", "invite", "off"]),
    fallback: "open",
    allowed: "open, invite or off",
    description: "Who may make an account: everybody, who has an invite (pnpm admin invite), or nobody"
  },
  serverName: {
    name: "SERVER_NAME",
    schema: NamesText,
    fallback: "",
    allowed: "host names, separated by commas",
    description: "The names this server is reached by; a login by key must be for one of them"
  },
  allowPlaintextPasswords: {
    name: "ALLOW_PLAINTEXT_PASSWORDS",
    schema: trueOrFalse,
    fallback: "false",
    allowed: "true or false",
    description: "Whether passwords are heard on connections that are neither encrypted nor from this machine"
  },
  adminSocket: {
    name: "ADMIN_SOCKET",
    schema: Schema.UndefinedOr(anyText),
    fallback: undefined,
    allowed: "a path for a Unix socket",
    description: "Where pnpm admin reaches the running server; beside the database unless set"
  },
  tlsCert: {
    name: "TLS_CERT",
    schema: Schema.UndefinedOr(anyText),
    fallback: undefined,
    allowed: "a file, together with TLS_KEY",
    description: "The certificate chain, as a PEM file; needs TLS_KEY"
  },
  tlsKey: {
    name: "TLS_KEY",
    schema: Schema.UndefinedOr(anyText),
    fallback: undefined,
    allowed: "a file, together with TLS_CERT",
    description: "The private key, as a PEM file; needs TLS_CERT"
  }
} satisfies Record<string, Setting<unknown>>

type Values = { readonly [Name in keyof typeof settings]: (typeof settings)[Name]["schema"]["Type"] }

/** A setting does not parse. Its message is the one line the operator sees. */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>()("InvalidSetting", {
  name: Schema.String,
  value: Schema.String,
  allowed: Schema.String
}) {
  override readonly [Runtime.errorReported] = false
  override get message() {
    return `${this.name} is ${JSON.stringify(this.value)}, but must be ${this.allowed}.`
  }
}

/** Reads one setting from the `ConfigProvider`. */
export const read = Effect.fnUntraced(function* <A>(setting: Setting<A>) {
  const given = Option.getOrUndefined(yield* Config.option(Config.String(setting.name)))
  const text = given === undefined || given === "" ? setting.fallback : given
  const value = Schema.decodeResult(setting.schema)(text)
  return yield* Result.isSuccess(value)
    ? Effect.succeed(value.success)
    : new InvalidSetting({ name: setting.name, value: text ?? "", allowed: setting.allowed })
})

interface Read extends Struct.Lambda {
  <Value>(setting: Setting<Value>): Effect.Effect<Value, InvalidSetting | Config.ConfigError>
  readonly "~lambda.out": this["~lambda.in"] extends Setting<infer Value>
    ? Effect.Effect<Value, InvalidSetting | Config.ConfigError>
    : never
}

/** Every setting; fails with the first that does not parse. */
const readAll = Effect.all(Struct.map(settings, Struct.lambda<Read>(read)))

export class ServerConfig extends Context.Service<ServerConfig, Values>()("parley/server/config/ServerConfig") {
  /** Reads every setting from the `ConfigProvider`. */
  static readonly layer = Layer.effect(
    ServerConfig,
    Effect.gen(function* () {
      const values = yield* readAll
      if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
        const { allowed, name } = values.tlsCert === undefined ? settings.tlsCert : settings.tlsKey
        return yield* new InvalidSetting({ name, value: "", allowed })
      }
      return ServerConfig.of(values)
    })
  )
}
