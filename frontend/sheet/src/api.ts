// Requests to the server: same-origin, with the session cookie, problem details for errors and a time limit.
// A grid that is shown by a public link sends that link with every request.

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** The client exceeded a rate limit; it must wait before the next request. */
  get isRateLimited(): boolean {
    return this.status === 429;
  }

  /** A later attempt can succeed: the connection or the server failed, not the request. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 425 || this.status === 429 || this.status >= 500;
  }
}

export interface RequestOptions {
  method?: "GET" | "PATCH" | "POST" | "PUT";
  query?: Record<string, string | number | null | undefined>;
  body?: unknown;
  signal?: AbortSignal;
  seconds?: number;
  /** Lets a small request finish after the page is closed. */
  keepalive?: boolean;
}

export class Api {
  constructor(
    private root: string,
    private link: number | null = null,
  ) {}

  async request<T>(path: string, { method = "GET", query, body, signal, seconds = 20, keepalive }: RequestOptions = {}): Promise<T> {
    const limit = AbortSignal.timeout(seconds * 1000);
    const response = await this.fetch(this.url(path, query), {
      method,
      credentials: "same-origin",
      headers: headers(body, this.link),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(keepalive && { keepalive }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await problemOf(response);
    return response.status === 204 ? (undefined as T) : ((await this.read(response)) as T);
  }

  /** Let the browser save the file that a request answers with. */
  async download(path: string, query: RequestOptions["query"]): Promise<void> {
    const response = await this.fetch(this.url(path, query), { credentials: "same-origin", headers: headers(undefined, this.link) });
    if (!response.ok) throw await problemOf(response);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = fileName(response.headers.get("Content-Disposition"));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  url(path: string, query: RequestOptions["query"] = {}): string {
    const url = new URL(this.root + path, location.origin);
    for (const [name, value] of Object.entries(query)) if (value != null) url.searchParams.set(name, String(value));
    return url.href;
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Problem(0, "offline", "The server does not answer.");
    }
  }

  private async read(response: Response): Promise<unknown> {
    try {
      return await response.json();
    } catch {
      throw new Problem(0, "offline", "The server's answer was incomplete.");
    }
  }
}

function fileName(disposition: string | null): string {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "")?.[1];
  return encoded ? decodeURIComponent(encoded) : (/filename="([^"]+)"/.exec(disposition ?? "")?.[1] ?? "export.csv");
}

function headers(body: unknown, link: number | null): HeadersInit {
  const common = { "X-Contrivance": "1", Accept: "application/json", ...(link !== null && { "X-Contrivance-Link": String(link) }) };
  return body === undefined ? common : { ...common, "Content-Type": "application/json" };
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as { type?: string; title?: string; detail?: unknown };
  const message = typeof body.detail === "string" ? body.detail : body.title;
  const retryAfter = Number(response.headers.get("Retry-After") ?? "");
  return new Problem(response.status, body.type ?? "", message ?? `The server answered ${response.status}.`, retryAfter || null);
}
