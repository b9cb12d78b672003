// The way to the server: same-origin requests with the session cookie, problem details for errors, a limit in time.
// A grid that is shown by a public link speaks for that link in every request, and then for nobody else.

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** Asked too often: asking again before the time that was said is in vain. */
  get tooSoon(): boolean {
    return this.status === 429;
  }

  /** Asking again later can help: the connection, the server or its load were at fault, not the request. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 425 || this.status === 429 || this.status >= 500;
  }
}

export interface Ask {
  method?: "GET" | "PATCH" | "POST" | "PUT";
  query?: Record<string, string | number | null | undefined>;
  body?: unknown;
  signal?: AbortSignal;
  seconds?: number;
  /** Lets the request outlive the page, where it is small enough. */
  keepalive?: boolean;
}

export class Api {
  constructor(
    private root: string,
    private link: number | null = null,
  ) {}

  async ask<T>(path: string, { method = "GET", query, body, signal, seconds = 20, keepalive }: Ask = {}): Promise<T> {
    const limit = AbortSignal.timeout(seconds * 1000);
    const answer = await this.fetch(this.url(path, query), {
      method,
      credentials: "same-origin",
      headers: headers(body, this.link),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(keepalive && { keepalive }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw await problem(answer);
    return answer.status === 204 ? (undefined as T) : ((await this.read(answer)) as T);
  }

  url(path: string, query: Ask["query"] = {}): string {
    const url = new URL(this.root + path, location.origin);
    for (const [name, value] of Object.entries(query)) if (value != null) url.searchParams.set(name, String(value));
    return url.href;
  }

  private async fetch(url: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(url, request);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Problem(0, "offline", "The server does not answer.");
    }
  }

  private async read(answer: Response): Promise<unknown> {
    try {
      return await answer.json();
    } catch {
      throw new Problem(0, "offline", "The answer broke off.");
    }
  }
}

function headers(body: unknown, link: number | null): HeadersInit {
  const own = { "X-Contrivance": "1", Accept: "application/json", ...(link !== null && { "X-Contrivance-Link": String(link) }) };
  return body === undefined ? own : { ...own, "Content-Type": "application/json" };
}

async function problem(answer: Response): Promise<Problem> {
  const facts = (await answer.json().catch(() => ({}))) as { type?: string; title?: string; detail?: unknown };
  const said = typeof facts.detail === "string" ? facts.detail : facts.title;
  const wait = Number(answer.headers.get("Retry-After") ?? "");
  return new Problem(answer.status, facts.type ?? "", said ?? `The server answered ${answer.status}.`, wait || null);
}
