// A part of the page: a landmark with its heading, and figures with their names.

import type { ComponentChildren } from "preact";

export function Panel(props: {
  id: string;
  title: string;
  note?: string;
  wide?: boolean;
  children: ComponentChildren;
}) {
  const { id, title, note, wide, children } = props;
  return (
    <section class={wide === true ? "panel wide" : "panel"} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {note === undefined ? null : <p class="note">{note}</p>}
      {children}
    </section>
  );
}

export function Figures({ children }: { children: ComponentChildren }) {
  return <dl class="figures">{children}</dl>;
}

export function Figure(props: {
  name: string;
  value: string;
  state?: "warning" | "wrong" | undefined;
}) {
  return (
    <div class={props.state === undefined ? "figure" : `figure ${props.state}`}>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}

/** A table that scrolls sideways by itself where the screen is narrow. */
export function Table(props: { label: string; heads: string[]; children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={props.label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {props.heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>;
}
