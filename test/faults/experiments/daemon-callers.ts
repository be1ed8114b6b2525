import { setTimeout as delay } from 'node:timers/promises';
import { CONNECTION } from '../../support/keeper-process.ts';
import { askAt, serve, socketOf, type Said, type Serving } from '../../support/serving.ts';
import type { Findings } from './findings.ts';

const CALLERS = 8;
const TOKEN = `/v1/connections/${CONNECTION}/token`;
const REFRESH = `/v1/connections/${CONNECTION}/refresh`;

/** A daemon that is killed, and the next one in its place. */
export class Victim {
  readonly home: string;
  /** The one that serves, or will in a moment. */
  serving: Promise<Serving>;

  constructor(home: string) {
    this.home = home;
    this.serving = serve(home);
  }

  async killAndRestart(): Promise<void> {
    const killed = await this.serving;
    this.serving = killed.kill().then(() => serve(this.home));
    await this.serving;
  }

  async end(): Promise<void> {
    await (await this.serving).kill();
  }
}

/** Those who draw tokens, and one who has them refreshed. */
export class Callers {
  /** The highest that an answer told of. */
  newestGeneration = 0;
  readonly #victim: Victim;
  readonly #findings: Findings;
  #isOver = false;

  constructor(victim: Victim, findings: Findings) {
    this.#victim = victim;
    this.#findings = findings;
  }

  /** Draws tokens until it is stopped. */
  async draw(): Promise<void> {
    await this.#victim.serving;
    const lane = async (): Promise<void> => {
      while (!this.#isOver) {
        this.#tell(await this.call());
        await delay(2);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, lane));
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Draws one token, with a second try where the first failed. */
  async call(): Promise<Said> {
    const findings = this.#findings;
    findings.count('calls');
    const first = await this.#ask(TOKEN, 'GET');
    if (first.status === 200) return first;
    findings.count('calls repeated');
    await this.#victim.serving;
    const second = await this.#ask(TOKEN, 'GET');
    const story = `${first.body}, then ${String(second.status)} ${second.body}`;
    findings.check(second.status === 200, 'an error at the second try', story);
    return second;
  }

  /** Refreshes one time after the other until one fails. `begun` resolves with the first that did not. */
  refreshUntilKilled(): { readonly begun: Promise<void>; readonly ended: Promise<void> } {
    const begun = Promise.withResolvers<undefined>();
    const loop = async (): Promise<void> => {
      let said = await this.#ask(REFRESH, 'POST');
      // What was signed in a moment ago is refreshed by another keeper; this one sees it within a second.
      for (let i = 0; i < 500 && said.status !== 200; i++) {
        await delay(20);
        said = await this.#ask(REFRESH, 'POST');
      }
      if (said.status !== 200) throw new Error(`no refresh before the kill: ${said.body}`);
      for (; said.status === 200; said = await this.#ask(REFRESH, 'POST')) {
        this.#tell(said);
        begun.resolve(undefined);
      }
    };
    const ended = loop();
    ended.catch(begun.reject);
    return { begun: begun.promise, ended };
  }

  #tell({ status, body }: Said): void {
    if (status !== 200) return;
    const { generation, connection } = JSON.parse(body) as Told;
    const newest = generation ?? connection?.generation ?? 0;
    this.newestGeneration = Math.max(this.newestGeneration, newest);
  }

  #ask(target: string, method: 'GET' | 'POST'): Promise<Said> {
    return askAt(socketOf(this.#victim.home), target, { method }).catch((error: unknown) => ({
      status: 0,
      body: String(error),
    }));
  }
}

interface Told {
  readonly generation?: number;
  readonly connection?: { readonly generation?: number };
}
