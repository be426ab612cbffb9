/**
 * Who a request is for, as its headers say it, and how that is said to the next service.
 *
 * Two members of W3C baggage are ours: `tenant.id`, and `tenant.via`: the control points the request has passed, as
 * `service/point:service/point`. From the latter a resource deep inside learns which points upstream lead to it.
 *
 * What is refused: a tenant id that is there but is none (empty, enormous, control characters), or that is named twice and
 * differently, since two services might read it differently. What is let pass as `unknown`: no id at all.
 */
import { TenantryError } from "../../proto/errors.js";
import { checkTenantId, isLogicalName, shown, UNKNOWN_TENANT } from "../../proto/names.js";
import {
  type BaggageMember,
  decodeValue,
  encodeValue,
  MAX_BAGGAGE_BYTES,
  parseBaggage,
  serializeBaggage,
  withinLimit,
} from "./baggage.js";
import { headerText, type IncomingHeaders, type OutgoingHeaders, setHeader } from "./header-carrier.js";

const TENANT_KEY = "tenant.id";
const VIA_KEY = "tenant.via";
const BAGGAGE = "baggage";
/** Points a request is remembered to have passed. Real call chains are far shorter; a forged header may not be longer. */
export const MAX_VIA = 32;
/** Beyond this a header is not read at all: four times what the specification asks for. */
const LONGEST_HEADER = 4 * MAX_BAGGAGE_BYTES;

const NONE: readonly never[] = Object.freeze([]);

/**
 * What `extract` found: who the request is for, and what else travels with it. Pass it to `agent.run`.
 * In a string it reads as the tenant.
 */
export class TenantContext {
  /** The tenant id; "unknown" when the headers named none. */
  readonly tenant: string;
  /** Control points passed upstream, as "service/point". */
  readonly via: readonly string[];
  /** Baggage of others, carried on unchanged by `inject`. */
  readonly baggage: readonly BaggageMember[];

  constructor(tenant: string, via: readonly string[] = NONE, baggage: readonly BaggageMember[] = NONE) {
    this.tenant = tenant;
    this.via = via;
    this.baggage = baggage;
  }

  toString(): string {
    return this.tenant;
  }
}

/**
 * Reads who a request is for. A configured header, when present, outranks baggage: it is what the operator named.
 *
 * Headers are believed. Where strangers can reach a service, take the tenant from what you have authenticated instead:
 * `agent.run(session.customer, …)`.
 *
 * @param headers `req.headers`, `Headers`, a `Map`, or gRPC `Metadata`
 * @param options.tenantHeader a header that holds the tenant id as plain text
 * @throws TenantryError BAD_TENANT when an id is there but is not one, or differs from another in the same headers
 * @example tenantFromHeaders({ baggage: "tenant.id=acme,userTier=gold" }).tenant  // "acme"
 */
export function tenantFromHeaders(headers: IncomingHeaders, options: { tenantHeader?: string } = {}): TenantContext {
  const named = options.tenantHeader === undefined ? undefined : headerText(headers, options.tenantHeader.toLowerCase());
  const text = headerText(headers, BAGGAGE);
  if (text === undefined || text.length > LONGEST_HEADER) return new TenantContext(checked(named) ?? UNKNOWN_TENANT);
  const others: BaggageMember[] = [];
  let id: string | undefined;
  let via: readonly string[] = NONE;
  const members = parseBaggage(text, (key) => {
    if (key === TENANT_KEY && named === undefined) refuse("is not a baggage value");
  });
  for (const member of members) {
    if (member.key === TENANT_KEY) {
      const value = decodeValue(member.raw);
      if (named === undefined && id !== undefined && id !== value) refuse(`is ${shown(id)} and ${shown(value)} in one header`);
      id = value;
    } else if (member.key === VIA_KEY) {
      via = decodeValue(member.raw).split(":").filter(isLogicalName).slice(0, MAX_VIA);
    } else {
      others.push(member);
    }
  }
  const tenant = checked(named ?? id) ?? UNKNOWN_TENANT;
  return new TenantContext(tenant, via, text.length <= MAX_BAGGAGE_BYTES ? others : withinLimit(others));
}

function checked(id: string | undefined): string | undefined {
  if (id !== undefined) checkTenantId(id);
  return id;
}

function refuse(fault: string): never {
  throw new TenantryError(
    "BAD_TENANT",
    `${TENANT_KEY} in the baggage header ${fault}; expected one percent-encoded tenant id, as agent.inject() writes it`,
  );
}

/**
 * Writes who the request is for into the headers of the next call. Members others have put there stay, and those that came
 * with the request are added; members of the same key that are already there win.
 */
export function tenantToHeaders<H extends OutgoingHeaders>(context: TenantContext, headers: H): H {
  const present = parseBaggage(headerText(headers, BAGGAGE) ?? "").filter((m) => m.key !== TENANT_KEY && m.key !== VIA_KEY);
  const keys = new Set(present.map((member) => member.key));
  const members: BaggageMember[] = [];
  if (context.tenant !== UNKNOWN_TENANT) members.push({ key: TENANT_KEY, raw: encodeValue(context.tenant), properties: NONE });
  if (context.via.length > 0) {
    members.push({ key: VIA_KEY, raw: context.via.slice(0, MAX_VIA).join(":"), properties: NONE });
  }
  // Ours stand first: whoever shortens a header cuts from its end.
  members.push(...withinLimit([...present, ...context.baggage.filter((member) => !keys.has(member.key))]));
  if (members.length > 0) setHeader(headers, BAGGAGE, serializeBaggage(members));
  return headers;
}
