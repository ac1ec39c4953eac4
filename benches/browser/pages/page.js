// What the peers' pages have in common: a search, a count, the first rows.

const words = (count) => `${count.toLocaleString("en-GB")} rows`;

/** Where the file is. */
export const file = new URL(new URLSearchParams(location.search).get("file"), location.href).href;

/** Shows rows, each a list of cells. */
export function showRows(rows) {
  const body = document.createElement("tbody");
  for (const cells of rows) {
    const row = body.insertRow();
    for (const cell of cells) row.insertCell().textContent = String(cell ?? "");
  }
  document.querySelector("tbody").replaceWith(body);
}

function fails(error) {
  document.querySelector("#problem").textContent = String(error?.stack ?? error);
}

/** Loads the file; `load` gives the number of its rows and what tells how many rows have a text. */
export async function run(load) {
  try {
    const { count, search } = await load();
    const told = document.querySelector("#count");
    told.textContent = words(count);
    document.querySelector("#search").addEventListener("input", async ({ target }) => {
      try {
        const text = target.value;
        told.textContent = text ? `${(await search(text)).toLocaleString("en-GB")} of ${words(count)}` : words(count);
      } catch (error) {
        fails(error);
      }
    });
  } catch (error) {
    fails(error);
  }
}
window.addEventListener("error", (event) => fails(event.error ?? event.message));
window.addEventListener("unhandledrejection", (event) => fails(event.reason));
