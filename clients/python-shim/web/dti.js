import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { repair } from "./saved-workflows.js";

/** Shows the image that ComfyUI has for the chosen embedding, in the node. */
function showThumbnail(node, name) {
  const image = new Image();
  image.onload = () => {
    node.imgs = [image];
    node.setSizeForImage?.();
    node.graph?.setDirtyCanvas(true, true);
  };
  image.onerror = () => {
    node.imgs = undefined; // there is none
    node.graph?.setDirtyCanvas(true, true);
  };
  image.src = api.apiURL(`/experiment/models/preview/embeddings/0/${name.split("/").map(encodeURIComponent).join("/")}`);
}

app.registerExtension({
  name: "dti.nodes",
  beforeConfigureGraph(workflow) {
    repair(workflow);
  },
  nodeCreated(node) {
    if (node.comfyClass !== "DtiPickEmbedding") return;
    const list = node.widgets?.find((widget) => widget.name === "embedding");
    if (!list) return;
    const chosen = list.callback;
    list.callback = function (value, ...rest) {
      chosen?.call(this, value, ...rest);
      showThumbnail(node, String(value));
    };
    const configured = node.onConfigure;
    node.onConfigure = function (...given) {
      configured?.apply(this, given);
      showThumbnail(node, String(list.value));
    };
  },
});
