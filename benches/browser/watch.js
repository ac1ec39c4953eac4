// In every page that is measured, before its own scripts: notices when something is shown, and how long the page was busy.
(() => {
  const tasks = [];
  const note = ({ startTime, duration }) => tasks.push({ at: Math.round(startTime), ms: Math.round(duration) });
  const hears = new PerformanceObserver((list) => list.getEntries().forEach(note));
  hears.observe({ type: "longtask", buffered: true });

  /** When what was just changed has been drawn. */
  const drawn = () =>
    new Promise((done) =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => done(performance.now());
        port2.postMessage(undefined);
      }),
    );

  /** Waits until something is so; fails as soon as the page says that something is wrong. */
  const until = (is, problem) =>
    new Promise((done, failed) => {
      const look = () => {
        const said = document.querySelector(problem)?.textContent.trim();
        if (!said && !is()) return false;
        changes.disconnect();
        if (said) failed(new Error(said));
        else done(drawn());
        return true;
      };
      const changes = new MutationObserver(look);
      if (!look()) changes.observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
    });

  const says = (selector, text) => () => document.querySelector(selector)?.textContent.trim() === text;

  window.watch = {
    async loaded({ rows, count, problem, all }) {
      const [first, last] = await Promise.all([until(() => document.querySelector(rows), problem), until(says(count, all), problem)]);
      return { first, all: last };
    },

    async searched({ search, text, found, all, count, problem }) {
      const input = document.querySelector(search);
      const type = (value) => {
        input.value = value;
        input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      };
      const from = performance.now();
      const shown = until(says(count, found), problem);
      type(text);
      const spent = (await shown) - from;
      // Back to all rows, so that the next search begins as this one did.
      const back = until(says(count, all), problem);
      type("");
      await back;
      await new Promise((done) => setTimeout(done, 300));
      return spent;
    },

    /** The tasks of 50 ms and more: when, from the navigation on, and how long. */
    tasks() {
      hears.takeRecords().forEach(note);
      return tasks;
    },
  };
})();
