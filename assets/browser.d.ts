// What the page's scripts have from htmx, as far as they use it.

interface HtmxDetail {
  elt: HTMLElement;
  isError: boolean;
  path: string;
  requestConfig: { elt: HTMLElement };
  shouldSwap: boolean;
  successful: boolean;
  xhr: XMLHttpRequest;
}

interface DocumentEventMap {
  "htmx:afterRequest": CustomEvent<HtmxDetail>;
  "htmx:afterSwap": CustomEvent<HtmxDetail>;
  "htmx:beforeRequest": CustomEvent<HtmxDetail>;
  "htmx:beforeSwap": CustomEvent<HtmxDetail>;
  "htmx:configRequest": CustomEvent<HtmxDetail>;
  "htmx:confirm": CustomEvent<HtmxDetail>;
  "htmx:load": CustomEvent<HtmxDetail>;
  "htmx:responseError": CustomEvent<HtmxDetail>;
  "htmx:sendError": CustomEvent<HtmxDetail>;
}

declare const htmx: {
  config: { attributesToSettle: string[] };
  process(element: Element): void;
};
