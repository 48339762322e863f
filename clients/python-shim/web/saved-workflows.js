// Workflows that were saved with earlier versions of the nodes.
//
// The page saves the values of widgets by place. Dropdowns that were filled by a route of the server had two more widgets behind them, a
// "refresh" button and a switch, whose values are in the workflows that the page saved. The dropdowns are plain lists now, and those two
// values would shift everything after them.

// The place of the dropdown among a node's values.
const FORMER_ROUTES = { DtiTrainConcept: 5, DtiLoadConcept: 0, DtiInterpolateConcepts: 10, DtiGenerate: 10 };

const isLeftOver = (value) => value === "refresh" || value === null || value === undefined || typeof value === "boolean";

/** Takes the two values out of a saved node, in place, where they are there. */
function repairNode(node) {
  const place = FORMER_ROUTES[node.type];
  const values = node.widgets_values;
  if (place === undefined || !Array.isArray(values)) return;
  const two = values.slice(place + 1, place + 3);
  if (two.length === 2 && two.every(isLeftOver) && two.some((value) => typeof value !== "boolean")) values.splice(place + 1, 2);
}

/** Repairs the nodes of a saved workflow, in place, those in its subgraphs included. */
export function repair(workflow) {
  for (const graph of [workflow, ...(workflow.definitions?.subgraphs ?? [])])
    for (const node of graph.nodes ?? []) repairNode(node);
}
