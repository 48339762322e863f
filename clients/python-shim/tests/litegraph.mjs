// Loads workflows through litegraph, the library under ComfyUI's page, and compares what comes out with what was saved.
//   node litegraph.mjs LITEGRAPH OBJECT_INFO.json WORKFLOW.json...
// A node gets widgets as the page makes them from /object_info: required inputs before optional ones, a second widget behind a seed with
// control_after_generate, and two behind a dropdown that is filled by a route. litegraph saves their values by place.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { repair } from "../web/saved-workflows.js";

const [litegraph, objectInfo, ...workflows] = process.argv.slice(2);
globalThis.window ??= globalThis; // litegraph looks for a page
globalThis.document ??= { createElement: () => ({ getContext: () => null }) };
const { LGraph, LGraphNode, LiteGraph, SubgraphNode } = await import(pathToFileURL(litegraph));
LiteGraph.alwaysRepeatWarnings = false;

// ComfyUI's own nodes in the shipped workflows: widgets in the page's order, and the last one of LoadImage, which chooses a file.
const number = (options = {}) => ["INT", options];
const COMFYUI = {
  LoadImage: { image: ["COMBO", { list: "images" }], upload: ["COMBO", { options: ["image"] }] },
  ImageBatch: {},
  PreviewImage: {},
  VAEDecode: {},
  SaveImage: { filename_prefix: ["STRING", {}] },
  CheckpointLoaderSimple: { ckpt_name: ["COMBO", { list: "checkpoints" }] },
  CLIPTextEncode: { text: ["STRING", {}] },
  EmptyLatentImage: { width: number({ min: 16 }), height: number({ min: 16 }), batch_size: number({ min: 1 }) },
  KSampler: {
    seed: number({ control_after_generate: true }), steps: number({ min: 1 }), cfg: ["FLOAT", {}], sampler_name: ["COMBO", { list: "samplers" }],
    scheduler: ["COMBO", { list: "schedulers" }], denoise: ["FLOAT", { max: 1 }],
  },
  Note: { text: ["STRING", {}] },
};
// Lists that only the server, or ComfyUI's folders, can fill: any name may be chosen.
const OPEN_LISTS = new Set([
  "DtiTrainConcept.model", "DtiGenerate.model", "DtiCompareConcepts.model", "DtiInterpolateConcepts.model", "DtiLoadConcept.name", "DtiLoadPhotos.folder",
  "DtiPickEmbedding.embedding",
]);
const WIDGETS = { INT: "number", FLOAT: "number", STRING: "text", BOOLEAN: "toggle", COMBO: "combo" };

const info = JSON.parse(readFileSync(objectInfo, "utf8"));
const specs = Object.fromEntries(Object.entries(info).map(([type, { input }]) => [type, { ...input.required, ...input.optional }]));
Object.assign(specs, COMFYUI);

let failures = 0;
function check(holds, ...words) {
  if (holds) return;
  failures++;
  console.error(...words);
}

function addWidgets(node, spec) {
  for (const [name, [type, options]] of Object.entries(spec)) {
    if (!WIDGETS[type] || options.socketless === false) continue;
    const widget = node.addWidget(WIDGETS[type], name, options.default ?? "", () => {}, { values: options.options ?? [] });
    widget.spec = [type, options];
    check(!options.remote, `${node.type}.${name} is filled by a route: the page puts further widgets behind it`);
    if (options.remote) {
      node.addWidget("toggle", "Auto-refresh after generation", false, () => {});
      node.addWidget("button", "refresh", "refresh", () => {});
    }
    if (options.control_after_generate) {
      const control = node.addWidget("combo", "control_after_generate", "randomize", () => {}, { values: ["fixed", "increment", "decrement", "randomize"] });
      control.spec = ["COMBO", { options: control.options.values }];
    }
  }
}

for (const [type, spec] of Object.entries(specs)) {
  class PackNode extends LGraphNode {
    constructor(title) {
      super(title);
      this.type = type;
      this.serialize_widgets = true;
      for (const output of info[type]?.output ?? []) this.addOutput(output, output);
      addWidgets(this, spec);
    }
  }
  LiteGraph.registerNodeType(type, PackNode);
}

/** Why a widget cannot have this value; empty if it can. */
function problem(type, widget) {
  if (!widget.spec) return "belongs to another widget";
  const [kind, options] = widget.spec;
  const { value } = widget;
  if (kind === "STRING") return typeof value === "string" ? "" : "is no text";
  if (kind === "BOOLEAN") return typeof value === "boolean" ? "" : "is no switch";
  if (kind === "COMBO") {
    const open = options.list || OPEN_LISTS.has(`${type}.${widget.name}`);
    return typeof value === "string" && (open || options.options.includes(value)) ? "" : `is none of ${options.options}`;
  }
  if (typeof value !== "number") return "is no number";
  if (kind === "INT" && !Number.isInteger(value)) return "is no whole number";
  return value < (options.min ?? value) || value > (options.max ?? value) ? `is not in ${options.min} to ${options.max}` : "";
}

/** Compares the nodes of a graph, as they were saved, as they were loaded, and as they were saved again. */
function compare(name, given, graph, again) {
  check(again.nodes.length === given.nodes.length, `${name}: ${given.nodes.length} nodes became ${again.nodes.length}`);
  check(again.links.length === given.links.length, `${name}: ${given.links.length} links became ${again.links.length}`);
  for (const node of given.nodes) {
    const loaded = graph.getNodeById(node.id);
    const where = `${name}: ${node.type} ${node.id}`;
    if (loaded?.isSubgraphNode?.()) continue; // its nodes are compared by themselves
    check(loaded && !loaded.has_errors && specs[node.type], `${where} is of an unknown type`);
    const widgets = loaded?.widgets ?? [];
    const values = node.widgets_values ?? [];
    const optional = Object.values(info[node.type]?.input.optional ?? {}).filter(([type]) => WIDGETS[type]).length;
    check(
      values.length <= widgets.length && values.length >= widgets.length - optional, `${where} has ${values.length} values for ${widgets.length} widgets`);
    widgets.slice(0, values.length).forEach((widget, i) => {
      check(Object.is(widget.value, values[i]), `${where}.${widget.name} was ${values[i]} and is ${widget.value}`);
      const wrong = problem(node.type, widget);
      check(!wrong, `${where}.${widget.name}: ${JSON.stringify(widget.value)} ${wrong}`);
    });
    const written = again.nodes.find((other) => other.id === node.id)?.widgets_values ?? [];
    check(
      JSON.stringify(written.slice(0, values.length)) === JSON.stringify(values), `${where} was saved again as ${JSON.stringify(written)}, not ${JSON.stringify(values)}`);
    for (const [widget, value] of Object.entries(given.extra?.expected_values?.[node.id] ?? {})) {
      const is = widgets.find((other) => other.name === widget)?.value;
      check(Object.is(is, value), `${where}.${widget} is ${JSON.stringify(is)} and should be ${JSON.stringify(value)}`);
    }
  }
}

/** Makes the nodes that stand for a subgraph, as the page does when it loads one. */
function registerSubgraph(graph, subgraph) {
  LiteGraph.registerNodeType(subgraph.id, class extends SubgraphNode {
    constructor() {
      super(graph, subgraph, { id: -1, type: subgraph.id, pos: [0, 0], size: [200, 100], inputs: [], outputs: [], flags: {}, order: 0, mode: 0 });
    }
  });
}

for (const file of workflows) {
  const name = basename(file);
  const saved = JSON.parse(readFileSync(file, "utf8"));
  repair(saved);
  const graph = new LGraph();
  graph.events.addEventListener("subgraph-created", ({ detail }) => registerSubgraph(graph, detail.subgraph));
  const given = structuredClone(saved);
  check(graph.configure(structuredClone(saved)) !== true, `${name}: litegraph reports an error`);
  const again = graph.serialize();
  compare(name, given, graph, again);
  const subgraphs = given.definitions?.subgraphs ?? [];
  check((again.definitions?.subgraphs ?? []).length === subgraphs.length, `${name}: ${subgraphs.length} subgraphs became ${again.definitions?.subgraphs?.length}`);
  for (const subgraph of subgraphs)
    compare(`${name}: ${subgraph.name}`, subgraph, graph.subgraphs.get(subgraph.id), again.definitions.subgraphs.find((other) => other.id === subgraph.id));
  const count = [given, ...subgraphs].reduce((sum, { nodes }) => sum + nodes.length, 0);
  console.log(`${name}: ${count} nodes`);
}
process.exit(failures ? 1 : 0);
