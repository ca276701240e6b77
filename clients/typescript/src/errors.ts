/** An error of the service, by its code (docs/errors.md), or of this client. */
export class MemferryError extends Error {
  constructor(
    message: string,
    /** Stable; "unreachable", "wrong_digest", "export_not_completed" are those of this client. */
    readonly code: string,
    /** Of the answer; 0: there was none. */
    readonly status = 0,
    /** What breaks a rule, if the error names it. */
    readonly field?: string,
    /** What the token lacks, if the error names it. */
    readonly scope?: string,
  ) {
    super(message);
    this.name = "MemferryError";
  }
}

/** Make the error of an answer; one that is not of memferry, as of a proxy, has the code "refused". */
export async function readError(answer: Response): Promise<MemferryError> {
  const text = await answer.text();
  try {
    const body = JSON.parse(text) as { error: string; code?: string; field?: string; scope?: string };
    return new MemferryError(body.error, body.code ?? "refused", answer.status, body.field, body.scope);
  } catch {
    return new MemferryError(`the service answered ${answer.status}`, "refused", answer.status);
  }
}
