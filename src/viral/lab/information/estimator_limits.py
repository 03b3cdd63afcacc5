"""What every estimator cannot do, in the words that the user reads: in the output, the help and the documentation."""

from collections.abc import Mapping

LIMITS: Mapping[str, str] = {
    "target": "Y: does this user choose this item, against items that the user never chose, one to one. The bits are"
    " about that mixture; another ratio or other negatives give other numbers. Negatives drawn uniformly count"
    " popularity as content; negatives matched by popularity do not: both are reported.",
    "scores": "A lower bound: what these predictors find about items held out whole, from the logs of the others;"
    " with few items or short histories much less than the truth. They see what is linear in each source and"
    " products of two sources, and nothing else (not, say, a product of two things that the same picture shows)."
    " Noise that differs between two tellings of one thing counts as synergy and not as redundancy.",
    "clusters": "k-means cells know nothing of choices: information that is not in the largest differences between"
    " items is lost, and the number of clusters decides the answer. Users are grouped, and within a group opposite"
    " preferences still cancel, synergy first.",
    "broja": "Depends on p(text, y) and p(picture, y) alone: two unrelated things that carry equal amounts, one in the"
    " text and one in the picture, are called redundant, and their sum synergistic. It does not rank worlds by what"
    " was planted in both unique kinds.",
    "common": "Redundant is the shared information of both modalities (the common part of Gács and Körner, softened:"
    " directions whose correlation on items held out is at least 0.5). Sentence vectors of one product correlate in"
    " most directions: then unique parts pass for redundant. The synergistic remainder may be negative, where different"
    " attributes overlap in their effect.",
    "intervals": "95 %, bootstrap over users, around the corrected estimate: the chance of the log alone, not of the"
    " predictors, the clusters or the choice of items.",
    "items": "An item's own parts rest on its few pairs, are not corrected, and may be negative; they say where the"
    " overall numbers come from, not which item to trust.",
}
