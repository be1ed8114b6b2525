import type { View } from '../connection/decision.ts';
import { effectiveRotation, isRepeatable } from '../connection/schedule.ts';
import { tokenEndpointAtHand, type OpenTokenEndpoint } from '../token-endpoint/exchange.ts';
import type { Engine } from './engine.ts';
import { prepareRenewal, type Renewal } from './send.ts';

/*
 * An attempt connects between its claim and its intent. Where a connection is at hand there is nothing to wait for: all that must be done
 * before the intent is done before the claim, and both are written in one transaction.
 */

/** All that an intent needs, made ready before the claim. */
export interface Ready {
  /** The rows that the request was made from. */
  readonly view: View;
  /** The request. */
  readonly renewal: Renewal;
  /** The connection that it will be sent over. */
  readonly opened: OpenTokenEndpoint;
  /** Whether the intent must be durable: sending again may do harm. */
  readonly isFragile: boolean;
}

/**
 * Makes ready what a claim and its intent can be written at once for; undefined where that takes more, or something is wrong, which is told under
 * the claim.
 *
 * @param view - rows by which somebody may send.
 */
export async function makeReady(engine: Engine, view: View): Promise<Ready | undefined> {
  const { connection, client } = view;
  if (connection.intent !== undefined) return undefined;
  let opened: OpenTokenEndpoint | undefined;
  try {
    const profile = engine.profileOf(client);
    opened = tokenEndpointAtHand(engine.http, client.tokenEndpoint, profile);
    if (opened === undefined) return undefined;
    const renewal = prepareRenewal(engine, { view, profile });
    const isFragile = !isRepeatable(effectiveRotation(connection, profile.rotation));
    if (isFragile) await engine.spills.makeReserve();
    return { view, renewal, opened, isFragile };
  } catch {
    opened?.close();
    return undefined;
  }
}

/** Whether the rows are still those that the request was made from, and nothing of an earlier attempt is in doubt. */
export function isReadyFor({ connection, client }: View, ready: Ready | undefined): boolean {
  if (ready === undefined || connection.intent !== undefined) return false;
  const { connection: seen, client: seenClient } = ready.view;
  return (
    connection.grantId === seen.grantId &&
    connection.generation === seen.generation &&
    client.id === seenClient.id &&
    client.revision === seenClient.revision
  );
}
