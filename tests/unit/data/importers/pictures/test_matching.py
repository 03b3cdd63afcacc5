"""Whose picture a file is: folders, other spellings, suffixes, zeros, names from elsewhere, and what stays in doubt."""

import time

import pytest

from makers import picture, rejected, write
from viral.base.errors import DataError
from viral.data.importers import import_table
from viral.data.importers.pictures.folder import NamedFiles


def imported(tmp_path, items, files, *, header="item", images="pictures", **options):
    """A data set of ``items`` (rows of the item table), with these files below ``images``."""
    ids = [row.split(",")[0] for row in items]
    write(tmp_path / "source" / "interactions.csv", "user,item\n" + "".join(f"u,{item}\n" for item in ids))
    write(tmp_path / "source" / "items.csv", "\n".join([header, *items]) + "\n")
    folder = tmp_path / "elsewhere" / images
    folder.mkdir(parents=True)
    for name in files:
        write(folder / name, b"no picture" if name.endswith((".mp4", ".zip")) else picture(colour=(len(name), 9, 9)))
    return import_table(tmp_path / "source", tmp_path / "data", images=folder, **options)


def pictures(tmp_path, dataset, images="pictures"):
    """Item -> the file that its picture was copied from, by content (which the name's length makes)."""
    contents = {path.read_bytes(): path for path in (tmp_path / "elsewhere" / images).rglob("*") if path.is_file()}
    folder = tmp_path / "elsewhere" / images
    return {
        item.id: contents[item.image.read_bytes()].relative_to(folder).as_posix()
        for item in dataset.catalog()
        if item.image
    }


def told(dataset):
    return dataset.manifest["source"]["options"]["pictures"]


@pytest.mark.parametrize(
    ("item", "file", "way"),
    [
        ("0108775015", "0108775015.jpg", "by id"),
        ("0108775015", "010/0108775015.jpg", "by id"),
        ("0108775015", "a/b/c/0108775015.PNG", "by id"),
        ("0108775015", "0108775015.JPEG", "by id"),
        ("0108775015", "0108775015.jfif", "by id"),
        ("0108775015", "0108775015", "by id"),
        ("A.17", "A.17.webp", "by id"),
        ("Mug-7", "mug-7.jpg", "by id in another spelling"),
        ("Mug/7", "Mug_7.jpg", "by id in another spelling"),
        ("Mug 7", "mug%207.jpg", "by id in another spelling"),
        ("Café", "Cafe\u0301.jpg", "by id in another spelling"),
        ("0108775015", "108775015.jpg", "by id with other leading zeros"),
        ("108775015", "010/0108775015.jpg", "by id with other leading zeros"),
        ("A17", "A17_1.jpg", "by id with a suffix"),
        ("A17", "A17-front.jpg", "by id with a suffix"),
        ("A17", "A17 (2).jpg", "by id with a suffix"),
        ("A17", "A17(2).jpg", "by id with a suffix"),
        ("A17", "A17.1.jpg", "by id with a suffix"),
        ("A17", "a17_MAIN_large.jpg", "by id with a suffix"),
        ("A17", "A17.jpg.webp", "by id with a suffix"),
        ("108775015", "0108775015_2.jpg", "by id with a suffix"),
        ("A17", "A17/front.jpg", "by a folder named by id"),
        ("A17", "shoes/A17/1.jpg", "by a folder named by id"),
        ("1234", "1234/1.jpg", "by a folder named by id"),
        ("1234", "1234_front_800x600.jpg", "by id with a suffix"),
        ("1234", "1234-2.jpg", "by id with a suffix"),
        ("1234", "1234@2x.png", "by id with a suffix"),
    ],
)
def test_a_file_is_found_by_its_items_id(tmp_path, capsys, item, file, way):
    dataset = imported(tmp_path, [item, "zzz"], [file])
    assert pictures(tmp_path, dataset) == {item: file}
    assert told(dataset)["found"] == {way: 1} and told(dataset)["items_without"] == 1
    said = capsys.readouterr().err
    assert (
        f"pictures in pictures/: 1 of 2 items have one (1 {way})" in said
        and "1 item without a picture, e.g. zzz" in said
    )
    assert "JPEG, PNG and WEBP are read" in said


@pytest.mark.parametrize(
    ("items", "files", "chosen"),
    [
        (["A17"], ["A17_10.jpg", "A17_2.jpg", "A17_1.jpeg"], "A17_1.jpeg"),
        (["A17"], ["A17_10.jpg", "A17_2.jpg"], "A17_2.jpg"),
        (["A17"], ["A17_1.jpg", "A17.jpeg", "A17_a.webp"], "A17.jpeg"),
        (["A17"], ["x/A17_1.jpg", "A17_02.jpg"], "A17_02.jpg"),
        (["A17"], ["A17/10.jpg", "A17/9.jpg"], "A17/9.jpg"),
    ],
)
def test_of_several_the_first_in_natural_order_is_taken_and_that_is_told(tmp_path, capsys, items, files, chosen):
    dataset = imported(tmp_path, items, files)
    assert pictures(tmp_path, dataset) == {items[0]: chosen}
    assert told(dataset)["further_pictures"] == len(files) - 1 and told(dataset)["of_no_item"] == 0
    assert "1 item with several pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("items", "file"),
    [
        (["007", "7"], "0007.jpg"),
        (["007", "07"], "7.jpg"),
        (["a-1", "A_1"], "A 1.jpg"),
        (["100", "100-2"], "100_2.jpg"),  # the second picture of 100, or 100-2 in another spelling
        (["1", "1234"], "1234/1.jpg"),  # the first picture of 1234, or that of 1
    ],
)
def test_what_could_be_two_items_is_neither_s(tmp_path, capsys, items, file):
    dataset = imported(tmp_path, items, [file])
    assert pictures(tmp_path, dataset) == {} and told(dataset)["ambiguous"] == 1
    assert f"could be of several items, e.g. {file}" in capsys.readouterr().err


def test_the_picture_of_an_item_that_is_not_here_is_no_suffix(tmp_path):
    dataset = imported(tmp_path, ["100", "100-2", "A"], ["100-3.jpg", "100-front.jpg", "B-front.jpg"])
    assert pictures(tmp_path, dataset) == {"100": "100-front.jpg"}
    assert told(dataset)["of_no_item"] == 2


def test_dates_titles_and_folders_by_month_are_no_ids(tmp_path):
    ids = [str(number) for number in (12, 11, 2023, 2024)]
    names = [
        "2024-05-12.jpg",
        "12 red mugs.jpg",
        "2024 autumn.png",
        "2024/05/mug.jpg",
        "2024/06/cup.jpg",
        "2024/11/jug.jpg",
    ]
    dataset = imported(tmp_path, ids, [*names, "2023/07/pot.jpg", "2023/08/pan.jpg"])
    assert pictures(tmp_path, dataset) == {} and told(dataset)["of_no_item"] == 8


def test_unmatched_files_and_formats_that_are_not_read_are_counted_and_shown(tmp_path, capsys):
    files = ["a.jpg", "stray 1.jpg", "deep/stray 22.png", "film.mp4", "photo.HEIC", "b.avif", "c.avif", "more.zip"]
    dataset = imported(tmp_path, ["a", "b", "c"], [*files, ".hidden.jpg", "__MACOSX/._a.jpg", "notes.txt"])
    assert pictures(tmp_path, dataset) == {"a": "a.jpg"}
    assert told(dataset) | {"folder": ""} == {
        "folder": "", "files": 3, "found": {"by id": 1}, "items_without": 2, "further_pictures": 0, "of_no_item": 2,
        "ambiguous": 0, "not_read": {".avif": 2, ".mp4": 1, ".heic": 1},
    }  # fmt: skip
    said = capsys.readouterr().err
    assert "2 files in pictures/ belonging to no item, e.g. stray 1.jpg, deep/stray 22.png" in said
    assert "2 .avif, 1 .mp4, 1 .heic: of formats that are not read, e.g. b.avif, c.avif, film.mp4 …" in said
    assert "more.zip: archives are not looked into; unzip them" in said


def test_a_folder_without_one_picture_of_an_item_says_how_they_are_looked_for(tmp_path, capsys):
    dataset = imported(tmp_path, ["A17", "A18"], ["IMG_2001.jpg", "IMG_2002.jpg"])
    assert pictures(tmp_path, dataset) == {}
    said = capsys.readouterr().err
    assert "not one picture in pictures/ belongs to an item: the files are called IMG_2001.jpg, IMG_2002.jpg" in said
    assert "the items A17, A18; a picture is found by its item's id (ID.jpg, ID_1.jpg" in said


def test_an_empty_folder_and_an_archive_are_told(tmp_path, capsys):
    imported(tmp_path, ["a"], [])
    assert "not one file in pictures/ is a picture (JPEG, PNG and WEBP are read)" in capsys.readouterr().err
    archive = write(tmp_path / "pictures.zip", b"PK\x03\x04")
    with pytest.raises(DataError, match=r"not a folder of pictures\n.*unzipped first"):
        import_table(tmp_path / "source", tmp_path / "other", images=archive)


@pytest.mark.parametrize(
    ("named", "files", "chosen"),
    [
        ("deep/x.jpg", ["deep/x.jpg", "x.jpg"], "deep/x.jpg"),
        ("x.jpg", ["deep/x.jpg"], "deep/x.jpg"),
        ("C:\\pics\\x.jpg", ["x.jpg"], "x.jpg"),
        ("/var/www/shop/x.jpg", ["sub/x.jpg"], "sub/x.jpg"),
        ("..\\..\\img\\X.JPG", ["x.jpg"], "x.jpg"),
        ("img/x.png", ["x.jpg"], "x.jpg"),
        ("pics\\caf\u00e9.jpg", ["cafe\u0301.jpg"], "cafe\u0301.jpg"),
        ("D:/shop/large/x.jpg", ["small/x.jpg", "large/x.jpg"], "large/x.jpg"),
        ("https://cdn.example/a/b/x%20y.jpg?width=300", ["x y.jpg"], "x y.jpg"),
    ],
)
def test_a_named_picture_is_found_by_its_file_name(tmp_path, named, files, chosen):
    dataset = imported(tmp_path, [f"a,{named}", "b,"], files, header="item,image")
    assert pictures(tmp_path, dataset) == {"a": chosen} and rejected(dataset) == []


def test_the_named_one_of_several_is_taken_and_the_id_stands_in_where_none_is_named(tmp_path):
    rows = ["a,a_2.jpg", "b,", "c,absent.jpg"]
    dataset = imported(tmp_path, rows, ["a_1.jpg", "a_2.jpg", "b_10.jpg", "c_000.jpg"], header="item,image")
    assert pictures(tmp_path, dataset) == {"a": "a_2.jpg", "b": "b_10.jpg", "c": "c_000.jpg"}


@pytest.mark.parametrize(
    ("rows", "files"),
    [
        (["a,C:\\one\\x.jpg", "b,"], ["p/x.jpg", "qq/x.jpg"]),  # two files of that name
        (["a,C:\\one\\x.jpg", "b,C:\\two\\x.jpg"], ["x.jpg"]),  # two pictures of one name, of which one is here
        (["a,https://c.example/1/x.jpg", "b,https://c.example/2/x.jpg"], ["x.jpg"]),
    ],
)
def test_a_name_that_could_mean_several_is_told_and_not_guessed(tmp_path, capsys, rows, files):
    dataset = imported(tmp_path, rows, files, header="item,image")
    assert pictures(tmp_path, dataset) == {}
    assert {fault[3] for fault in rejected(dataset)} == {"ambiguous picture"}
    assert "does not tell which file is meant" in capsys.readouterr().err


def test_nothing_outside_the_folder_is_read_by_its_name(tmp_path):
    write(tmp_path / "elsewhere" / "secret.png", picture())
    rows = ["a,../secret.png", f"b,{tmp_path}/elsewhere/secret.png", "c,"]
    (tmp_path / "elsewhere" / "pictures").mkdir(parents=True)
    (tmp_path / "elsewhere" / "pictures" / "away").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "pictures" / "c.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    ids = "user,item\nu,a\nu,b\nu,c\n"
    write(tmp_path / "source" / "interactions.csv", ids)
    write(tmp_path / "source" / "items.csv", "\n".join(["item,image", *rows]))
    dataset = import_table(tmp_path / "source", tmp_path / "data", images=tmp_path / "elsewhere" / "pictures")
    assert not any(item.image for item in dataset.catalog())
    assert [fault[3] for fault in rejected(dataset)] == ["outside the folder", "outside the folder", "symbolic link"]


@pytest.mark.parametrize("name", ["images", "Pictures", "photos", "covers"])
def test_a_folder_of_a_common_name_in_the_source_is_looked_through(tmp_path, name):
    write(tmp_path / "source" / name / "0" / "a.jpg", picture())
    write(tmp_path / "source" / "interactions.csv", "user,item\nu,a\n")
    dataset = import_table(tmp_path / "source", tmp_path / "data")
    assert dataset.manifest["counts"]["images"] == 1


def test_a_source_without_pictures_says_nothing_of_them(tmp_path, capsys):
    write(tmp_path / "source" / "interactions.csv", "user,item\nu,a\n")
    dataset = import_table(tmp_path / "source", tmp_path / "data")
    assert "picture" not in capsys.readouterr().err and "pictures" not in dataset.manifest["source"]["options"]


def test_pictures_of_items_outside_the_core_are_known_and_not_used(tmp_path):
    write(tmp_path / "source" / "items.csv", "item\na\nb\nc\na-2\n")
    log = "user,item\n" + "".join(f"{user},{item}\n" for user in "uv" for item in "ab") + "u,c\n"
    write(tmp_path / "source" / "interactions.csv", log)
    for name in ("a", "b", "c", "a-2", "stray"):
        write(tmp_path / "source" / "images" / f"{name}.png", picture())
    dataset = import_table(tmp_path / "source", tmp_path / "data", core=2)
    assert [item.image.name for item in dataset.catalog()] == ["a.png", "b.png"]
    assert told(dataset)["of_no_item"] == 1 and told(dataset)["further_pictures"] == 0


def test_pictures_of_one_name_in_many_folders_are_told_apart_quickly(tmp_path):
    names = [f"{number}/main.jpg" for number in range(20_000)]
    files = NamedFiles(tmp_path, names)
    started = time.process_time()
    assert all(files.alike(f"https://cdn.example/{number}/main.jpg") == [names[number]] for number in range(500))
    assert len(files.alike("C:\\elsewhere\\main.jpg")) == 20_000
    assert time.process_time() - started < 5


def test_a_folder_beside_a_log_that_is_given_as_a_file_is_named(tmp_path, capsys):
    log = write(tmp_path / "shop" / "orders.csv", "user,item\nu,a\n")
    write(tmp_path / "shop" / "Images" / "a.jpg", picture())
    dataset = import_table(log, tmp_path / "data")
    assert dataset.manifest["counts"]["images"] == 0
    folder = tmp_path / "shop" / "Images"
    assert f"--images {folder}" in capsys.readouterr().err
    assert import_table(log, tmp_path / "other", images=folder).manifest["counts"]["images"] == 1


def test_a_format_that_is_not_read_is_named_whatever_the_file_is_called(tmp_path):
    folder = tmp_path / "source"
    write(folder / "interactions.csv", "user,item\nu,a\nu,b\nu,c\n")
    write(folder / "images" / "a.jpg", b"\0\0\0\x1cftypavif" + bytes(40))
    write(folder / "images" / "b.png", b"\0\0\0\x18ftypheic" + bytes(40))
    write(folder / "images" / "c.webp", b"what is this")
    reasons = import_table(folder, tmp_path / "data").manifest["counts"]["rejected"]
    assert reasons == {"unknown format (an AVIF picture)": 1, "unknown format (a HEIC picture)": 1, "unknown format": 1}
