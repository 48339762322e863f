import { app } from "../../scripts/app.js";
import { repair } from "./saved-workflows.js";

app.registerExtension({
  name: "dti.nodes",
  beforeConfigureGraph(workflow) {
    repair(workflow);
  },
});
