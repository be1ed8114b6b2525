import {
  allowInsecureRequests,
  ClientSecretPost,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
} from 'oauth4webapi';
import type { Prepare } from '../harness/contender.ts';
import { inLanes } from '../support/lanes.ts';
import { CLIENT, type RefreshTask } from '../support/refresh-task.ts';
import { refreshToken } from '../support/tokens.ts';

/** oauth4webapi: the POST through fetch, the answer checked, nothing stored. */
const prepare: Prepare<RefreshTask> = async ({ tokenEndpoint, refreshes, concurrency }) => {
  const server = { issuer: new URL(tokenEndpoint).origin, token_endpoint: tokenEndpoint };
  const client = { client_id: CLIENT.id };
  const authentication = ClientSecretPost(CLIENT.secret);
  const refresh = async (i: number): Promise<unknown> => {
    const response = await refreshTokenGrantRequest(
      server,
      client,
      authentication,
      refreshToken(i),

      { [allowInsecureRequests]: true },
    );
    return processRefreshTokenResponse(server, client, response);
  };
  return {
    async round() {
      await inLanes(refreshes, concurrency, refresh);
      return undefined;
    },
  };
};

export default prepare;
