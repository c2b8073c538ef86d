// What we change in OpenClaw's own code, and why. Each text must be there once: after an upgrade in
// which it is not, no bundle is made, and a test says so.
const changes = [
  {
    // OpenClaw has one agent's database open and closes it when another agent asks, and the thread
    // with it when that has no more. Here two take turns: the one that warms a spare up, and the
    // person's. Their first message waited for a thread to end, and for one that loads 8 MB of code.
    text: '!actor.slot.pendingOpens && [...actor.slot.actors].every((entry) => entry.backendClosed)',
    becomes: 'false',
  },
  {
    // It also closes it a minute after the last message. People think for longer than that; when
    // a cell has been idle for long we end the whole of it.
    text: 'const IDLE_EXECUTION_MS = 6e4;',
    becomes: 'const IDLE_EXECUTION_MS = 864e5;',
  },
  // Every minute these two look through all sessions for work that a cell never has (it reaches no
  // GitHub and no other worker). The thread that reads sessions ends after it, and the next message
  // waited for a new one to load 11 MB of code.
  {
    text: 'const WORKER_PLACEMENT_RECONCILE_INTERVAL_MS = 6e4;',
    becomes: 'const WORKER_PLACEMENT_RECONCILE_INTERVAL_MS = 864e5;',
  },
  {
    text: 'const GITHUB_PUBLICATION_RECONCILE_INTERVAL_MS = 6e4;',
    becomes: 'const GITHUB_PUBLICATION_RECONCILE_INTERVAL_MS = 864e5;',
  },
];

// Returns a function that changes a module's text, and one that throws unless all was changed.
export function changing() {
  const done = new Map(changes.map((change) => [change, 0]));
  function change(text) {
    let changed = text;
    for (const one of changes) {
      const times = changed.split(one.text).length - 1;
      done.set(one, done.get(one) + times);
      changed = changed.replaceAll(one.text, one.becomes);
    }
    return changed;
  }
  function check() {
    for (const [{text}, times] of done) {
      if (times !== 1) throw new Error(`This should be in OpenClaw once and is ${times} times: ${text}`);
    }
  }
  return {change, check};
}
