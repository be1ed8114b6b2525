import { httpDate } from '../../system/instant.ts';
import type { RetryAfter } from './fault.ts';

/** The header's value, as a person would have configured it. @see RFC 9110 section 10.2.3 */
export function retryAfterText(value: RetryAfter, now: number): string {
  return typeof value === 'object' ? httpDate(now + value.dateInMs) : String(value);
}

/** The header, or none for null and undefined. */
export function retryAfterHeader(
  value: RetryAfter | null | undefined,
  now: number,
): Record<string, string> {
  if (value === undefined || value === null) return {};
  return { 'Retry-After': retryAfterText(value, now) };
}
