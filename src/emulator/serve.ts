import type { ServerResponse } from 'node:http';
import { sleep } from '../system/clock.ts';
import type { DrawnFault, FaultPlan } from './faults/fault-plan.ts';
import type { OpenEntry } from './ledger-entry.ts';
import type { LedgerWriter } from './ledger.ts';
import { Refusal } from './refusal.ts';
import type { Route } from './router.ts';
import type { AuthorizationServer } from './server.ts';
import { text, type Answer } from './http/answer.ts';
import { deliver } from './http/delivery.ts';
import { errorAnswer } from './http/error-answer.ts';
import type { Exchange } from './http/exchange.ts';
import { observeHeaders, observeTokenRequest } from './observe.ts';
import type { Request } from './http/request.ts';

/** What serving a request needs beside the request. */
export interface Service {
  readonly server: AuthorizationServer;
  readonly ledger: LedgerWriter;
  readonly faults: FaultPlan;
  /** Aborts when the emulator closes. */
  readonly closing: AbortSignal;
}

/** One request from its row in the ledger to its delivery, with whatever fault has been planned for it. */
export async function serve(
  service: Service,
  route: Route,
  request: Request,
  response: ServerResponse,
): Promise<void> {
  const { server, ledger, faults, closing } = service;
  const entry = openEntry(service, route, request);
  const exchange: Exchange = {
    server,
    request,
    note: (facts) => {
      ledger.note(entry, facts);
    },
  };
  observeHeaders(exchange);
  if (route.name === 'token') observeTokenRequest(exchange);
  const fault = faults.draw(entry);
  if (fault !== undefined) exchange.note({ fault: fault.kind });
  const answer = await answerWithFault(service, route, exchange, fault, entry);
  if (answer.status > 0) exchange.note({ status: answer.status });
  exchange.note({ delivered: await deliver(response, answer, server.clock, closing) });
}

function openEntry({ server, ledger }: Service, route: Route, request: Request): OpenEntry {
  return ledger.open({
    at: server.clock.now(),
    endpoint: route.name,
    method: request.method,
    path: request.path,
    connection: request.connection,
  });
}

async function answerWithFault(
  { server, faults, closing }: Service,
  route: Route,
  exchange: Exchange,
  fault: DrawnFault | undefined,
  entry: OpenEntry,
): Promise<Answer> {
  const { commitDelayMs, answerDelayMs } = server.settings;
  const paced = route.name === 'token';
  if (fault?.holds === 'before') await hold(faults, exchange);
  if (paced && commitDelayMs > 0) await sleep(server.clock, commitDelayMs, closing);
  const given = fault?.commits === false ? undefined : await carryOut(route, exchange);
  if (entry.outcome === 'pending') {
    exchange.note({ outcome: given === undefined ? 'faulted' : 'answered' });
  }
  if (fault?.holds === 'after') await hold(faults, exchange);
  if (paced && answerDelayMs > 0) await sleep(server.clock, answerDelayMs, closing);
  if (fault !== undefined) return fault.answer(given, exchange);
  return given ?? text(500, 'no answer');
}

async function hold(faults: FaultPlan, { note }: Exchange): Promise<void> {
  const released = faults.hold();
  note({ held: true });
  await released;
  note({ held: false });
}

async function carryOut(route: Route, exchange: Exchange): Promise<Answer> {
  const { server, request } = exchange;
  // A Host with a scheme, as one printed example has it, never gets past Entra's front door.
  if (/[/\\]/.test(request.headers.host ?? '')) {
    exchange.note({ outcome: 'bad_host' });
    return text(400, 'Bad Request - Invalid Hostname');
  }
  try {
    return await route.endpoint(exchange);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    exchange.note({ outcome: error.error, aadsts: error.code });
    return errorAnswer(server, request, error);
  }
}
