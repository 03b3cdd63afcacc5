"""Two weeks of a shop's export, with names, separators and faults as real ones have them; pictures are drawn small."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from makers import write

KINDS = ("Trousers", "Sweater", "Dress", "Scarf")
COLOURS = {"Black": (25, 25, 25), "Blue": (40, 70, 190), "Red": (190, 35, 40), "Green": (40, 140, 60)}
START = date(2020, 6, 1)
BOM = "\ufeff"


def article(number: int) -> str:
    """An article's id as the catalogue has it: ten digits, of which the first is a zero."""
    return f"0{108_775_000 + 17 * number}"


def without_zeros(id: str) -> str:
    """What a spreadsheet leaves of an id."""
    return id.lstrip("0")


def kind(number: int) -> str:
    return KINDS[number % len(KINDS)]


def colour(number: int) -> str:
    return list(COLOURS)[number // len(KINDS) % len(COLOURS)]


def articles(numbers: list[int], renamed: dict[int, str] | None = None) -> str:
    """The item table: BOM, semicolons, the columns' names of a known fashion shop."""
    names = {number: f"{colour(number)} {kind(number)} no {number}" for number in numbers} | (renamed or {})
    head = f"{BOM}article_id;prod_name;product_type_name;colour_group_name;detail_desc\r\n"
    rows = (
        f"{article(n)};{names[n]};{kind(n)};{colour(n)};A {kind(n).lower()} of soft cotton, made to last.\r\n"
        for n in numbers
    )
    return head + "".join(rows)


def bought(users: range, numbers: list[int], *, each: int, seed: int) -> list[tuple[int, int]]:
    """Who bought what: everybody likes one kind, and one thing in ten is of another."""
    rng = np.random.default_rng(seed)
    pairs = []
    for user in users:
        liked = [n for n in numbers if n % len(KINDS) == user % len(KINDS)]
        count = min(each, len(liked))
        pairs += [(user, int(n)) for n in rng.choice(liked, size=count, replace=False)]
        if rng.random() < 0.5:
            pairs.append((user, int(rng.choice([n for n in numbers if n not in liked]))))
    return pairs


def transactions(pairs: list[tuple[int, int]], start: date, *, zeros: bool) -> str:
    """The log; without ``zeros`` a spreadsheet had it open."""
    spelt = article if zeros else (lambda n: without_zeros(article(n)))
    days = (start + timedelta(days=place % 28) for place in range(len(pairs)))
    rows = (f"{day};c{user:05};{spelt(n)};0.0169;2\r\n" for day, (user, n) in zip(days, pairs, strict=True))
    return f"{BOM}t_dat;customer_id;article_id;price;sales_channel_id\r\n" + "".join(rows)


def photo(number: int, size: int = 96) -> Image.Image:
    """A garment of its colour on a pale backdrop."""
    image = Image.new("RGB", (size, size), (236, 234, 232))
    box = (size // 4, size // 6, 3 * size // 4, 5 * size // 6)
    ImageDraw.Draw(image).rounded_rectangle(box, size // 10, fill=COLOURS[colour(number)])
    return image


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def pictures(folder: Path, numbers: list[int]) -> None:
    """Oddly named ones: in subfolders by the first digits, with a suffix, without the zero; every tenth is missing."""
    for place, n in enumerate(numbers):
        id = article(n)
        if place % 10 == 9:
            continue
        name = (f"{id}.jpg", f"{id}_1.jpg", f"{without_zeros(id)}.PNG", f"{id}.jpeg")[place % 4]
        save(photo(n), folder / "images" / id[:3] / name)
    save(photo(1), folder / "images" / "IMG_2231.jpg")  # of nothing that is sold


def first_week(folder: Path, *, users: int = 60, goods: int = 48, each: int = 7, pictured: bool = True) -> Path:
    """The first export, whose log has lost the zeros."""
    numbers = list(range(goods))
    write(folder / "articles.csv", articles(numbers))
    pairs = bought(range(users), numbers, each=each, seed=1)
    write(folder / "transactions_train.csv", transactions(pairs, START, zeros=False))
    if pictured:
        pictures(folder, numbers)
    return folder


def second_week(folder: Path, *, users: int = 60, goods: int = 48, pictured: bool = True) -> Path:
    """The next one: four new articles, one renamed, one with another picture, new customers; the zeros are there."""
    new = list(range(goods, goods + 4))
    write(folder / "articles.csv", articles([*new, 3], {3: "Black Scarf with fringes"}))
    pairs = bought(range(users, users + 3), list(range(goods)), each=4, seed=2)
    pairs += [(user, n) for n in new for user in range(n % len(KINDS), users, 5 * len(KINDS))]
    write(folder / "transactions_train.csv", transactions(pairs, START + timedelta(days=28), zeros=True))
    if pictured:
        for n in new:
            save(photo(n), folder / "images" / article(n)[:3] / f"{article(n)}.jpg")
        save(photo(2, size=80).transpose(Image.Transpose.ROTATE_90), folder / "images" / f"{article(5)}.jpg")
    return folder
