"""The names by which real exports call their columns: the better-known name before the others.

A name is recognised whatever its case, and whether its words are parted by blanks, underscores, hyphens, points or a
capital letter. `docs/columns.md` is this table, checked by a test.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ITEM_IDS = """
    item_id item product_id product article_id article parent_asin asin sku product_sku item_sku lineitem_sku
    variation_sku sku_id sku_code goods_id goods iid movie_id movie book_id book track_id song_id game_id news_id
    video_id recipe_id listing_id offer_id object_id product_code product_no product_number product_key item_code
    item_no item_number article_no article_number article_code stock_code style_id style_code part_number
    material_number isbn isbn13 ean gtin upc 商品ID 商品 商品编号 商品编码 商品代码 商品号 产品ID 产品 产品编号 产品编码
    物品ID 物品 货号 款号 宝贝ID artikel artikelnummer artikel_nr artikel_id produkt produktnummer produkt_id produit
    id_produit référence producto id_producto artículo prodotto articolo
""".split()  # noqa: SIM905 - a table of names
_VARIANTS = ("variant_sku", "variant_id", "variant_barcode")
_NAMES: Mapping[str, str] = {  # role -> the names that exports give it, best known first
    "user": """
        user_id user customer_id customer client_id client member_id member buyer_id buyer shopper_id visitor_id visitor
        reviewer_id reviewer uid user_pseudo_id user_no user_name customer_no customer_number customer_code person_id
        household_id household_key account_id login email customer_email billing_email user_email email_address
        anonymous_id device_id client_key session_id 用户ID 用户 用户编号 用户名 客户ID 客户 客户编号 顾客ID 顾客 会员ID
        会员 会员号 会员编号 买家ID 买家 买家昵称 kunde kundennummer kunden_id kunden_nr benutzer utilisateur
        numéro_client id_client cliente id_cliente usuario utente
    """,
    "timestamp": """
        timestamp time event_timestamp event_time datetime date t_dat created_at date_created created unix_review_time
        review_time review_date order_date order_time ordered_at date_ordered purchase_date purchase_time purchased_at
        transaction_date transaction_time invoice_date order_purchase_timestamp paid_at date_paid processed_at
        completed_at date_completed event_date visit_time watched_at ts unix_time day 时间 日期 时间戳 下单时间 购买时间
        交易时间 订单时间 付款时间 支付时间 创建时间 成交时间 下单日期 购买日期 datum zeit zeitpunkt bestelldatum
        kaufdatum date_commande date_achat fecha fecha_compra data_ordine
    """,
    "order": """
        order_id order_number order_no order order_name invoice_no invoice_id invoice transaction_id basket_id 订单号
        订单ID 订单编号 bestellnummer auftragsnummer commande numéro_commande pedido ordine name
    """,
    "title": """
        title name item_name item_title product_name product_title prod_name article_name product_display_name
        display_name goods_name post_title movie_title book_title track_name song_name game_name video_title
        listing_title item_label product_label lineitem_name 标题 名称 商品标题 商品名称 商品名 产品名称 产品标题 产品名
        品名 物品名称 宝贝标题 宝贝名称 titel bezeichnung artikelbezeichnung artikelname produktname produktbezeichnung
        titre désignation libellé nom nom_produit título nombre nombre_producto titolo nome nome_prodotto
    """,
    "text": """
        text description item_description product_description detail_desc long_description desc body_html body content
        post_content description_html full_description short_description post_excerpt excerpt summary overview plot
        synopsis abstract details features bullet_points 描述 商品描述 产品描述 商品详情 详情 详细描述 简介 商品简介
        介绍 文案 beschreibung produktbeschreibung artikelbeschreibung description_produit descripción descrizione
    """,
    "image": """
        image image_file image_path image_name images base_image main_image picture pictures picture_file photo photos
        img img_path image_filename file_name poster cover thumbnail small_image 图片 主图 商品图片 产品图片 图像 照片
        bild bilddatei foto imagen immagine
    """,
    "image_url": """
        image_url image_urls image_src image_link img_url im_url image_url_high_res picture_url photo_url main_image_url
        product_image_url poster_url cover_url thumbnail_url variant_image 图片链接 图片地址 图片URL 主图链接 主图地址
        图片网址 bild_url url_image url_imagen
    """,
    "category": """
        category categories item_category product_category product_categories category_name category_path
        product_type_name product_group_name main_category sub_category master_category article_type product_type
        item_type google_product_category department department_name section taxonomy type genres genre category_code
        category_id 分类 类别 类目 品类 商品分类 商品类别 商品类目 产品分类 产品类别 kategorie warengruppe produktgruppe
        catégorie rayon categoría
    """,
    "price": """
        price item_price product_price variant_price regular_price current_price selling_price sale_price list_price
        unit_price retail_price final_price price_eur price_usd 价格 售价 单价 商品价格 销售价 preis verkaufspreis prix
        prix_ttc precio prezzo
    """,
    "colour": """
        colour color colour_name color_name colour_group_name color_group_name base_colour base_color main_colour
        main_color attribute_color 颜色 色彩 商品颜色 颜色名称 farbe couleur colore
    """,
    "brand": """
        brand brand_name item_brand product_brand vendor manufacturer maker store publisher designer label 品牌 厂商
        制造商 品牌名称 生产商 marke hersteller marque fabricant marca
    """,
}


@dataclass(frozen=True, slots=True)
class Role:
    """What a column is for: our name, what it is, and the names that exports give it, best known first."""

    name: str
    meaning: str
    names: tuple[str, ...]


def _role(name: str, meaning: str) -> Role:
    return Role(name, meaning, tuple(_NAMES[name].split()))


USER = _role("user", "who interacted")
LOG_ITEM = Role("item", "the item of the interaction", (*_ITEM_IDS, *_VARIANTS, "handle", "lineitem_id"))
TIMESTAMP = _role("timestamp", "when")
ORDER = _role("order", "whose rows are one order: user and time may stand in its first row alone")
SPLIT = Role("split", "train, valid or test", ("split", "data_split", "划分"))
ITEM = Role(
    "item", "the item's id", (*_ITEM_IDS, "handle", "g:id", "id", "code", "编号", "编码", "SKU编码", *_VARIANTS)
)
VARIANT = Role("variant", "the id of a size or colour of the item, by which the log may call it", _VARIANTS)
TITLE = _role("title", "the item's title")
TEXT = _role("text", "more words about it")
IMAGE = _role("image", "the file of its picture, or the address")
IMAGE_URL = _role("image_url", "the address of its picture")
CATEGORY = _role("category", "one category")
PRICE = _role("price", "the price as it is to be shown")
COLOUR = _role("colour", "its colour")
BRAND = _role("brand", "its brand or maker")
LOG_ROLES = (USER, LOG_ITEM, TIMESTAMP, SPLIT, ORDER)
ITEM_ROLES = (ITEM, VARIANT, TITLE, TEXT, IMAGE, IMAGE_URL, CATEGORY, PRICE, COLOUR, BRAND)
# In a log, a title may be that of a review and a price what was paid: only names that say whose it is.
_ITEMS_OWN = re.compile(r"^(?:item|product|prod|article|goods|lineitem|movie|book|商品|产品|物品)")
KINDS_OF_EVENT = ("event_type", "event_name", "event", "behavior", "behaviour", "behavior_type", "action", "行为类型")
_PREFIX = re.compile(r"^.*[.:](?=.)")
_TYPE = re.compile(r":(?:token|float|token_seq|float_seq|string|long|int)$")  # of RecBole's atomic files


def key(name: str) -> str:
    """A name as it is compared: letters without accents and digits, in lower case, without RecBole's type."""
    text = unicodedata.normalize("NFKD", name).strip().casefold()
    return "".join(letter for letter in _TYPE.sub("", text) if letter.isalnum())


def candidates(present: Sequence[str], role: Role) -> list[str]:
    """The columns that a role's names recognise, the best known name first.

    Of ``items.item_id`` and ``g:title``, as nested exports and feeds write them, the last part counts too.
    """
    rank = {key(name): place for place, name in reversed(list(enumerate(role.names)))}
    found = []
    for number, name in enumerate(present):
        whole, part = rank.get(key(name)), rank.get(key(_PREFIX.sub("", name)))
        if whole is not None:
            found.append((whole, 0, number, name))
        elif part is not None:
            found.append((part, 1, number, name))
    return [name for *_, name in sorted(found)]


def own_of_items(present: Sequence[str]) -> dict[str, str]:
    """Of a log: the columns that tell of its items and not of what happened, by role."""
    names = [name for name in present if _ITEMS_OWN.match(key(name))]
    roles = (role for role in ITEM_ROLES if role.name not in ("item", "variant"))
    return {role.name: found[0] for role in roles if (found := candidates(names, role))}
