// The listing of the API, drawn from its OpenAPI description.

const MOST_LISTED = 6;

function element(name, className, ...content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
}

/** Return the schema in words: its choices, its range, its default. */
function inWords({ anyOf, ...own }) {
  const schema = anyOf ? { ...anyOf.find(({ type }) => type !== "null"), ...own } : own;
  const words = [schema.enum?.slice(0, MOST_LISTED).join(", ") ?? schema.type];
  if (schema.minimum !== undefined) words.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.default !== undefined) words.push(`${schema.default} unless given`);
  return words.join("; ");
}

function table(rows) {
  const made = element("table", "");
  for (const [name, ...cells] of rows) {
    const row = made.insertRow();
    row.append(element("td", "", element("code", "", name)), element("td", "", ...cells));
  }
  return made;
}

function operationOf(path, verb, { description = "", parameters = [], requestBody, responses }) {
  const made = element("section", "card operation");
  made.append(element("h2", "", element("span", "verb", verb.toUpperCase()), element("code", "", path)));
  // Docstrings are wrapped for code; paragraphs are what counts here.
  const text = description.replace(/([^\n])\n(?!\n)/g, "$1 ").replace(/\n\s*\n/g, "\n\n");
  made.append(element("p", "description", text));
  if (parameters.length) {
    made.append(table(parameters.map(({ name, description: what, schema }) => [name, what ?? "", element("div", "quiet", inWords(schema))])));
  }
  const answers = Object.entries(responses).map(([status, { description: what, content }]) => {
    const types = status === "200" ? Object.keys(content ?? {}).join(", ") : "";
    return [status, types || what];
  });
  const refusals = element("details", "", element("summary", "", "Answers"), table(answers));
  made.append(element("pre", "", exampleOf(path, requestBody, responses["200"])), refusals);
  return made;
}

/** Return a command to try it with; what is no text goes to a file. */
function exampleOf(path, requestBody, { content = {} }) {
  const [kind, form] = Object.keys(content)[0].split("/");
  const name = path.split("/").at(-1);
  const output = kind === "image" ? ` -o photo.${name}.${form.replace("jpeg", "jpg")}` : "";
  const body = requestBody ? "-F file=@photo.jpg " : "";
  return `curl ${body}${new URL(path.slice(1), document.baseURI)}${output}`;
}

const { paths } = await (await fetch("openapi.json")).json();
for (const [path, verbs] of Object.entries(paths)) {
  for (const [verb, operation] of Object.entries(verbs)) {
    document.getElementById("operations").append(operationOf(path, verb, operation));
  }
}
