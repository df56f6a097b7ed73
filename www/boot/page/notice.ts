/** What the page says when its wasm is not there to say it. */

export interface Words {
  title: string;
  text: string;
  /** For who reports it. */
  details?: string;
  /** Buttons; the first one is what helps. */
  actions?: { label: string; act(): void | Promise<void> }[];
}

/** Shows a notice above all else. What an action throws is added to the notice. */
export function showNotice(words: Words): void {
  const notice = element("section", { className: "notice boot" });
  notice.setAttribute("role", "alert");
  notice.append(
    element("h2", { textContent: words.title }),
    element("p", { textContent: words.text }),
  );
  if (words.details) notice.append(element("pre", { textContent: words.details }));
  const actions = element("div", { className: "acts" });
  words.actions?.forEach(({ label, act }, index) => {
    const className = index === 0 ? "btn solid" : "btn";
    const button = element("button", { type: "button", className, textContent: label });
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await act();
      } catch (error) {
        notice.append(element("p", { textContent: String(error) }));
      } finally {
        button.disabled = false;
      }
    });
    actions.append(button);
  });
  if (words.actions) notice.append(actions);
  document.body.prepend(notice);
}

/** Hands a file to the person. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  element("a", { href: url, download: name }).click();
  // The download has its own hold on the data once it has begun.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(name), properties);
}
