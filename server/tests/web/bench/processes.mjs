// Processor time and memory of a browser's processes, from /proc.

import { readFile } from 'node:fs/promises';

/** Clock ticks per second in /proc/PID/stat: 100 on every Linux that Chromium runs on. */
const TICKS = 100;

/** The browser's processes: its id and kind (`browser`, `GPU`, `renderer`, `utility`), as it lists them itself. */
export async function processes(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.map(({ id, type }) => ({ id, type }));
}

/** Processor seconds that each of the processes has used so far. */
export async function processorSeconds(list) {
  const used = new Map();
  for (const { id } of list) {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => undefined);
    if (!stat) continue;
    // The name in parentheses may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    used.set(id, (Number(fields[11]) + Number(fields[12])) / TICKS);
  }
  return used;
}

/** Percent of one core that all processes together used between two answers of `processorSeconds`. */
export function percent(before, after, seconds) {
  let sum = 0;
  for (const [id, used] of after) sum += used - (before.get(id) ?? 0);
  return (100 * sum) / seconds;
}

/** Memory of the page's process and the GPU process, bytes; pages that several processes share count in part (PSS). */
export async function memory(list) {
  const sums = { renderer: 0, GPU: 0 };
  for (const { id, type } of list) {
    if (!(type in sums)) continue;
    const text = await readFile(`/proc/${id}/smaps_rollup`, 'utf8').catch(() => '');
    sums[type] += 1024 * Number(/^Pss: +(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return sums;
}
