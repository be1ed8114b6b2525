import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createThrowAwayAuthority } from '../../../src/emulator/tls.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { dashboardFixture } from '../../support/dashboard.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const { newScene } = dashboardFixture();
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'evergrant-dashboard-tls-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('the dashboard over TLS signs in by a cookie that never leaves it, and hears of what happens', async () => {
  const { identity } = await createThrowAwayAuthority(systemRandom);
  const [tlsCertificateFile, tlsKeyFile] = [path.join(folder, 'cert'), path.join(folder, 'key')];
  writeFileSync(tlsCertificateFile, identity.cert);
  writeFileSync(tlsKeyFile, identity.key, { mode: 0o600 });
  const scene = await newScene({
    settings: { listen: '127.0.0.1:0', tlsCertificateFile, tlsKeyFile },
  });
  await scene.world.add('alpha');
  expect(scene.daemon.address).toMatch(/^https:/);
  const page = await scene.open('#/connections');
  const [cookie, ...others] = await page.context().cookies();
  expect(others).toEqual([]);
  expect(cookie).toMatchObject({
    name: '__Host-evergrant',
    httpOnly: true,
    secure: true,
    sameSite: 'Strict',
  });
  await scene.world.during(scene.world.first.keeper.connection('alpha').pause());
  await page.getByRole('row', { name: 'alpha' }).getByText('Paused').waitFor();
  expect(scene.troubles).toEqual([]);
});
