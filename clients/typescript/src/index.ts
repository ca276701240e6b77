import { Connection, type AnswerOf, type BodyOf, type Options } from "./connection.js";
import { MemferryError } from "./errors.js";
import type { components } from "./schema.js";

export { Connection, MemferryError, type Options };
export type { AnswerOf, BodyOf, Method, Sent } from "./connection.js";
export type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
export type Memory = Schemas["MemoryRow"];
export type Hit = Schemas["Hit"];
export type NewMemory = BodyOf<"/api/memories", "post">;
export type MemoryChange = BodyOf<"/api/memories/{memory_id}", "patch">;
export type Listing = BodyOf<"/api/memories/list", "post">;
export type Search = BodyOf<"/api/memories/search", "post">;
export type NewExport = BodyOf<"/api/memories/exports", "post">;
export type Export = Schemas["ExportAnswer"];

/**
 * A client of memferry, on fetch alone: for Node, browsers and other runtimes that have it.
 *
 *     const memferry = new Memferry({ url, token });
 *     await memferry.save({ content: "Likes tea.", namespace: "drinks" });
 *     for await (const memory of memferry.list({ namespace: "drinks" })) console.log(memory.content);
 *
 * Every other call of the API: `memferry.call("get", "/api/namespaces")`, typed by its address.
 * Methods throw MemferryError, whose `code` is one of docs/errors.md.
 */
export class Memferry extends Connection {
  constructor(options: Options = {}) {
    super(options);
  }

  /** Save one memory, byte for byte; saving it twice makes two, so it is sent once. */
  save(memory: NewMemory): Promise<Memory> {
    return this.call("post", "/api/memories", { body: memory });
  }

  /** Look up one memory. */
  get(id: string): Promise<Memory> {
    return this.call("get", "/api/memories/{memory_id}", { values: { memory_id: id } });
  }

  /** Change the given fields. Tags are replaced; metadata is merged, null removes a key. */
  update(id: string, change: MemoryChange): Promise<Memory> {
    const sent = { values: { memory_id: id }, body: change };
    return this.call("patch", "/api/memories/{memory_id}", sent);
  }

  /** Delete one memory. */
  async delete(id: string): Promise<void> {
    await this.call("delete", "/api/memories/{memory_id}", { values: { memory_id: id } });
  }

  /** Find the memories that share words with a query, best first. */
  async search(query: string, options: Omit<Search, "query"> = {}): Promise<Hit[]> {
    const body = { ...options, query };
    return (await this.call("post", "/api/memories/search", { body, reads: true })).hits;
  }

  /** Hand out all memories that match the filters, those that were changed last first. */
  async *list(filters: Omit<Listing, "cursor" | "offset"> = {}): AsyncGenerator<Memory> {
    let body: Listing | undefined = { limit: 500, ...filters };
    while (body !== undefined) {
      const page: AnswerOf<"/api/memories/list", "post"> = await this.call(
        "post", "/api/memories/list", { body, reads: true },
      );
      yield* page.memories;
      body = page.next_cursor ? { ...body, cursor: page.next_cursor } : undefined;
    }
  }

  /** Create an export of the memories that match the filters; it may not be completed yet. */
  createExport(request: NewExport = {}): Promise<Export> {
    const idempotencyKey = crypto.randomUUID();
    return this.call("post", "/api/memories/exports", { body: request, idempotencyKey });
  }

  /** Wait until an export is completed; throws "export_not_completed" if it ends otherwise. */
  async waitForExport(id: string, signal?: AbortSignal): Promise<Export> {
    for (let pause = 100; ; pause = Math.min(pause * 1.5, 1000)) {
      signal?.throwIfAborted();
      const sent = { values: { export_id: id } };
      const answer = await this.call("get", "/api/memories/exports/{export_id}", sent);
      if (answer.status === "completed") return answer;
      if (answer.status !== "pending" && answer.status !== "running") {
        const reason = answer.error ?? answer.status;
        throw new MemferryError(`export ${id}: ${reason}`, "export_not_completed");
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /**
   * Read the bytes of a completed export, in memory, and verify their SHA-256.
   *
   * Throws "wrong_digest". What has several parts is read part by part, each a file by itself.
   */
  async *readExport(answer: Export, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    if (answer.payload !== null) {
      yield await verify(new TextEncoder().encode(answer.payload), answer.sha256);
      return;
    }
    const files = answer.parts ?? [answer];
    for (const file of files) {
      if (!file.download_url) {
        throw new MemferryError(`export ${answer.id} has no link`, "export_not_completed");
      }
      const body = await (await this.open(file.download_url, signal)).arrayBuffer();
      yield await verify(new Uint8Array(body), file.file_sha256);
    }
  }
}

/** Answer the bytes if they have the digest; throws "wrong_digest". */
async function verify(bytes: Uint8Array<ArrayBuffer>, expected: string | null): Promise<Uint8Array> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (text !== expected) {
    throw new MemferryError("the bytes are not the exported ones (SHA-256 differs)", "wrong_digest");
  }
  return bytes;
}
