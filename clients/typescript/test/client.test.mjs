// Run by tests/whole/test_typescript_client.py against a real service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Memferry, MemferryError } from "../dist/index.js";

const options = { url: process.env.MEMFERRY_URL, token: process.env.MEMFERRY_TOKEN, retrySeconds: 5 };
const memferry = new Memferry(options);
const text = "tea \u2028 e\u0301 \u{1F375}\r\n";

test("a memory is saved, changed, found and deleted", async () => {
  const saved = await memferry.save({ content: text, namespace: "ts", metadata: { n: 1 } });
  assert.equal((await memferry.get(saved.id)).content, text);
  const changed = await memferry.update(saved.id, { tags: ["a"], metadata: { n: null } });
  assert.deepEqual([changed.tags, changed.metadata], [["a"], {}]);
  const hits = await memferry.search("tea", { namespace: "ts" });
  assert.deepEqual(hits.map((hit) => hit.id), [saved.id]);
  await memferry.delete(saved.id);
  await assert.rejects(memferry.get(saved.id), { code: "memory_not_found", status: 404 });
});

test("a list is handed out to its end", async () => {
  for (let number = 0; number < 5; number += 1) {
    await memferry.save({ content: `number ${number}`, namespace: "list" });
  }
  const contents = [];
  for await (const memory of memferry.list({ namespace: "list", order: "oldest", limit: 2 })) {
    contents.push(memory.content);
  }
  assert.deepEqual(contents, [0, 1, 2, 3, 4].map((number) => `number ${number}`));
});

test("exports are read and verified, inline and from files", async () => {
  await memferry.save({ content: text, namespace: "export" });
  for (const request of [{ format: "ndjson" }, { format: "okf" }]) {
    const created = await memferry.createExport({ ...request, namespace: "export" });
    const answer = await memferry.waitForExport(created.id);
    const parts = [];
    for await (const bytes of memferry.readExport(answer)) parts.push(bytes);
    assert.equal(parts.length, 1);
    if (request.format === "ndjson") {
      assert.equal(JSON.parse(new TextDecoder().decode(parts[0])).content, text);
    }
    const wrong = { ...answer, sha256: "0", file_sha256: "0" };
    await assert.rejects(memferry.readExport(wrong).next(), { code: "wrong_digest" });
  }
});

test("any call is typed by its address, and its values are encoded", async () => {
  await memferry.save({ content: "piece", source_ref: "a/b?c" });
  const thread = await memferry.call("get", "/api/threads/{reference}", {
    values: { reference: "a/b?c" }, query: { limit: 1 },
  });
  assert.equal(thread.chunks[0].content, "piece");
});

test("errors name their field, and a wrong token is one", async () => {
  await assert.rejects(memferry.createExport({ format: "xml" }), { code: "invalid", field: "format" });
  const stranger = new Memferry({ ...options, token: "mnu_wrong" });
  await assert.rejects(stranger.get("x"), { code: "unknown_token", status: 401 });
});

test("a save whose answer was lost is not sent again, and a search is", async () => {
  let calls = 0;
  const lossy = new Memferry({
    ...options,
    fetch: async (...request) => {
      calls += 1;
      if (calls % 2 === 1) throw new TypeError("connection lost");
      return fetch(...request);
    },
  });
  await assert.rejects(lossy.save({ content: "once" }), { code: "unreachable" });
  assert.equal(calls, 1);
  calls = 0;
  assert.ok(Array.isArray(await lossy.search("once")));
  assert.equal(calls, 2);
  assert.ok(new MemferryError("x", "y") instanceof Error);
});
