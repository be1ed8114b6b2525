import type { IncomingMessage, ServerResponse } from 'node:http';
import { isFromOurPage } from '../browser/entrance.ts';
import { answerText } from '../http/answer.ts';
import { NotFoundError } from '../../errors.ts';
import type { ConnectionStatus } from '../../keeper-api.ts';
import type { DaemonParts } from '../parts.ts';
import { heldBy, heldField } from './cookie.ts';
import type { Link, Links } from './links.ts';
import { pageHeaders, toHtml, type Page } from './page.ts';
import * as pages from './pages.ts';
import type { SignIn, SignInParts } from './sign-in.ts';

/*
 * What happens at the addresses that a person's browser visits.
 */

/** Path of the redirect URI, as it must be registered. */
export const CALLBACK_PATH = '/consent/callback';
/** The browser's half outlives the link by as much as its last sign-in may take, twice. */
const HELD_AFTER_MS = 1_200_000;

/** Answers browsers. */
export class Desk {
  readonly #parts: DaemonParts;
  readonly #links: Links;

  /** For these links. */
  constructor(parts: DaemonParts, links: Links) {
    this.#parts = parts;
    this.#links = links;
  }

  /** Shows what a link is for. Changes nothing; whoever looks is given something to hold. */
  async show(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    const link = this.#links.find(token);
    if (link === undefined) return send(response, pages.gonePage());
    const origin = this.#parts.consentOrigin();
    const held = heldBy(request, { origin }).get(link.id);
    if (!this.#links.isFor(link, held)) return send(response, pages.takenPage());
    const status = await this.#statusOf(link);
    const isHeld = link.browser !== undefined && held !== undefined;
    const cookie = isHeld ? undefined : this.#cookie(link, this.#links.draw());
    send(response, pages.askPage(link.name, status, `/consent/${token}`), cookie);
  }

  /** Begins the sign-in of a link. */
  async begin(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    const link = this.#links.find(token);
    if (!isFromOurPage(request)) return send(response, pages.strangePage());
    if (link === undefined) return send(response, pages.gonePage());
    await this.#begin(request, response, link, `/consent/${token}`);
  }

  /** Takes what the authorization server sends back. Who asks must be the browser that began. */
  async callback(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = (request.url ?? '').slice(CALLBACK_PATH.length + 1);
    const held = this.#heldLinks(request);
    const known = held.filter((link) => this.#links.isBacked(link));
    if (known.length === 0 && held.length > 0) return send(response, pages.gonePage());
    const link =
      known.find(({ signIn }) => signIn?.accept(query) === true) ??
      known.find(({ signIn }) => signIn?.ended?.kind === 'late');
    if (link?.signIn === undefined) return send(response, pages.foreignPage());
    await link.signIn.outcome;
    // The address with the code is left at once.
    goTo(response, resultPath(link));
  }

  /** Shows what became of the latest sign-in of a link. */
  result(request: IncomingMessage, response: ServerResponse, id: string): void {
    const link = this.#heldLinks(request).find((one) => one.id === id);
    if (link === undefined) return send(response, pages.foreignPage());
    const action = this.#links.isOpen(link) ? resultPath(link) : undefined;
    const { ended } = link.signIn ?? {};
    if (ended !== undefined) return send(response, pages.outcomePage(link.name, ended, action));
    send(response, action === undefined ? pages.gonePage() : pages.waitingPage(action));
  }

  /** Begins once more, from the page that told of a failure. */
  async again(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    if (!isFromOurPage(request)) return send(response, pages.strangePage());
    const link = this.#heldLinks(request).find((one) => one.id === id);
    if (link === undefined) return send(response, pages.foreignPage());
    if (!this.#links.isOpen(link)) return send(response, pages.gonePage());
    await this.#begin(request, response, link, resultPath(link));
  }

  /** Shows that something went wrong which no page tells of. */
  failed(response: ServerResponse, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#parts.log.warn('a page of a link to consent failed', { reason });
    send(response, pages.troublePage());
  }

  async #begin(
    request: IncomingMessage,
    response: ServerResponse,
    link: Link,
    action: string,
  ): Promise<void> {
    const origin = this.#parts.consentOrigin();
    const held = heldBy(request, { origin }).get(link.id);
    if (!this.#links.isFor(link, held)) return send(response, pages.takenPage());
    if (held === undefined)
      return send(response, pages.cookiePage(action), this.#cookie(link, this.#links.draw()));
    const redirectUri = `${origin}${CALLBACK_PATH}`;
    const before = link.signIn;
    const signIn = this.#links.begin(link, held, redirectUri, this.#signInParts(link));
    if (signIn !== before) this.#tell(link, signIn);
    const url = signIn.isAnswered ? undefined : await signIn.url;
    const cookie = this.#cookie(link, held);
    if (url !== undefined) return send(response, pages.leavingPage(url), cookie);
    await signIn.outcome;
    goTo(response, resultPath(link), cookie);
  }

  /** Links that the browser has taken. */
  #heldLinks(request: IncomingMessage): readonly Link[] {
    const held = heldBy(request, { origin: this.#parts.consentOrigin() });
    return this.#links.takenBy(held);
  }

  #cookie({ id, expiresAt }: Link, value: string): string {
    const lifeMs = expiresAt - this.#parts.clock.now() + HELD_AFTER_MS;
    return heldField({ origin: this.#parts.consentOrigin() }, id, value, lifeMs);
  }

  #signInParts({ name }: Link): SignInParts {
    const { clock, ending, log } = this.#parts;
    const failed = (error: unknown): void => {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('a sign-in by link brought no grant', { connection: name, reason });
    };
    return { clock, ending, failed };
  }

  /** In the log and in the audit, by the name of whoever made the link. */
  #tell({ name, by }: Link, signIn: SignIn): void {
    const { audit, log } = this.#parts;
    void signIn.outcome.then(async ({ kind }) => {
      if (kind === 'connected') log.info('connected by link', { connection: name });
      const refusedBecause = kind === 'connected' ? undefined : kind;
      const what = 'consent by link';
      await audit.record({ caller: by, connection: name, verb: 'manage', what, refusedBecause });
    });
  }

  async #statusOf({ name }: Link): Promise<ConnectionStatus | undefined> {
    try {
      return await this.#parts.keeper.connection(name).status();
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }
}

function resultPath({ id }: Link): string {
  return `/consent/result/${id}`;
}

function send(response: ServerResponse, page: Page, cookie?: string): void {
  const headers = { ...pageHeaders(page), ...(cookie !== undefined && { 'set-cookie': cookie }) };
  const type = 'text/html; charset=utf-8';
  answerText(response, { status: page.status, type, headers }, toHtml(page));
}

function goTo(response: ServerResponse, location: string, cookie?: string): void {
  const headers = { location, ...(cookie !== undefined && { 'set-cookie': cookie }) };
  answerText(response, { status: 303, type: 'text/plain', headers }, '');
}
