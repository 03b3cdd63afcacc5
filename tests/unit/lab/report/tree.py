"""A parser of HTML strict enough to notice broken markup, and the nodes it finds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input", "hr"}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)
    parent: "Node | None" = None

    @property
    def text(self) -> str:
        return " ".join("".join(self.strings()).split())

    def strings(self) -> Iterator[str]:
        for child in self.children:
            yield from [child] if isinstance(child, str) else child.strings()

    def all(self, tag: str = "", **wanted: str) -> list["Node"]:
        """Every descendant with this tag whose attributes contain the wanted words (``class_="bar"``)."""
        found = []
        for child in self.children:
            if isinstance(child, str):
                continue
            pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in wanted.items())
            if tag in ("", child.tag) and all(value in child.attributes.get(key, "").split() for key, value in pairs):
                found.append(child)
            found += child.all(tag, **wanted)
        return found

    def one(self, tag: str = "", **wanted: str) -> "Node":
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} of <{tag}> {wanted}"
        return found[0]


class Tree(HTMLParser):
    """Builds nodes; an end tag that does not close the innermost open element is an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Node("#root")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        node = Node(tag, {name: value or "" for name, value in attrs}, parent=self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> inside <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def parsed(text: str) -> Node:
    tree = Tree()
    tree.feed(text)
    tree.close()
    assert tree.here is tree.root, f"<{tree.here.tag}> is never closed"
    return tree.root
