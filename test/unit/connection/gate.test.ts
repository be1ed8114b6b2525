import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NO_BACKOFF,
  backoffAt,
  clampWaitMs,
  endpointFailed,
  endpointThrottled,
  endpointWorks,
  freshEndpoint,
  giveProbeBack,
  nextBackoff,
  passGate,
} from '../../../src/connection/gate.ts';
import type { EndpointState } from '../../../src/connection/record.ts';
import { NOW } from '../../support/views.ts';

const fresh = freshEndpoint('https://as.example/token');
const policy = { requestsPerSecond: 10 };

function failing(times: number, now = NOW): EndpointState {
  let state = fresh;
  for (let i = 0; i < times; i++) state = endpointFailed(state, now, 'down');
  return state;
}

/** Asks for slots at each instant; resolves to those at which one was given. */
function given(instants: readonly number[], requestsPerSecond: number): number[] {
  let state = fresh;
  return instants.filter((now) => {
    const gate = passGate(state, now, { requestsPerSecond });
    if (!('state' in gate)) return false;
    state = gate.state;
    return true;
  });
}

describe('the budget', () => {
  it('lets no more than it says pass in any second, at whatever instants they come', () => {
    const instants = fc.array(fc.nat(5_000), { maxLength: 200 });
    fc.assert(
      fc.property(instants, fc.integer({ min: 1, max: 20 }), (offsets, perSecond) => {
        const sorted = offsets.toSorted((a, b) => a - b).map((offset) => NOW + offset);
        const passed = given(sorted, perSecond);
        for (const from of passed) {
          const inSecond = passed.filter((at) => at >= from && at < from + 1_000);
          expect(inSecond.length).toBeLessThanOrEqual(perSecond);
        }
      }),
    );
  });

  it('below one a second is one in a longer time', () => {
    const every100 = Array.from({ length: 600 }, (_, i) => NOW + i * 100);
    expect(given(every100, 0.1)).toHaveLength(6);
    expect(given(every100, 2.5)).toHaveLength(120);
  });

  it('says when the next slot is free', () => {
    let state = fresh;
    for (let i = 0; i < 10; i++) {
      const gate = passGate(state, NOW + i, policy);
      if ('state' in gate) ({ state } = gate);
    }
    expect(passGate(state, NOW + 10, policy)).toEqual({
      until: NOW + 1_000,
      because: 'the budget of requests per second is used up',
      isThrottled: true,
    });
    expect('state' in passGate(state, NOW + 1_000, policy)).toBe(true);
  });

  it.each([50, 333, 1_000_000])('of %i a second is kept exactly in little room', (perSecond) => {
    let state = fresh;
    let room = 0;
    const given: number[] = [];
    const every = 1_000 / Math.min(perSecond * 4, 5_000);
    for (let at = NOW; at < NOW + 3_000; at += every) {
      const gate = passGate(state, at, { requestsPerSecond: perSecond });
      if (!('state' in gate)) continue;
      ({ state } = gate);
      given.push(at);
      room = Math.max(room, JSON.stringify(state).length);
    }
    expect(room).toBeLessThan(1_200);
    // The instants ascend, so the end of each second lies behind that of the one before.
    let most = 0;
    let end = 0;
    for (const [i, at] of given.entries()) {
      while (end < given.length && (given[end] ?? 0) < at + 1_000) end++;
      most = Math.max(most, end - i);
    }
    expect(most).toBeLessThanOrEqual(perSecond);
    expect(most).toBeGreaterThan(Math.min(perSecond, 5_000) / 2);
    expect(given.length).toBeGreaterThan(Math.min(perSecond, 5_000) * 2.5);
  });

  it.each([
    ['up to 32 a second remembers each request', 32, [NOW, NOW + 1], undefined],
    ['of more counts those of a thirty-second of a second as one', 33, [NOW + 1], [2]],
    ['of more begins a new count in the next one', 33, [NOW, NOW + 32], [1, 1]],
  ])('%s', (_what, requestsPerSecond, recent, counts) => {
    let state = fresh;
    for (const at of [NOW, recent.at(-1) ?? NOW]) {
      const gate = passGate(state, at, { requestsPerSecond });
      if ('state' in gate) ({ state } = gate);
    }
    expect(state).toMatchObject({ recent, counts });
  });

  it('counts a request of this very instant', () => {
    const { length } = given([NOW, NOW, NOW, NOW + 999], 3);
    expect(length).toBe(3);
  });

  it('is not used up by requests of the future: the clock was set back', () => {
    const recent = Array.from({ length: 10 }, () => NOW + 3_600_000);
    expect('state' in passGate({ ...fresh, recent }, NOW, policy)).toBe(true);
  });
});

describe('the breaker', () => {
  it('opens at the fifth failure in a row and lets single probes pass, 30 s to 5 min apart', () => {
    expect('state' in passGate(failing(4), NOW, policy)).toBe(true);
    const waits = [5, 6, 7, 8, 9, 50, 1_000].map((times) => {
      const gate = passGate(failing(times), NOW, policy);
      return 'until' in gate ? gate.until - NOW : 0;
    });
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  });

  it('gives a probe a slot of time: one that died over it holds up nobody', () => {
    const open = failing(5);
    const probe = passGate(open, NOW + 30_000, policy);
    if (!('state' in probe)) throw new Error('no probe');
    expect(passGate(probe.state, NOW + 30_001, policy)).toMatchObject({ until: NOW + 60_000 });
    expect('state' in passGate(probe.state, NOW + 60_000, policy)).toBe(true);
  });

  it('says what is wrong', () => {
    expect(passGate(failing(5), NOW, policy)).toMatchObject({
      because: 'the server keeps failing (down)',
    });
    const unexplained = { ...fresh, blockedUntil: NOW + 1 };
    expect(passGate(unexplained, NOW, policy)).toMatchObject({ because: 'the server is failing' });
  });

  it('closes at the first answer', () => {
    const works = endpointWorks(failing(20));
    expect(works.failures).toBe(0);
    expect('state' in passGate(works, NOW, policy)).toBe(true);
  });
});

describe('a wait that the server asked for', () => {
  it.each([
    [undefined, 60_000],
    [0, 1_000],
    [999, 1_000],
    [60_000, 60_000],
    [3_600_000, 3_600_000],
    [1e12, 3_600_000],
  ])('of %s ms is clamped to %d ms', (asked, wait) => {
    expect(clampWaitMs(asked)).toBe(wait);
    const gate = passGate(endpointThrottled(fresh, NOW, asked), NOW, policy);
    expect(gate).toEqual({
      ...{ until: NOW + wait, because: 'the server asked to wait', isThrottled: true },
    });
  });

  it('stands although another request is answered', () => {
    const throttled = endpointWorks(endpointThrottled(fresh, NOW, 60_000));
    expect(passGate(throttled, NOW + 59_999, policy)).toMatchObject({ until: NOW + 60_000 });
  });

  it('is not shortened by a second one', () => {
    const twice = endpointThrottled(endpointThrottled(fresh, NOW, 60_000), NOW, 1_000);
    expect(passGate(twice, NOW, policy)).toMatchObject({ until: NOW + 60_000 });
  });

  it('of more than an hour is none: the clock was set back', () => {
    const gate = (ms: number) => passGate({ ...fresh, blockedUntil: NOW + ms }, NOW, policy);
    expect(gate(3_600_000)).toMatchObject({ until: NOW + 3_600_000 });
    expect(gate(3_600_001)).toHaveProperty('state');
  });
});

describe('the back-off of a connection', () => {
  it('over 10,000 failures in a row is finite and from 1 s to half an hour each time', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (fraction) => {
        let backoff = NO_BACKOFF;
        for (let i = 0; i < 10_000; i++) {
          backoff = nextBackoff(backoff, NOW, fraction);
          const wait = backoff.notBefore - NOW;
          if (!(wait >= 1_000 && wait <= 1_800_000)) throw new Error(`waits ${String(wait)}`);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('doubles from 2 s to 5 min, and after an hour of failures goes on to 30 min', () => {
    const ceilings = [1, 2, 3, 8, 9, 18, 19, 40].map(
      (failures) => nextBackoff({ failures: failures - 1, notBefore: 0 }, NOW, 1).notBefore - NOW,
    );
    expect(ceilings).toEqual([
      2_000, 4_000, 8_000, 256_000, 300_000, 300_000, 1_800_000, 1_800_000,
    ]);
  });

  it('is never less than what the server asked for', () => {
    expect(nextBackoff(NO_BACKOFF, NOW, 0, 45_000).notBefore).toBe(NOW + 45_000);
  });

  it('does not grow while the breaker is open', () => {
    const before = { failures: 3, notBefore: NOW };
    expect(backoffAt(failing(4), before, NOW, 1)).toEqual({ failures: 4, notBefore: NOW + 16_000 });
    expect(backoffAt(failing(5), before, NOW, 1)).toEqual({ failures: 3, notBefore: NOW });
    expect(backoffAt(failing(5), before, NOW, 1, 60_000).notBefore).toBe(NOW + 60_000);
  });
});

describe('an answer that shows that the server works, while the breaker is open', () => {
  const throttled = (): EndpointState => endpointThrottled(failing(5), NOW, 600_000);

  it('closes the breaker, and lets a wait stand that the server asked another one for', () => {
    const after = endpointWorks(throttled());
    expect(after).toMatchObject({ failures: 0, blockedUntil: NOW + 600_000 });
    expect(passGate(after, NOW + 599_999, policy)).toMatchObject({ until: NOW + 600_000 });
    expect(passGate(after, NOW + 600_000, policy)).toHaveProperty('state');
  });

  it('ends what only the probe had closed, though the server had asked for a wait before that', () => {
    const gate = passGate(throttled(), NOW + 600_000, policy);
    if (!('state' in gate)) throw new TypeError('the wait is over');
    expect(gate.state.blockedUntil).toBe(NOW + 630_000);
    expect(endpointWorks(gate.state)).toMatchObject({ failures: 0, blockedUntil: 0 });
  });
});

describe('a wait that the server asks for while the breaker is open for longer', () => {
  const throttled = endpointThrottled(failing(5), NOW, 5_000);

  it('is not what others are told to wait for', () => {
    expect(passGate(throttled, NOW, policy)).toEqual({
      ...{ until: NOW + 30_000, because: 'the server keeps failing (down)', isThrottled: false },
    });
  });

  it('is all that is left once the server is seen to work', () => {
    expect(passGate(endpointWorks(throttled), NOW + 4_999, policy)).toEqual({
      ...{ until: NOW + 5_000, because: 'the server asked to wait', isThrottled: true },
    });
    expect(passGate(endpointWorks(throttled), NOW + 5_000, policy)).toHaveProperty('state');
  });

  it('stands when the probe is given back that had closed the gate', () => {
    const reopened = giveProbeBack(throttled, failing(5));
    expect(reopened && passGate(reopened, NOW + 4_999, policy)).toMatchObject({
      until: NOW + 5_000,
    });
  });

  it('is forgotten where a clock that was set back left it beyond an hour', () => {
    const set = endpointThrottled({ ...failing(5), ...later(10_800_000) }, NOW, 5_000);
    expect(passGate(set, NOW, policy)).toMatchObject({ until: NOW + 5_000, isThrottled: true });
  });
});

it('a failure that opens the breaker shortens no wait that the server asked for', () => {
  const throttled = endpointThrottled(failing(4), NOW, 600_000);
  const opened = endpointFailed(throttled, NOW + 1, 'down');
  expect(passGate(opened, NOW + 599_999, policy)).toEqual({
    until: NOW + 600_000,
    because: 'the server asked to wait',
    isThrottled: true,
  });
  const again = endpointFailed(opened, NOW + 599_000, 'down');
  expect(passGate(again, NOW + 600_000, policy)).toMatchObject({ until: NOW + 659_000 });
});

function later(ms: number): Partial<EndpointState> {
  return { blockedUntil: NOW + ms, askedUntil: NOW + ms };
}

it.each<[string, Partial<EndpointState>]>([
  ['that a clock set back left beyond an hour', later(10_800_000)],
  ['that was none, but one for a probe', { askedUntil: undefined }],
])('a failure that opens the breaker ends a wait %s', (_what, state) => {
  const before = { ...endpointThrottled(failing(4), NOW, 600_000), ...state };
  expect(endpointFailed(before, NOW, 'down').blockedUntil).toBe(NOW + 30_000);
});
