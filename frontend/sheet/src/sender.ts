// Sends the outbox one command at a time, repeating each until the server has answered it.

import { Problem, type Api } from "./api";
import type { Outbox } from "./outbox";
import type { Command } from "./commands";
import type { Outcome } from "./types";

export type Connection = "fine" | "waiting" | "slowed" | "signed out";

export interface SenderEvents {
  /** The server answered: before the outbox forgets the command, so that the screen never flickers back. */
  answered: (command: Command, outcome: Outcome) => void;
  changed: () => void;
}

const FIRST_WAIT = 500;
/** Pending commands arrive within five seconds after the server is back. */
const MAX_WAIT = 2500;
/** After this time (ms) without an answer a request counts as lost when the connection is new. */
const RESPONSE_TIMEOUT = 2000;
const GONE_STATUSES = new Set([404, 410]);

export class Sender {
  connection: Connection = "fine";
  private wait = FIRST_WAIT;
  private busy = false;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private request = new AbortController();
  private sentAt = 0;
  /** The time before which the server accepts no further request. */
  private notBefore = 0;

  constructor(
    private api: Api,
    private path: string,
    private outbox: Outbox,
    private events: SenderEvents,
    private person: number,
  ) {}

  /** Something was put into the outbox, or the connection is back. */
  wake = (): void => {
    if (this.busy || this.ended) return;
    clearTimeout(this.timer);
    const wait = this.notBefore - performance.now();
    if (wait > 0) this.timer = setTimeout(this.wake, wait);
    else void this.run();
  };

  /** The connection is new: a request on the old one may never be answered. Sent again, it is still applied once. */
  renew(): void {
    if (!this.busy) this.wake();
    else if (performance.now() - this.sentAt > RESPONSE_TIMEOUT) {
      this.wait = 0;
      this.request.abort();
    }
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  /** A command is being sent. */
  get isSending(): boolean {
    return this.busy;
  }

  private async run(): Promise<void> {
    this.busy = true;
    for (let command = this.outbox.next(); command && !this.ended; command = this.outbox.next()) {
      if (!(await this.send(command))) break;
    }
    this.busy = false;
    this.events.changed();
  }

  /** True when the next command may follow. */
  private async send(command: Command): Promise<boolean> {
    this.request = new AbortController();
    this.sentAt = performance.now();
    try {
      const { signal } = this.request;
      const outcome = await this.api.request<Outcome>(this.path, { method: "PATCH", body: requestBody(command, this.person), seconds: 60, signal });
      this.events.answered(command, outcome);
      this.outbox.applyOutcome(command.id, outcome);
      this.onResponse();
      return true;
    } catch (error) {
      return this.onError(command, error instanceof Problem ? error : new Problem(0, "offline", String(error)));
    }
  }

  private onError(command: Command, problem: Problem): boolean {
    if (problem.status === 401 || problem.isTemporary) {
      this.outbox.sendLater(command.id);
      this.connection = problem.status === 401 ? "signed out" : problem.isRateLimited ? "slowed" : "waiting";
      if (problem.isRateLimited) this.notBefore = performance.now() + (problem.retryAfter ?? 1) * 1000;
      this.retryLater(problem.retryAfter);
      return false;
    }
    this.outbox.refuse(command.id, GONE_STATUSES.has(problem.status) ? "gone" : "refused", problem.message);
    this.onResponse();
    return true;
  }

  private onResponse(): void {
    this.connection = "fine";
    this.wait = FIRST_WAIT;
    this.events.changed();
  }

  private retryLater(seconds: number | null): void {
    this.timer = setTimeout(this.wake, seconds ? seconds * 1000 : this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(Math.max(this.wait * 2, FIRST_WAIT), MAX_WAIT);
  }
}

/** The body names the user, because another one may have signed in in this browser since. */
function requestBody(command: Command, person: number): unknown {
  const edits = command.edits.map(({ row, column, input, base }) => ({ row, column, base, ...input }));
  return { operation_id: command.id, person, partial: true, edits, adds: command.adds, deletes: command.deletes };
}
