import { startDriver, type Driver } from './driver.ts';

/** What is sent through a proxy. */
export interface ProxyTask {
  /** Length of each request's body, and of its answer's. */
  readonly bytes: number;
  /** Calls of one round. */
  readonly calls: number;
  /** At most so many at once. */
  readonly concurrency: number;
}

/** Where the calls go. */
export interface ProxyOrder extends ProxyTask {
  /** Socket of the proxy. */
  readonly socketPath: string;
  /** Target of each request. */
  readonly path: string;
}

/** The two ends of a proxy. */
export interface ProxyDriver extends Driver<ProxyOrder> {
  /** Origin of the API. */
  readonly origin: string;
}

/** Starts them in another process. */
export async function startProxyDriver({ bytes }: ProxyTask): Promise<ProxyDriver> {
  const driver = await startDriver<ProxyOrder>('proxy-driver.process.ts', String(bytes));
  return { ...driver, origin: `http://127.0.0.1:${String(driver.ready)}` };
}
