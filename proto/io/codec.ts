/**
 * The messages of a session as bytes and back, in the plain shape of `proto/messages.ts`: numbers where the `.proto` says
 * uint64 (refused beyond 2^53 rather than rounded), `[]` for what is absent.
 *
 * Reports, the hot message, are coded by hand in `report-codec.ts`; the rest goes through protobufjs types directly, without
 * proto-loader's conversion to and from plain objects. Size is checked before anything is decoded.
 *
 * Decoding establishes form only. What arrives must pass `proto/validate.ts` before it touches state.
 */
import { TenantryError } from "../errors.js";
import { type AgentMessage, type Allocation, type ControllerMessage, emptyAllocation, type Hello } from "../messages.js";
import { MAX_MESSAGE_BYTES } from "../validate.js";
import { malformed, Reader } from "./reader.js";
import { decodeReport, encodeReport } from "./report-codec.js";
import { messageType } from "./schema.js";

export { MAX_MESSAGE_BYTES };
/** Path of the stream every agent keeps open. */
export const SESSION_PATH = "/tenantry.v1.Control/Session";

/** @throws TenantryError BAD_ARGUMENT when a field cannot carry its number, or when not exactly one field is set. */
export function encodeAgentMessage(message: AgentMessage): Uint8Array {
  if (message.report) return encodeReport(message.report);
  if (!message.hello) throw new TenantryError("BAD_ARGUMENT", "an agent's message carries a hello or a report; it has neither");
  return messageType("AgentMessage").encode(message).finish();
}

/** @throws TenantryError BAD_MESSAGE when the bytes are too many or are no AgentMessage. */
export function decodeAgentMessage(bytes: Uint8Array): AgentMessage {
  checkSize(bytes);
  const reader = new Reader(bytes);
  const message: AgentMessage = {};
  let fields = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag >>> 3 === 1) message.hello = reader.nested(tag, () => decodeHello(reader.rest()));
    else if (tag >>> 3 === 2) message.report = reader.nested(tag, decodeReport);
    else throw malformed(`an agent's message has the unknown field ${tag >>> 3}`);
    if (++fields > 1) throw malformed("an agent's message carries more than one hello or report");
  }
  return message;
}

/** The bytes of a controller's message. */
export function encodeControllerMessage(message: ControllerMessage): Uint8Array {
  return messageType("ControllerMessage").encode(message).finish();
}

/** @throws TenantryError BAD_MESSAGE when the bytes are too many or are no ControllerMessage. */
export function decodeControllerMessage(bytes: Uint8Array): ControllerMessage {
  checkSize(bytes);
  const message = decoded<ControllerMessage>("ControllerMessage", bytes);
  const plain: ControllerMessage = {};
  if (message.welcome) {
    const { epoch, appliedSequence, windowUs, maxTenants, maxMeters } = message.welcome;
    plain.welcome = {
      epoch: exact(epoch, "welcome.epoch"),
      appliedSequence: exact(appliedSequence, "welcome.appliedSequence"),
      windowUs,
      maxTenants,
      maxMeters,
    };
  }
  if (message.acknowledgement) {
    plain.acknowledgement = { sequence: exact(message.acknowledgement.sequence, "acknowledgement.sequence") };
  }
  if (message.allocation) plain.allocation = plainAllocation(message.allocation);
  return plain;
}

function decodeHello(bytes: Uint8Array): Hello {
  const hello = decoded<Hello>("Hello", bytes);
  const plain: Hello = {
    service: hello.service,
    instance: hello.instance,
    boot: hello.boot,
    acknowledgedSequence: exact(hello.acknowledgedSequence, "hello.acknowledgedSequence"),
  };
  if (hello.held) plain.held = plainAllocation(hello.held);
  return plain;
}

function plainAllocation(allocation: Loose<Allocation>): Allocation {
  const plain = emptyAllocation(
    exact(allocation.epoch, "allocation.epoch"),
    exact(allocation.sequence, "allocation.sequence"),
    exact(allocation.ttlUs, "allocation.ttlUs"),
  );
  for (const column of COLUMNS) plain[column] = allocation[column] as never;
  return plain;
}

const COLUMNS = [
  "points",
  "tenants",
  "reasons",
  "point",
  "tenant",
  "ratePerSec",
  "burst",
  "fallbackPerSec",
  "reason",
  "weightTenants",
  "weights",
  "inArrivalOrder",
] as const;

/** What protobufjs gives: the message's own shape, save that a uint64 may be an object of two halves. */
type Loose<T> = { [K in keyof T]: T[K] extends object | null | undefined ? Loose<T[K]> : T[K] };

function decoded<T>(type: string, bytes: Uint8Array): Loose<T> {
  try {
    return messageType(type).decode(bytes) as unknown as Loose<T>;
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

/** A uint64 as a number. protobufjs gives a Long where that package is installed, which proto-loader sees to, else a number. */
function exact(value: number | { toNumber(): number }, field: string): number {
  const number = typeof value === "number" ? value : value.toNumber();
  if (!Number.isSafeInteger(number)) throw malformed(`${field} is beyond 2^53-1`);
  return number;
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new TenantryError("BAD_MESSAGE", `the message has ${bytes.length} bytes; expected at most ${MAX_MESSAGE_BYTES}`);
  }
}
