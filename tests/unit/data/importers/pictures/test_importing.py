"""Pictures that an item table names: what is copied, and what becomes of those that cannot be."""

import pytest

from makers import noise, picture, png, rejected, write
from viral.base.errors import DataError
from viral.data.importers import import_table


def source(tmp_path, log, items):
    write(tmp_path / "source" / "interactions.csv", log)
    return write(tmp_path / "source" / "items.csv", items).parent


def with_pictures(tmp_path, names, files, **options):
    """A data set of items a, b, … whose image column holds ``names``."""
    ids = [chr(ord("a") + number) for number in range(len(names))]
    items = "item,title,image\n" + "".join(f"{item},T,{name}\n" for item, name in zip(ids, names, strict=True))
    folder = source(tmp_path, "user,item\n" + "".join(f"u,{item}\n" for item in ids), items)
    for name, content in files.items():
        write(folder / "images" / name, content)
    return import_table(folder, tmp_path / "data", **options)


def test_pictures_are_copied_byte_for_byte_under_the_items_id(tmp_path):
    files = {"x.jpg": noise("JPEG"), "deep/Y.PNG": picture("PNG"), "z.jpg": picture("WEBP"), "unused.png": picture()}
    dataset = with_pictures(tmp_path, ["x.jpg", "deep/Y.PNG", "z.jpg"], files)
    names = {"a.jpg": "x.jpg", "b.png": "deep/Y.PNG", "c.webp": "z.jpg"}  # the suffix is that of the content
    assert sorted(path.name for path in (dataset.path / "images").iterdir()) == sorted(names)
    for ours, theirs in names.items():
        assert (dataset.path / "images" / ours).read_bytes() == files[theirs]
    assert [item.image for item in dataset.catalog()] == [dataset.path / "images" / name for name in names]
    assert dataset.manifest["counts"]["images"] == 3


def test_a_bad_picture_costs_the_picture_and_not_the_item(tmp_path):
    files = {
        "bomb.png": png(20_000, 20_000),
        "drawing.svg": b"<svg/>",
        "empty.jpg": b"",
        "header.jpg": noise("JPEG")[:12],
        "truncated.jpg": noise("JPEG")[:-400],
    }
    names = [*files, "none.jpg", "../../../etc/passwd", "/etc/passwd", "", "https://shop.example/k.jpg"]
    dataset = with_pictures(tmp_path, names, files)
    assert len(dataset.catalog()) == len(names)
    assert [(row, field, reason, value) for _, row, field, reason, value in rejected(dataset)] == [
        (1, "image", "too many pixels", "bomb.png"),
        (2, "image", "unknown format (an SVG drawing)", "drawing.svg"),
        (3, "image", "empty", "empty.jpg"),
        (4, "image", "truncated or damaged", "header.jpg"),
        (6, "image", "missing", "none.jpg"),
        (7, "image", "outside the folder", "../../../etc/passwd"),
        (8, "image", "outside the folder", "/etc/passwd"),
    ]
    with_image = {item.id: item.image for item in dataset.catalog() if item.image}
    assert with_image == {"e": dataset.path / "images/e.jpg"}  # its header is whole: the doctor decodes it
    assert dataset.catalog()["j"].image_url == "https://shop.example/k.jpg"


def test_links_among_the_pictures_are_refused(tmp_path):
    secret = write(tmp_path / "secret.png", picture())
    folder = source(tmp_path, "user,item\nu,a\nu,b\nu,c\n", "item,image\na,link.png\nb,away/secret.png\nc,own.png\n")
    write(folder / "images" / "own.png", picture())
    (folder / "images" / "link.png").symlink_to(secret)
    (folder / "images" / "away").symlink_to(tmp_path)
    dataset = import_table(folder, tmp_path / "data")
    assert [fault[1:4] for fault in rejected(dataset)] == [(1, "image", "symbolic link"), (2, "image", "symbolic link")]
    assert [path.name for path in (dataset.path / "images").iterdir()] == ["c.png"]


def test_without_an_image_column_pictures_go_by_the_items_id(tmp_path):
    items = "item\na\nb\nc\nd\n"
    folder = source(tmp_path, "user,item\nu,a\n", items)
    files = {"a.jpg": noise("JPEG"), "b.PNG": picture(), "c.txt": b"no picture", "stranger.png": picture()}
    for name, content in files.items():
        write(tmp_path / "elsewhere" / name, content)
    (tmp_path / "elsewhere" / "d.png").symlink_to(tmp_path / "elsewhere" / "b.PNG")
    dataset = import_table(folder, tmp_path / "data", images=tmp_path / "elsewhere")
    assert [item.image and item.image.name for item in dataset.catalog()] == ["a.jpg", "b.png", None, None]
    assert rejected(dataset) == [("items.csv", 4, "item", "symbolic link", "d.png")]
    with pytest.raises(DataError, match="no such folder of pictures"):
        import_table(folder, tmp_path / "other", images=tmp_path / "nowhere")


def test_picture_names_may_be_relative_to_the_source_itself(tmp_path):
    dataset = with_pictures(tmp_path, ["images/x.png"], {"x.png": picture()})
    assert dataset.manifest["counts"]["images"] == 1


def test_hostile_ids_become_plain_names(tmp_path):
    folder = source(tmp_path, 'user,item\nu,"../../x"\n', 'item,image\n"../../x",p.png\n')
    write(folder / "images" / "p.png", picture())
    dataset = import_table(folder, tmp_path / "data")
    (path,) = (dataset.path / "images").iterdir()
    assert sorted(tmp_path.rglob("*.png")) == sorted([path, folder / "images" / "p.png"])
    assert dataset.catalog()["../../x"].image == path


def test_a_readme_beside_the_log_is_no_item_table(tmp_path):
    write(tmp_path / "source" / "interactions.csv", "user,item\nu,a\n")
    write(tmp_path / "source" / "README.txt", "This is what it is, and no table; ask us.\n")
    write(tmp_path / "source" / "images" / "a.jpg", noise("JPEG")[:-2])  # without its end marker, as shops have many
    dataset = import_table(tmp_path / "source", tmp_path / "data")
    assert dataset.catalog().ids == ("a",) and dataset.manifest["counts"]["images"] == 1
