import { startFront } from './proxy-front.ts';

/*
 * The proxy in a process of its own, so that its memory can be measured. Its argument is the API's origin. It tells its port; for each message it
 * answers with the most that it ever held, in bytes.
 */
const [origin = ''] = process.argv.slice(2);
const front = await startFront({ origins: [origin] });
let mostBytes = 0;
setInterval(() => {
  mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
}, 20);
process.on('message', (order: 'reset' | 'most') => {
  if (order === 'reset') mostBytes = process.memoryUsage.rss();
  process.send?.(mostBytes);
});
process.on('disconnect', () => process.exit());
process.send?.(front.port);
