/**
 * The controller's HTTP side, for people, scrapers and tools that only look: every route is a GET, nothing can be changed here.
 * A page in a browser on the same machine must not read it by another name (DNS rebinding): on loopback, only loopback names
 * are answered.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { isLoopback, type ListenAddress, listenError } from "./listen-address.js";
import type { TlsFiles } from "./tls-files.js";

export interface Reply {
  status: number;
  /** Default: text/plain. */
  type?: string;
  body: string;
}

/** Answers one path; `query` holds what stood behind the "?". */
export type Route = (query: URLSearchParams) => Reply | Promise<Reply>;

export interface HttpServerOptions {
  address: ListenAddress;
  tls?: TlsFiles | undefined;
  /** By path. */
  routes: Readonly<Record<string, Route>>;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws TenantryError ADDRESS_IN_USE or BAD_ARGUMENT when it cannot listen at `address`. */
export async function startHttpServer({ address, tls, routes }: HttpServerOptions): Promise<HttpServer> {
  const local = isLoopback(address.host);
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, routes, local).then(
      (reply) => send(request, response, reply),
      (error: unknown) => send(request, response, { status: 500, body: `the controller failed to answer: ${String(error)}\n` }),
    );
  };
  const server: Server =
    tls === undefined
      ? createServer(listener)
      : createSecureServer({ ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: tls.ca !== undefined }, listener);
  server.maxConnections = 256;
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError("HTTP", address, error)));
    server.listen({ host: address.host, port: address.port, exclusive: true }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, routes: HttpServerOptions["routes"], local: boolean): Promise<Reply> {
  if (local && !isLoopback(hostName(request.headers.host))) {
    return { status: 403, body: "this controller answers on this machine only, under localhost, 127.0.0.1 or [::1]\n" };
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { status: 405, body: `${request.method} is not answered here; expected GET (settings are changed over gRPC)\n` };
  }
  const [path, query] = split(request.url ?? "/");
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return { status: 404, body: `nothing is here; there are: ${Object.keys(routes).join(" ")}\n` };
  return route(new URLSearchParams(query));
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Reply): void {
  const headers: Record<string, string | number> = {
    "content-type": type ?? "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  if (status === 405) headers.allow = "GET, HEAD";
  response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : body);
}

/** "localhost:7412" → "localhost"; a caller without Host (HTTP/1.0) is let through. */
function hostName(host: string | undefined): string {
  return host === undefined ? "localhost" : host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

function split(url: string): [path: string, query: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}
