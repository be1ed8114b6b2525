import type * as z from 'zod';
import type { connectLinkBody } from '../api/schemas.ts';
import { ConfigurationError, NotFoundError } from '../../errors.ts';
import type { BeginOptions, Connection, ConnectionStatus, Keeper } from '../../keeper-api.ts';
import { Secret } from '../../secret.ts';
import type { Order } from './sign-in.ts';

/** What a link is asked for. */
export type LinkBody = z.output<typeof connectLinkBody>;

/**
 * From what a link is asked for to what its sign-in does.
 *
 * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN` when there is nothing to renew; {@link ConfigurationError} `ERR_CONNECTION_EXISTS`
 *   when there is, or `ERR_ARGUMENT` when it needs nobody's consent, or nothing tells whose account is the right one.
 */
export async function orderOf(keeper: Keeper, body: LinkBody): Promise<Order> {
  const { name, anyAccount = false } = body;
  const order = (run: Order['run']): Order => ({ name, anyAccount, run });
  if ('provider' in body) {
    const { reconnect = false, anyAccount: _a, life: _l, name: _n, ...rest } = body;
    const before = await found(keeper.connection(name));
    if (!reconnect && before !== undefined)
      throw new ConfigurationError(
        'ERR_CONNECTION_EXISTS',
        `a connection named ${name} exists already; name it alone to renew its grant, or choose another name`,
        { connection: name },
      );
    if (before !== undefined) checkAccount(before, anyAccount);
    const options = withSecrets(rest as BeginOptions);
    return order((how) => keeper.connect(name, { ...options, ...how, grant: 'code', reconnect }));
  }
  const status = await keeper.connection(name).status();
  if (status.beginning === 'client_credentials')
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      `${name} needs nobody's consent: its client proves itself; get it going again with evergrant refresh ${name}`,
      { connection: name },
    );
  checkAccount(status, anyAccount);
  const { scope } = body;
  const asked = scope === undefined ? {} : { scope };
  return order((how) => keeper.reconnect(name, { ...how, ...asked, grant: 'code' }));
}

/** While a link waits, nothing prints what it holds. */
function withSecrets(options: BeginOptions): BeginOptions {
  const { client, subscriptionKey } = options;
  const { clientSecret } = client;
  return {
    ...options,
    client: {
      ...client,
      ...(typeof clientSecret === 'string' && { clientSecret: new Secret(clientSecret) }),
    },
    ...(typeof subscriptionKey === 'string' && { subscriptionKey: new Secret(subscriptionKey) }),
  };
}

/** Where the account was never told, as of imported tokens, whoever signs in would be refused at the end. */
function checkAccount({ name, account }: ConnectionStatus, anyAccount: boolean): void {
  if (account !== undefined || anyAccount) return;
  throw new ConfigurationError(
    'ERR_ARGUMENT',
    `nothing tells whose account ${name} has, so any sign-in would be refused; evergrant link ${name} --any-account, ` +
      'or anyAccount at POST /v1/connect-links, takes whichever account signs in',
    { connection: name },
  );
}

async function found(connection: Connection): Promise<ConnectionStatus | undefined> {
  try {
    return await connection.status();
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
