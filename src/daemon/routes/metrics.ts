import { streamRoute, type Route } from '../api/route.ts';
import { answerText } from '../http/answer.ts';
import { EXPOSITION_TYPE } from '../metrics/exposition.ts';
import type { DaemonParts } from '../parts.ts';

/** For Prometheus. It tells of all connections together, so a key must be good for all of them. */
export function metricsRoutes(parts: DaemonParts): readonly Route[] {
  return [
    streamRoute({
      method: 'GET',
      path: '/metrics',
      operation: 'metrics',
      summary: 'Metrics in the text format of Prometheus',
      access: { verb: 'read', reach: 'all' },
      type: 'text/plain',
      hasHead: true,
      stream: async ({ response }) => {
        const text = await parts.metrics.text();
        answerText(response, { status: 200, type: EXPOSITION_TYPE }, text);
      },
    }),
  ];
}
