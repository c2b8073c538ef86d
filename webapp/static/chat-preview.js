// Shows the unfinished end of an answer while it is being written. It only has to look right for
// a moment: the server sends the same text as proper HTML as soon as a block is finished.
// Everything is made of text nodes, so nothing in the text can become markup.


const FENCE = /^\s*(`{3,}|~{3,})\s*(\S*)/;
const HEADING = /^(#{1,6})\s+(.*)/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)/;
const QUOTE = /^>\s?(.*)/;
const ROW = /^\s*\|(.*)/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
// Quotes in quotes, as far as they are told apart.
const DEEPEST = 8;
const INLINE =
  /(`+)(.+?)\1|\*\*(.+?)\*\*|\*\*(\S[^*]*)$|\*([^\s*][^*]*)\*|~~(.+?)~~|\[([^\]]+)\]\([^)\s]*(?:\)|$)/s;

function make(tag, className = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

function write(parent, text) {
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    const [whole, , code, bold, unclosed, slanted, struck, link] = found;
    parent.append(rest.slice(0, found.index));
    if (code) parent.append(make("code"), "");
    if (code) parent.lastElementChild.textContent = code;
    else if (bold || unclosed) parent.append(write(make("strong"), bold || unclosed));
    else if (slanted) parent.append(write(make("em"), slanted));
    else if (struck) parent.append(write(make("s"), struck));
    else parent.append(link);
    rest = rest.slice(found.index + whole.length);
  }
  parent.append(rest);
  return parent;
}

// Each of these takes lines from the front of `lines` and returns an element, or null.

function takeCode(lines) {
  const opening = FENCE.exec(lines[0]);
  if (!opening) return null;
  lines.shift();
  const box = make("div", "code-block");
  const head = make("p", "code-head");
  head.textContent = opening[2];
  const code = make("code");
  const inside = [];
  while (lines.length) {
    const line = lines.shift();
    if (line.trim().startsWith(opening[1]) && !line.trim().replaceAll(opening[1][0], "")) break;
    inside.push(line);
  }
  code.textContent = inside.join("\n");
  const pre = make("pre");
  pre.append(code);
  box.append(head, pre);
  return box;
}

function takeHeading(lines) {
  const found = HEADING.exec(lines[0]);
  if (!found) return null;
  lines.shift();
  return write(make(`h${found[1].length}`), found[2]);
}

function takeList(lines, _depth, least = 0) {
  const first = ITEM.exec(lines[0]);
  if (!first || first[1].length < least) return null;
  const indent = first[1].length;
  const list = make(/\d/.test(first[2]) ? "ol" : "ul");
  if (list.tagName === "OL") list.start = parseInt(first[2], 10);
  while (lines.length) {
    const found = ITEM.exec(lines[0]);
    if (found && found[1].length > indent + 1 && list.lastElementChild) {
      list.lastElementChild.append(takeList(lines, 0, indent + 2));
    } else if (found && found[1].length >= indent) {
      lines.shift();
      list.append(write(make("li"), found[3].replace(/^\[ \] /, "☐ ").replace(/^\[[xX]\] /, "☑ ")));
    } else if (/^\s+\S/.test(lines[0]) && !found && list.lastElementChild) {
      write(list.lastElementChild, `\n${lines.shift().trim()}`);
    } else if (!lines[0].trim() && lines.length > 1) {
      lines.shift();
    } else {
      break;
    }
  }
  return list;
}

function takeQuote(lines, depth) {
  if (!QUOTE.test(lines[0]) || depth > DEEPEST) return null;
  const quote = make("blockquote");
  const inside = [];
  while (lines.length && QUOTE.test(lines[0])) inside.push(QUOTE.exec(lines.shift())[1]);
  draw(quote, inside, depth + 1);
  return quote;
}

function takeTable(lines) {
  if (!ROW.test(lines[0])) return null;
  const table = make("table");
  while (lines.length && ROW.test(lines[0])) {
    const line = ROW.exec(lines.shift())[1].replace(/\|\s*$/, "");
    if (/^[\s|:-]+$/.test(line)) continue;
    const row = make("tr");
    for (const cell of line.split("|")) {
      row.append(write(make(table.childElementCount ? "td" : "th"), cell.trim()));
    }
    table.append(row);
  }
  return table;
}

function takeRule(lines) {
  if (!RULE.test(lines[0]) || lines.length < 2) return null;
  lines.shift();
  return make("hr");
}

const STARTS = [FENCE, HEADING, ITEM, QUOTE, ROW];

function takeParagraph(lines) {
  const words = [lines.shift()];
  while (lines.length && lines[0].trim() && !STARTS.some((start) => start.test(lines[0]))) {
    words.push(lines.shift());
  }
  // A line ends where the text does so; two spaces or a backslash before it say no more.
  return write(make("p"), words.map((line) => line.replace(/(\s+|\\)$/, "").trimStart()).join("\n"));
}

const TAKERS = [takeRule, takeCode, takeHeading, takeList, takeQuote, takeTable, takeParagraph];

function draw(element, lines, depth) {
  const made = [];
  while (lines.length) {
    if (!lines[0].trim()) {
      lines.shift();
      continue;
    }
    for (const take of TAKERS) {
      const block = take(lines, depth);
      if (block) {
        made.push(block);
        break;
      }
    }
  }
  element.replaceChildren(...made);
}

// Draw `text` into `element`, in place of what was there.
export const drawPreview = (element, text) => draw(element, text.split("\n"), 0);
