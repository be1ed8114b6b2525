import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Counter, expose, Histogram } from '../../../src/daemon/metrics/exposition.ts';
import { daemonFixture } from '../../support/daemon-fixture.ts';
import { root } from '../../support/sources.ts';

const start = daemonFixture();

/** Series by name and labels. @throws Error for a line that is not of the format. */
function parse(text: string): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('# '))) {
    const [, name, value] =
      /^([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})?) (\S+)$/.exec(line) ?? [];
    if (name === undefined || Number.isNaN(Number(value))) throw new Error(`no series: ${line}`);
    if (series.has(name)) throw new Error(`twice: ${name}`);
    series.set(name, Number(value));
  }
  return series;
}

describe('metrics', () => {
  it('count connections, refreshes and requests, and name none of them', async () => {
    const { ask, world } = await start();
    await world.add('alpha');
    await world.add('paused-one');
    await world.first.keeper.connection('paused-one').pause();
    await ask('/v1/connections/alpha/refresh', { method: 'POST', body: {} });
    const { text, headers } = await ask('/metrics');
    expect(headers['content-type']).toContain('version=0.0.4');
    const series = parse(text);
    expect(series.get('evergrant_connections{state="active"}')).toBe(1);
    expect(series.get('evergrant_connections{state="paused"}')).toBe(1);
    expect(series.get('evergrant_connections{state="attention"}')).toBe(0);
    expect(series.get('evergrant_refreshes_total{outcome="refreshed"}')).toBe(1);
    expect(series.get('evergrant_requests_total{operation="refresh",status="200"}')).toBe(1);
    expect(text).not.toMatch(/alpha|paused-one|perspio-demo|127\.0\.0\.1/);
  });

  it('need a key that is good for all connections, by TCP', async () => {
    const { ask, key } = await start({ listen: '127.0.0.1:0' });
    const some = await key({ connections: ['alpha'] });
    const all = await key({ verbs: ['read'] });
    const status = async (secret?: string): Promise<number> =>
      (await ask('/metrics', { tcp: true, ...(secret !== undefined && { key: secret }) })).status;
    expect([await status(), await status(some), await status(all)]).toEqual([401, 403, 200]);
  });

  it('have as few series as there are operations and statuses, whatever is asked for', async () => {
    const { ask } = await start();
    for (let i = 0; i < 50; i++) await ask(`/nothing/${i}`);
    const { text } = await ask('/metrics');
    expect(text.match(/^evergrant_requests_total/gm)).toHaveLength(1);
    expect(parse(text).get('evergrant_requests_total{operation="none",status="404"}')).toBe(50);
  });

  it('are written as the format wants them', () => {
    const counter = new Counter('a_total', 'odd \\ help');
    counter.add({ label: 'quote " and \\ and\nline' });
    const histogram = new Histogram('b_seconds', 'h', 'of', [0.1, 1]);
    for (const seconds of [0.05, 0.1, 0.5, 7]) histogram.observe('x', seconds);
    expect(expose([counter.metric(), histogram.metric()])).toBe(
      [
        '# HELP a_total odd \\\\ help',
        '# TYPE a_total counter',
        'a_total{label="quote \\" and \\\\ and\\nline"} 1',
        '# HELP b_seconds h',
        '# TYPE b_seconds histogram',
        'b_seconds_bucket{of="x",le="0.1"} 2',
        'b_seconds_bucket{of="x",le="1"} 3',
        'b_seconds_bucket{of="x",le="+Inf"} 4',
        'b_seconds_sum{of="x"} 7.65',
        'b_seconds_count{of="x"} 4',
        '',
      ].join('\n'),
    );
  });

  it('are all there that the alerts and the dashboard ask for', async () => {
    const { ask, world } = await start();
    await world.add('alpha');
    await ask('/v1/connections/alpha/refresh', { method: 'POST', body: {} });
    const { text } = await ask('/metrics');
    const known = new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
    for (const file of ['deploy/alerts.yml', 'deploy/grafana-dashboard.json']) {
      const wanted =
        readFileSync(path.join(root, file), 'utf8').match(/\b(?:evergrant|process)_\w+\b/g) ?? [];
      expect(wanted.length).toBeGreaterThan(4);
      const names = wanted.map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
      expect(names.filter((name) => !known.has(name))).toEqual([]);
    }
  });
});
