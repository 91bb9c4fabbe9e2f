// The line on top, announced to screen readers when it changes.

import type { Verdict } from "../verdict.ts";

const MARKS = { asking: "…", well: "✓", warning: "!", wrong: "✕", lost: "?" } as const;

export function VerdictView({ said }: { said: Verdict }) {
  return (
    <div
      class={`verdict ${said.level}`}
      id="verdict"
      role="status"
      aria-live="polite"
      aria-atomic="true"
    >
      <span class="mark" aria-hidden="true">
        {MARKS[said.level]}
      </span>
      <div>
        <p class="words">{said.words}</p>
        {said.more.length === 0 ? null : (
          <ul>
            {said.more.map(({ part, words, level }) => (
              <li key={part + words}>
                <strong>{part}</strong>
                {level === "error" ? "" : said.level === "lost" ? "" : " (warning)"}: {words}.
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
