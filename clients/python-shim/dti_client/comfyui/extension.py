"""The list of nodes."""

from comfy_api.v0_0_2 import ComfyExtension, io

from .compare import DtiCompareConcepts
from .encode import DtiEncodeWithConcepts
from .generate import DtiGenerate
from .interpolate import DtiInterpolateConcepts
from .load import DtiLoadConcept
from .photos import DtiLoadPhotos
from .pick import DtiPickEmbedding
from .save import DtiSaveEmbedding
from .server import DtiServerNode
from .strength import DtiConceptStrength
from .train import DtiTrainConcept


class DtiExtension(ComfyExtension):
    """The pack."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            DtiServerNode, DtiTrainConcept, DtiLoadConcept, DtiInterpolateConcepts, DtiGenerate, DtiEncodeWithConcepts, DtiSaveEmbedding,
            DtiLoadPhotos, DtiPickEmbedding, DtiConceptStrength, DtiCompareConcepts]
