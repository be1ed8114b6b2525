import { addConnections, openBenchKeeper } from './home.ts';

/* Adds connections to a home, in a process of its own: what that leaves in memory is not measured. */

const [home = '', count = '0'] = process.argv.slice(2);
const { keeper } = await openBenchKeeper(home);
await addConnections(keeper, Number(count), { tokenEndpoint: 'http://127.0.0.1:9/token' });
await keeper.close();
