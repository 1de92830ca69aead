/**
 * What may happen to a request, one after the other: it is with nobody or with one server at a time; that server alone
 * may answer it, pass it on, or move bytes; its sender gets one outcome, and afterwards nothing of it counts.
 */
interface Entry {
  readonly clientHost: number;
  /** It may be over before its sender goes on: who is frozen goes on later. */
  readonly limited: boolean;
  holder: string | null;
  passedOn: number;
  /** Who answered, and was told that this was right. */
  answeredBy: string | null;
  /** Its sender has gone on. */
  ended: boolean;
}

export class Model {
  readonly #entries = new Map<number, Entry>();
  /** Servers that have not been killed. */
  readonly living: Set<string> = new Set();
  received = 0;
  answered = 0;
  passedOn = 0;
  moved = 0;
  refused = 0;

  sent(number: number, clientHost: number, limited: boolean): void {
    this.#entries.set(number, {
      clientHost,
      limited,
      holder: null,
      passedOn: 0,
      answeredBy: null,
      ended: false,
    });
  }

  receives(number: number, server: string): void {
    const e = this.#entry(number);
    this.received++;
    if (e.answeredBy !== null)
      throw new Error(`${server} receives ${number}, which ${e.answeredBy} answered`);
    if (e.holder !== null && this.living.has(e.holder))
      throw new Error(`${server} receives ${number}, which ${e.holder} has`);
    e.holder = server;
  }

  /** @param ok as the server was told */
  answers(number: number, server: string, host: number, ok: boolean): void {
    const e = this.#holding(number, server);
    e.holder = null;
    if (!ok) {
      this.refused++;
      if (!e.ended && !e.limited && this.living.has(server))
        throw new Error(`${server} may not answer ${number}`);
      return;
    }
    // Another host learns late that a sender has gone on; its own knows.
    if (e.ended && e.clientHost === host && e.passedOn === 0)
      throw new Error(`${server} answers ${number}, for which nobody waits`);
    this.answered++;
    e.answeredBy = server;
  }

  passesOn(number: number, server: string): void {
    const e = this.#holding(number, server);
    this.passedOn++;
    e.passedOn++;
    e.holder = null;
  }

  /** @param ok as the server was told */
  moves(number: number, server: string, ok: boolean): void {
    const e = this.#holding(number, server);
    if (ok) this.moved++;
    else if (!e.ended && !e.limited && this.living.has(server))
      throw new Error(`${server} may not move for ${number}`);
    else this.refused++;
  }

  /** @param from who answered, if it was an answer */
  ends(number: number, from: string | null): void {
    const e = this.#entry(number);
    if (e.ended) throw new Error(`the send of ${number} ends twice`);
    // Who was killed in the act of answering did not live to be told.
    const killed = from !== null && e.holder === from && !this.living.has(from);
    if (from !== null && from !== e.answeredBy && !killed)
      throw new Error(`${number} was answered by ${e.answeredBy}, and its sender believes by ${from}`);
    e.ended = true;
  }

  #holding(number: number, server: string): Entry {
    const e = this.#entry(number);
    if (e.holder !== server) throw new Error(`${server} does not have ${number}, but ${e.holder}`);
    return e;
  }

  #entry(number: number): Entry {
    const e = this.#entries.get(number);
    if (e === undefined) throw new Error(`${number} was never sent`);
    return e;
  }
}
