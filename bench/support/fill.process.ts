import { addInBulk } from './bulk.ts';
import { addConnections, nameOf, openBenchKeeper } from './home.ts';

/* Fills a home with connections in use, in a process of its own: what that leaves in memory is not measured. */

const [home = '', count = '0'] = process.argv.slice(2);
const { keeper } = await openBenchKeeper(home);
await addConnections(keeper, 1, { tokenEndpoint: 'http://127.0.0.1:9/token' });
await keeper.close();
const bulk = { like: nameOf(0), from: 1, count: Number(count) - 1, laterMs: 0, sealed: true };
await addInBulk(home, bulk);
