import { describe, expect, it } from 'vitest';
import { readExports } from '../support/members.ts';
import { readPage, rowsOf } from '../support/pages.ts';

const FAULTS = 'src/emulator/faults/fault.ts';
const CONTROL = 'src/emulator/control-api.ts';

const types = readExports([FAULTS, CONTROL]);
const page = readPage('docs/testing-with-the-emulator.md');
const cells = rowsOf(page).map(([first = '']) => named(first));

describe('docs/testing-with-the-emulator.md', () => {
  it('names every fault, and no other', () => {
    const faults = cells.filter((names) => !names.some((name) => name.includes('/'))).flat();
    expect([...new Set(faults)].sort()).toEqual(types.stringsOf(FAULTS, 'FaultKind').sort());
  });

  it('names every path of the control API, and no other', () => {
    const paths = cells.filter((names) => names.some((name) => name.includes('/'))).flat();
    expect(paths.sort()).toEqual(types.membersOf(CONTROL, 'ControlRequests').sort());
  });
});

function named(cell: string): string[] {
  return [...cell.matchAll(/`([a-z0-9/-]+)`/g)].map(([, name = '']) => name);
}
