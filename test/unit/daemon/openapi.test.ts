import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { daemonFixture } from '../../support/daemon-fixture.ts';
import { root } from '../../support/sources.ts';

const start = daemonFixture();

describe('the description', () => {
  it('is the one in docs/openapi.json; npm run openapi writes it', async () => {
    const { ask } = await start();
    const { json } = await ask('/v1/openapi.json');
    const committed = JSON.parse(readFileSync(path.join(root, 'docs/openapi.json'), 'utf8'));
    expect(json).toEqual(committed);
  });

  it('names each operation once, and leads nowhere that is not there', async () => {
    const { ask } = await start();
    const { text, json } = await ask('/v1/openapi.json');
    const operations = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, name]) => name);
    expect(new Set(operations).size).toBe(operations.length);
    const links = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(links.filter((name) => !(String(name) in json.components.schemas))).toEqual([]);
  });
});
