"""The ablation groups of VIRAL's published readings as data: what is taken out, exchanged or swept, and why.

The first seven are those of the paper's Table 2 and modality study (arXiv 2511.02113) and the controls it lacks.
"""

from collections.abc import Mapping

from viral.base.language import marked
from viral.lab.study.ablation.variant_groups import Variant, VariantGroup, changed, swept
from viral.models.viral.paper_config import RANDOM

FULL = "VIRAL (full)"
TEXT_ONLY, VISUAL_ONLY, TITLE_ONLY = "text only", "visual only", "title only"
MIXTURE = {"synergy": "off", "redundancy": False, "projection": False, "user_weights": "off"}
PUBLISHED: Mapping[str, VariantGroup] = {
    group.name: group
    for group in (
        VariantGroup(
            name="anchors",
            title=marked("The full model and its anchors"),
            question=marked("Is the whole better than models that know nothing of items' content?"),
            variants=(
                Variant(name=FULL),
                Variant(name="LightGCN", model="lightgcn"),
                Variant(name="Popularity", model="popularity"),
            ),
            of="any",
        ),
        VariantGroup(
            name="parts",
            title=marked("Without a part"),
            question=marked(
                "What does the model lose without synergy, without redundancy, without taking it out of the"
                " picture? “No R, text out” projects the text itself out of the picture instead of the learnt part."
            ),
            variants=changed(
                {
                    "no S": {"synergy": "off"},
                    "no R": {"redundancy": False, "projection": False},
                    "no R, text out": {"redundancy": False, "projection": True},
                    "no projection": {"projection": False},
                }
            ),
        ),
        VariantGroup(
            name="fusion",
            title=marked("Another fusion"),
            question=marked(
                "Does the decomposition do better than putting the modalities side by side, or mixing them?"
            ),
            variants=tuple(
                Variant(name=f"{name} fusion", settings={"fusion": name, **MIXTURE})
                for name in ("concat", "weighted", "attention")
            ),
        ),
        VariantGroup(
            name="modalities",
            title=marked("One modality alone"),
            question=marked("What is each modality worth without the other?"),
            variants=changed(
                {
                    TEXT_ONLY: {"visual": None},
                    VISUAL_ONLY: {"text": None},
                }
            ),
        ),
        VariantGroup(
            name="picture",
            title=marked("Another source in the picture's place"),
            question=marked(
                "Is it the words about the picture that help? The description contains the title: if “title only” does"
                " as well, the picture adds nothing; if “random” does, it is the second branch and not its content."
            ),
            variants=changed(
                {
                    "no enrichment": {"visual": "image"},
                    "no title guidance": {"visual": "description-plain"},
                    TITLE_ONLY: {"visual": "title"},
                    "random visual": {"visual": RANDOM},
                }
            ),
        ),
        VariantGroup(
            name="neighbors",
            title=marked("Neighbours in the item graph"),
            question=marked("How many similar items should an item hear of?"),
            variants=swept("k", "num_neighbors", (5, 10, 15, 20)),
            parameter="k",
        ),
        VariantGroup(
            name="alignment",
            title=marked("Weight of the alignment"),
            question=marked("Does aligning the parts (InfoNCE) help, and how much of it?"),
            variants=swept("λ", "alignment_weight", (0.0, 0.001, 0.01, 0.1)),
            parameter="λ",
        ),
        VariantGroup(
            name="graphs",
            title=marked("Without a graph or the users' weights"),
            question=marked(
                "What do the item graph, the user graph and the weights that each user has for the branches add?"
            ),
            variants=changed(
                {
                    "no item graph": {"item_graph": False},
                    "no user graph": {"user_graph": False},
                    "no user weights": {"user_weights": "off"},
                }
            ),
        ),
        VariantGroup(
            name="readings",
            title=marked("Other readings of the method"),
            question=marked(
                "The authors' recommended branch, the paper's text, a synergy that is not alignment, attention"
                " over neighbours, knowledge fusion with the title."
            ),
            variants=changed(
                {
                    "branch master": {"variant": "master"},
                    "the paper's text": {"variant": "paper"},
                    "interaction synergy": {"synergy": "interaction"},
                    "attention over 10": {"attention_tokens": 10},
                    "knowledge fusion": {"knowledge": "title"},
                }
            ),
        ),
    )
}
DEFAULT_PUBLISHED = ("anchors", "parts", "fusion", "modalities", "picture", "neighbors", "alignment")
