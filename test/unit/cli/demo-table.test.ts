import { describe, expect, it } from 'vitest';
import { DemoTable } from '../../../src/cli/output/demo-table.ts';
import { wrap } from '../../../src/cli/output/wrap.ts';
import { collectingSession } from './run-cli.ts';

describe('text that is broken into lines', () => {
  it('breaks at spaces and never in a word', () => {
    expect(wrap('one two  three extraordinarily four', 9)).toEqual([
      'one two',
      'three',
      'extraordinarily',
      'four',
    ]);
  });

  it('has no line when there is nothing', () => {
    expect(wrap('', 9)).toEqual([]);
  });
});

describe('the table of the demo', () => {
  it('shows under what was counted why a row failed', () => {
    const { session, stdout, stderr } = collectingSession();
    new DemoTable(session).onRow(3, {
      title: 'Something is done',
      counted: '2 requests',
      ok: false,
      reason: 'not so: one request was made',
    });
    expect(stdout()).toBe(
      ' 3  Something is done                 2 requests                         FAILED\n' +
        '                                      not so: one request was made\n\n',
    );
    expect(stderr()).toBe('');
  });

  it('tells nobody but a terminal what is being done', () => {
    const { session, stderr } = collectingSession();
    new DemoTable(session).onScene(1, 9, 'Something is done');
    expect(stderr()).toBe('');
    const watched = collectingSession();
    Object.assign(watched.session.stderr, { isTTY: true });
    const table = new DemoTable(watched.session);
    table.onScene(1, 9, 'Something is done');
    table.clear();
    expect(watched.stderr()).toBe('\r\u001b[K1 of 9: Something is done …\r\u001b[K');
  });

  it.each([
    [80, '1 of 9: An authorization server goes down for an hour …'],
    [0, '1 of 9: An authorization server goes down for an hour …'],
    [30, '1 of 9: An authorization …'],
    [10, '1 of 9: …'],
  ])('keeps what is being done on one line of %d columns', (columns, line) => {
    const { session, stderr } = collectingSession();
    Object.assign(session.stderr, { isTTY: true, columns });
    new DemoTable(session).onScene(1, 9, 'An authorization server goes down for an hour');
    const shown = stderr().replace('\r\u001b[K', '');
    expect(shown).toBe(line);
    if (columns > 0) expect(shown.length).toBeLessThan(columns);
  });
});
