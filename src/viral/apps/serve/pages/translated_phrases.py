"""Names and sentences of other layers that the pages show, marked here: they are translated where they are shown.

What is not here is shown in English, and said to be (the filter ``spoken``).
"""

from viral.base.language import marked

PARTS = (  # of a score, as the models name them
    marked("shared"), marked("text"), marked("image"), marked("description"), marked("words"), marked("title"),
    marked("audio"), marked("video"), marked("synergy"), marked("memory"), marked("id"), marked("content"),
    marked("bias"), marked("unique text"), marked("unique image"), marked("unique description"),
    marked("unique words"), marked("unique title"), marked("taste"), marked("redundant"),
    marked("synergistic"), marked("unique visual"), marked("unique audio"),
)  # fmt: skip
STATUSES = (
    marked("done"), marked("quarantined"), marked("missing picture"), marked("unreadable"), marked("pending"),
    marked("edited by hand"), marked("too short"), marked("too long"), marked("title copied"),
)  # fmt: skip
PICTURES = (
    marked("a Git LFS pointer"), marked("a web page"), marked("empty"), marked("missing"), marked("not a file"),
    marked("outside the folder"), marked("symbolic link"), marked("too costly to decode"), marked("too many bytes"),
    marked("too many pixels"), marked("truncated or damaged"), marked("unknown format"),
)  # fmt: skip
COUNTS = (marked("items"), marked("images"), marked("users"), marked("interactions"))
SEVERITIES = (marked("error"), marked("warning"), marked("note"))
CHECKS = (
    marked("empty item id"), marked("duplicate item"), marked("empty title"), marked("markup in title"),
    marked("control characters in title"), marked("no picture"), marked("no item"), marked("no interaction"),
    marked("empty user id"), marked("unknown item"), marked("duplicate pair"), marked("user with one interaction"),
    marked("unknown split"), marked("leaking split"), marked("no training interaction"), marked("empty valid split"),
    marked("empty test split"), marked("user without training"), marked("cold item"), marked("no negative"),
    marked("unusable features"), marked("items without features"), marked("features of unknown items"),
    marked("unreadable table"), marked("missing column"), marked("wrong type"), marked("changed by hand"),
    marked("picture: missing"), marked("picture: truncated or damaged"), marked("picture: unknown format"),
    marked("picture: empty"), marked("picture: too many pixels"), marked("picture: symbolic link"),
    marked("picture: a Git LFS pointer"), marked("picture: a web page"), marked("picture: outside the folder"),
)  # fmt: skip
FINDINGS = (
    marked("items have no id"),
    marked("item ids occur again"),
    marked("items have no title"),
    marked("titles hold HTML tags or entities"),
    marked("titles hold control characters"),
    marked("items have no picture"),
    marked("the catalogue is empty"),
    marked("nobody has taken anything"),
    marked("rows name nobody or nothing"),
    marked("rows name an item that is not in the catalogue"),
    marked("rows repeat a (user, item) pair; each pair counts once"),
    marked("users have one interaction: nothing can be held out of it"),
    marked("(user, item) pairs are in two splits: what is ranked for was given away"),
    marked("users are in valid or test, but not in train: they can only be ranked for by chance"),
    marked("items are never in train (cold): only their words and pictures speak for them"),
    marked("pictures are missing; their items are treated as without one"),
    marked("pictures are truncated or damaged; their items are treated as without one"),
    marked("pictures are unknown format; their items are treated as without one"),
    marked("pictures are a web page; their items are treated as without one"),
    marked("pictures are a Git LFS pointer; their items are treated as without one"),
    marked("tables were changed after the import: results kept for the old ones would be taken for theirs"),
)
LACKING = (
    marked("no training interaction: there is nothing to learn from"),
    marked("no validation interaction: nothing tells when to stop training"),
    marked("no test interaction: nothing can be reported"),
    marked("every user has taken every item, so there is nothing to tell apart"),
    marked("the log needs more items"),
    marked("correct the split column, or drop it to have the log split at random"),
)
HINTS = (
    marked("give every item an id"), marked("keep one row of each"), marked("keep one row of each pair"),
    marked("a picture is described without guidance where there is no title; fill them in if you can"),
    marked("harmless: titles are always shown as text; strip it for cleaner text features"),
    marked("they are recommended by their words and interactions alone"), marked("import the data set again"),
    marked("drop these rows"), marked("add the items, or drop these rows"), marked("filter with --core if they weigh"),
    marked("keep each pair in one split"), marked("move some of their rows to train"),
)  # fmt: skip
PROBLEMS = (
    marked("Bad Request"), marked("Unauthorized"), marked("Forbidden"), marked("Not Found"), marked("Conflict"),
    marked("Method Not Allowed"), marked("Content Too Large"), marked("Request Entity Too Large"),
    marked("Unsupported Media Type"), marked("Unprocessable Content"), marked("Unprocessable Entity"),
    marked("Too Many Requests"), marked("Service Unavailable"), marked("Internal Server Error"),
)  # fmt: skip
FAULTS = (
    marked("the token is not known"), marked("too many requests"), marked("too much to do"),
    marked("the request is not what the API describes"), marked("ids are text, compared exactly"),
    marked("the run names no data set"), marked("a bundle without its run is served"),
    marked("the server may not write into the folder of the run"), marked("edits are being applied already"),
    marked("wait until that is done"),
    marked("The process ended without a word; the machine may have run out of memory."),
)  # fmt: skip
