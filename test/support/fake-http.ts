import type { Http, HttpRequest } from '../../src/system/http.ts';
import { HttpConnectError, HttpExchangeError } from '../../src/system/http.ts';

/** An answer, or what goes wrong: `unreachable` before, `lost` after the request was sent. */
export type FakeAnswer =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly json?: unknown;
      readonly text?: string;
    }
  | 'unreachable'
  | 'lost';

/** A request as the fake server got it. */
export interface FakeRequest extends HttpRequest {
  readonly url: string;
  readonly form: URLSearchParams;
}

/** An {@link Http} without a network; `answer` plays the server. */
export function fakeHttp(answer: (request: FakeRequest) => FakeAnswer): Http & {
  readonly requests: FakeRequest[];
} {
  const requests: FakeRequest[] = [];
  return {
    requests,
    connect(url) {
      return Promise.resolve({
        send(request) {
          const seen = { ...request, url: url.href, form: new URLSearchParams(request.body) };
          requests.push(seen);
          const given = answer(seen);
          if (given === 'unreachable') return Promise.reject(new HttpConnectError('refused'));
          if (given === 'lost') return Promise.reject(new HttpExchangeError('reset', 'reset'));
          const body = given.text ?? JSON.stringify(given.json ?? {});
          return Promise.resolve({
            status: given.status ?? 200,
            headers: { 'content-type': 'application/json', ...given.headers },
            body: Buffer.from(body),
          });
        },
        close: () => undefined,
      });
    },
    close: () => undefined,
  };
}
