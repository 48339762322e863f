// Workflows that were saved with earlier versions of the nodes.
//
// The page saves the values of widgets by position, so that a node whose inputs changed finds values of former inputs there.

// Dropdowns that were filled by a route of the server had two more widgets behind them, a "refresh" button and a switch, whose values are in
// the workflows that the page saved. The dropdowns are plain lists now. This is their position among a node's values.
const FORMER_ROUTES = { DtiTrainConcept: 5, DtiLoadConcept: 0, DtiInterpolateConcepts: 10, DtiGenerate: 10 };

const isLeftOver = (value) => value === "refresh" || value === null || value === undefined || typeof value === "boolean";

/** Takes the two values out, in place, where they are there. */
function removeRoute(node, values) {
  const place = FORMER_ROUTES[node.type];
  if (place === undefined) return;
  const two = values.slice(place + 1, place + 3);
  if (two.length === 2 && two.every(isLeftOver) && two.some((value) => typeof value !== "boolean")) values.splice(place + 1, 2);
}

// The inputs of sampling were width, height, steps, cfg, scheduler and seed, and the scheduler named the sampler, too. They are in KSampler's
// order now. This is the position of the first one, in both orders.
const SAMPLING = { DtiGenerate: 2, DtiInterpolateConcepts: 3, DtiCompareConcepts: 2 };
const KARRAS = "_karras";

/** Puts the values of sampling in the present order, in place, where they are in the former one: with a seed's control behind the scheduler. */
function reorderSampling(node, values) {
  const place = SAMPLING[node.type];
  if (place === undefined || typeof values[place + 1] !== "number") return; // in the present order, this is the seed's control
  const batch = node.type === "DtiGenerate" ? values.slice(place, place + 1) : [];
  const former = values.slice(place + batch.length, place + batch.length + 7);
  const [width, height, steps, cfg, scheduler, seed, control] = former;
  if (former.length < 7 || typeof scheduler !== "string") return;
  const karras = scheduler.endsWith(KARRAS);
  const sampler = karras ? scheduler.slice(0, -KARRAS.length) : scheduler;
  values.splice(
    place, batch.length + 7, seed, control, steps, cfg, sampler, karras ? "karras" : "normal", width, height, ...batch);
}

/** Repairs the nodes of a saved workflow, in place, those in its subgraphs included. */
export function repair(workflow) {
  for (const graph of [workflow, ...(workflow.definitions?.subgraphs ?? [])])
    for (const node of graph.nodes ?? []) {
      if (!Array.isArray(node.widgets_values)) continue;
      removeRoute(node, node.widgets_values);
      reorderSampling(node, node.widgets_values);
    }
}
