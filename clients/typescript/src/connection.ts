import { MemferryError, readError } from "./errors.js";
import type { paths } from "./schema.js";

export type Method = "get" | "post" | "put" | "patch" | "delete";

type Operation<Path extends keyof paths, M extends Method> = NonNullable<paths[Path][M]>;
type JsonOf<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : undefined;
type RequestOf<O> = O extends { requestBody?: infer R } ? JsonOf<NonNullable<R>> : undefined;
type ParametersOf<O, Place extends string> = O extends { parameters: infer P }
  ? Place extends keyof P
    ? P[Place]
    : undefined
  : undefined;
type Success<Responses> = Responses[Extract<keyof Responses, 200 | 201>];

/** What an operation answers, as JSON; undefined: nothing. */
export type AnswerOf<Path extends keyof paths, M extends Method> =
  Operation<Path, M> extends { responses: infer R } ? JsonOf<Success<R>> : undefined;

/** The JSON that an operation takes. */
export type BodyOf<Path extends keyof paths, M extends Method> = RequestOf<Operation<Path, M>>;

/** What is sent, beside the address. */
export interface Sent<Path extends keyof paths, M extends Method> {
  body?: BodyOf<Path, M>;
  query?: ParametersOf<Operation<Path, M>, "query">;
  /** The values of the names in the address. */
  values?: ParametersOf<Operation<Path, M>, "path">;
  /** Whether a call that is no GET changes nothing, so that it may be sent again. */
  reads?: boolean;
  idempotencyKey?: string;
  signal?: AbortSignal;
}

export interface Options {
  /** Where the service is; http://127.0.0.1:3122 unless given. */
  url?: string;
  token?: string;
  /** Sends requests; the global one unless given. */
  fetch?: typeof fetch;
  /** So long after the first try calls are sent again that may be; 60 unless given. */
  retrySeconds?: number;
}

const PASSING = new Set([429, 502, 503, 504]);

/** One service and the token for it. */
export class Connection {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #retrySeconds: number;

  constructor(options: Options = {}) {
    this.url = (options.url ?? "http://127.0.0.1:3122").replace(/\/+$/, "");
    this.#token = options.token;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#retrySeconds = options.retrySeconds ?? 60;
  }

  /** Send a call and answer its JSON; throws MemferryError. */
  async call<Path extends keyof paths, M extends Method>(
    method: M,
    path: Path,
    sent: Sent<Path, M> = {},
  ): Promise<AnswerOf<Path, M>> {
    const request = this.#build(method, path, sent);
    const repeatable = method === "get" || sent.reads === true || sent.idempotencyKey !== undefined;
    const answer = await this.#repeat(request, repeatable);
    const text = await answer.text();
    return (text ? JSON.parse(text) : undefined) as AnswerOf<Path, M>;
  }

  /** Open a download link; the token does not travel with it. Throws MemferryError. */
  async open(link: string, signal?: AbortSignal): Promise<Response> {
    return this.#repeat(() => this.#fetch(link, signal ? { signal } : {}), true);
  }

  #build<Path extends keyof paths, M extends Method>(
    method: M,
    path: Path,
    sent: Sent<Path, M>,
  ): () => Promise<Response> {
    const address = new URL(this.url + fill(path, (sent.values ?? {}) as Record<string, unknown>));
    for (const [name, value] of Object.entries((sent.query ?? {}) as Record<string, unknown>)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== undefined && item !== null) address.searchParams.append(name, String(item));
      }
    }
    const headers: Record<string, string> = { "Content-Type": "application/json" };
    if (this.#token !== undefined) headers["Authorization"] = `Bearer ${this.#token}`;
    if (sent.idempotencyKey !== undefined) headers["Idempotency-Key"] = sent.idempotencyKey;
    const init: RequestInit = { method: method.toUpperCase(), headers };
    if (sent.body !== undefined) init.body = JSON.stringify(sent.body);
    if (sent.signal !== undefined) init.signal = sent.signal;
    return () => this.#fetch(address, init);
  }

  /** Send a request until its result is final: one that had an effect, or may have had, is. */
  async #repeat(send: () => Promise<Response>, repeatable: boolean): Promise<Response> {
    const deadline = Date.now() + this.#retrySeconds * 1000;
    for (let tries = 0; ; tries += 1) {
      let fault: MemferryError;
      let pause = Math.min(250 * 2 ** tries, 4000) * (1 + Math.random() / 4);
      let again = repeatable;
      try {
        const answer = await send();
        if (answer.ok) return answer;
        const seconds = Number(answer.headers.get("retry-after") ?? 0);
        pause = Math.max(pause, seconds * 1000 || 0);
        fault = await readError(answer);
        again = fault.status === 429 || fault.code === "busy" || (repeatable && PASSING.has(fault.status));
      } catch (error) {
        if (error instanceof Error && error.name === "AbortError") throw error;
        fault = new MemferryError(`${this.url} does not answer: ${String(error)}`, "unreachable");
      }
      if (!again || Date.now() + pause > deadline) throw fault;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** Put values into the names of an address; what they hold is never taken for a part of it. */
function fill(path: string, values: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}
