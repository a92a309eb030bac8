// Looks at a page as a reader does, and says what is wrong with it, a sentence each.
//
// `roots` selects what is ours on the page; `narrow` allows boxes to scroll sideways by themselves, as on a small screen.
async ({ roots, narrow }) => {
  const SLACK = 1.5; // Pixels that rounding may take.
  const CONTRAST = 3; // Between text and what is behind it: WCAG's least for large text and for what is drawn.
  const LEGIBLE = 7; // Pixels of a font, after a picture was scaled.
  const SHAPES = "circle, ellipse, image, line, path, polygon, polyline, rect, use";
  const faults = [];

  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await document.fonts.ready;

  const ours = [...document.querySelectorAll(roots)];
  const page = document.documentElement.clientWidth;

  const words = (element) => (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
  const name = (element) => {
    const kind = element.tagName.toLowerCase();
    const known = element.id ? `#${element.id}` : [...element.classList].map((part) => `.${part}`).slice(-1).join("");
    return `<${kind}${known}> "${words(element)}"`;
  };
  const style = (element) => getComputedStyle(element);
  const box = (element) => element.getBoundingClientRect();
  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const ancestors = (element) => {
    const found = [];
    for (let at = element; at; at = at.parentElement) found.push(at);
    return found;
  };
  // Code scrolls by itself, in each reader of notebooks.
  const isCode = (element) => element.closest(".jp-InputArea, .highlight") !== null;
  const isOurs = (element) => ours.some((root) => root === element || root.contains(element));

  // --- Colours ---

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  // Any colour of CSS as red, green, blue and alpha, each from 0 to 1.
  function colour(text) {
    if (!known.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = "transparent";
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      known.set(text, [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255));
    }
    return known.get(text);
  }
  function alpha(parts) {
    return parts[3];
  }
  const over = (front, opacity, back) => {
    const share = front[3] * opacity;
    return [0, 1, 2].map((part) => front[part] * share + back[part] * (1 - share));
  };
  const luminance = (parts) => {
    const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const opacity = (element, until) => {
    let product = 1;
    for (const above of ancestors(element)) {
      if (above === until) break;
      product *= parseFloat(style(above).opacity);
    }
    return product;
  };

  // --- Width ---

  if (page + SLACK < document.documentElement.scrollWidth)
    faults.push(`the page is ${document.documentElement.scrollWidth} px wide, in a window of ${page} px`);

  const scrolls = (element) => ["auto", "scroll"].includes(style(element).overflowX);
  for (const element of document.body.querySelectorAll("*")) {
    const { left, right, width, height } = box(element);
    if (!width || !height || !visible(element) || isCode(element)) continue;
    const parent = element.parentElement;
    const held = ancestors(parent).some((above) => above !== document.body && (scrolls(above) || above.tagName === "svg"));
    const parentFits = box(parent).right <= page + SLACK;
    if (!held && parentFits && (page + SLACK < right || left < -SLACK))
      faults.push(`${name(element)} ends at ${Math.round(right)} px, in a window of ${page} px`);
  }

  for (const element of ours.flatMap((root) => [root, ...root.querySelectorAll("*")])) {
    const over = element.scrollWidth - element.clientWidth;
    if (element.closest("svg") || element.clientWidth <= 1 || over <= SLACK || !visible(element)) continue;
    const { display, overflowX, textOverflow } = style(element);
    if (display === "inline" || overflowX === "visible") continue;
    if (scrolls(element) && !narrow) faults.push(`${name(element)} scrolls sideways, over ${over} px`);
    if (!scrolls(element) && textOverflow !== "ellipsis") faults.push(`${name(element)} is cut off, ${over} px of it`);
  }

  // --- Text of a terminal ---

  if (!narrow)
    for (const text of document.querySelectorAll(".jp-RenderedText pre")) {
      const lines = text.textContent.replace(/\n$/, "").split("\n").length;
      const { lineHeight, paddingTop, paddingBottom } = style(text);
      const shown = (box(text).height - parseFloat(paddingTop) - parseFloat(paddingBottom)) / parseFloat(lineHeight);
      if (lines + 0.5 < shown) faults.push(`${name(text)} has ${lines} lines and takes ${Math.round(shown)}: it is broken`);
    }

  // --- Pictures ---

  for (const image of document.images)
    if (!image.complete || !image.naturalWidth) faults.push(`${name(image)} is a broken image: ${image.src.slice(0, 40)}`);

  const drawn = ours.flatMap((root) => [...root.querySelectorAll("svg")]).filter((svg) => !svg.parentElement.closest("svg"));
  const paints = (shape) => {
    const { fill, stroke, fillOpacity, strokeOpacity, strokeWidth } = style(shape);
    const filled = fill !== "none" && 0 < parseFloat(fillOpacity) && alpha(colour(fill)) && shape.tagName !== "line";
    const lined = stroke !== "none" && 0 < parseFloat(strokeOpacity) && 0 < parseFloat(strokeWidth) && alpha(colour(stroke));
    return { filled, lined };
  };
  const inDefinition = (shape) => shape.closest("defs, clipPath, mask, pattern, symbol, marker") !== null;
  const isClipped = (shape) => ancestors(shape).some((above) => style(above).clipPath !== "none");

  // The corners of what letters cover, which may be turned; their boxes are higher than they are.
  const letters = (text) => {
    const { x, y, width, height } = text.getBBox();
    const [left, right, top, bottom] = [x + 1, x + width - 1, y + 0.2 * height, y + 0.8 * height];
    const corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
    return corners.map(([across, down]) => new DOMPoint(across, down).matrixTransform(text.getScreenCTM()));
  };
  // Two rectangles meet unless a side of one has the other wholly beyond it.
  const meet = (one, other) =>
    [one, other].every(([a, b, c]) =>
      [[a, b], [b, c]].every(([from, to]) => {
        const along = (corner) => (to.x - from.x) * corner.x + (to.y - from.y) * corner.y;
        const [mine, yours] = [one.map(along), other.map(along)];
        return Math.max(Math.min(...mine), Math.min(...yours)) < Math.min(Math.max(...mine), Math.max(...yours));
      }),
    );

  for (const svg of drawn) {
    if (!visible(svg)) continue;
    const frame = box(svg);
    if (frame.width < 1 || frame.height < 1) {
      faults.push(`${name(svg)} has no size`);
      continue;
    }
    const inside = ({ left, right, top, bottom }) =>
      frame.left - SLACK < left && right < frame.right + SLACK && frame.top - SLACK < top && bottom < frame.bottom + SLACK;

    const shapes = [...svg.querySelectorAll(SHAPES)].filter((shape) => !inDefinition(shape) && visible(shape));
    const marks = shapes.filter((shape) => {
      const { width, height } = box(shape);
      const { filled, lined } = paints(shape);
      return shape.tagName === "image" || shape.tagName === "use" || (filled && width && height) || (lined && (width || height));
    });
    if (!marks.length) faults.push(`${name(svg)} is empty: nothing is drawn`);
    for (const mark of marks)
      if (!isClipped(mark) && !inside(box(mark))) faults.push(`${name(mark)} is cut off by the edge of its picture`);
    for (const element of svg.querySelectorAll("*"))
      for (const attribute of element.attributes)
        if (/\bNaN\b|undefined|Infinity|\bnull\b/.test(attribute.value))
          faults.push(`<${element.tagName}> has ${attribute.name}="${attribute.value.slice(0, 40)}"`);

    const texts = [...svg.querySelectorAll("text")].filter((text) => visible(text) && words(text));
    for (const text of texts)
      if (!inside(box(text))) faults.push(`${name(text)} is cut off by the edge of its picture`);
    texts.forEach((one, index) => {
      for (const other of texts.slice(index + 1))
        if (meet(letters(one), letters(other))) faults.push(`${name(one)} lies over ${name(other)}`);
    });
  }

  // --- Something to see ---

  for (const root of ours)
    if (!words(root) && !root.querySelector("img, svg, canvas, video, hr, input, progress"))
      faults.push(`${name(root)} shows nothing`);

  // --- Text: its size and its contrast ---

  // What may be behind an element of HTML: more than one colour where a gradient is among it.
  const behind = (element) => {
    let found = [[1, 1, 1]];
    for (const above of ancestors(element).reverse()) {
      const { backgroundColor, backgroundImage } = style(above);
      const layers = backgroundImage === "none" ? [] : backgroundImage.match(/(?:rgba?|color|oklch|hsla?)\([^)]*\)/g) || [];
      const through = opacity(above);
      found = found.map((back) => over(colour(backgroundColor), through, back));
      found = [...found, ...layers.flatMap((layer) => found.map((back) => over(colour(layer), through, back)))];
    }
    return found;
  };
  // What is painted behind a point of a picture, before an element.
  const behindInPicture = (svg, element, x, y) => {
    let found = behind(svg.parentElement);
    for (const shape of svg.querySelectorAll(SHAPES)) {
      if (!shape.isPointInFill || inDefinition(shape) || !visible(shape) || !paints(shape).filled) continue;
      if (!(shape.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
      const point = new DOMPoint(x, y).matrixTransform(shape.getScreenCTM().inverse());
      if (!shape.isPointInFill(point)) continue;
      const { fill, fillOpacity } = style(shape);
      const through = parseFloat(fillOpacity) * opacity(shape, svg.parentElement);
      found = found.map((back) => over(colour(fill), through, back));
    }
    return found;
  };

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || !isOurs(element) || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest("title, desc, style, script")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, right, top, bottom, width, height } = range.getBoundingClientRect();
    if (!width || !height) continue;

    const svg = element.closest("svg");
    const { color, fill, fillOpacity, fontSize } = style(element);
    const { a, b } = svg ? element.getScreenCTM() : { a: 1, b: 0 };
    const size = parseFloat(fontSize) * Math.hypot(a, b);
    if (size < LEGIBLE)
      faults.push(`"${node.data.trim().slice(0, 40)}" is ${size.toFixed(1)} px small, less than ${LEGIBLE}`);

    const front = colour(svg ? fill : color);
    const share = opacity(element) * (svg ? parseFloat(fillOpacity) : 1);
    const middle = (top + bottom) / 2;
    const places = svg ? [left + 2, (left + right) / 2, right - 2] : [left];
    const backs = places.flatMap((x) => (svg ? behindInPicture(svg, element, x, middle) : behind(element)));
    // What is wholly transparent is hidden on purpose, as altair hides every other label of an axis.
    if (!share) continue;
    const least = Math.min(...backs.map((back) => ratio(over(front, share, back), back)));
    if (least < CONTRAST)
      faults.push(`"${node.data.trim().slice(0, 40)}" has a contrast of ${least.toFixed(1)}, less than ${CONTRAST}`);
  }

  return [...new Set(faults)];
}
