/** Engine processes that belong to one editor, found by walking up from each to the server that started it. */
import { execFileSync } from 'node:child_process';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return match === null ? [] : [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? '' }];
  });
}

/** Pids of engine children among the descendants of `ancestor`; never anybody else's. */
export function enginePids(ancestor: number): number[] {
  return engines(ancestor).map(({ pid }) => pid);
}

/** How they were started. */
export function engineCommands(ancestor: number): string[] {
  return engines(ancestor).map(({ command }) => command);
}

function engines(ancestor: number): Process[] {
  const all = processes();
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const descends = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at)) if (at === ancestor) return true;
    return false;
  };
  return all.filter(({ pid, command }) => /dist[\\/]engine\.cjs/.test(command) && descends(pid));
}
